#include "host/ancestors.h"

#include <gtest/gtest.h>

#include "host/fake_source.h"

namespace hark::host {
namespace {

class Ancestors : public ::testing::Test {
 protected:
  void add(std::uint32_t pid, const std::string& name, std::uint32_t parent,
           std::uint64_t start = 100, int terminal = 0, std::uint32_t flags = 0) {
    source_.file("/proc/" + std::to_string(pid) + "/stat",
                 std::to_string(pid) + " (" + name + ") S " + std::to_string(parent) + " 1 1 " +
                     std::to_string(terminal) + " -1 " + std::to_string(flags) +
                     " 0 0 0 0 0 0 0 0 20 0 1 0 " + std::to_string(start) + " 0 0\n");
  }
  /// "sh:4:shell systemd:1:service-manager", or "null".
  std::string of(std::uint32_t pid) {
    std::vector<Process> processes(1);
    processes[0].pid = pid;
    read_ancestors(source_, processes);
    if (!processes[0].started_by) return "null";
    std::string out;
    for (const Ancestor& one : *processes[0].started_by) {
      if (!out.empty()) out += ' ';
      out += one.name + ":" + std::to_string(one.pid) + ":" + std::string(name_of(one.role));
    }
    return out;
  }
  FakeSource source_;
};

TEST_F(Ancestors, UpToTheServiceManager) {
  add(1, "systemd", 0, 1);
  add(40, "nginx", 1, 50);
  add(41, "nginx", 40, 60);
  EXPECT_EQ(of(41), "nginx:40:other systemd:1:service-manager");
  EXPECT_EQ(of(1), "");
}

TEST_F(Ancestors, OfAnSshSession) {
  add(1, "systemd", 0, 1);
  add(20, "sshd", 1);
  add(30, "sshd", 20);
  add(31, "sshd", 30);
  add(32, "bash", 31, 100, 34816);
  add(33, "tmux: server", 1);
  add(34, "zsh", 33, 100, 34817);
  add(35, "python3", 34);
  add(36, "node", 32);
  EXPECT_EQ(of(36),
            "bash:32:shell sshd:31:ssh-session sshd:30:other sshd:20:other "
            "systemd:1:service-manager");
  EXPECT_EQ(of(35), "zsh:34:shell tmux: server:33:terminal-multiplexer systemd:1:service-manager");
}

struct RoleCase {
  const char* name;
  int terminal;
  const char* role;
};

TEST_F(Ancestors, Roles) {
  const RoleCase cases[] = {
      {"containerd-shim", 0, "container-runtime"},
      {"conmon", 0, "container-runtime"},
      {"dockerd", 0, "container-runtime"},
      {"[lxc monitor] /", 0, "container-runtime"},
      {"bash", 34816, "shell"},
      {"bash", 0, "other"},
      {"sshd-session", 0, "ssh-session"},
      {"cron", 0, "cron"},
      {"crond", 0, "cron"},
      {"screen", 0, "terminal-multiplexer"},
      {"runsv", 0, "service-manager"},
      {"systemd", 0, "service-manager"},
      {"systemd-x", 0, "other"},
      {"PM2 v5.3.0: God", 0, "service-manager"},
      {"", 0, "other"},
      {") R 1", 34816, "other"},
  };
  add(1, "init", 0, 1);
  for (const RoleCase& one : cases) {
    add(7, one.name, 1, 100, one.terminal);
    add(8, "server", 7);
    EXPECT_EQ(of(8), std::string(one.name) + ":7:" + one.role + " init:1:init") << one.name;
  }
}

TEST_F(Ancestors, OutsideThePidNamespace) {
  add(7, "sh", 0);
  add(8, "server", 7);
  EXPECT_EQ(of(8), "sh:7:other :0:outside");
  EXPECT_EQ(of(7), ":0:outside");
  add(2, "kthreadd", 0, 1, 0, 0x00200000);
  add(9, "kworker", 2, 100, 0, 0x00200000);
  EXPECT_EQ(of(9), "kthreadd:2:other");
}

TEST_F(Ancestors, APidThatWasUsedAgainEndsTheChain) {
  add(7, "stranger", 1, 500);
  add(8, "server", 7, 400);
  EXPECT_EQ(of(8), "");
  add(7, "parent", 1, 400);
  EXPECT_EQ(of(8), "parent:7:other") << "1 cannot be read";
}

TEST_F(Ancestors, CyclesAndLongChainsEnd) {
  add(7, "a", 8);
  add(8, "b", 7);
  add(9, "c", 9);
  EXPECT_EQ(of(7), "b:8:other");
  EXPECT_EQ(of(9), "");
  for (std::uint32_t pid = 100; pid < 300; ++pid) add(pid, "p", pid - 1);
  std::vector<Process> processes(1);
  processes[0].pid = 299;
  read_ancestors(source_, processes);
  EXPECT_EQ(processes[0].started_by->size(), 64U);
}

TEST_F(Ancestors, WhatCannotBeReadIsNotKnown) {
  EXPECT_EQ(of(7), "null");
  source_.file("/proc/8/stat", "no stat");
  EXPECT_EQ(of(8), "null");
  add(9, "server", 8);
  EXPECT_EQ(of(9), "");
}

TEST_F(Ancestors, EachIsReadOnce) {
  add(1, "systemd", 0, 1);
  add(40, "apache2", 1);
  std::vector<Process> processes;
  for (std::uint32_t pid = 50; pid < 60; ++pid) {
    add(pid, "apache2", 40);
    processes.emplace_back().pid = pid;
  }
  read_ancestors(source_, processes);
  for (const auto& [path, count] : source_.reads()) EXPECT_EQ(count, 1) << path;
  EXPECT_EQ(source_.reads().size(), 12U);
}

}  // namespace
}  // namespace hark::host
