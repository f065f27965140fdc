#include "unit_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace hark::netns {

namespace fs = std::filesystem;

UnitFolder::UnitFolder() {
  std::string folder = "/tmp/hark-run-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr || chmod(folder.c_str(), 0755) != 0) {
    ADD_FAILURE() << "no folder for unit files";
    return;
  }
  path_ = folder;
}

UnitFolder::~UnitFolder() {
  if (!path_.empty()) fs::remove_all(path_);
}

void UnitFolder::file(const std::string& name, std::string_view text) const {
  const fs::path file = fs::path(path_) / name;
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

void UnitFolder::link(const std::string& name, const std::string& target) const {
  const fs::path file = fs::path(path_) / name;
  fs::create_directories(file.parent_path());
  fs::create_symlink(target, file);
}

}  // namespace hark::netns
