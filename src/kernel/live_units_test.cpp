// hark-units from hark's side: programs that answer, fail, say nothing and say too much.
#include "kernel/live_units.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace hark::kernel {
namespace {

std::string said(const std::string& script, std::vector<std::string> names = {},
                 unsigned timeout_ms = 20'000) {
  const auto answer = run_units_program({"/bin/sh", "-c", script}, names, timeout_ms);
  if (!answer) return "errno " + std::to_string(answer.error().code);
  return std::string(as_text(*answer));
}

TEST(UnitsProgram, GetsNamesAndAnswers) {
  EXPECT_EQ(said("cat", {"a.service", "b.socket"}), std::string("a.service\0b.socket\0", 19));
  EXPECT_EQ(said("cat >/dev/null; echo done", {"a.service"}), "done\n");
  EXPECT_EQ(said("echo early", std::vector<std::string>(10'000, std::string(200, 'x'))), "early\n");
  EXPECT_EQ(said("cat", std::vector<std::string>(5'000, std::string(199, 'x'))).size(), 1'000'000U);
}

TEST(UnitsProgram, GetsNoEnvironment) {
  ASSERT_EQ(::setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/tmp/x", 1), 0);
  EXPECT_EQ(said("echo \"<$DBUS_SYSTEM_BUS_ADDRESS>\""), "<>\n");
  ::unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
}

TEST(UnitsProgram, ItsExitStatusIsAnErrno) {
  EXPECT_EQ(said("exit 13"), "errno 13");
  EXPECT_EQ(said("kill -ALRM $$"), "errno " + std::to_string(ETIMEDOUT));
  EXPECT_EQ(said("kill -SEGV $$"), "errno " + std::to_string(EIO));
  const auto none = run_units_program({"/no/such"}, {}, 20'000);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ENOENT);
}

TEST(UnitsProgram, WorksWhereNobodyWaitsForChildren) {
  const auto before = ::signal(SIGCHLD, SIG_IGN);
  EXPECT_EQ(said("echo done"), "done\n");
  EXPECT_EQ(said("exit 13"), "errno " + std::to_string(EIO)) << "its status is lost";
  ::signal(SIGCHLD, before);
}

TEST(UnitsProgram, IsBoundedInTimeAndSize) {
  EXPECT_EQ(said("exec cat /dev/fd/3 3</dev/zero"), "errno " + std::to_string(EMSGSIZE));
  EXPECT_EQ(said("while :; do :; done", {}, 50), "errno " + std::to_string(ETIMEDOUT));
}

class TrustedPrograms : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = "/tmp/hark-units-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    root_ = folder;
    std::ofstream(path()) << "#!/bin/sh\n";
    ASSERT_EQ(::chmod(path().c_str(), 0755), 0);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  [[nodiscard]] std::string path() const { return root_ + "/hark-units"; }
  std::string root_;
};

TEST_F(TrustedPrograms, OursAndRoots) {
  EXPECT_TRUE(is_trusted_program(path())) << "others may add to /tmp, not exchange what is ours";
  EXPECT_TRUE(is_trusted_program("/usr/bin/env"));
  EXPECT_FALSE(is_trusted_program(root_)) << "a folder";
  EXPECT_FALSE(is_trusted_program(path() + "x"));
}

TEST_F(TrustedPrograms, WhatOthersCanWriteIsNotRun) {
  ASSERT_EQ(::chmod(path().c_str(), 0775), 0);
  EXPECT_FALSE(is_trusted_program(path()));
  ASSERT_EQ(::chmod(path().c_str(), 0644), 0);
  EXPECT_FALSE(is_trusted_program(path())) << "no program";
  ASSERT_EQ(::chmod(path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(root_.c_str(), 0777), 0);
  EXPECT_FALSE(is_trusted_program(path()));
}

TEST_F(TrustedPrograms, WhatAnotherUserOwnsIsNotRun) {
  if (::geteuid() != 0) {
    EXPECT_FALSE(is_trusted_program("/proc/1/exe"));
    return;
  }
  constexpr uid_t kOther = 61001;
  ASSERT_EQ(::chown(path().c_str(), kOther, kOther), 0);
  EXPECT_FALSE(is_trusted_program(path()));
  ASSERT_EQ(::chown(path().c_str(), 0, 0), 0);
  ASSERT_EQ(::chown(root_.c_str(), kOther, kOther), 0);
  EXPECT_FALSE(is_trusted_program(path()));
}

}  // namespace
}  // namespace hark::kernel
