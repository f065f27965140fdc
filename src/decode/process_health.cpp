#include "decode/process_health.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace hark::decode {
namespace {

constexpr std::size_t kMostLibraries = 16;
constexpr std::string_view kDeleted = " (deleted)";

/// The path of a line of maps, behind "START-END PERM OFFSET DEV INODE" and blanks; empty: none, or
/// not mapped to be run.
std::string_view run_path(std::string_view line) {
  (void)next_word(line);
  const std::string_view permissions = next_word(line);
  if (permissions.size() < 3 || permissions[2] != 'x') return {};
  for (int i = 0; i < 3; ++i) (void)next_word(line);
  while (line.starts_with(' ')) line.remove_prefix(1);
  return line;
}

/// Memory without a file is called deleted as well.
bool is_file(std::string_view path) {
  for (const std::string_view not_one : {"/memfd:", "/SYSV", "/dev/", "/anon_hugepage"}) {
    if (path.starts_with(not_one)) return false;
  }
  return path.starts_with('/');
}

bool is_library(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name.ends_with(".so") || name.find(".so.") != std::string_view::npos;
}

}  // namespace

TaskStatus decode_task_status(ByteView text) {
  TaskStatus out;
  std::string_view rest = as_text(text);
  while (!rest.empty()) {
    std::string_view line = next_piece(rest, '\n');
    std::string_view name = next_piece(line, ':');
    while (line.starts_with('\t')) line.remove_prefix(1);
    const std::string_view value = next_word(line);
    if (name == "State" && value.size() == 1) out.state = value.front();
    if (name == "TracerPid") out.tracer_pid = parse_number<std::uint32_t>(value);
    if (name == "Threads") out.threads = parse_number<std::uint32_t>(value);
    if (name == "voluntary_ctxt_switches" || name == "nonvoluntary_ctxt_switches") {
      const auto count = parse_number<std::uint64_t>(value);
      if (count) out.switches = out.switches.value_or(0) + *count;
    }
  }
  return out;
}

std::vector<std::string> decode_deleted_libraries(ByteView maps) {
  std::set<std::string> out;
  std::string_view rest = as_text(maps);
  while (!rest.empty() && out.size() < kMostLibraries) {
    const std::string_view line = next_piece(rest, '\n');
    if (!line.ends_with(kDeleted)) continue;
    std::string_view path = run_path(line);
    if (!path.ends_with(kDeleted)) continue;
    path.remove_suffix(kDeleted.size());
    if (is_file(path) && is_library(path)) out.emplace(path);
  }
  return {out.begin(), out.end()};
}

std::optional<TaskCall> decode_task_call(ByteView text) {
  std::string_view rest = as_text(text);
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  TaskCall out;
  const auto number = parse_number<std::int64_t>(next_word(rest));
  if (!number || *number < 0) return std::nullopt;
  out.number = *number;
  for (std::uint64_t& argument : out.arguments) {
    std::string_view word = next_word(rest);
    if (!word.starts_with("0x")) return std::nullopt;
    const auto value = parse_number<std::uint64_t>(word.substr(2), 16);
    if (!value) return std::nullopt;
    argument = *value;
  }
  return out;
}

std::vector<std::uint64_t> decode_epoll_inodes(ByteView info) {
  constexpr std::string_view kInode = "ino:";
  std::vector<std::uint64_t> out;
  std::string_view rest = as_text(info);
  while (!rest.empty()) {
    std::string_view line = next_piece(rest, '\n');
    if (next_word(line) != "tfd:") continue;
    for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
      if (!word.starts_with(kInode)) continue;
      const auto inode = parse_number<std::uint64_t>(word.substr(kInode.size()), 16);
      if (inode) out.push_back(*inode);
    }
  }
  return out;
}

std::optional<std::uint32_t> decode_descriptor_flags(ByteView info) {
  constexpr int kOctal = 8;
  std::string_view rest = as_text(info);
  while (!rest.empty()) {
    std::string_view line = next_piece(rest, '\n');
    if (next_piece(line, '\t') == "flags:") return parse_number<std::uint32_t>(line, kOctal);
  }
  return std::nullopt;
}

std::map<std::string, std::uint64_t> decode_flat_numbers(ByteView text) {
  std::map<std::string, std::uint64_t> out;
  std::string_view rest = as_text(text);
  while (!rest.empty()) {
    std::string_view line = next_piece(rest, '\n');
    const std::string_view name = next_word(line);
    const auto value = parse_number<std::uint64_t>(next_word(line));
    if (value) out.emplace(name, *value);
  }
  return out;
}

std::map<std::string, std::uint64_t> decode_counters(ByteView text) {
  std::map<std::string, std::uint64_t> out;
  std::string_view rest = as_text(text);
  while (!rest.empty()) {
    std::string_view names = next_piece(rest, '\n');
    std::string_view values = next_piece(rest, '\n');
    const std::string_view group = next_piece(names, ':');
    if (next_piece(values, ':') != group) break;
    for (std::string_view name = next_word(names); !name.empty(); name = next_word(names)) {
      const auto value = parse_number<std::uint64_t>(next_word(values));
      if (value) out.emplace(std::string(group).append(name), *value);
    }
  }
  return out;
}

}  // namespace hark::decode
