#include "host/service_facts.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <span>

#include "base/option_parts.h"
#include "host/collect_network.h"
#include "host/fake_source.h"

namespace hark::host {
namespace {

Bytes with_ttl(std::int32_t ttl) {
  Bytes parts;
  append_part(parts, static_cast<std::uint16_t>(OptionPart::MinTtl),
              std::as_bytes(std::span(&ttl, 1)));
  return parts;
}

class OptionsOfListeners : public testing::Test {
 protected:
  OptionsOfListeners() {
    host_.namespaces.push_back({.inode = 1, .name = "host", .own = true, .entered = true});
  }

  Listener& listen(Protocol protocol, std::uint32_t inode) {
    Listener one;
    one.protocol = protocol;
    one.port = 80;
    one.socket.inode = inode;
    one.owners.emplace();
    host_.listeners.push_back(one);
    return host_.listeners.back();
  }

  void own(Listener& listener, std::uint32_t pid, std::uint32_t fd) {
    Process process;
    process.pid = pid;
    host_.processes.push_back(process);
    listener.owners->push_back(
        {.process = static_cast<ProcessId>(host_.processes.size() - 1), .fds = {fd}});
  }

  ServiceFacts facts() { return read_service_facts(source_, {}, host_, NetnsId{0}, {}); }
  Network network() { return collect_network(source_, {}, host_, NetnsId{0}, {}); }

  FakeSource source_;
  Host host_;
};

TEST_F(OptionsOfListeners, ComeFromTheFirstHolderThatAnswers) {
  Listener& one = listen(Protocol::Udp, 70);
  own(one, 10, 3);
  own(one, 11, 4);
  source_.options({.pid = 11, .fd = 4, .inode = 70}, with_ttl(9));
  const ServiceFacts all = facts();
  ASSERT_NE(all.socket(70), nullptr);
  ASSERT_TRUE(all.socket(70)->options);
  EXPECT_EQ(all.socket(70)->options->value(OptionPart::MinTtl), 9);
  EXPECT_EQ(all.refused.sockets, 0U);
}

TEST_F(OptionsOfListeners, AreAskedOfFewHolders) {
  Listener& one = listen(Protocol::Tcp, 70);
  for (std::uint32_t pid = 10; pid < 15; ++pid) own(one, pid, 3);
  source_.options({.pid = 14, .fd = 3, .inode = 70}, with_ttl(9));
  EXPECT_EQ(facts().socket(70), nullptr);
  source_.options({.pid = 13, .fd = 3, .inode = 70}, with_ttl(9));
  EXPECT_NE(facts().socket(70), nullptr);
}

TEST_F(OptionsOfListeners, AreNotThoseOfMptcpOrOfNobody) {
  own(listen(Protocol::Mptcp, 70), 10, 3);
  source_.options({.pid = 10, .fd = 3, .inode = 70}, with_ttl(9));
  listen(Protocol::Tcp, 71);
  listen(Protocol::Tcp, 72).owners.reset();
  EXPECT_TRUE(facts().sockets.empty());
}

TEST_F(OptionsOfListeners, ThatAreRefusedAreAGap) {
  own(listen(Protocol::Tcp, 70), 10, 3);
  own(listen(Protocol::Udp, 71), 10, 4);
  source_.refuse_options(EPERM);
  const Network refused = network();
  const Gap* gap = refused.gap(NetworkFact::SocketOptions);
  ASSERT_NE(gap, nullptr);
  EXPECT_EQ(gap->code, "socket-options-not-read");
  EXPECT_EQ(gap->what, "options of 2 sockets: Operation not permitted");
  EXPECT_EQ(gap->remedy, "run as root to see them");
  source_.options({.pid = 10, .fd = 3, .inode = 70}, to_bytes("\x01"));
  source_.refuse_options(EOPNOTSUPP);
  ASSERT_NE(network().gap(NetworkFact::SocketOptions), nullptr);
  EXPECT_EQ(network().gap(NetworkFact::SocketOptions)->what,
            "options of 2 sockets: to look would give them another class of the cgroups net_cls "
            "and net_prio");
}

TEST_F(OptionsOfListeners, AHolderThatIsGoneIsNoGap) {
  own(listen(Protocol::Tcp, 70), 10, 3);
  for (const int error : {ESRCH, EBADF, ESTALE}) {
    source_.refuse_options(error);
    EXPECT_EQ(network().gap(NetworkFact::SocketOptions), nullptr) << error;
  }
}

}  // namespace
}  // namespace hark::host
