#include "drill/questions.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "drill/questions_parts.h"

namespace hark::drill {
namespace {

bool is_stream(Protocol protocol) {
  return protocol == Protocol::Tcp || protocol == Protocol::Mptcp;
}

unsigned weight_of(reach::Openness openness) {
  switch (openness) {
    case reach::Openness::Anywhere:
      return 30;
    case reach::Openness::Some:
      return 20;
    case reach::Openness::NotAsked:
    case reach::Openness::Nobody:
    case reach::Openness::ThisHost:
    case reach::Openness::Unknown:
      break;
  }
  return 0;
}

}  // namespace

std::vector<Port> ports_of(const Facts& facts) {
  std::map<std::tuple<host::NetnsId, std::uint16_t, bool>, Port> found;
  for (const std::size_t i : facts.listeners) {
    const host::Listener& one = facts.host.listeners[i];
    const bool stream = is_stream(one.protocol);
    if ((!stream && one.protocol != Protocol::Udp) || one.probable_client) continue;
    Port& port = found[{one.netns, one.port, !stream}];
    port.netns = one.netns;
    port.stream = stream;
    port.port = one.port;
    port.listeners.push_back(i);
  }
  std::vector<Port> out;
  out.reserve(found.size());
  for (auto& [key, port] : found) out.push_back(std::move(port));
  return out;
}

unsigned weight_of(const Facts& facts, const Port& port) {
  unsigned out = weight_of(facts.reach.reachability(port.listeners).openness);
  for (const diagnose::Finding& finding : facts.findings) {
    const bool mine =
        finding.listener && std::ranges::binary_search(port.listeners, *finding.listener);
    if (mine && finding.severity != diagnose::Severity::Notice) return out + 20;
  }
  return out;
}

struct Maker::Tools {
  const Facts& facts;
  Asker asker;
};

Maker::Maker(const Facts& facts) : tools_(new Tools{facts, Asker(facts)}) {}
Maker::~Maker() = default;

std::vector<Question> Maker::make(std::span<const Port> ports, std::uint64_t seed) {
  std::vector<Question> out;
  const Making making{tools_->facts, tools_->asker, seed, out};
  std::vector<host::NetnsId> places;
  for (const Port& port : ports) {
    add_command(making, port);
    add_protocol(making, port);
    add_owner(making, port);
    add_home(making, port);
    add_reach(making, port);
    add_why(making, port);
    add_error(making, port);
    add_rebound(making, port);
    if (std::ranges::find(places, port.netns) == places.end()) places.push_back(port.netns);
  }
  for (const host::NetnsId netns : places) add_closed(making, netns);
  std::ranges::stable_sort(out, {}, &Question::kind);
  return out;
}

}  // namespace hark::drill
