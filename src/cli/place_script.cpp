#include <algorithm>

#include "cli/test_via.h"
#include "reach/shell_word.h"

namespace hark::cli {
namespace {

/// POSIX sh. Variables: T the seconds, and as arguments of `each` the target as it was asked, its
/// host and its port. A field that is not known is "-".
constexpr std::string_view kFunctions = R"sh(
here=${SSH_CONNECTION:-}
set -- $here
from=${3:--}
LC_ALL=C; export LC_ALL
have() { command -v "$1" >/dev/null 2>&1; }
connect() {
  if have bash && have timeout; then
    timeout "$T" bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2"
  elif have python3; then
    python3 -c 'import socket,sys
try: socket.create_connection((sys.argv[1],int(sys.argv[2])),float(sys.argv[3]))
except socket.timeout: sys.exit(124)
except OSError as e: sys.exit(str(e))' "$1" "$2" "$T"
  elif have nc; then
    nc -v -z -w "$T" "$1" "$2"
  elif have curl; then
    case $1 in *:*) host="[$1]" ;; *) host=$1 ;; esac
    said=$(curl -gsSv --connect-timeout "$T" -m "$T" "telnet://$host:$2" 2>&1 </dev/null)
    # It holds the connection until its time is up: what it says counts, not its status.
    case $said in *'* Connected to '* | *'* Established connection to '*) return 0 ;; esac
    printf '%s\n' "$said"; return 1
  else
    echo 'neither bash, python3, nc nor curl is there'; return 1
  fi
}
each() {
  text=$(connect "$2" "$3" 2>&1 </dev/null); status=$?
  outcome=unknown error=-
  case $status:$text in
    0:*) outcome=answered ;;
    124:* | *'timed out'*) outcome=silent error=ETIMEDOUT ;;
    *efused*) outcome=refused error=ECONNREFUSED ;;
    *'o route to host'*) outcome=rejected error=EHOSTUNREACH ;;
    *'etwork is unreachable'*) outcome=rejected error=ENETUNREACH ;;
    *'not known'* | *'name resolution'*) error=EAI_NONAME ;;
  esac
  printf 'hark\t%s\t%s\t%s\t%s\n' "$1" "$outcome" "$error" "$from"
}
)sh";

}  // namespace

std::string place_script(const std::vector<std::string>& targets, std::uint32_t timeout_ms) {
  const std::uint32_t seconds = std::max<std::uint32_t>(1, (timeout_ms + 999) / 1000);
  std::string words;
  for (const std::string& target : targets) words += ' ' + reach::shell_word(target);
  std::string out =
      "if command -v hark >/dev/null 2>&1; then\n  json=$(hark test --json --timeout " +
      std::to_string(seconds) + " --" + words +
      " </dev/null 2>/dev/null)\n"
      "  case $? in 0 | 1 | 3) printf '%s\\n' \"$json\"; exit 0 ;; esac\nfi\nT=" +
      std::to_string(seconds) + std::string(kFunctions);
  for (const std::string& word : targets) {
    const Result<TestTarget> target = parse_test_target(word);
    if (!target || target->listeners || target->protocol != Protocol::Tcp) continue;
    const std::string host = target->address ? target->address->text() : target->name;
    out += "each " + reach::shell_word(word) + ' ' + reach::shell_word(host) + ' ' +
           std::to_string(target->port) + '\n';
  }
  return out;
}

}  // namespace hark::cli
