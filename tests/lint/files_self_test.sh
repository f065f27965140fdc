#!/bin/sh
# What tools/check-files lets through and what it does not.
# shellcheck source=tests/lint/common.sh
. "$1/tests/lint/common.sh"

lines() { awk -v count="$1" 'BEGIN { for (i = 0; i < count; i++) print "// line" }'; }
good() {
  rm -rf "$tree/src" "$tree/tests" "$tree/docs"
  mkdir -p "$tree/tests"
  lines 500 | put src/base/long.cpp
  { echo '#pragma once'; lines 299; } | put src/base/long.h
  printf 'text\n' | put docs/page.md
  printf 'bytes \t' | put tests/fuzz/corpus/seed/a.txt
}
good
accepts files "a good tree"

lines 501 | put src/base/long.cpp
rejects files "more than 500 lines" "a source file of 501 lines"
good
{ echo '#pragma once'; lines 300; } | put src/base/long.h
rejects files "more than 300 lines" "a header of 301 lines"
good
lines 3 | put src/base/bare.h
rejects files "no #pragma once" "a header without its pragma"
good
printf 'text \n' | put docs/page.md
rejects files "blanks at the end" "a page with a trailing blank"
good
printf '\tint x;\n' | put src/base/tab.cpp
rejects files "tab" "a tab in a source file"
good
printf 'text\r\n' | put docs/page.md
rejects files "carriage return" "a carriage return"
good
printf 'text' | put docs/page.md
rejects files "no newline" "a page without a final newline"
good
printf '// %0101d\n' 7 | put src/base/wide.cpp
rejects files "longer than 100" "a line of 104 columns"
good
printf 'text\n' | put 'docs/two words.md'
rejects files "blanks in it" "a file name with a blank"
rm -rf "$tree/docs"
finish
