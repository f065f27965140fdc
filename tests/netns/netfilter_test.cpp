// The judge of nf_tables, conntrack and NAT: rulesets that hold the traps of reachability.md 3.9,
// real packets through them, and at every hook what came through, with which addresses and which
// mark, against what hark predicts from the kernel's own dump. A table of witnesses at the end of
// each hook writes down what it sees.
#include "reach/netfilter.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "host/network.h"
#include "host/rulesets.h"
#include "kernel/live.h"
#include "reach/prepared_ruleset.h"
#include "reach/reply.h"
#include "scene.h"

namespace hark::netns {
namespace {

using reach::HookPoint;

/// Rules to which every packet comes as the first of its connection. What one packet leaves behind
/// (elements of sets, counters) must not decide about another: hark is asked before all of them.
struct Trap {
  const char* name;
  const char* rules;
};
constexpr std::array kTraps = {
    Trap{
        "accept ends one chain only",
        "table inet a {\n chain x {\n type filter hook input priority -1\n tcp dport 80 accept\n}\n"
        " chain y {\n type filter hook input priority 1; policy drop\n tcp dport 81 "
        "accept\n}\n}\n"},
    Trap{"the last registered of equal priority first",
         "table ip a {\n chain x {\n type filter hook input priority 0\n meta mark set 1\n}\n"
         " chain y {\n type filter hook input priority 0\n meta mark set 2\n}\n}\n"},
    Trap{"goto from the base chain ends in the policy",
         "table ip a {\n chain s {\n tcp dport 80 return\n tcp dport 81 accept\n}\n"
         " chain x {\n type filter hook input priority 0; policy drop\n goto s\n accept\n}\n}\n"},
    Trap{"effects before a failed match stay",
         "table ip a {\n chain x {\n type filter hook input priority 0\n"
         " meta mark set 7 tcp dport 81 accept\n meta mark 7 drop\n}\n}\n"},
    Trap{"state before conntrack is invalid",
         "table ip a {\n chain x {\n type filter hook prerouting priority -300\n"
         " ct state invalid meta mark set 1\n ct mark 0 drop\n}\n"
         " chain y {\n type filter hook prerouting priority 0\n ct state invalid drop\n"
         " ct state new meta mark set meta mark or 2\n}\n}\n"},
    Trap{"notrack, and what the reset then is",
         "table ip a {\n chain x {\n type filter hook prerouting priority -300\n"
         " tcp dport 80 notrack\n}\n chain y {\n type filter hook prerouting priority 0\n"
         " tcp dport 81 notrack\n ct state untracked meta mark set 1\n}\n"
         " chain o {\n type filter hook output priority 0\n ct state invalid drop\n}\n}\n"},
    Trap{"nat chains are inert without conntrack",
         "table ip a {\n chain x {\n type nat hook prerouting priority -100\n tcp dport 80 "
         "drop\n}\n}\n"},
    Trap{
        "nat chains drop with conntrack",
        "table ip a {\n chain x {\n type nat hook prerouting priority -100\n tcp dport 80 drop\n}\n"
        " chain y {\n type filter hook input priority 0\n ct state established accept\n}\n}\n"},
    Trap{"the rewrite is at -100",
         "table ip a {\n chain n {\n type nat hook prerouting priority 10\n"
         " tcp dport 80 redirect to :8080\n}\n chain x {\n type filter hook prerouting priority "
         "-101\n"
         " tcp dport 80 meta mark set 1\n}\n chain y {\n type filter hook prerouting priority -99\n"
         " tcp dport 8080 meta mark set meta mark or 2\n}\n"
         " chain i {\n type filter hook input priority 0\n ct status dnat meta l4proto tcp ct "
         "original proto-dst 80 "
         "meta mark set meta mark or 4\n}\n}\n"},
    Trap{"the first mapping ends the walk, an accept does not",
         "table ip a {\n chain n {\n type nat hook prerouting priority -101\n accept\n}\n"
         " chain m {\n type nat hook prerouting priority -100\n tcp dport 80 dnat to 10.77.0.3\n}\n"
         " chain l {\n type nat hook prerouting priority -99\n tcp dport 80 drop\n}\n}\n"},
    Trap{"addresses of a range by hash, sources on input",
         "table ip a {\n chain n {\n type nat hook prerouting priority -100\n"
         " dnat to 10.77.0.1-10.77.0.4\n}\n chain i {\n type nat hook input priority 100\n"
         " ip saddr 10.77.0.9 snat to 10.77.0.200\n}\n}\n"},
    Trap{"sets, maps, ranges of concatenations",
         "table ip a {\n set i {\n type ipv4_addr\n flags interval\n"
         " elements = { 10.77.0.0/29, 10.77.0.9-10.77.0.10, 172.16.0.0/12 }\n}\n"
         " map v {\n type ipv4_addr . inet_service : verdict\n flags interval\n"
         " elements = { 10.77.0.2 . 80 : accept, 10.77.0.0/24 . 70-90 : drop }\n}\n"
         " map m {\n type ipv4_addr : mark\n flags interval\n"
         " elements = { 10.77.0.0/30 : 3, 172.16.0.0/12 : 5 }\n}\n"
         " chain x {\n type filter hook input priority 0\n meta mark set ip saddr map @m\n"
         " ip saddr != @i meta mark set 9\n ip saddr . tcp dport vmap @v\n"
         " tcp dport { 100-200, 8080 } drop\n}\n}\n"},
    Trap{"what a packet adds the same packet sees",
         "table ip a {\n set s {\n type inet_service\n flags dynamic\n size 100\n}\n"
         " chain x {\n type filter hook input priority 0\n tcp sport @s meta mark set 1\n"
         " tcp dport 81 add @s { tcp sport }\n tcp sport @s meta mark set 2\n}\n}\n"},
    Trap{"fib, names, flags, options, hashes",
         "table inet a {\n chain x {\n type filter hook input priority 0\n"
         " fib daddr type != local drop\n iifname \"na*\" meta mark set 1\n oifname \"n*\" drop\n"
         " tcp flags & (syn|ack) == syn meta mark set meta mark or 2\n"
         " tcp option maxseg exists meta mark set meta mark or 4\n tcp option sack-perm missing "
         "drop\n"
         " jhash ip saddr . ip daddr mod 3 seed 0x1234 1 meta mark set meta mark or 8\n"
         " fib saddr . iif oif 0 drop\n}\n}\n"},
    Trap{"a family's mapping is for it alone",
         "table inet a {\n chain n {\n type nat hook prerouting priority -100\n"
         " tcp dport 80 dnat ip6 to fd00::9\n tcp dport 80 dnat ip to 10.77.0.4\n}\n}\n"},
    Trap{"a rule's own reset is related",
         "table ip a {\n chain x {\n type filter hook input priority 0\n"
         " tcp dport 80 reject with tcp reset\n}\n chain o {\n type filter hook output priority 0\n"
         " ct state related accept\n drop\n}\n}\n"},
};

constexpr const char* kWitnesses[] = {"pre", "inp", "out", "post"};
constexpr const char* kHooks[] = {"prerouting", "input", "output", "postrouting"};
constexpr std::uint16_t kFirstPort = 20000;
constexpr std::uint16_t kSentinel = 65000;

std::string witnesses() {
  std::string out = "table ip witness {\n";
  for (std::size_t i = 0; i < std::size(kHooks); ++i) {
    const std::string name = kWitnesses[i];
    out += " set " + name +
           " {\n type ipv4_addr . inet_service . ipv4_addr . inet_service . mark\n flags dynamic\n"
           " size 60000\n}\n chain c" +
           name + " {\n type filter hook " + kHooks[i] + " priority 2000\n meta l4proto tcp add @" +
           name + " { ip saddr . th sport . ip daddr . th dport . meta mark }\n}\n";
  }
  // The last packet comes by here whatever the rules say.
  return out +
         " set done {\n type inet_service\n flags dynamic\n size 10\n}\n chain cdone {\n type "
         "filter "
         "hook prerouting priority -1000\n tcp sport 65000 add @done { tcp sport } drop\n}\n}\n";
}

bool run(const std::string& command, const std::string& input) {
  std::FILE* pipe = popen((command + " >/dev/null").c_str(), "we");
  if (pipe == nullptr) return false;
  std::fwrite(input.data(), 1, input.size(), pipe);
  return pclose(pipe) == 0;
}

/// What a witness writes down, in words.
std::string words(const IpAddress& source, unsigned source_port, const IpAddress& destination,
                  unsigned destination_port, std::uint32_t mark) {
  return source.text() + ":" + std::to_string(source_port) + " " + destination.text() + ":" +
         std::to_string(destination_port) + " mark " + std::to_string(mark);
}
std::string words(const reach::Packet& packet) {
  return words(packet.tuple.source, packet.tuple.source_port, packet.tuple.destination,
               packet.tuple.destination_port, packet.mark);
}
std::string words(const Bytes& key) {
  const auto byte = [&key](std::size_t at) { return std::to_integer<std::uint8_t>(key[at]); };
  const auto address = [&byte](std::size_t at) {
    IpAddress out;
    for (std::size_t i = 0; i < 4; ++i) out.bytes[i] = byte(at + i);
    return out;
  };
  std::uint32_t mark = 0;
  std::memcpy(&mark, key.data() + 16, sizeof mark);
  return words(address(0), byte(4) * 256U + byte(5), address(8), byte(12) * 256U + byte(13), mark);
}

std::uint16_t sum(const Bytes& bytes) {
  std::uint32_t total = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    total += std::to_integer<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8U : 0U);
  }
  while (total >> 16U != 0) total = (total & 0xffffU) + (total >> 16U);
  return static_cast<std::uint16_t>(~total);
}

