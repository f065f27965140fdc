#include "classes.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <tuple>

#include "reach/reach.h"

namespace hark::differential {

namespace {

constexpr std::size_t kMostDestinations = 4;
constexpr std::size_t kMostRanges = 3;    ///< of a class whose edges are looked at
constexpr std::size_t kMostPackets = 48;  ///< to one destination

using reach::Answer;
using reach::Certainty;
using reach::ReachClass;

struct Point {
  IpAddress source;
  std::uint16_t port = 0;
};

std::vector<Point> edges_of(const ReachClass& one) {
  std::vector<Point> out;
  std::size_t ranges = 0;
  for (const AddressRange& range : one.addresses.ranges()) {
    if (ranges++ == kMostRanges) break;
    for (const IpAddress& address : {range.first, range.last}) {
      out.push_back({address, one.ports.ranges().front().first});
      out.push_back({address, one.ports.ranges().back().last});
    }
  }
  return out;
}

bool is_open(const Answer& answer) {
  return answer.certainty == Certainty::Depends || answer.certainty == Certainty::Unknown;
}

bool says_the_same(const Answer& whole, const Answer& one) {
  if (is_open(whole)) {
    if (is_open(one)) return true;
    return std::ranges::find(whole.possible, one.outcome) != whole.possible.end();
  }
  return whole.outcome == one.outcome && whole.icmp == one.icmp &&
         whole.delivers_to == one.delivers_to && whole.error == one.error;
}

std::string words_of(const Answer& answer) {
  return std::string(name_of(answer.outcome)) + " " + answer.cause.code + " " + answer.cause.text;
}

class Checker {
 public:
  Checker(const Case& one, const Judge& judge, Tally& tally)
      : case_(one), judge_(judge), tally_(tally) {
    for (const Ask& ask : one.asks) {
      if (!ask.source_port) continue;
      asked_.emplace(ask.udp, ask.source, *ask.source_port, ask.destination, ask.port);
    }
  }

  void check(const Ask& ask, const reach::Destination& to, std::vector<Ask>& packets) {
    const std::vector<ReachClass> classes = reach::reach(judge_.tracer(), to);
    tally_["classes"] += classes.size();
    std::size_t sent = 0;
    for (const ReachClass& one : classes) {
      for (const Point& point : edges_of(one)) {
        look_at(classes, to, point);
        // A client on this host can only have an address that is its own.
        if (sent == kMostPackets || ask.interface == "lo" || point.port == 0) continue;
        // A connection can be made once: its end is not told to everybody who knows of it.
        const auto port = point.port;
        if (!asked_.emplace(ask.udp, point.source, port, to.address, to.port).second) continue;
        ++sent;
        Ask packet = ask;
        packet.expected = {};
        packet.source = point.source;
        packet.source_port = port;
        packets.push_back(packet);
      }
    }
    look_at(classes, to, {ask.source, ask.source_port.value_or(40'000)});
  }

 private:
  void look_at(const std::vector<ReachClass>& classes, const reach::Destination& to,
               const Point& point) {
    tally_["class-points"]++;
    const ReachClass* found = nullptr;
    std::size_t holders = 0;
    for (const ReachClass& one : classes) {
      if (!one.addresses.contains(point.source) || !one.ports.contains(point.port)) continue;
      found = &one;
      ++holders;
    }
    const Answer traced = judge_.tracer().trace({.protocol = to.protocol,
                                                 .source = point.source,
                                                 .destination = to.address,
                                                 .source_port = point.port,
                                                 .port = to.port,
                                                 .interface = to.interface});
    if (holders == 1 && says_the_same(found->answer, traced)) {
      if (is_open(found->answer) && !is_open(traced)) tally_["class-more-open"]++;
      return;
    }
    tally_["class-mismatch"]++;
    std::printf("%s: %s port %u to %s:%u of link %u is in %zu classes\n  trace: %s\n",
                case_.name.c_str(), point.source.text().c_str(), unsigned{point.port},
                to.address.text().c_str(), unsigned{to.port}, to.interface, holders,
                words_of(traced).c_str());
    if (found != nullptr) std::printf("  class: %s\n", words_of(found->answer).c_str());
  }

  const Case& case_;
  const Judge& judge_;
  Tally& tally_;
  std::set<std::tuple<bool, IpAddress, std::uint16_t, IpAddress, std::uint16_t>> asked_ = {};
};

}  // namespace

std::vector<Ask> check_classes(const Case& one, const Judge& judge, Tally& tally) {
  std::vector<Ask> packets;
  std::set<std::tuple<bool, IpAddress, std::uint16_t, std::string>> seen;
  Checker checker(one, judge, tally);
  for (const Ask& ask : one.asks) {
    const host::Link* link = judge.network().link(ask.interface);
    if (link == nullptr || ask.source.family != ask.destination.family) continue;
    if (seen.size() == kMostDestinations) break;
    if (!seen.emplace(ask.udp, ask.destination, ask.port, ask.interface).second) continue;
    checker.check(ask,
                  {.protocol = ask.udp ? Protocol::Udp : Protocol::Tcp,
                   .address = ask.destination,
                   .port = ask.port,
                   .interface = link->index},
                  packets);
  }
  return packets;
}

}  // namespace hark::differential
