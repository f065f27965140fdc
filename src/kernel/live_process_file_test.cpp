#include "kernel/live_process_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>

namespace hark::kernel {
namespace {

/// A folder of its own that ends with the test.
struct Folder {
  std::string path;
  Folder() {
    std::string name = "/tmp/hark-process-file-XXXXXX";
    path = ::mkdtemp(name.data()) != nullptr ? name : std::string();
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    for (const char* name : {"file", "link", "pipe", "large", "device"}) {
      ::unlink((path + "/" + name).c_str());
    }
    ::rmdir(path.c_str());
  }
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path + "/" + name) << text;
    return path + "/" + name;
  }
};

std::string below_root(const std::string& path) {
  return "/proc/" + std::to_string(::getpid()) + "/root" + path;
}

int error_of(const std::string& path) {
  const auto read = read_process_file(below_root(path));
  return read ? 0 : read.error().code;
}

TEST(ProcessFile, OnlyPathsBelowARootAreMeant) {
  EXPECT_TRUE(is_process_file("/proc/812/root/srv/x"));
  for (const char* path : {"/proc/812/status", "/proc/self/root/x", "/proc/812/root",
                           "/proc//root/x", "/srv/proc/812/root/x", "/proc/812/rootkit"}) {
    EXPECT_FALSE(is_process_file(path)) << path;
  }
}

TEST(ProcessFile, RegularFilesAreRead) {
  const Folder folder;
  const std::string file = folder.file("file", "text");
  const auto read = read_process_file(below_root(file));
  ASSERT_TRUE(read) << read.error().code;
  EXPECT_EQ(as_text(*read), "text");
  ASSERT_EQ(::symlink(file.c_str(), (folder.path + "/link").c_str()), 0);
  EXPECT_EQ(error_of(folder.path + "/link"), 0);
  EXPECT_EQ(error_of(folder.path + "/absent"), ENOENT);
}

TEST(ProcessFile, TheTimeOfAPlainFileIsTold) {
  const Folder folder;
  const std::string file = folder.file("file", "text");
  const timespec at{.tv_sec = 1'700'000'000, .tv_nsec = 123'456'789};
  const std::array<timespec, 2> times = {at, at};
  ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times.data(), 0), 0);
  EXPECT_EQ(process_file_time(below_root(file)), 1'700'000'000'123);
  EXPECT_EQ(process_file_time(below_root(folder.path)).error().code, EINVAL);
  EXPECT_EQ(process_file_time(below_root(file + "x")).error().code, ENOENT);
  EXPECT_EQ(process_file_time(file).error().code, EINVAL);
}

TEST(ProcessFile, NothingElseIsOpened) {
  const Folder folder;
  ASSERT_EQ(::mkfifo((folder.path + "/pipe").c_str(), 0644), 0);
  EXPECT_EQ(error_of(folder.path + "/pipe"), EINVAL);  // and does not wait for a writer
  EXPECT_EQ(error_of(folder.path), EINVAL);
  ASSERT_EQ(::symlink("/dev/null", (folder.path + "/device").c_str()), 0);
  EXPECT_EQ(error_of(folder.path + "/device"), EINVAL);
  ASSERT_EQ(::symlink("/proc/self/exe", (folder.path + "/link").c_str()), 0);
  EXPECT_EQ(error_of(folder.path + "/link"), ELOOP);
  const std::string large = folder.file("large", std::string(70'000, 'x'));
  EXPECT_EQ(error_of(large), EFBIG);
}

TEST(ProcessFile, RightsOfHarkAreNotLent) {
  const Folder folder;
  const std::string file = folder.file("file", "text");
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  EXPECT_EQ(error_of(file), 0);  // the process owns it
  ASSERT_EQ(::chown(file.c_str(), 61001, 61001), 0) << "this test needs root";
  EXPECT_EQ(error_of(file), EACCES);
  ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
  EXPECT_EQ(error_of(file), 0);
}

}  // namespace
}  // namespace hark::kernel
