// A line of mountinfo, as show_mountinfo of fs/proc_namespace.c prints it:
//
//   id parent major:minor root mount-point options [tag…] - type source super-options
//
// Exactly one blank stands between two fields: a source may be empty, and then two blanks meet.
// Blanks, newlines and backslashes inside names come as \ooo (mangle of fs/seq_file.c).
#include "decode/mountinfo.h"

#include <algorithm>

#include "base/text.h"
#include "decode/text_lines.h"

namespace hark::decode {
namespace {

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

unsigned digit(char c) {
  return static_cast<unsigned>(c - '0');
}

/// Undoes \ooo. A backslash that begins no such thing stands for itself.
std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const bool escape = text.size() >= 4 && text[0] == '\\' && text[1] <= '3' &&
                        std::all_of(text.begin() + 1, text.begin() + 4, is_octal);
    if (escape) {
      const unsigned value = digit(text[1]) * 64 + digit(text[2]) * 8 + digit(text[3]);
      out += static_cast<char>(value);
    } else {
      out += text.front();
    }
    text.remove_prefix(escape ? 4 : 1);
  }
  return out;
}

bool is_device(std::string_view text) {
  const std::string_view major = next_piece(text, ':');
  return parse_number<std::uint32_t>(major) && parse_number<std::uint32_t>(text);
}

/// False: the line is malformed.
bool read_line(std::string_view line, MountRecord& out) {
  const auto id = parse_number<std::uint32_t>(next_piece(line, ' '));
  const auto parent = parse_number<std::uint32_t>(next_piece(line, ' '));
  if (!id || !parent || !is_device(next_piece(line, ' '))) return false;
  out.root = unescape(next_piece(line, ' '));
  out.mount_point = unescape(next_piece(line, ' '));
  out.options = next_piece(line, ' ');
  std::string_view tag = next_piece(line, ' ');
  while (tag != "-") {
    if (line.empty()) return false;
    tag = next_piece(line, ' ');
  }
  out.type = unescape(next_piece(line, ' '));
  out.source = unescape(next_piece(line, ' '));
  out.super_options = line;  // a file system may print anything here, blanks too
  return !out.root.empty() && !out.mount_point.empty() && !out.options.empty() &&
         !out.type.empty() && !out.super_options.empty();
}

/// hidepid2str of fs/proc/root.c; kernels before 5.8 print the number.
unsigned level_named(std::string_view word) {
  if (word == "1" || word == "noaccess") return 1;
  if (word == "2" || word == "4" || word == "invisible" || word == "ptraceable") return 2;
  return 0;
}

}  // namespace

Result<std::vector<MountRecord>> decode_mountinfo(ByteView text) {
  std::vector<MountRecord> out;
  TextLines lines(text, "mountinfo");
  while (const auto line = lines.next()) {
    MountRecord record;
    if (!read_line(*line, record)) return fail(lines.reject("not a mount"));
    out.push_back(std::move(record));
  }
  if (lines.error()) return fail(*lines.error());
  return out;
}

std::optional<std::uint32_t> netns_inode(std::string_view text) {
  constexpr std::string_view kBegin = "net:[";
  if (!text.starts_with(kBegin) || !text.ends_with(']')) return std::nullopt;
  return parse_number<std::uint32_t>(text.substr(kBegin.size(), text.size() - kBegin.size() - 1));
}

unsigned hidepid_level(const std::vector<MountRecord>& mounts) {
  constexpr std::string_view kOption = "hidepid=";
  // Mounts over one another are listed in the order in which they were made: the last is on top.
  const auto top = std::find_if(mounts.rbegin(), mounts.rend(), [](const MountRecord& mount) {
    return mount.mount_point == "/proc" && mount.type == "proc";
  });
  if (top == mounts.rend()) return 0;
  std::string_view options = top->super_options;
  while (!options.empty()) {
    const std::string_view option = next_piece(options, ',');
    if (option.starts_with(kOption)) return level_named(option.substr(kOption.size()));
  }
  return 0;
}

}  // namespace hark::decode
