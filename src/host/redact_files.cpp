#include "host/redact_files.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "decode/server_config.h"
#include "host/redact_state_files.h"
#include "host/redact_unit_files.h"

namespace hark::host {
namespace {

/// What else is read below the root of a process: programs.cpp.
constexpr std::array<std::string_view, 4> kManifests = {"/package.json", "/deno.json",
                                                        "/composer.json", "/pyproject.toml"};

bool is_server_config(std::string_view path) {
  constexpr std::string_view kProc = "/proc/";
  if (!path.starts_with(kProc)) return false;
  const std::size_t end = path.find_first_not_of("0123456789", kProc.size());
  if (end == std::string_view::npos || !path.substr(end).starts_with("/root/")) return false;
  return std::ranges::none_of(kManifests,
                              [&](std::string_view one) { return path.ends_with(one); });
}

}  // namespace

Bytes redact_file(const std::string& path, ByteView file) {
  if (is_server_config(path)) return decode::without_other_settings(file);
  return redact_unit_file(path, redact_state_file(path, file));
}

}  // namespace hark::host
