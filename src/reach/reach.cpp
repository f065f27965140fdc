#include "reach/reach.h"

#include <algorithm>
#include <map>

#include "reach/clients.h"
#include "reach/reach_cache.h"
#include "reach/rule_memory.h"

namespace hark::reach {
namespace {

/// Clients of one destination that are followed, at most. Who is left then is told as not known.
constexpr std::size_t kMostTraces = 20'000;

struct Region {
  AddressSet addresses;
  PortSet ports;
};

/// The address that is shown for all: not the first of many, which is often nobody's.
IpAddress witness_of(const AddressSet& addresses) {
  const AddressRange& range = addresses.ranges().front();
  IpAddress second = range.first;
  const std::size_t last = second.bits() / 8 - 1;
  if (second.bytes[last] == 0xff) return range.first;
  ++second.bytes[last];
  return range.last < second ? range.first : second;
}

/// One that clients use; not the port that is asked, which would be mistaken for the client's.
std::uint16_t witness_of(const PortSet& ports, std::uint16_t asked) {
  constexpr std::uint16_t kUsual = 40'000;
  constexpr Interval<std::uint16_t> kEphemeral = {32'768, 60'999};
  const auto first_of = [asked](const PortSet& from) -> std::optional<std::uint16_t> {
    for (const auto& range : from.ranges()) {
      if (range.first != asked) return range.first;
      if (range.first < range.last) return static_cast<std::uint16_t>(range.first + 1);
    }
    return std::nullopt;
  };
  if (asked != kUsual && ports.contains(kUsual)) return kUsual;
  const auto usual = first_of(ports.intersect(PortSet(kEphemeral)));
  return usual ? *usual : first_of(ports).value_or(ports.ranges().front().first);
}

/// All in which answers of one class agree, but for what else would block.
std::string likeness_so_far(const Answer& answer) {
  std::string out = std::string(name_of(answer.outcome)) + "|" + answer.icmp + "|" +
                    std::to_string(answer.error) + "|" + std::string(name_of(answer.certainty)) +
                    "|" + answer.cause.code + "|" + answer.place + "|" +
                    (answer.delivers_to ? std::to_string(*answer.delivers_to) : "-");
  for (const Condition& condition : answer.conditions) out += "|c " + condition.key;
  for (const Outcome one : answer.possible) out += "|p " + std::string(name_of(one));
  return out;
}

std::string likeness(const Answer& answer) {
  std::string out = likeness_so_far(answer);
  for (const Cause& cause : answer.next) {
    out += "|n " + cause.code;
    if (!cause.evidence.empty()) out += " " + cause.evidence.front().where;
  }
  return out;
}

/// Those of the same ports are one, then those of the same addresses.
std::vector<Region> joined_once(std::vector<Region> regions) {
  std::vector<Region> by_ports;
  for (Region& region : regions) {
    const auto same = std::ranges::find(by_ports, region.ports, &Region::ports);
    if (same == by_ports.end()) {
      by_ports.push_back(std::move(region));
    } else {
      same->addresses = same->addresses.unite(region.addresses);
    }
  }
  std::vector<Region> out;
  for (Region& region : by_ports) {
    const auto same = std::ranges::find(out, region.addresses, &Region::addresses);
    if (same == out.end()) {
      out.push_back(std::move(region));
    } else {
      same->ports = same->ports.unite(region.ports);
    }
  }
  return out;
}

/// Rectangles of addresses and ports as few as may be.
std::vector<Region> joined(std::vector<Region> regions) {
  while (true) {
    const std::size_t before = regions.size();
    regions = joined_once(std::move(regions));
    if (regions.size() == before) return regions;
  }
}

class Search {
 public:
  Search(const Tracer& tracer, const Destination& to)
      : tracer_(tracer), to_(to), memory_(tracer.reach_cache().runs) {}

