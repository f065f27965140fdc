#include "host/unit_obstacles.h"

namespace hark::host {
namespace {

using decode::UnitSection;

/// Settings that give a service another root, or another program in the same place.
bool has_other_root(const LoadedUnit& unit) {
  for (const char* key :
       {"RootDirectory", "RootImage", "MountImages", "ExtensionImages", "ExtensionDirectories",
        "BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem"}) {
    if (decode::last_value(unit.settings, UnitSection::Service, key)) return true;
  }
  return false;
}

Obstacle obstacle_of_program(kernel::Source& source, const LoadedUnit& unit) {
  const auto commands = decode::all_values(unit.settings, UnitSection::Service, "ExecStart");
  if (commands.empty()) {
    const bool oneshot = unit.text(UnitSection::Service, "Type").value_or("") == "oneshot";
    const auto stops = decode::all_values(unit.settings, UnitSection::Service, "ExecStop");
    if (oneshot || !stops.empty() || !unit.whole) return {};
    return {false, "it has no ExecStart="};
  }
  if (has_other_root(unit) || !unit.whole) return {};
  const auto command = decode::without_specifiers(commands.front(), unit.name);
  const auto program = command ? decode::program_of_command(*command) : std::nullopt;
  if (!program || !program->starts_with('/')) return {};
  const auto exists = file_exists(source, *program);
  if (!exists) return {};
  return *exists ? Obstacle{true, {}} : Obstacle{false, "its program " + *program + " is missing"};
}

}  // namespace

Obstacle obstacle_of(kernel::Source& source, const LoadedUnit& unit) {
  switch (unit.load) {
    case UnitLoad::NotFound:
      return {false, "it has no unit file"};
    case UnitLoad::Masked:
      return {false, "it is masked"};
    case UnitLoad::Broken:
      return {false, "its unit file cannot be used: " + unit.why};
    case UnitLoad::Unreadable:
      return {};
    case UnitLoad::Loaded:
      break;
  }
  return unit.name.ends_with(".service") ? obstacle_of_program(source, unit) : Obstacle{};
}

}  // namespace hark::host
