#include "host/unheld.h"

#include <gmock/gmock.h>

#include "decode/inet_diag.h"
#include "decode/kernel_messages.h"
#include "decode/unix_diag.h"
#include "host/fake_source.h"

namespace hark::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int kSockDiag = 4;

decode::ScannedProcess process(std::uint32_t pid, int error) {
  decode::ScannedProcess out;
  out.pid = pid;
  out.sockets_error = error;
  return out;
}

struct Small {
  Host host;
  std::vector<kernel::NetnsRef> refs{{}};
  decode::ProcessScan scan;
  FakeSource source;

  Small() {
    host.namespaces = {{.inode = 7, .name = "host", .own = true, .entered = true}};
    Listener listener;
    listener.protocol = Protocol::Tcp;
    listener.port = 80;
    listener.socket.inode = 1234;
    listener.owners.emplace();
    host.listeners.push_back(listener);
    scan.processes = {process(41, 0)};
    source.folder("/proc", {"41", "self", "x1"});
    source.file("/proc/41/comm", "python3\n");
    source.folder("/proc/41/fd", {"0", "3"});
    source.link("/proc/41/fd/0", "/dev/null");
  }
  void ring(std::string_view files) {
    source.link("/proc/41/fd/3", "anon_inode:[io_uring]");
    source.file("/proc/41/fdinfo/3", "SqMask:\t0x3\nSqThread:\t-1\nUserFiles:\t2\n" +
                                         std::string(files) + "UserBufs:\t0\n    0: 0x7f/12\n");
  }
  void queue(std::string_view fdinfo) {
    source.answer(0, kSockDiag, decode::unix_diag_request(), decode::unix_socket_answer(99, 1));
    source.descriptors(
        PartsBuilder().pid(41).pairs(ProcessPart::Sockets, {{.fd = 5, .inode = 99}}).done());
    source.file("/proc/41/fdinfo/5", fdinfo);
  }
  const HeldBy& explained(bool details = true) {
    explain_unheld(source, refs, scan, details, host);
    EXPECT_TRUE(host.listeners[0].held_by);
    return *host.listeners[0].held_by;
  }
};

TEST(Unheld, ASocketThatIsRegisteredWithIoUring) {
  Small small;
  small.ring("    0: socket:[77]\n    1: socket:[1234]\n");
  const HeldBy& held = small.explained();
  EXPECT_EQ(held.how, HeldBy::How::IoUring);
  EXPECT_EQ(held.words, "registered with io_uring by python3 (41)");
  ASSERT_THAT(held.candidates, SizeIs(1));
  EXPECT_EQ(held.candidates[0].pid, 41U);
}

TEST(Unheld, ARingOfAnotherSocketIsNoCandidate) {
  Small small;
  small.ring("    0: socket:[77]\n");
  EXPECT_EQ(small.explained().how, HeldBy::How::Unknown);
  EXPECT_THAT(small.explained().candidates, IsEmpty());
  EXPECT_EQ(small.explained().words, "registered with io_uring or in flight in a UNIX socket");
}

TEST(Unheld, OlderKernelsNameTheProtocolAlone) {
  Small small;
  small.ring("    0: TCP\n    1: <none>\n");
  const HeldBy& held = small.explained();
  EXPECT_EQ(held.how, HeldBy::How::Unknown);
  ASSERT_THAT(held.candidates, SizeIs(1));
  EXPECT_EQ(held.candidates[0].why, "its io_uring has 2 registered files");
}

TEST(Unheld, InFlightInAUnixSocket) {
  Small small;
  small.queue("pos:\t0\nscm_fds: 2\n");
  const HeldBy& held = small.explained();
  EXPECT_EQ(held.how, HeldBy::How::InFlight);
  EXPECT_EQ(held.words, "in flight in a UNIX socket, perhaps to python3 (41)");
  ASSERT_THAT(held.candidates, SizeIs(1));
  EXPECT_EQ(held.candidates[0].why, "2 descriptors in flight to its descriptor 5");
}