void add(Bytes& to, std::initializer_list<unsigned> values) {
  for (const unsigned value : values) to.push_back(static_cast<std::byte>(value));
}
void add(Bytes& to, const IpAddress& address) {
  for (std::size_t i = 0; i < 4; ++i) to.push_back(static_cast<std::byte>(address.bytes[i]));
}
void put(Bytes& to, std::size_t at, std::uint16_t value) {
  to[at] = static_cast<std::byte>(value >> 8U);
  to[at + 1] = static_cast<std::byte>(value & 0xffU);
}

/// A SYN as Linux sends it, in a frame to the link under test.
Bytes syn_frame(const reach::Packet& packet) {
  const reach::Tuple& tuple = packet.tuple;
  Bytes tcp;
  add(tcp, {0, 0, 0, 0,    0, 0, 0, 1,  0, 0, 0, 0, 0xa0, 0x02, 0xfa, 0xf0, 0, 0, 0, 0,
            2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0,    0,    0,    0,    1, 3, 3, 7});
  put(tcp, 0, tuple.source_port);
  put(tcp, 2, tuple.destination_port);
  Bytes pseudo;
  add(pseudo, tuple.source);
  add(pseudo, tuple.destination);
  add(pseudo, {0, 6, 0, 40});
  append(pseudo, tcp);
  put(tcp, 16, sum(pseudo));
  Bytes ip;
  add(ip, {0x45, 0, 0, 60, 0x12, 0x34, 0x40, 0, 64, 6, 0, 0});
  add(ip, tuple.source);
  add(ip, tuple.destination);
  put(ip, 10, sum(ip));
  Bytes frame;
  add(frame, {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0});
  append(frame, ip);
  append(frame, tcp);
  return frame;
}

