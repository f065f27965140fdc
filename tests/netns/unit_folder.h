// A folder that stands for /run in a Place, with unit files in it.
#pragma once

#include <string>
#include <string_view>

namespace hark::netns {

class UnitFolder {
 public:
  UnitFolder();
  UnitFolder(const UnitFolder&) = delete;
  UnitFolder& operator=(const UnitFolder&) = delete;
  ~UnitFolder();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// A file below it; folders are made.
  void file(const std::string& name, std::string_view text) const;
  void link(const std::string& name, const std::string& target) const;
  /// A unit of /run/systemd/system.
  void unit(const std::string& name, std::string_view text) const {
    file("systemd/system/" + name, text);
  }

 private:
  std::string path_;
};

}  // namespace hark::netns
