#include "cli/list_reach.h"

#include <algorithm>
#include <map>

#include "host/collect_network.h"
#include "show/reach_words.h"

namespace hark::cli {
namespace {

bool is_answer_open(const reach::ReachClass* one) {
  return one->answer.outcome == reach::Outcome::Unknown;
}

/// Of a recording without a network that is said once, not once for each fact.
void add_gaps(const host::Network& network, const reach::ClassList& classes,
              std::vector<host::Gap>& gaps) {
  if (const host::Gap* links = network.gap(host::NetworkFact::Links); links != nullptr) {
    gaps.push_back(*links);
    return;
  }
  if (std::ranges::none_of(classes, is_answer_open)) return;
  for (const auto& [fact, gap] : network.unread) gaps.push_back(gap);
}

bool is_open_to(const reach::Openness open, const host::OpenTo asked) {
  switch (asked) {
    case host::OpenTo::Nobody:
      return open == reach::Openness::Nobody;
    case host::OpenTo::ThisHost:
      return open == reach::Openness::ThisHost;
    case host::OpenTo::Some:
      return open == reach::Openness::Some;
    case host::OpenTo::Anywhere:
      break;
  }
  return open == reach::Openness::Anywhere;
}

}  // namespace

WhyEngine list_engine() {
  WhyEngine engine = why_engine();
  engine.read = [](kernel::Source& source, const kernel::NetnsRef& way, const host::Host& host,
                   host::NetnsId id) {
    host::NetworkRequest request = host::network_request(host, id);
    request.socket_options = false;
    return host::collect_network(source, way, host, id, request);
  };
  return engine;
}

reach::ReachTable read_reach(kernel::Source& source, const host::Host& host,
                             const std::vector<kernel::NetnsRef>& ways,
                             const std::vector<std::size_t>& listeners, const WhyEngine& engine,
                             reach::Sources about, std::vector<host::Gap>& gaps) {
  reach::ReachTable table(host, about);
  std::map<host::NetnsId, std::vector<std::size_t>> by_netns;
  for (const std::size_t i : listeners) by_netns[host.listeners[i].netns].push_back(i);
  for (const auto& [id, members] : by_netns) {
    if (!host.at(id).entered) continue;
    const kernel::NetnsRef& way = ways[static_cast<std::size_t>(id)];
    table.add(engine.read(source, way, host, id), members, engine.reach);
    add_gaps(*table.network(id), table.classes(members), gaps);
  }
  std::ranges::sort(gaps);
  gaps.erase(std::unique(gaps.begin(), gaps.end()), gaps.end());
  return table;
}

host::ReachTest reach_test(const reach::ReachTable& table) {
  return [&table](std::size_t listener, const host::Term& term) {
    if (term.field == host::Field::Reachable) {
      return is_open_to(show::openness_of(table, {listener}), term.open_to);
    }
    return reach::reaches(table.reachability({listener}), term.prefix);
  };
}

}  // namespace hark::cli
