// The table of scenes. One more is a function in a file scenes_FAMILY.cpp and a row in its table.
#pragma once

#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stage.h"

namespace hark::doctor {

/// Makes a trouble, or comes near it.
struct Scene {
  const char* name;  ///< letters and digits: the name of its test
  /// Makes it. Thrown: std::runtime_error where that failed; Missing where this machine cannot.
  void (*make)(Stage&);
  /// What hark must say of the listener on `port`; nullptr: nothing at all, of any listener.
  const char* code;
  std::uint16_t port = 80;
  const char* severity = "broken";
  /// Options of hark besides --json and --netns.
  std::vector<std::string> options = {};
};

inline std::ostream& operator<<(std::ostream& out, const Scene& scene) {
  return out << scene.name;
}

/// What this machine lacks for the scene.
struct Missing {
  std::string what;
};

/// The scenes of each family, in its own file; scenes.cpp puts them together.
[[nodiscard]] std::span<const Scene> full_queue_scenes();
[[nodiscard]] std::span<const Scene> idle_owner_scenes();
[[nodiscard]] std::span<const Scene> starved_owner_scenes();
[[nodiscard]] std::span<const Scene> not_accepting_scenes();
[[nodiscard]] std::span<const Scene> full_buffer_scenes();
[[nodiscard]] std::span<const Scene> choosy_socket_scenes();
[[nodiscard]] std::span<const Scene> deleted_program_scenes();
[[nodiscard]] std::span<const Scene> exposed_scenes();
[[nodiscard]] std::span<const Scene> shared_port_scenes();
[[nodiscard]] std::span<const Scene> odd_binding_scenes();
[[nodiscard]] std::span<const Scene> firewall_scenes();
[[nodiscard]] std::span<const Scene> lost_answer_scenes();
[[nodiscard]] std::span<const Scene> declared_port_scenes();

[[nodiscard]] std::vector<Scene> all_scenes();

/// Codes that need a systemd, which tests/systemd/doctor_units_test.cpp makes up, or containers:
/// tests/netns/containers_test.cpp.
[[nodiscard]] std::span<const std::string_view> codes_made_elsewhere();

}  // namespace hark::doctor
