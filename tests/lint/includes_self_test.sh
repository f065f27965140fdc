#!/bin/sh
# What tools/check-includes lets through and what it does not.
# shellcheck source=tests/lint/common.sh
. "$1/tests/lint/common.sh"

mkdir -p "$tree/docs"
cp "$root/docs/architecture.md" "$tree/docs"
rejects includes "no source files" "a tree without sources"

good() {
  rm -rf "$tree/src"
  put src/base/text.h <<'END'
#pragma once
#include <string>
END
  put src/kernel/live.cpp <<'END'
#include "kernel/live.h"
#include <linux/netlink.h>
#include <libmnl/libmnl.h>
#include "base/text.h"
END
  put src/decode/diag.cpp <<'END'
#include <linux/inet_diag.h>
#include "base/bytes.h"
END
  put src/decode/json_walk.cpp <<'END'
#include <nlohmann/json.hpp>
END
  put src/show/json.cpp <<'END'
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include "host/host.h"
#include "probe/probe.h"
END
  put src/host/host_test.cpp <<'END'
#include <filesystem>
#include <nlohmann/json.hpp>
#include "kernel/replay.h"
END
  put src/cli/options.cpp <<'END'
#include <CLI/CLI.hpp>
#include "show/table.h"
#include "drill/lab.h"
END
}
# bad FILE LINE WORDS: the good tree with this line added is rejected with these words.
bad() {
  good
  mkdir -p "$tree/src/$(dirname "$1")"
  printf '%s\n' "$2" >>"$tree/src/$1"
  rejects includes "$3" "$1: $2"
}

good
accepts includes "a good tree"

while IFS='|' read -r file line words; do
  [ -z "$file" ] || bad "$file" "$line" "$words"
done <<'END'
base/text.h|#include "kernel/source.h"|base may not include kernel
base/text.h|#include "host/host.h"|base may not include host
kernel/live.cpp|#include "decode/inet_diag.h"|kernel may not include decode
kernel/live.cpp|#include "host/host.h"|kernel may not include host
decode/diag.cpp|#include "kernel/source.h"|decode may not include kernel
decode/diag.cpp|  #  include   "host/host.h"|decode may not include host
host/host.h|#include "show/table.h"|host may not include show
host/host.h|#include "reach/trace.h"|host may not include reach
host/host_test.cpp|#include "show/table.h"|host may not include show
reach/trace.h|#include "kernel/source.h"|reach may not include kernel
diagnose/find.h|#include "probe/connect.h"|diagnose may not include probe
probe/connect.h|#include "show/table.h"|probe may not include show
drill/lab.h|#include "show/table.h"|drill may not include show
drill/lab.h|#include "cli/options.h"|drill may not include cli
show/table.cpp|#include "decode/process.h"|show may not include decode
show/table.cpp|#include "kernel/source.h"|show may not include kernel
show/table.cpp|#include "cli/options.h"|show may not include cli
show/table.cpp|#include <host/host.h>|angle brackets
show/table.cpp|#include "table.h"|not the form
show/table.cpp|#include "../host/host.h"|a path with dots
show/table.cpp|#include "extra/thing.h"|not the form
show/table.cpp|#include TABLE_HEADER|cannot be read
show/table.cpp|#include <linux/if.h>|kernel header
host/host.h|#include <libmnl/libmnl.h>|kernel header
cli/main.cpp|#include <iostream>|<iostream>
base/text.h|#include <regex>|<regex>
host/host_test.cpp|#include <iostream>|<iostream>
host/host.h|#include <filesystem>|<filesystem>
host/host.h|#include <nlohmann/json.hpp>|JSON library
decode/diag.cpp|#include <nlohmann/json.hpp>|JSON library
decode/json_walk.h|#include <nlohmann/json.hpp>|JSON library
cli/main.cpp|#include <nlohmann/json.hpp>|JSON library
cli/main.cpp|#include <CLI/CLI.hpp>|CLI11 is included
show/table.cpp|#include <CLI/App.hpp>|CLI11
show/table.h|#include <fmt/format.h>|fmt in a header
show/table.cpp|using namespace std;|using namespace
extra/thing.h|#include <string>|not in the table
show/deep/thing.h|#include <string>|belongs into
END

# Without its table the check must not pass either.
good
: >"$tree/docs/architecture.md"
rejects includes "no table" "a page without the table"
finish
