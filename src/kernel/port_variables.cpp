#include "kernel/port_variables.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/text.h"

namespace hark::kernel {

bool is_environment(std::string_view path) {
  constexpr std::string_view kProc = "/proc/";
  if (!path.starts_with(kProc)) return false;
  path.remove_prefix(kProc.size());
  const std::string_view pid = next_piece(path, '/');
  return path == "environ" && !pid.empty();
}

std::string port_variables(std::string_view environment) {
  constexpr std::array<std::string_view, 3> kNames = {"PORT", "LISTEN_PORT", "HTTP_PORT"};
  std::string out;
  while (!environment.empty()) {
    const std::string_view variable = next_piece(environment, '\0');
    std::string_view value = variable;
    const std::string_view name = next_piece(value, '=');
    if (std::ranges::find(kNames, name) == kNames.end()) continue;
    if (parse_number<std::uint16_t>(value).value_or(0) == 0) continue;
    out.append(variable).append(1, '\0');
  }
  return out;
}

}  // namespace hark::kernel
