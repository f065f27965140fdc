// Any path: a unit has only the characters of a unit's name, an id is never empty, and nothing
// grows beyond the path.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "host/cgroup_names.h"

namespace {

bool fits_a_unit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view(":-_.\\@").find(c) != std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string path(reinterpret_cast<const char*>(data), size);
  const std::string unit = hark::host::unit_of_cgroup(path);
  if (!std::ranges::all_of(unit, fits_a_unit) || unit.size() > 255) std::abort();
  if (!unit.empty() && path.find(unit) == std::string::npos) std::abort();
  if (!unit.empty() && unit.find('.') == std::string::npos) std::abort();
  const auto container = hark::host::container_of_cgroup(path);
  if (!container) return 0;
  constexpr std::array<std::string_view, 7> kRuntimes = {"docker", "podman", "containerd", "cri-o",
                                                         "lxc",    "nspawn", "kubernetes"};
  if (std::ranges::find(kRuntimes, container->runtime) == kRuntimes.end()) std::abort();
  if (container->id.empty() || container->id.size() > size) std::abort();
  if (container->id.find('/') != std::string::npos) std::abort();
  return 0;
}
