#include "scenes.h"

#include <array>

namespace hark::doctor {

std::vector<Scene> all_scenes() {
  const std::array families = {
      full_queue_scenes(),       //
      idle_owner_scenes(),       //
      starved_owner_scenes(),    //
      not_accepting_scenes(),    //
      full_buffer_scenes(),      //
      choosy_socket_scenes(),    //
      deleted_program_scenes(),  //
      exposed_scenes(),          //
      shared_port_scenes(),      //
      odd_binding_scenes(),      //
      firewall_scenes(),         //
      lost_answer_scenes(),      //
      declared_port_scenes(),    //
  };
  std::vector<Scene> out;
  for (const std::span<const Scene> family : families) {
    out.insert(out.end(), family.begin(), family.end());
  }
  return out;
}

std::span<const std::string_view> codes_made_elsewhere() {
  static constexpr std::array<std::string_view, 6> kCodes = {
      "socket-activation", "unit-failed",      "start-limit-hit",
      "restarting",        "container-killed", "deleted-container"};
  return kCodes;
}

}  // namespace hark::doctor