using Sightings = std::array<std::set<std::string>, std::size(kHooks)>;

/// Everything that may happen to one packet, and to the reset that a closed port answers.
std::vector<Sightings> predict(const host::Host& host, const host::Network& network,
                               const reach::PreparedRuleset& ready, const reach::Packet& packet) {
  std::vector<Sightings> out;
  EXPECT_TRUE(reach::explore([&](reach::Choices& choices) {
    std::vector<reach::Step> path;
    std::vector<std::string> assumptions;
    const std::vector<std::string> waived;
    reach::World world{.host = host,
                       .network = network,
                       .choices = choices,
                       .path = path,
                       .assumptions = assumptions,
                       .waived = waived,
                       .prepared = &ready};
    Sightings& seen = out.emplace_back();
    reach::ConntrackView view;
    reach::Packet now = packet;
    using End = reach::HookResult::End;
    const auto through = [&](HookPoint hook, std::size_t place) {
      const End end = run_hook(world, hook, now, view).end;
      if (end == End::Accept) seen[place].insert(words(now));
      return end;
    };
    if (through(HookPoint::Prerouting, 0) != End::Accept) return;
    const End input = through(HookPoint::Input, 1);
    if (input != End::Accept && input != End::Reject) return;
    const std::uint32_t link = now.in;
    const auto refuser = input == End::Reject ? reach::Refuser::Rule : reach::Refuser::Socket;
    now = refusal_of(world, now, {.tcp_reset = true}, refuser);
    now.out = link;
    if (through(HookPoint::Output, 2) != End::Accept) return;
    (void)through(HookPoint::Postrouting, 3);
  }));
  return out;
}

