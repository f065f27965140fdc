#include "kernel/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "base/parts.h"
#include "kernel/request_key.h"

namespace hark::kernel {
namespace {

using testing::ElementsAre;

RecordedAnswer said(std::string key, std::string_view text) {
  return {.key = std::move(key), .error = 0, .bytes = to_bytes(text)};
}

RecordedAnswer refused(std::string key, int error) {
  return {.key = std::move(key), .error = error, .bytes = {}};
}

Recording with(std::vector<RecordedAnswer> answers) {
  return {.header = {}, .answers = std::move(answers)};
}

template <typename T>
std::string said_of(const Result<T>& result) {
  return result ? "answered" : result.error().what + ": " + reason(result.error());
}

TEST(Replay, TellsTheHeader) {
  const Replay replay(
      {.header = {.hark_version = "9", .host = "web1", .taken_at = "2025", .redacted = true},
       .answers = {}});
  EXPECT_EQ(replay.header().host, "web1");
  EXPECT_TRUE(replay.header().redacted);
}

TEST(Replay, GivesRepeatedRequestsInOrderAndThenTheLastAnswer) {
  Replay replay(with({said("file /a", "one"), said("file /b", "other"), refused("file /a", ENOENT),
                      said("file /a", "three")}));
  EXPECT_EQ(replay.read_file("/a").value(), to_bytes("one"));
  EXPECT_EQ(replay.read_file("/a").error().code, ENOENT);
  EXPECT_EQ(replay.read_file("/b").value(), to_bytes("other"));
  EXPECT_EQ(replay.read_file("/b").value(), to_bytes("other"));
  EXPECT_EQ(replay.read_file("/a").value(), to_bytes("three"));
  EXPECT_EQ(replay.read_file("/a").value(), to_bytes("three"));
}

TEST(Replay, LastAnswerMayBeAnError) {
  Replay replay(with({said("clock", "1 2"), refused("clock", EPERM)}));
  EXPECT_EQ(replay.clock().value().boottime_ms, 2);
  EXPECT_EQ(replay.clock().error(), kernel_error(EPERM, "clock"));
  EXPECT_EQ(replay.clock().error(), kernel_error(EPERM, "clock"));
}

TEST(Replay, WhatWasNotRecordedIsAnError) {
  Replay replay({});
  const ProcessWanted wanted[] = {{.pid = 1, .sockets = {}}};
  EXPECT_EQ(said_of(replay.netlink({}, 4, {})), "netlink request: not recorded");
  EXPECT_EQ(said_of(replay.read_file("/proc/version")), "/proc/version: not recorded");
  EXPECT_EQ(said_of(replay.read_link("/proc/1/exe")), "/proc/1/exe: not recorded");
  EXPECT_EQ(said_of(replay.list_folder("/run")), "/run: not recorded");
  EXPECT_EQ(said_of(replay.read_net_table({}, NetTable::Raw6)), "/proc/net/raw6: not recorded");
  EXPECT_EQ(said_of(replay.scan_descriptors({})), "/proc: not recorded");
  EXPECT_EQ(said_of(replay.scan_namespaces()), "/proc: not recorded");
  EXPECT_EQ(said_of(replay.read_processes(wanted, ProcessDetail::All)), "/proc: not recorded");
  EXPECT_EQ(said_of(replay.cgroup_path(9)), "cgroup 9: not recorded");
  EXPECT_EQ(said_of(replay.ask_units({})), "systemd: not recorded");
  EXPECT_EQ(said_of(replay.clock()), "clock: not recorded");
  EXPECT_EQ(replay.clock().error().code, 0);
}

TEST(Replay, MalformedAnswersAreErrors) {
  for (const char* clock : {"", "1", "1 ", " 1", "1 2 3", "1 x", "1 99999999999999999999"}) {
    Replay replay(with({said("clock", clock)}));
    EXPECT_EQ(said_of(replay.clock()), "clock: malformed in the recording") << clock;
  }
  Replay replay(with({said("folder /a", "lo"), said("processes", "x")}));
  EXPECT_EQ(said_of(replay.list_folder("/a")), "/a: malformed in the recording");
  EXPECT_EQ(said_of(replay.read_processes({}, ProcessDetail::All)),
            "/proc: malformed in the recording");
}

TEST(Replay, Names) {
  const std::string_view names("a\0\0b c\n\0", 8);
  Replay replay(with({said("folder /a", names), said("folder /empty", "")}));
  EXPECT_THAT(replay.list_folder("/a").value(), ElementsAre("a", "", "b c\n"));
  EXPECT_TRUE(replay.list_folder("/empty").value().empty());
}

TEST(Replay, TheTwoScansAreTwoQuestions) {
  Replay both(with({said("scan descriptors", "all"), said("scan namespaces", "few")}));
  EXPECT_EQ(both.scan_namespaces().value(), to_bytes("few"));
  EXPECT_EQ(both.scan_descriptors({}).value(), to_bytes("all"));
  Replay large(with({said("scan descriptors", "all")}));
  EXPECT_EQ(said_of(large.scan_namespaces()), "/proc: not recorded");
  Replay small(with({said("scan namespaces", "few")}));
  EXPECT_EQ(said_of(small.scan_descriptors({})), "/proc: not recorded");
}

/// The parts of process records, built one by one.
class Parts {
 public:
  Parts& pid(std::uint32_t pid) {
    return part(ProcessPart::Pid, ByteView(std::as_bytes(std::span(&pid, 1))));
  }
  Parts& text(ProcessPart tag, std::string_view text) { return part(tag, as_bytes(text)); }
  Parts& sockets(const std::vector<FdInode>& sockets) {
    return part(ProcessPart::Sockets, std::as_bytes(std::span(sockets)));
  }
  Parts& failed(ProcessPart tag, int error) {
    append_failed_part(bytes_, static_cast<std::uint16_t>(tag), error);
    return *this;
  }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }
  [[nodiscard]] RecordedAnswer answer() const {
    return {.key = processes_key(), .error = 0, .bytes = bytes_};
  }

