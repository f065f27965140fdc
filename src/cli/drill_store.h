// The state file of drills: $XDG_STATE_HOME/hark/NAME, else ~/.local/state/hark, for root
// /var/lib/hark. Replaced as a whole, so that whoever is killed leaves the old one or the new one.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "drill/drill_history.h"

namespace hark::cli {

/// The folder, which need not exist; an error where nothing says which it is.
[[nodiscard]] Result<std::string> drill_folder();

/// Each folder of the path that is not there, for its owner alone.
[[nodiscard]] Result<void> make_folders(const std::string& path);

class DrillStore {
 public:
  /// `name` is of a file in the folder.
  DrillStore(std::string folder, std::string name)
      : folder_(std::move(folder)), name_(std::move(name)) {}

  /// Makes the folder, and keeps other drills away until this object is gone. False: one is going
  /// on.
  [[nodiscard]] Result<bool> lock();

  /// What was kept; nothing was: an empty one. A file that is no state of a drill is an error, and
  /// stays as it is.
  [[nodiscard]] Result<drill::History> load() const;
  /// Gives such a file another name, which it returns: nothing is lost.
  [[nodiscard]] Result<std::string> set_aside() const;
  [[nodiscard]] Result<void> save(const drill::History& history) const;

  [[nodiscard]] std::string path() const { return folder_ + "/" + name_; }

 private:
  std::string folder_;
  std::string name_;
  UniqueFd locked_ = {};
};

}  // namespace hark::cli