TEST(Unheld, AQueueWithoutDescriptorsIsNone) {
  Small small;
  small.queue("pos:\t0\nscm_fds: 0\n");
  EXPECT_EQ(small.explained().how, HeldBy::How::Unknown);
}

TEST(Unheld, TheKernelsOwn) {
  Small small;
  small.host.listeners[0].kernel_owners = {{"vxlan", "vx0", "device vx0"}};
  EXPECT_EQ(small.explained().how, HeldBy::How::Kernel);
  EXPECT_EQ(small.explained().words, "kernel: vxlan device vx0");
  small.host.listeners[0].kernel_owners.clear();
  small.host.listeners[0].socket.has_file = false;
  EXPECT_EQ(small.explained().words, "kernel: unknown part");
}

TEST(Unheld, WhoCouldNotBeLookedInto) {
  Small small;
  small.host.listeners[0].owners.reset();
  small.host.listeners[0].socket.cgroup = "/demo";
  small.scan.processes.clear();
  for (std::uint32_t pid = 41; pid < 47; ++pid)
    small.scan.processes.push_back(process(pid, EACCES));
  small.source.file("/sys/fs/cgroup/demo/cgroup.procs", "41\n");
  EXPECT_EQ(small.explained(false).how, HeldBy::How::Unreadable);
  EXPECT_THAT(small.explained(false).candidates, IsEmpty());
  const HeldBy& held = small.explained(true);
  EXPECT_THAT(held.words, HasSubstr("one of 6 processes that could not be looked into"));
  ASSERT_THAT(held.candidates, SizeIs(1));
  EXPECT_EQ(held.candidates[0].why, "it is in the socket's cgroup");
  EXPECT_EQ(held.candidates[0].name, "python3");
}

TEST(Unheld, WhereAFewCouldNotBeLookedIntoOnlyWhatIsCertainIsSaid) {
  Small small;
  small.host.listeners[0].owners.reset();
  small.scan.processes.push_back(process(42, EACCES));
  small.queue("scm_fds: 2\n");
  EXPECT_EQ(small.explained().how, HeldBy::How::Unreadable);
  EXPECT_EQ(small.explained().words,
            "perhaps held by process 42, which could not be looked into, or in flight in a UNIX "
            "socket, perhaps to python3 (41)");
  EXPECT_THAT(small.explained().candidates, SizeIs(2));
  small.ring("    0: socket:[1234]\n");
  EXPECT_EQ(small.explained(false).how, HeldBy::How::Unreadable);
  EXPECT_EQ(small.explained(true).how, HeldBy::How::IoUring);
}

TEST(Unheld, ASocketThatWasClosedMeanwhileIsNotSearchedFor) {
  Small small;
  small.ring("    0: socket:[1234]\n");
  const Bytes request = decode::inet_diag_request(Family::Inet, Protocol::Tcp, 1U << kTcpListen);
  small.source.answer(0, kSockDiag, request, {});
  EXPECT_EQ(small.explained().words, "closed meanwhile");
}

TEST(Unheld, WhereNothingIsFoundTheCgroupNarrowsItDown) {
  Small small;
  small.host.listeners[0].socket.cgroup = "/demo";
  small.source.file("/sys/fs/cgroup/demo/cgroup.procs", "41\n");
  EXPECT_EQ(small.explained().how, HeldBy::How::Unknown);
  ASSERT_THAT(small.explained().candidates, SizeIs(1));
  EXPECT_EQ(small.explained().candidates[0].why, "it is in the socket's cgroup");
}

TEST(Unheld, AnOwnedListenerHasNone) {
  Small small;
  small.host.listeners[0].owners->push_back({});
  explain_unheld(small.source, small.refs, small.scan, true, small.host);
  EXPECT_FALSE(small.host.listeners[0].held_by.has_value());
}

}  // namespace
}  // namespace hark::host