 private:
  Parts& part(ProcessPart tag, ByteView bytes) {
    append_part(bytes_, static_cast<std::uint16_t>(tag), bytes);
    return *this;
  }

  Bytes bytes_;
};

constexpr FdInode kA{.fd = 3, .inode = 100};
constexpr FdInode kB{.fd = 4, .inode = 101};
constexpr FdInode kC{.fd = 5, .inode = 102};

Bytes ask(Replay& replay, const std::vector<ProcessWanted>& wanted) {
  const auto answer = replay.read_processes(wanted, ProcessDetail::All);
  EXPECT_TRUE(answer) << answer.error().why;
  return answer.value_or(Bytes{});
}

TEST(ReplayProcesses, GivesBackWhatWasAskedForByteForByte) {
  Parts recorded;
  recorded.pid(9).text(ProcessPart::Stat, "9 (x) S").failed(ProcessPart::Exe, EACCES);
  recorded.sockets({kB, kA}).pid(4).text(ProcessPart::Cmdline, "").sockets({});
  recorded.pid(5).failed(ProcessPart::Sockets, EACCES).pid(6);
  Replay replay(with({recorded.answer()}));
  const std::vector<ProcessWanted> wanted = {{.pid = 9, .sockets = {kA, kB}},
                                             {.pid = 4, .sockets = {kA}},
                                             {.pid = 5, .sockets = {kA}},
                                             {.pid = 6, .sockets = {}}};
  EXPECT_EQ(ask(replay, wanted), recorded.bytes());
  EXPECT_EQ(ask(replay, wanted), recorded.bytes());
}

TEST(ReplayProcesses, NarrowsToPidsAndSockets) {
  Parts recorded;
  recorded.pid(9).text(ProcessPart::Stat, "nine").sockets({kA, kB, kC});
  recorded.pid(4).text(ProcessPart::Stat, "four").sockets({kA});
  Replay replay(with({recorded.answer()}));
  EXPECT_EQ(ask(replay, {{.pid = 4, .sockets = {kA}}}),
            Parts().pid(4).text(ProcessPart::Stat, "four").sockets({kA}).bytes());
  EXPECT_EQ(ask(replay, {{.pid = 9, .sockets = {kC, kA, {.fd = 3, .inode = 102}}}}),
            Parts().pid(9).text(ProcessPart::Stat, "nine").sockets({kA, kC}).bytes());
  EXPECT_EQ(ask(replay, {{.pid = 9, .sockets = {}}}),
            Parts().pid(9).text(ProcessPart::Stat, "nine").sockets({}).bytes());
  EXPECT_TRUE(ask(replay, {{.pid = 77, .sockets = {kA}}}).empty());
  EXPECT_TRUE(ask(replay, {}).empty());
}

TEST(ReplayProcesses, AnswersFromTheUnionOfAllCalls) {
  const auto first = Parts().pid(1).text(ProcessPart::Stat, "t1").sockets({kA});
  const auto second = Parts().pid(1).text(ProcessPart::Stat, "t2").sockets({kB, kA}).pid(2);
  Replay replay(with({first.answer(), refused("processes", EIO), second.answer()}));
  // Each call gets its own record back, and one that asks for both gets both.
  EXPECT_EQ(ask(replay, {{.pid = 1, .sockets = {kA}}}), first.bytes());
  EXPECT_EQ(ask(replay, {{.pid = 1, .sockets = {kB}}}),
            Parts().pid(1).text(ProcessPart::Stat, "t2").sockets({kB}).bytes());
  EXPECT_EQ(ask(replay, {{.pid = 2, .sockets = {}}, {.pid = 1, .sockets = {kB, kA}}}),
            Parts().pid(1).text(ProcessPart::Stat, "t1").sockets({kA, kB}).pid(2).bytes());
  EXPECT_EQ(ask(replay, {{.pid = 1, .sockets = {}}}),
            Parts().pid(1).text(ProcessPart::Stat, "t1").sockets({}).bytes());
}

TEST(ReplayProcesses, OnlyFailures) {
  Replay replay(with({refused("processes", EIO), refused("processes", EACCES)}));
  EXPECT_EQ(replay.read_processes({}, ProcessDetail::All).error(), kernel_error(EACCES, "/proc"));
}

TEST(ReplayProcesses, MalformedRecords) {
  Parts no_pid;
  no_pid.text(ProcessPart::Stat, "1 (a)");
  Parts short_pid;
  short_pid.text(ProcessPart::Pid, "123");
  Parts failed_pid;
  failed_pid.failed(ProcessPart::Pid, EIO);
  Parts odd_sockets;
  odd_sockets.pid(1).text(ProcessPart::Sockets, "1234567");
  Parts whole;
  whole.pid(1).text(ProcessPart::Stat, "1 (a)");
  RecordedAnswer cut = whole.answer();
  cut.bytes.pop_back();
  const std::vector<RecordedAnswer> cases = {no_pid.answer(), short_pid.answer(),
                                             failed_pid.answer(), odd_sockets.answer(), cut};
  const ProcessWanted wanted[] = {{.pid = 1, .sockets = {kA}}};
  for (const RecordedAnswer& bad : cases) {
    // One bad answer spoils the union: what is missing from it could be what is asked for.
    Replay replay(with({whole.answer(), bad}));
    EXPECT_EQ(said_of(replay.read_processes(wanted, ProcessDetail::All)),
              "/proc: malformed in the recording");
  }
}

}  // namespace
}  // namespace hark::kernel