/// One namespace: `nfa` is the link under test, frames are put on its other end.
class Lab {
 public:
  void make() {
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(sched_getcpu()), &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);  // packets keep their order
    ASSERT_TRUE(run("ip -batch -",
                    "link set lo up\n"
                    "link add nfa address 02:00:00:00:00:02 type veth peer name nfb address "
                    "02:00:00:00:00:01\nlink set nfa up\nlink set nfb up\n"
                    "address add 10.77.0.1/24 dev nfa\naddress add 10.77.0.2/24 dev nfa\n"
                    "address add 10.77.0.3/24 dev nfa\naddress add 10.77.0.4/24 dev nfa\n"
                    "route add default via 10.77.0.254\n"));
    struct stat status {};
    path_ = "/proc/self/task/" + std::to_string(gettid()) + "/ns/net";
    ASSERT_EQ(stat(path_.c_str(), &status), 0);
    netns_ = {.inode = status.st_ino, .paths = {path_}};
    socket_ = UniqueFd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    ASSERT_TRUE(socket_.valid());
    source_ = kernel::make_live();
  }

  [[nodiscard]] host::Network facts() {
    return host::read_network(*source_, netns_, host::NetnsId{0}, {});
  }
  [[nodiscard]] host::NftRuleset rules() {
    auto read = host::read_nft(*source_, netns_);
    EXPECT_TRUE(read);
    return read ? std::move(*read) : host::NftRuleset{};
  }

  void send(const reach::Packet& packet) {
    const Bytes frame = syn_frame(packet);
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_protocol = htons(ETH_P_IP);
    to.sll_ifindex = static_cast<int>(if_nametoindex("nfb"));
    ASSERT_EQ(sendto(socket_.get(), frame.data(), frame.size(), 0,
                     reinterpret_cast<const sockaddr*>(&to), sizeof to),
              static_cast<ssize_t>(frame.size()));
  }

  /// What the witnesses saw, once the last packet is through.
  [[nodiscard]] Sightings seen() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < deadline) {
      const host::NftRuleset now = rules();
      Sightings out;
      bool done = false;
      for (const auto& set : now.sets) {
        if (set.table != "witness" || !set.elements) continue;
        if (set.name == "done") done = !set.elements->empty();
        const auto* at = std::ranges::find(kWitnesses, set.name);
        if (at == std::end(kWitnesses)) continue;
        for (const auto& element : *set.elements) {
          if (element.key.size() == 20) {
            out[static_cast<std::size_t>(at - kWitnesses)].insert(words(element.key));
          }
        }
      }
      if (done) return out;
    }
    ADD_FAILURE() << "the last packet was not seen";
    return {};
  }

 private:
  std::string path_;
  kernel::NetnsRef netns_;
  UniqueFd socket_;
  std::unique_ptr<kernel::Source> source_;
};

std::vector<reach::Packet> packets(std::uint32_t link) {
  std::vector<reach::Packet> out;
  for (const char* source : {"10.77.0.9", "10.77.0.20", "172.16.5.6", "192.168.3.4"}) {
    for (const char* destination : {"10.77.0.1", "10.77.0.2"}) {
      for (const unsigned port : {80U, 81U, 90U, 91U, 150U, 8080U}) {
        reach::Packet packet;
        packet.tuple.source = IpAddress::parse(source).value_or(IpAddress{});
        packet.tuple.destination = IpAddress::parse(destination).value_or(IpAddress{});
        packet.tuple.source_port = static_cast<std::uint16_t>(kFirstPort + out.size());
        packet.tuple.destination_port = static_cast<std::uint16_t>(port);
        packet.in = link;
        out.push_back(packet);
      }
    }
  }
  return out;
}

/// Those of a witness that have the packet's own port at either end: ports are told apart by it.
std::set<std::string> of_packet(const std::set<std::string>& all, std::uint16_t port) {
  std::set<std::string> out;
  const std::string text = ":" + std::to_string(port);
  for (const std::string& each : all) {
    if (each.find(text) != std::string::npos) out.insert(each);
  }
  return out;
}

void judge(const Trap& trap) {
  SCOPED_TRACE(trap.name);
  Lab lab;
  ASSERT_NO_FATAL_FAILURE(lab.make());
  ASSERT_TRUE(run("nft -f -", trap.rules));
  ASSERT_TRUE(run("nft -f -", witnesses()));
  const host::Network network = lab.facts();
  const host::Link* link = network.link("nfa");
  ASSERT_NE(link, nullptr);
  const reach::PreparedRuleset ready(network);
  const host::Host host;
  const std::vector<reach::Packet> all = packets(link->index);
  for (const reach::Packet& packet : all) ASSERT_NO_FATAL_FAILURE(lab.send(packet));
  reach::Packet last = all.front();
  last.tuple.source_port = kSentinel;
  ASSERT_NO_FATAL_FAILURE(lab.send(last));
  const Sightings seen = lab.seen();
  for (const reach::Packet& packet : all) {
    Sightings own;
    for (std::size_t i = 0; i < own.size(); ++i) {
      own[i] = of_packet(seen[i], packet.tuple.source_port);
    }
    const std::vector<Sightings> may = predict(host, network, ready, packet);
    EXPECT_EQ(may.size(), 1U) << words(packet);
    if (std::ranges::find(may, own) != may.end()) continue;
    std::string text;
    for (std::size_t i = 0; i < own.size(); ++i) {
      text += std::string("\n  ") + kHooks[i] + ": kernel";
      for (const std::string& each : own[i]) text += " {" + each + "}";
      text += ", hark";
      for (const std::string& each : may.front()[i]) text += " {" + each + "}";
    }
    ADD_FAILURE() << words(packet) << text;
  }
}

class Netfilter : public NetnsTest {};

TEST_F(Netfilter, IsAsRealPacketsShow) {
  for (const Trap& trap : kTraps) {
    // The namespace is the thread's, and ends with it.
    std::thread([&trap] { judge(trap); }).join();
  }
}

}  // namespace
}  // namespace hark::netns
