#include "bind_sets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <random>
#include <sstream>
#include <vector>

#include "base/text.h"
#include "base/unique_fd.h"
#include "bind_world.h"
#include "diagnose/bind.h"
#include "host/bind_facts.h"
#include "host/network.h"
#include "kernel/live.h"

namespace hark::netns {
namespace {

constexpr std::uint32_t kSetsOfPlace = 1000;
constexpr std::array<uid_t, 3> kUsers = {0, 61001, 61002};

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::uint32_t below(std::uint32_t n) {
    return static_cast<std::uint32_t>(
        std::uniform_int_distribution<std::uint32_t>(0, n - 1)(random_));
  }
  bool chance(std::uint32_t percent) { return below(100) < percent; }
  template <typename List>
  const auto& pick(const List& list) {
    return list[below(static_cast<std::uint32_t>(std::size(list)))];
  }

 private:
  std::mt19937_64 random_;
};

/// Addresses that sockets of a set have, and such as only a question has.
constexpr std::array<const char*, 18> kAddresses = {"0.0.0.0",
                                                    "0.0.0.0",
                                                    "127.0.0.1",
                                                    "127.0.0.1",
                                                    "127.0.0.6",
                                                    "10.9.0.1",
                                                    "::",
                                                    "::",
                                                    "::1",
                                                    "fd09::1",
                                                    "fe80::9",
                                                    "::ffff:127.0.0.1",
                                                    "::ffff:0.0.0.0",
                                                    "10.9.1.1",
                                                    "fd09:1::1",
                                                    "::",
                                                    "0.0.0.0",
                                                    "::ffff:10.9.0.1"};
constexpr std::array<const char*, 10> kOdd = {
    "198.51.100.7", "fd77::7",         "224.0.0.5",           "ff02::5",  "ff05::5",
    "10.9.0.255",   "255.255.255.255", "::ffff:198.51.100.7", "fe80::77", "0.0.0.7"};
constexpr std::array<const char*, 4> kDevices = {"one", "lo", "vrf9", "two"};

std::string random_device(Dice& dice) {
  return dice.chance(20) ? std::string(dice.pick(kDevices)) : std::string();
}

Wanted random_wanted(Dice& dice, bool udp, std::uint16_t port) {
  Wanted out;
  out.udp = udp;
  out.address = *IpAddress::parse(dice.pick(kAddresses));
  out.port = port;
  out.device = random_device(dice);
  if (out.address.is_link_local()) out.zone = "one";
  // Mostly as most servers have it.
  out.reuseaddr = dice.chance(udp ? 30 : 60);
  out.reuseport = dice.chance(30);
  out.v6only = out.address.family == Family::Inet6 && dice.chance(35);
  out.uid = dice.chance(60) ? kUsers[0] : dice.pick(kUsers);
  return out;
}

class Set {
 public:
  Set(Dice& dice, std::uint16_t port, bool exact) : dice_(dice), port_(port), exact_(exact) {
    udp_ = dice_.chance(35);
  }

  void make() {
    const std::uint32_t count = dice_.below(6);
    for (std::uint32_t i = 0; i < count; ++i) add_one();
    for (Held& held : sockets_.all) {
      if (dice_.chance(15)) sockets_.close(held);
    }
    // What the kernel remembers of the port stays what it was then.
    for (Held& held : sockets_.all) {
      if (!exact_ || !held.fd.valid() || !dice_.chance(5)) continue;
      set_option(held.fd.get(), SOL_SOCKET, dice_.chance(50) ? SO_REUSEADDR : SO_REUSEPORT,
                 dice_.chance(30) ? 1 : 0);
    }
  }

  Wanted question() {
    Wanted out = random_wanted(dice_, udp_, port_);
    if (dice_.chance(12)) out.address = *IpAddress::parse(dice_.pick(kOdd));
    if (out.address.family == Family::Inet) out.v6only = false;
    const bool local = out.address.is_link_local() || out.address == *IpAddress::parse("ff02::5");
    out.zone = local && dice_.chance(80) ? "one" : "";
    if (local && dice_.chance(5)) out.zone = "nowhere";
    if (dice_.chance(2)) out.device = "nowhere";
    if (dice_.chance(4)) out.port = 0;
    return out;
  }

  SocketSet& sockets() { return sockets_; }
  [[nodiscard]] bool udp() const { return udp_; }

