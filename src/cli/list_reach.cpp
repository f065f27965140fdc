#include "cli/list_reach.h"

#include <malloc.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "base/parallel.h"
#include "host/cgroup_folders.h"
#include "host/collect_network.h"
#include "host/network.h"
#include "reach/published.h"
#include "reach/select_published.h"
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

/// Of most namespaces that a filter leaves nothing of that is all there is to know.
bool publishes_nothing(const Reading& reading, const kernel::NetnsRef& way, host::NetnsId id) {
  const host::Network rules = host::read_rules(reading.source, way, id);
  return rules.unread.empty() && reach::publishable(reading.host, rules).ports.empty();
}

/// Ports may lead to namespaces that nobody asked about: whose an address is, is all that counts.
void read_addresses(const Reading& reading, reach::ReachTable& table) {
  for (std::size_t i = 0; i < reading.host.namespaces.size(); ++i) {
    const host::NetnsId id{static_cast<std::uint32_t>(i)};
    if (table.network(id) != nullptr || !reading.host.at(id).entered) continue;
    table.add_addresses(id, host::read_addresses(reading.source, reading.ways[i], id));
  }
}

}  // namespace

WhyEngine list_engine(reach::Sources about) {
  WhyEngine engine = why_engine();
  const auto folders = std::make_shared<std::optional<host::CgroupFolders>>();
  engine.read = [about, folders](kernel::Source& source, const kernel::NetnsRef& way,
                                 const host::Host& host, host::NetnsId id) {
    host::NetworkRequest request = host::network_request(host, id);
    request.socket_options = false;
    request.bound_sockets = about == reach::Sources::Every;
    if (!*folders) folders->emplace(source);
    request.folders = &**folders;
    return host::collect_network(source, way, host, id, request);
  };
  return engine;
}

void give_threads_heaps() {
  mallopt(M_ARENA_MAX, static_cast<int>(useful_threads()) + 1);
}

reach::ReachTable read_reach(const Reading& reading, const std::vector<std::size_t>& listeners,
                             bool all, reach::Sources about, std::vector<host::Gap>& gaps) {
  const host::Host& host = reading.host;
  reach::ReachTable table(host, about);
  std::map<host::NetnsId, std::vector<std::size_t>> by_netns;
  for (const std::size_t i : listeners) by_netns[host.listeners[i].netns].push_back(i);
  for (std::size_t i = 0; all && i < host.namespaces.size(); ++i) {
    by_netns.try_emplace(host::NetnsId{static_cast<std::uint32_t>(i)});
  }
  // All before the first is asked: packets of one are followed through others.
  std::map<host::NetnsId, host::Network> networks;
  host::Networks others(reading.source, host, reading.ways);
  for (const auto& [id, members] : by_netns) {
    if (!host.at(id).entered) continue;
    const kernel::NetnsRef& way = reading.ways[static_cast<std::size_t>(id)];
    if (members.empty() && publishes_nothing(reading, way, id)) continue;
    const auto read = networks.emplace(id, reading.engine.read(reading.source, way, host, id));
    others.know(read.first->second);
  }
  table.add_all(std::move(networks), by_netns, reading.engine.reach, others);
  for (const auto& [id, members] : by_netns) {
    const host::Network* network = table.network(id);
    if (network == nullptr || members.empty()) continue;
    add_gaps(*network, table.classes(members), gaps);
  }
  if (table.leads_elsewhere()) read_addresses(reading, table);
  table.find_published();
  for (host::Gap& gap : table.published_gaps()) gaps.push_back(std::move(gap));
  std::ranges::sort(gaps);
  gaps.erase(std::unique(gaps.begin(), gaps.end()), gaps.end());
  return table;
}

host::ReachTest reach_test(const reach::ReachTable& table) {
  return [&table](std::size_t listener, const host::Term& term) {
    if (term.field == host::Field::Reachable) {
      return reach::is_open_to(show::openness_of(table, {listener}), term.open_to);
    }
    return reach::reaches(table.reachability({listener}), term.prefix);
  };
}

}  // namespace hark::cli
