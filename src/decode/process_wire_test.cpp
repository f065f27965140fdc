#include <gtest/gtest.h>

#include <cerrno>

#include "base/parts.h"
#include "decode/process.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

void add(Bytes& to, ProcessPart tag, ByteView bytes) {
  append_part(to, static_cast<std::uint16_t>(tag), bytes);
}

template <typename T>
void add_value(Bytes& to, ProcessPart tag, const T& value) {
  Bytes bytes;
  append_value(bytes, value);
  add(to, tag, bytes);
}

void add_failed(Bytes& to, ProcessPart tag, int error) {
  append_failed_part(to, static_cast<std::uint16_t>(tag), error);
}

Bytes process(std::uint32_t pid) {
  Bytes out;
  add_value(out, ProcessPart::Pid, pid);
  return out;
}

std::string why_of(ByteView parts) {
  const auto scan = decode_process_scan(parts);
  return scan ? "accepted" : scan.error().why;
}

std::size_t inodes_told(const ProcessScan& scan) {
  std::size_t out = scan.sockets.size();
  for (const ScannedProcess& p : scan.processes) {
    out += 1 + p.netns_fds.size() + (p.netns_inode ? 1 : 0) + (p.net_proc_inode ? 1 : 0) +
           (p.mntns_inode ? 1 : 0) + (p.sockets_error != 0 ? 1 : 0);
  }
  return out;
}

TEST(ProcessScan, OfThreeProcesses) {
  const auto scan = decode_process_scan(testdata("process-scan.bin"));
  ASSERT_TRUE(scan) << scan.error().why;
  ASSERT_EQ(scan->processes.size(), 3U);
  const ScannedProcess& first = scan->processes[0];
  EXPECT_EQ(first.pid, 25329U);
  EXPECT_EQ(first.netns_inode, 0xf0000151U);
  EXPECT_EQ(first.mntns_inode, 0xeffffff8U);
  EXPECT_FALSE(first.net_proc_inode);
  EXPECT_EQ(first.netns_fds, (std::vector<FdInode>{{24, 0xf0000151}}));
  EXPECT_EQ(first.first_socket, 0U);
  EXPECT_EQ(first.end_socket, 4U);
  EXPECT_EQ(first.sockets_error, 0);
  const ScannedProcess& second = scan->processes[1];
  EXPECT_EQ(second.first_socket, 4U);
  EXPECT_EQ(second.end_socket, 6U);
  ASSERT_EQ(scan->sockets.size(), 6U);
  EXPECT_EQ(scan->sockets[4], (FdInode{7, 45520}));
  const ScannedProcess& hidden = scan->processes[2];
  EXPECT_FALSE(hidden.netns_inode);
  EXPECT_EQ(hidden.net_proc_inode, 0xf0000157U);
  EXPECT_EQ(hidden.sockets_error, EACCES);
  EXPECT_EQ(hidden.first_socket, hidden.end_socket);
}

TEST(ProcessScan, EveryBeginningIsAnErrorOrEndsBetweenParts) {
  EXPECT_EQ(accepted_beginnings(testdata("process-scan.bin"), decode_process_scan, inodes_told),
            13U);
}

TEST(ProcessScan, SomeSocketsMayBeReadAndOthersNot) {
  Bytes bytes = process(7);
  add_value(bytes, ProcessPart::Sockets, FdInode{3, 100});
  add_failed(bytes, ProcessPart::Sockets, EPERM);
  const auto scan = decode_process_scan(bytes);
  ASSERT_TRUE(scan);
  EXPECT_EQ(scan->processes.at(0).sockets_error, EPERM);
  EXPECT_EQ(scan->processes.at(0).end_socket, 1U);
}

TEST(ProcessScan, UnknownPartsArePassedOver) {
  Bytes bytes = process(7);
  append_part(bytes, 0, to_bytes("x"));
  append_part(bytes, 200, to_bytes("of a later hark"));
  append_part(bytes, 0xffff, {});
  add(bytes, ProcessPart::Stat, to_bytes("not of a scan"));
  add_value(bytes, ProcessPart::NetnsInode, std::uint64_t{5});
  const auto scan = decode_process_scan(bytes);
  ASSERT_TRUE(scan);
  EXPECT_EQ(scan->processes.at(0).netns_inode, 5U);
}

TEST(ProcessScan, BrokenBuffersAreErrors) {
  Bytes before_pid;
  append_part(before_pid, 99, {});
  EXPECT_EQ(why_of(before_pid), "part 1: no process before it");

  Bytes failed_pid;
  add_failed(failed_pid, ProcessPart::Pid, ESRCH);
  EXPECT_EQ(why_of(failed_pid), "part 1: a pid of the wrong size");

  Bytes wide_pid;
  add_value(wide_pid, ProcessPart::Pid, std::uint64_t{7});
  EXPECT_EQ(why_of(wide_pid), "part 1: a pid of the wrong size");

  for (const std::uint32_t second : {6U, 7U}) {
    Bytes unordered = process(7);
    append(unordered, process(second));
    EXPECT_EQ(why_of(unordered), "part 2: its pid does not ascend");
  }
  EXPECT_EQ(why_of(process(0)), "part 1: its pid does not ascend");

  for (const ProcessPart tag :
       {ProcessPart::NetnsInode, ProcessPart::NetProcInode, ProcessPart::MntnsInode,
        ProcessPart::Sockets, ProcessPart::NetnsFds}) {
    Bytes odd = process(7);
    add(odd, tag, to_bytes("seven.."));
    EXPECT_EQ(why_of(odd), "part 2: its length is wrong");
  }
}