 private:
  void add_one() {
    Wanted wanted = random_wanted(dice_, udp_, port_);
    wanted.uid = wanted.port < 1024 ? 0 : wanted.uid;
    const Story story = udp_ ? (dice_.chance(30) ? Story::Connects : Story::Binds)
                             : static_cast<Story>(dice_.below(kStories));
    // The uid of who accepts becomes the connection's.
    const uid_t accepts = dice_.chance(80) ? wanted.uid : dice_.pick(kUsers);
    sockets_.tell(wanted, story, accepts);
  }

  Dice& dice_;
  std::uint16_t port_;
  bool exact_;
  bool udp_ = false;
  SocketSet sockets_;
};

/// What of the place does not change from set to set.
struct Place {
  std::unique_ptr<kernel::Source> source;
  host::Network network;
  bool exact = true;
};

/// Is a connection of the port on its way to another state? That takes as long as an ACK on lo.
bool on_the_way(const host::PortSockets& found) {
  constexpr std::array<std::uint8_t, 3> kStates = {4, 9, 11};  // FIN_WAIT1 LAST_ACK CLOSING
  return std::ranges::any_of(found.sockets, [&](const decode::BoundRecord& one) {
    return !one.time_wait && std::ranges::find(kStates, one.socket.state) != kStates.end();
  });
}

host::PortSockets settled(kernel::Source& source, Protocol protocol, std::uint16_t port) {
  constexpr int kMostLooks = 1000;
  host::PortSockets out = host::read_port_sockets(source, {}, protocol, port);
  for (int i = 0; protocol == Protocol::Tcp && on_the_way(out) && i < kMostLooks; ++i) {
    ::sched_yield();
    out = host::read_port_sockets(source, {}, protocol, port);
  }
  return out;
}

diagnose::BindAnswer predict(Place& place, const Wanted& asked, SocketSet& sockets) {
  const kernel::NetnsRef here;
  const Protocol protocol = asked.udp ? Protocol::Udp : Protocol::Tcp;
  host::PortSockets found = settled(*place.source, protocol, asked.port);
  host::Host host;
  host.namespaces.emplace_back();
  host.listeners = host::more_to_own(found, asked.port, host::NetnsId{0}, {});
  host.processes.emplace_back().pid = static_cast<std::uint32_t>(::getpid());
  for (host::Listener& listener : host.listeners) {
    listener.owners.emplace();
    for (const Held& held : sockets.all) {
      if (!held.fd.valid() || held.inode != listener.socket.inode) continue;
      listener.owners->push_back(
          {.process = host::ProcessId{0}, .fds = {static_cast<std::uint32_t>(held.fd.get())}});
    }
  }
  const host::BindFacts facts = host::join_bind_facts(
      *place.source, here, host, host::NetnsId{0}, asked.port, std::move(found),
      {.uid = asked.uid, .name = {}, .low_ports = asked.uid == 0});
  if (place.exact && !facts.exact) std::abort();
  diagnose::BindAnswer out =
      diagnose::bind_outcome({host, place.network, facts}, question_of(asked));
  // Who they are is asked after the facts are gone.
  for (const std::size_t i : out.conflicts) {
    sockets.named.push_back(facts.sockets[i].bound);
  }
  return out;
}

std::string text_of(const diagnose::BindAnswer& answer) {
  if (!answer.error) return "unknown (" + answer.cause.code + ")";
  if (*answer.error == 0) return "succeeds";
  return std::string(name_of(answer.call)) + ": " + reason(kernel_error(*answer.error, "")) + " (" +
         answer.cause.code + ")";
}

std::string text_of(const Happened& real) {
  if (real.error == 0) return "succeeds";
  return std::string(name_of(real.call)) + ": " + reason(kernel_error(real.error, ""));
}

bool same(const diagnose::BindAnswer& answer, const Happened& real) {
  return answer.error == real.error && (real.error == 0 || answer.call == real.call);
}

/// Is every holder that was named one, and are they all? Without them the bind succeeds.
std::string prove_holders(const diagnose::BindAnswer& answer, const Wanted& asked,
                          SocketSet& sockets, bool exact, BindTally& tally) {
  if (answer.error != EADDRINUSE || asked.port == 0) return {};
  if (sockets.named.empty()) return "no holder is named";
  tally.holders += static_cast<std::uint32_t>(sockets.named.size());
  for (const decode::BoundRecord& one : sockets.named) {
    if (one.socket.local_port != asked.port) return "a holder of another port is named";
  }
  if (!sockets.close_named()) return {};  // what has no descriptor cannot be closed
  const Happened again = try_bind(asked);
  // Those that are in the way for certain hide others that may be.
  if (again.error == EADDRINUSE && !exact) return {};
  if (again.error != 0) return "without the holders that were named: " + text_of(again);
  ++tally.proved;
  return {};
}

void run_set(Place& place, std::uint64_t seed, std::uint32_t number, BindTally& tally) {
  Dice dice(seed * 1'000'003 + number);
  // Low ports, ports of clients, others; each but once, since TIME_WAIT lasts a minute.
  const std::uint32_t within = number % kSetsOfPlace;
  const auto port =
      static_cast<std::uint16_t>(number % 12 == 0 ? 20 + within : 20'000 + within * 3);
  Set set(dice, port, place.exact);
  set.make();
  const Wanted asked = set.question();
  const NarrowRange narrow(asked.port == 0 ? port : std::uint16_t{0});
  const diagnose::BindAnswer answer = predict(place, asked, set.sockets());
  const Happened real = try_bind(asked);
  ++tally.sets;
  std::string wrong;
  if (!answer.error && !place.exact) {
    ++tally.open;
  } else if (same(answer, real)) {
    ++tally.agreed;
    if (real.error == EADDRINUSE) ++tally.in_use;
    if (real.error != 0 && real.error != EADDRINUSE) ++tally.refused;
    wrong = prove_holders(answer, asked, set.sockets(), place.exact, tally);
  } else {
    wrong = "hark: " + text_of(answer) + "\n  kernel: " + text_of(real);
  }
  if (wrong.empty()) return;
  std::ostringstream out;
  out << "set " << number << " of seed " << seed << ", asked " << describe(asked) << "\n  " << wrong
      << "\n"
      << set.sockets().text();
  tally.mismatches += out.str();
}

/// A fresh namespace for some sets; the tally goes to `to`.
void run_place(const BindSets& wanted, std::uint32_t first, std::uint32_t last, int to) {
  BindTally tally;
  Dice dice(wanted.seed + first);
  if (!make_place({.l3mdev_accept = dice.chance(50),
                   .nonlocal = dice.chance(20),
                   .first_free = dice.chance(70) ? 1024 : 500,
                   .autobind_reuse = dice.chance(50)})) {
    ::_exit(2);
  }
  Place place;
  place.exact = wanted.exact;
  place.source =
      kernel::make_live("/proc", wanted.exact ? kernel::Search::Survey : kernel::Search::Proc);
  place.network = host::read_network(*place.source, {}, host::NetnsId{0},
                                     {.firewalls = false, .programs = false});
  for (std::uint32_t i = first; i < last; ++i) run_set(place, wanted.seed, i, tally);
  std::ostringstream out;
  out << tally.sets << ' ' << tally.agreed << ' ' << tally.open << ' ' << tally.in_use << ' '
      << tally.refused << ' ' << tally.holders << ' ' << tally.proved << '\n'
      << tally.mismatches;
  const std::string text = out.str();
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t n = ::write(to, rest.data(), rest.size());
    if (n <= 0) ::_exit(3);
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  ::_exit(0);
}

void add(BindTally& to, const std::string& text) {
  std::istringstream in(text);
  BindTally one;
  in >> one.sets >> one.agreed >> one.open >> one.in_use >> one.refused >> one.holders >>
      one.proved;
  to.sets += one.sets;
  to.agreed += one.agreed;
  to.open += one.open;
  to.in_use += one.in_use;
  to.refused += one.refused;
  to.holders += one.holders;
  to.proved += one.proved;
  to.mismatches += text.substr(std::min(text.size(), text.find('\n') + 1));
}

}  // namespace

BindTally run_bind_sets(const BindSets& wanted) {
  BindTally out;
  for (std::uint32_t first = 0; first < wanted.sets; first += kSetsOfPlace) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) break;
    const pid_t child = ::fork();
    if (child == 0) {
      run_place(wanted, first, std::min(wanted.sets, first + kSetsOfPlace), ends[1]);
    }
    ::close(ends[1]);
    const UniqueFd from(ends[0]);
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t n; (n = ::read(from.get(), buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) out.mismatches += "a place ended with " + std::to_string(status) + "\n";
    add(out, text);
  }
  return out;
}

}  // namespace hark::netns
