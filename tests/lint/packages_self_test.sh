#!/bin/sh
# What tools/check-packages lets through and what it does not.
# shellcheck source=tests/lint/common.sh
. "$1/tests/lint/common.sh"

good() {
  printf '# why\n[run]\ng++  # compiler\nlibfmt-dev\n\n[test]\nlibfmt-dev\n' | put packages.txt
  # shellcheck disable=SC2016
  printf 'apt-get -q update\napt-get install -y $missing\napt-get install g++ libfmt-dev\n' |
    put install.sh
}
good
accepts packages "a good list"

rm "$tree/packages.txt"
rejects packages "missing" "no list"
good
printf 'sudo apt-get -y install --no-install-recommends g++ nginx\n' | put more.sh
rejects packages "installs nginx" "a script with a package of its own"
printf 'run `apt install curl` first\n' | put more.sh
rejects packages "installs curl" "a page with a package of its own"
rm "$tree/more.sh"
printf 'cmake\n[run]\n' | put packages.txt
rejects packages "before the first section" "a package without a section"
printf '[run]\ng++\ng++\nlibfmt-dev\n' | put packages.txt
rejects packages "twice" "a package twice in a section"
printf '[run]\ng++\nlibfmt-dev\nG ++\n' | put packages.txt
rejects packages "not a package name" "a line that is no package"
finish
