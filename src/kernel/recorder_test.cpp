// A live run and its replay must be the same to the asker, whatever was asked.
#include "kernel/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "base/parts.h"
#include "kernel/replay.h"
#include "kernel/request_key.h"

namespace hark::kernel {
namespace {

using testing::ElementsAre;

/// A kernel that answers everything with something that depends on the request and on how often it
/// was asked; with `code`, it refuses everything.
class FakeKernel final : public Source {
 public:
  int code = 0;

  Result<Bytes> netlink(const NetnsRef& netns, int protocol, ByteView request) override {
    return bytes(std::to_string(netns.inode) + "/" + std::to_string(protocol) + "/" +
                 std::to_string(request.size()));
  }
  Result<Bytes> read_file(const std::string& path) override {
    if (path.ends_with("/cmdline")) return bytes(std::string("login\0--token\0s3cret\0", 21));
    return bytes("file of " + path);
  }
  Result<std::int64_t> file_time(const std::string& path) override {
    if (code != 0) return fail(refusal());
    return static_cast<std::int64_t>(path.size()) * 1000 + ++asked_;
  }
  Result<std::string> read_link(const std::string& path) override { return text("to " + path); }
  Result<std::vector<std::string>> list_folder(const std::string& path) override {
    if (code != 0) return fail(refusal());
    return std::vector<std::string>{path.substr(1), "two words", count()};
  }
  Result<Bytes> read_net_table(const NetTablePlace& place, NetTable table) override {
    return bytes(std::to_string(place.pid) + file_name(table));
  }
  Result<Bytes> read_net_file(const NetnsRef& netns, const std::string& path) override {
    return bytes("net file " + path + " of " + std::to_string(netns.inode));
  }
  Result<Bytes> legacy_table(const NetnsRef& netns, Family family,
                             const std::string& name) override {
    return bytes(name + " of " + std::to_string(netns.inode) +
                 (family == Family::Inet ? " ip" : " ip6"));
  }
  Result<Bytes> attached_programs(const ProgramPlace& place) override {
    return bytes("programs " + place.cgroup + std::to_string(place.number));
  }
  Result<Bytes> socket_options(const SocketHolder& holder) override {
    return bytes("options of " + std::to_string(holder.inode));
  }
  Result<Bytes> netns_ids(const NetnsRef& in, std::span<const NetnsRef> /*of*/) override {
    return bytes("numbers in " + std::to_string(in.inode));
  }
  Result<Bytes> scan_namespaces() override { return bytes("namespaces"); }
  Result<Bytes> scan_descriptors(std::span<const std::uint32_t> wanted) override {
    return bytes("descriptors of " + std::to_string(wanted.size()));
  }
  Result<Bytes> scan_sockets(SurveyDepth /*depth*/) override { return bytes("sockets"); }
  Result<Bytes> bound_sockets(const BoundPlace& place) override {
    return bytes("bound to " + std::to_string(place.port));
  }
  Result<Bytes> read_processes(std::span<const ProcessWanted> wanted,
                               ProcessDetail /*detail*/) override {
    if (code != 0) return fail(refusal());
    Bytes out;
    for (const ProcessWanted& process : wanted) {
      append_part(out, tag(ProcessPart::Pid), std::as_bytes(std::span(&process.pid, 1)));
      append_part(out, tag(ProcessPart::Stat), as_bytes("7 (s3cret) S"));
      append_part(out, tag(ProcessPart::Cmdline), as_bytes({"app\0--token\0s3cret\0", 19}));
      append_failed_part(out, tag(ProcessPart::Exe), EACCES);
      append_part(out, tag(ProcessPart::Sockets), std::as_bytes(std::span(process.sockets)));
    }
    if (cut_processes) out.pop_back();
    return out;
  }
  Result<std::string> cgroup_path(std::uint64_t id) override {
    return text("/slice" + std::to_string(id));
  }
  Result<Bytes> ask_units(std::span<const std::string> names) override {
    return bytes("units of " + std::to_string(names.size()));
  }
  Result<Clock> clock() override {
    if (code != 0) return fail(refusal());
    ++asked_;
    return Clock{.realtime_ms = 1000 + asked_, .boottime_ms = -asked_};
  }

  bool cut_processes = false;

 private:
  static std::uint16_t tag(ProcessPart part) { return static_cast<std::uint16_t>(part); }
  std::string count() { return " #" + std::to_string(++asked_); }
  /// Not what replay can know: the recorder has to even that out.
  [[nodiscard]] Error refusal() const {
    return {.code = code, .what = "an odd name", .why = "because", .hint = "try"};
  }
  Result<std::string> text(const std::string& text) {
    if (code != 0) return fail(refusal());
    return text + count();
  }
  Result<Bytes> bytes(const std::string& content) {
    if (code != 0) return fail(refusal());
    return to_bytes(content + count());
  }

