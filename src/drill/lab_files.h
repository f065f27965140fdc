// The texts that are built in: scenarios, the path through them, the shell functions that set up
// places. Made from the files of this folder's scenarios/ when hark is built.
#pragma once

#include <span>
#include <string_view>

namespace hark::drill {

struct LabFile {
  std::string_view name;  ///< of a scenario: without .toml
  std::string_view text;
};

/// By name.
[[nodiscard]] std::span<const LabFile> lab_files();
/// Names, a line each, in the order of the path.
[[nodiscard]] std::string_view lab_path_file();
[[nodiscard]] std::string_view lab_world_file();

}  // namespace hark::drill
