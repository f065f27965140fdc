// Finds and loads unit files as systemd would: load path, aliases, templates, masks, drop-ins.
// systemd.unit(5); src/basic/unit-file.c and src/shared/dropin.c of systemd where that is silent.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "decode/unit_file.h"
#include "kernel/source.h"

namespace hark::host {

/// The folders of the system's manager, first wins.
[[nodiscard]] std::vector<std::string> system_unit_folders(kernel::Source& source);
/// Those of a user's manager that only root writes to; with `home`, that user's own as well.
/// Folders that a user writes to are read for that user alone: whoever reads them for somebody
/// else follows links that a stranger has laid.
[[nodiscard]] std::vector<std::string> user_unit_folders(std::uint32_t uid,
                                                         const std::optional<std::string>& home);

enum class UnitLoad : std::uint8_t {
  Loaded,
  NotFound,
  Masked,
  Broken,      ///< systemd refuses its file
  Unreadable,  ///< hark could not read its file
};

/// A unit with its drop-ins behind it.
struct LoadedUnit {
  std::string name;      ///< the one that aliases lead to
  std::string fragment;  ///< path; empty: not found
  UnitLoad load = UnitLoad::NotFound;
  std::string why;    ///< of Broken and Unreadable
  bool whole = true;  ///< false: one of its drop-ins could not be read
  std::vector<decode::UnitSetting> settings;

  /// The last value, with specifiers replaced; nothing if there is none or it cannot be known.
  [[nodiscard]] std::optional<std::string> text(decode::UnitSection section,
                                                std::string_view key) const;
};

class UnitFiles {
 public:
  /// Lists the folders, and reads nothing yet.
  UnitFiles(kernel::Source& source, std::vector<std::string> folders);

  /// Some folder could be listed.
  [[nodiscard]] bool readable() const { return readable_; }
  /// This one of them could.
  [[nodiscard]] bool lists(std::string_view folder) const { return listed_.contains(folder); }
  /// Why none could; only if readable() is false.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  /// All of that type ("socket"): files, links to them, and the instances that others want
  /// (NAME.wants, NAME.requires). Templates are left out. Sorted.
  [[nodiscard]] std::vector<std::string> names_of_type(std::string_view type);

  /// Those of that type that others want or require: what is enabled, and what a package brings.
  [[nodiscard]] std::vector<std::string> wanted_of_type(std::string_view type);

  [[nodiscard]] LoadedUnit load(const std::string& name);

 private:
  struct Found {
    std::string folder;
    std::string file;
  };
  [[nodiscard]] std::optional<Found> find(const std::string& name) const;
  [[nodiscard]] bool in_load_path(std::string_view folder) const;
  void add_drop_ins(const std::vector<std::string>& names, LoadedUnit& unit);
  void read_fragment(const std::string& path, LoadedUnit& unit);

  kernel::Source& source_;
  std::vector<std::string> folders_;
  std::map<std::string, std::size_t, std::less<>> units_;  ///< name → the first folder that has it
  std::map<std::string, std::vector<std::size_t>, std::less<>> drop_in_folders_;
  std::vector<std::string> wants_folders_;
  std::set<std::string, std::less<>> listed_;
  bool readable_ = false;
  std::optional<Error> error_;
};

/// Units of the system's manager that others want or require, by links in this machine's own
/// configuration.
[[nodiscard]] std::set<std::string> enabled_units(kernel::Source& source);

/// `target` of a link in `folder`, without "." and ".." (which are taken out as text).
[[nodiscard]] std::string resolved_path(std::string_view folder, std::string_view target);

/// Is there a file of that path? Links are followed. Nothing: that may not be seen.
[[nodiscard]] std::optional<bool> file_exists(kernel::Source& source, const std::string& path);

}  // namespace hark::host