TEST(ProcessScan, ManySocketsTakeTheRoomTheyNeed) {
  constexpr std::uint32_t kSockets = 200000;
  Bytes array;
  for (std::uint32_t i = 0; i < kSockets; ++i) append_value(array, FdInode{i, i + 1});
  Bytes bytes = process(1);
  add(bytes, ProcessPart::Sockets, array);
  append(bytes, process(2));
  add_value(bytes, ProcessPart::Sockets, FdInode{3, 100});
  const auto scan = decode_process_scan(bytes);
  ASSERT_TRUE(scan);
  EXPECT_EQ(scan->sockets.size(), kSockets + 1);
  EXPECT_EQ(scan->sockets.capacity(), scan->sockets.size());
  EXPECT_EQ(scan->sockets.at(kSockets - 1), (FdInode{kSockets - 1, kSockets}));
}

TEST(Processes, OfThree) {
  const auto processes = decode_processes(testdata("processes.bin"));
  ASSERT_TRUE(processes) << processes.error().why;
  ASSERT_EQ(processes->size(), 3U);
  const ProcessRecord& shell = processes->at(0);
  EXPECT_EQ(shell.pid, 25329U);
  ASSERT_TRUE(shell.stat && shell.status && shell.cmdline && shell.exe && shell.cgroup);
  EXPECT_EQ(shell.stat->name, "sh");
  EXPECT_EQ(shell.status->effective_uid, 0U);
  EXPECT_EQ(*shell.cmdline, (std::vector<std::string>{"sh", "-c", "read x; exit", "", "a b"}));
  EXPECT_EQ(*shell.exe, "/usr/bin/dash");
  EXPECT_TRUE(as_text(*shell.cgroup).ends_with("0::/\n"));
  EXPECT_EQ(shell.sockets.size(), 4U);
  EXPECT_EQ(shell.sockets_error, 0);
  const ProcessRecord& hidden = processes->at(2);
  ASSERT_TRUE(hidden.status);
  EXPECT_EQ(hidden.status->effective_uid, 65534U);
  ASSERT_FALSE(hidden.exe);
  EXPECT_EQ(hidden.exe.error(), kernel_error(EACCES, "exe"));
  EXPECT_EQ(hidden.sockets_error, EACCES);
  EXPECT_TRUE(hidden.sockets.empty());
}

TEST(Processes, EveryBeginningIsAnErrorOrEndsBetweenParts) {
  const auto facts = [](const std::vector<ProcessRecord>& processes) {
    std::size_t out = 0;
    for (const ProcessRecord& p : processes) {
      out += 1 + p.sockets.size() + (p.stat ? 1 : 0) + (p.status ? 1 : 0) + (p.cmdline ? 1 : 0) +
             (p.cgroup ? 1 : 0) + (p.exe || p.exe.error().code != 0 ? 1 : 0) +
             (p.sockets_error != 0 ? 1 : 0);
    }
    return out;
  };
  EXPECT_EQ(accepted_beginnings(testdata("processes.bin"), decode_processes, facts), 21U);
}

TEST(Processes, WhatIsNotThereIsAnError) {
  const auto processes = decode_processes(process(7));
  ASSERT_TRUE(processes);
  const ProcessRecord& record = processes->at(0);
  EXPECT_FALSE(record.stat || record.status || record.cmdline || record.exe || record.cgroup);
  EXPECT_EQ(record.stat.error(), plain_error("stat", "not told"));
}

TEST(Processes, AMalformedFileIsAnErrorOfItsOwn) {
  Bytes bytes = process(7);
  add(bytes, ProcessPart::Stat, to_bytes("nonsense"));
  add(bytes, ProcessPart::Exe, to_bytes("/usr/sbin/sshd (deleted)"));
  const auto processes = decode_processes(bytes);
  ASSERT_TRUE(processes);
  EXPECT_FALSE(processes->at(0).stat);
  EXPECT_EQ(processes->at(0).exe, "/usr/sbin/sshd (deleted)");
}

TEST(Processes, BrokenBuffersAreErrors) {
  Bytes odd = process(7);
  add(odd, ProcessPart::Sockets, to_bytes("seven.."));
  EXPECT_FALSE(decode_processes(odd));
  Bytes before_pid;
  add(before_pid, ProcessPart::Stat, {});
  EXPECT_FALSE(decode_processes(before_pid));
  const auto none = decode_processes({});
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
}

}  // namespace
}  // namespace hark::decode
