// The files of one /proc/PID: do_task_stat, proc_pid_status (fs/proc/array.c) and
// proc_pid_cmdline_read (fs/proc/base.c).
#include <algorithm>
#include <array>

#include "base/text.h"
#include "decode/process.h"

namespace hark::decode {
namespace {

// Positions of fields behind the name, counted from 0; proc(5) counts from 1 at the pid.
constexpr std::size_t kState = 3 - 3;
constexpr std::size_t kParent = 4 - 3;
constexpr std::size_t kTerminal = 7 - 3;
constexpr std::size_t kFlags = 9 - 3;
constexpr std::size_t kStart = 22 - 3;
constexpr std::size_t kFields = kStart + 1;

/// The name is printed as it is and may hold ") R 1 1" or a newline; what follows it is the
/// kernel's own, so the last parenthesis is the end. False: the line is malformed.
bool read_stat(std::string_view text, StatRecord& out) {
  const std::size_t open = text.find(" (");
  const std::size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2) {
    return false;
  }
  if (!parse_number<std::uint32_t>(text.substr(0, open))) return false;
  out.name = text.substr(open + 2, close - open - 2);
  std::string_view rest = text.substr(close + 1);
  std::array<std::string_view, kFields> fields;
  for (std::string_view& field : fields) field = next_word(rest);
  const auto parent = parse_number<std::uint32_t>(fields[kParent]);
  const auto terminal = parse_number<std::int32_t>(fields[kTerminal]);
  const auto flags = parse_number<std::uint32_t>(fields[kFlags]);
  const auto start = parse_number<std::uint64_t>(fields[kStart]);
  if (fields[kState].size() != 1 || !parent || !terminal || !flags || !start) {
    return false;
  }
  out.state = fields[kState].front();
  out.parent_pid = *parent;
  out.flags = *flags;
  out.start_ticks = *start;
  out.terminal = *terminal;
  return !rest.empty();  // more fields follow; without them the number may be cut off
}

/// What follows `name` and its tab on the first line that begins so; empty: no such line.
std::string_view field(std::string_view status, std::string_view name) {
  while (!status.empty()) {
    std::string_view line = next_piece(status, '\n');
    if (next_piece(line, '\t') == name) return line;
  }
  return {};
}

}  // namespace

Result<StatRecord> decode_stat(ByteView text) {
  StatRecord out;
  if (!read_stat(as_text(text), out)) {
    return fail(plain_error("stat file", "no `pid (name) state parent …`"));
  }
  return out;
}

Result<StatusRecord> decode_status(ByteView text) {
  constexpr std::size_t kCapabilityDigits = 16;
  // The kernel escapes newlines in the name, so no process can forge one of these lines.
  std::string_view uids = field(as_text(text), "Uid:");
  next_piece(uids, '\t');  // the real one comes first
  const auto uid = parse_number<std::uint32_t>(next_piece(uids, '\t'));
  if (!uid) return fail(plain_error("status file", "no effective uid"));
  const std::string_view digits = field(as_text(text), "CapEff:");
  const auto capabilities = parse_number<std::uint64_t>(digits, 16);
  if (!capabilities || digits.size() != kCapabilityDigits) {
    return fail(plain_error("status file", "no effective capabilities"));
  }
  StatusRecord out;
  out.effective_uid = *uid;
  out.effective_capabilities = *capabilities;
  return out;
}

std::vector<std::string> decode_cmdline(ByteView text) {
  std::vector<std::string> out;
  std::string_view rest = as_text(text);
  rest = rest.substr(0, rest.find_last_not_of('\0') + 1);
  while (!rest.empty()) out.emplace_back(next_piece(rest, '\0'));
  return out;
}

}  // namespace hark::decode
