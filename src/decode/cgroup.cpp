#include "decode/cgroup.h"

#include "base/text.h"
#include "decode/text_lines.h"

namespace hark::decode {
namespace {

constexpr std::string_view kDeleted = " (deleted)";
constexpr std::string_view kRoot = "/";

bool is_version_2(const CgroupLine& line) {
  return line.hierarchy == 0 && line.controllers.empty();
}

bool is_systemd(const CgroupLine& line) {
  return line.controllers == "name=systemd";
}

/// Paths begin with a slash, even those outside our cgroup namespace ("/../x").
bool read_line(std::string_view line, CgroupLine& out) {
  const auto hierarchy = parse_number<unsigned>(next_piece(line, ':'));
  const std::size_t colon = line.find(':');
  if (!hierarchy || colon == std::string_view::npos) return false;
  out.hierarchy = *hierarchy;
  out.controllers = line.substr(0, colon);
  std::string_view path = line.substr(colon + 1);
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  out.path = path;
  return path.starts_with(kRoot) && path.find('\0') == std::string_view::npos;
}

}  // namespace

Result<std::vector<CgroupLine>> decode_cgroup_file(ByteView text) {
  std::vector<CgroupLine> out;
  TextLines lines(text, "cgroup file");
  while (const auto line = lines.next()) {
    CgroupLine entry;
    if (!read_line(*line, entry)) return fail(lines.reject("no hierarchy:controllers:path"));
    out.push_back(std::move(entry));
  }
  if (lines.error()) return fail(*lines.error());
  return out;
}

std::string telling_path(const std::vector<CgroupLine>& lines) {
  for (const auto& preferred : {is_version_2, is_systemd}) {
    for (const CgroupLine& line : lines) {
      if (preferred(line) && line.path != kRoot) return line.path;
    }
  }
  std::string longest(kRoot);
  for (const CgroupLine& line : lines) {
    if (line.path.size() > longest.size()) longest = line.path;
  }
  return longest;
}

}  // namespace hark::decode