  std::vector<ReachClass> run() {
    const ReachCache::OfFamily& all =
        classes_of(tracer_.reach_cache(), tracer_.network(), to_.address.family);
    const AddressSet here(AddressRange{to_.address, to_.address});
    for (const AddressSet& whole : all.classes) {
      const AddressSet addresses = to_.sources.empty() ? whole : whole.intersect(to_.sources);
      for (const PortSet& ports : all.ports) {
        // Whether a packet has one address at both ends counts.
        for (const AddressSet& part : {addresses.minus(here), addresses.intersect(here)}) {
          if (!part.empty()) follow({part, ports});
        }
      }
    }
    std::vector<ReachClass> out;
    for (Found& found : found_) {
      for (Region& region : joined(std::move(found.regions))) {
        out.push_back(
            {to_.interface, std::move(region.addresses), std::move(region.ports), found.answer});
      }
    }
    for (ReachClass& one : out) settle_witness(one);
    return out;
  }

 private:
  struct Found {
    Answer answer;
    std::vector<Region> regions;
  };

  Question question(const IpAddress& source, std::uint16_t port) const {
    return {.protocol = to_.protocol,
            .source = source,
            .destination = to_.address,
            .source_port = port,
            .port = to_.port,
            .interface = to_.interface};
  }

  void follow(Region whole) {
    std::vector<Region> open = {std::move(whole)};
    while (!open.empty()) {
      const Region region = std::move(open.back());
      open.pop_back();
      if (traces_++ >= kMostTraces) {
        add(give_up(region), region);
        continue;
      }
      const IpAddress address = witness_of(region.addresses);
      const std::uint16_t port = witness_of(region.ports, to_.port);
      Clients clients(address, port, region.addresses, region.ports, tracer_.reach_cache().groups,
                      &memory_);
      // Nobody connects from the address and the port that he connects to.
      const bool itself = address == to_.address && port == to_.port;
      clients.next = to_.next && !itself;
      clients.itself = to_.sources.empty();
      const Answer answer = tracer_.trace(question(address, port), &clients);
      const Region done = {clients.addresses(), clients.ports()};
      Region others = {region.addresses.minus(done.addresses), region.ports};
      if (!others.addresses.empty()) open.push_back(std::move(others));
      others = {done.addresses, region.ports.minus(done.ports)};
      if (!others.ports.empty()) open.push_back(std::move(others));
      if (itself) {
        add_like(answer, done);
      } else {
        add(answer, done);
      }
    }
  }

  /// What else would block was not asked.
  void add_like(const Answer& answer, const Region& region) {
    const std::string wanted = likeness_so_far(answer);
    for (Found& found : found_) {
      if (likeness_so_far(found.answer) == wanted) return found.regions.push_back(region);
    }
    add(answer, region);
  }

  void add(const Answer& answer, const Region& region) {
    const auto [at, fresh] = numbers_.emplace(likeness(answer), found_.size());
    if (fresh) found_.push_back({answer, {}});
    found_[at->second].regions.push_back(region);
  }

  Answer give_up(const Region& region) const {
    Answer out;
    out.question = question(witness_of(region.addresses), witness_of(region.ports, to_.port));
    out.certainty = Certainty::Unknown;
    out.conditions.push_back({.code = "too-many-classes",
                              .text = "rules tell more clients apart than were followed",
                              .key = "too-many-classes",
                              .doubt = Doubt::Opaque});
    out.cause = {
        .code = out.conditions.front().code, .text = out.conditions.front().text, .evidence = {}};
    return out;
  }

  /// Regions with one answer may have been joined, or cut again: the witness is one of the class.
  void settle_witness(ReachClass& one) const {
    const Question& asked = one.answer.question;
    if (one.addresses.contains(asked.source) && one.ports.contains(*asked.source_port)) return;
    if (one.answer.certainty == Certainty::Unknown && one.answer.path.empty()) return;
    one.answer =
        tracer_.trace(question(witness_of(one.addresses), witness_of(one.ports, to_.port)));
  }

  const Tracer& tracer_;
  const Destination& to_;
  std::map<std::string, std::size_t> numbers_;
  std::vector<Found> found_;
  RuleMemory memory_;
  std::size_t traces_ = 0;
};

}  // namespace

std::vector<ReachClass> reach(const Tracer& tracer, const Destination& to) {
  return Search(tracer, to).run();
}

}  // namespace hark::reach
