// Classes of sources made by hand, for tests of what is said of them.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "host/network.h"
#include "reach/reach.h"

namespace hark::reach::testing {

constexpr std::uint32_t kLo = 1;
constexpr std::uint32_t kEth0 = 2;
constexpr std::uint32_t kEth1 = 3;

inline AddressSet set_of(std::initializer_list<const char*> prefixes) {
  std::vector<AddressRange> ranges;
  for (const char* one : prefixes) ranges.push_back(range_of(Prefix::parse(one).value()));
  return AddressSet(std::move(ranges));
}

/// lo, eth0 (10.0.0.5/24, fd00::5/64) and eth1 (192.168.7.5/24), all up.
inline host::Network two_links() {
  host::Network out;
  const auto link = [&out](std::uint32_t index, const char* name, std::uint32_t flags) {
    host::Link one;
    one.index = index;
    one.name = name;
    one.flags = flags;
    out.links.push_back(one);
  };
  const auto address = [&out](std::uint32_t index, const char* text, const char* subnet) {
    out.addresses.push_back({.link = index,
                             .address = IpAddress::parse(text).value(),
                             .subnet = Prefix::parse(subnet).value()});
  };
  link(kLo, "lo", 9);
  link(kEth0, "eth0", 1);
  link(kEth1, "eth1", 1);
  address(kLo, "127.0.0.1", "127.0.0.0/8");
  address(kLo, "::1", "::1/128");
  address(kEth0, "10.0.0.5", "10.0.0.0/24");
  address(kEth0, "fd00::5", "fd00::/64");
  address(kEth1, "192.168.7.5", "192.168.7.0/24");
  return out;
}

/// One place, and what becomes of its sources.
class Place {
 public:
  Place(std::uint32_t interface, const char* destination, std::uint16_t port = 80)
      : interface_(interface), to_(IpAddress::parse(destination).value()), port_(port) {
    left_ = all_addresses(to_.family);
  }
  /// Those of `some` that no class has yet.
  ReachClass& of(const AddressSet& some, Outcome outcome, const char* code,
                 const char* text = "because") {
    ReachClass one;
    one.interface = interface_;
    one.addresses = some.intersect(left_);
    one.ports = all_ports();
    one.answer.question = {.protocol = Protocol::Tcp,
                           .source = one.addresses.ranges().front().first,
                           .destination = to_,
                           .source_port = 40000,
                           .port = port_,
                           .interface = interface_};
    one.answer.outcome = outcome;
    one.answer.cause = {.code = code, .text = text, .evidence = {}};
    if (outcome == Outcome::Unknown) one.answer.certainty = Certainty::Unknown;
    left_ = left_.minus(some);
    classes_.push_back(one);
    return classes_.back();
  }
  ReachClass& others(Outcome outcome, const char* code, const char* text = "because") {
    return of(left_, outcome, code, text);
  }
  [[nodiscard]] const std::vector<ReachClass>& classes() const { return classes_; }

 private:
  std::uint32_t interface_;
  IpAddress to_;
  std::uint16_t port_;
  AddressSet left_;
  std::vector<ReachClass> classes_;
};

inline std::vector<ReachClass> joined(std::initializer_list<Place> places) {
  std::vector<ReachClass> out;
  for (const Place& one : places) {
    out.insert(out.end(), one.classes().begin(), one.classes().end());
  }
  return out;
}

}  // namespace hark::reach::testing