  int asked_ = 0;
};

const FdInode kSockets[] = {{.fd = 3, .inode = 77}, {.fd = 4, .inode = 78}};

std::string show(const Error& error) {
  return "error " + std::to_string(error.code) + "|" + error.what + "|" + error.why + "|" +
         error.hint;
}
std::string show(const Result<Bytes>& answer) {
  return answer ? std::string(as_text(*answer)) : show(answer.error());
}
std::string show(const Result<std::string>& answer) {
  return answer ? *answer : show(answer.error());
}

/// Asks everything once and tells what was answered.
std::vector<std::string> ask_all(Source& source) {
  const NetnsRef netns{.inode = 42, .paths = {"/run/netns/blue"}};
  const std::vector<ProcessWanted> wanted = {
      {.pid = 7, .sockets = {std::begin(kSockets), std::end(kSockets)}}, {.pid = 3, .sockets = {}}};
  const std::vector<std::string> names_asked = {"a.service", "b.socket"};
  std::vector<std::string> out = {
      show(source.netlink(netns, 4, Bytes(20))),
      show(source.netlink(netns, 0, Bytes(20))),
      show(source.read_file("/etc/hostname")),
      show(source.read_file("/proc/7/cmdline")),
      show(source.read_link("/proc/7/exe")),
      show(source.read_net_table({.netns = netns, .pid = 0}, NetTable::Tcp)),
      show(source.read_net_table({.netns = {}, .pid = 7}, NetTable::Udp6)),
      show(source.scan_descriptors({})),
      show(source.scan_namespaces()),
      show(source.read_processes(wanted, ProcessDetail::All)),
      show(source.cgroup_path(1234)),
      show(source.ask_units(names_asked)),
      show(source.read_net_file(netns, "/proc/sys/net/core/somaxconn")),
      show(source.legacy_table(netns, Family::Inet, "filter")),
      show(source.legacy_table(netns, Family::Inet6, "filter")),
      show(source.attached_programs({.kind = ProgramPlace::Kind::Netns, .netns = netns})),
      show(source.attached_programs(
          {.kind = ProgramPlace::Kind::Link, .netns = netns, .number = 5, .cgroup = {}})),
      show(source.attached_programs(
          {.kind = ProgramPlace::Kind::Cgroup, .netns = {}, .number = 0, .cgroup = "/a"})),
      show(source.attached_programs(
          {.kind = ProgramPlace::Kind::Program, .netns = {}, .number = 5, .cgroup = {}})),
      show(source.socket_options({.pid = 7, .fd = 3, .inode = 77})),
      show(source.socket_options({.pid = 7, .fd = 4, .inode = 78})),
      show(source.netns_ids(netns, {})),
  };
  const auto names = source.list_folder("/run");
  out.push_back(names ? testing::PrintToString(*names) : show(names.error()));
  const auto time = source.file_time("/proc/7/root/a");
  out.push_back(time ? std::to_string(*time) : show(time.error()));
  const auto clock = source.clock();
  out.push_back(clock ? std::to_string(clock->realtime_ms) + std::to_string(clock->boottime_ms)
                      : show(clock.error()));
  return out;
}

/// "login", "--token", "s3cret" with the secret gone and the rest as it was.
Bytes redact(ByteView cmdline) {
  std::string text(as_text(cmdline));
  const std::size_t at = text.find("s3cret");
  if (at != std::string::npos) text.replace(at, 6, "[redacted]");
  return to_bytes(text);
}

Recording through_a_file(Recorder& recorder) {
  auto decoded =
      decode_recording(encode_recording({.header = {}, .answers = recorder.take_answers()}));
  EXPECT_TRUE(decoded) << decoded.error().error.why;
  return decoded.value_or(Recording{});
}

bool holds(const std::vector<RecordedAnswer>& answers, std::string_view word) {
  return std::any_of(answers.begin(), answers.end(), [&](const RecordedAnswer& answer) {
    return as_text(answer.bytes).find(word) != std::string_view::npos;
  });
}

TEST(Recorder, ReplayGivesEveryAnswerAgain) {
  FakeKernel kernel;
  Recorder recorder(kernel);
  std::vector<std::vector<std::string>> live;
  for (int round = 0; round < 3; ++round) live.push_back(ask_all(recorder));
  ASSERT_NE(live[0], live[1]);
  Replay replay(through_a_file(recorder));
  for (int round = 0; round < 3; ++round) EXPECT_EQ(ask_all(replay), live[std::size_t(round)]);
  EXPECT_EQ(ask_all(replay), live[2]);
}

TEST(Recorder, ReplayGivesEveryRefusalAgain) {
  FakeKernel kernel;
  kernel.code = EACCES;
  Recorder recorder(kernel);
  const auto live = ask_all(recorder);
  for (const std::string& answer : live) EXPECT_THAT(answer, testing::StartsWith("error 13|"));
  EXPECT_THAT(live[0], "error 13|netlink request||");
  EXPECT_THAT(live[2], "error 13|/etc/hostname||");
  Replay replay(through_a_file(recorder));
  EXPECT_EQ(ask_all(replay), live);
}

TEST(Recorder, RefusalsWithoutErrnoStayRefusals) {
  FakeKernel kernel;
  for (const int code : {-1, 4096}) {
    kernel.code = code;
    Recorder recorder(kernel);
    const auto live = ask_all(recorder);
    EXPECT_EQ(live[0], "error 5|netlink request||") << code;
    Replay replay(through_a_file(recorder));
    EXPECT_EQ(ask_all(replay), live);
  }
  Replay nothing({});
  Recorder recorder(nothing);
  EXPECT_EQ(recorder.read_file("/a").error(), kernel_error(EIO, "/a"));
}

TEST(Recorder, RedactsBeforeAnyoneSees) {
  FakeKernel kernel;
  Recorder recorder(kernel, redact);
  const auto live = ask_all(recorder);
  for (std::size_t i : {3U, 9U}) {
    EXPECT_THAT(live[i], testing::HasSubstr(std::string("--token\0[redacted]\0", 19)));
    EXPECT_THAT(live[i], testing::Not(testing::HasSubstr(std::string("\0s3cret", 7))));
  }
  const Recording recording = through_a_file(recorder);
  EXPECT_FALSE(holds(recording.answers, std::string_view("--token\0s3", 10)));
  // Only command lines are looked into.
  EXPECT_TRUE(holds(recording.answers, "(s3cret)"));
  Replay replay(recording);
  EXPECT_EQ(ask_all(replay), live);
}

TEST(Recorder, FilesAreRedactedBeforeAnyoneSees) {
  FakeKernel kernel;
  const auto redact_file = [](const std::string& path, ByteView text) {
    return path == "/secret" ? to_bytes("nothing of " + std::to_string(text.size()))
                             : Bytes(text.begin(), text.end());
  };
  Recorder recorder(kernel, {}, redact_file);
  EXPECT_THAT(as_text(*recorder.read_file("/secret")), testing::StartsWith("nothing of "));
  EXPECT_THAT(as_text(*recorder.read_file("/other")), testing::StartsWith("file of /other"));
  const auto answers = recorder.take_answers();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_THAT(as_text(answers[0].bytes), testing::StartsWith("nothing of "));
}

TEST(Recorder, RedactionKeepsTheOtherPartsAsTheyAre) {
  FakeKernel kernel;
  const ProcessWanted wanted[] = {{.pid = 7, .sockets = {kSockets[0]}}};
  Recorder recorder(kernel, [](ByteView cmdline) { return Bytes(cmdline.begin(), cmdline.end()); });
  EXPECT_EQ(recorder.read_processes(wanted, ProcessDetail::All).value(),
            kernel.read_processes(wanted, ProcessDetail::All).value());
}

TEST(Recorder, WithoutARedactorEverythingIsKept) {
  FakeKernel kernel;
  Recorder recorder(kernel);
  EXPECT_THAT(ask_all(recorder)[9], testing::HasSubstr(std::string("\0s3cret", 7)));
}

TEST(Recorder, CutOffProcessesAreNotKeptHalfRedacted) {
  FakeKernel kernel;
  kernel.cut_processes = true;
  Recorder recorder(kernel, redact);
  const ProcessWanted wanted[] = {{.pid = 7, .sockets = {kSockets[0]}}};
  EXPECT_EQ(recorder.read_processes(wanted, ProcessDetail::All).error(),
            kernel_error(EBADMSG, "/proc"));
  EXPECT_FALSE(holds(recorder.take_answers(), "s3cret"));
}

TEST(Recorder, FilesAreRedactedByTheirPath) {
  FakeKernel kernel;
  Recorder recorder(kernel, {}, [](const std::string& path, ByteView file) {
    return path == "/a" ? to_bytes("[redacted]") : Bytes(file.begin(), file.end());
  });
  EXPECT_EQ(show(recorder.read_file("/a")), "[redacted]");
  EXPECT_NE(show(recorder.read_file("/b")), "[redacted]");
  EXPECT_EQ(as_text(recorder.take_answers().front().bytes), "[redacted]");
}

TEST(Recorder, TakingTheAnswersEmptiesIt) {
  FakeKernel kernel;
  Recorder recorder(kernel);
  ASSERT_TRUE(recorder.read_file("/a"));
  ASSERT_TRUE(recorder.clock());
  std::vector<std::string> keys;
  for (const RecordedAnswer& answer : recorder.take_answers()) keys.push_back(answer.key);
  EXPECT_THAT(keys, ElementsAre("file /a", "clock"));
  EXPECT_TRUE(recorder.take_answers().empty());
}

TEST(Recorder, FilesThatAProcessWroteAreRedacted) {
  FakeKernel kernel;
  Recorder recorder(kernel, redact);
  // The answer names the path.
  EXPECT_THAT(show(recorder.read_file("/proc/7/root/srv/s3cret")),
              testing::HasSubstr("/srv/[redacted]"));
  EXPECT_THAT(show(recorder.read_file("/proc/sys/s3cret")), testing::HasSubstr("/s3cret"));
}

}  // namespace
}  // namespace hark::kernel
