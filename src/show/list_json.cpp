#include "show/list_json.h"

#include "show/class_json.h"
#include "show/json_parts.h"
#include "show/list_facts.h"
#include "show/published_json.h"
#include "show/reach_words.h"

namespace hark::show {
namespace {

using host::Host;
using host::Listener;

/// Null where it was not asked, and where rules that were not read decide: never "nobody".
Json reach_json(const reach::ReachTable* reach, std::size_t listener) {
  if (reach == nullptr) return nullptr;
  const reach::ClassList classes = reach->classes({listener});
  if (classes.empty()) return nullptr;
  const host::Network& network = *reach->network(reach->host().listeners[listener].netns);
  const bool unread = network.gap(host::NetworkFact::Nftables) != nullptr ||
                      network.gap(host::NetworkFact::Legacy) != nullptr;
  Json out = Json::array();
  for (const reach::ReachClass* one : classes) {
    if (unread && one->answer.outcome == reach::Outcome::Unknown) return nullptr;
    out.push_back(class_json({reach->host(), network}, *one));
  }
  return out;
}

}  // namespace

Json entry_json(const Host& host, std::size_t listener, const reach::ReachTable* reach) {
  const Listener& l = host.listeners[listener];
  Json entry = listener_json(host, l);
  entry["scope"] = std::string(host::name_of(l.scope));
  entry["reach"] = reach_json(reach, listener);
  entry["reachable_from"] =
      reach == nullptr ? Json(nullptr) : text_or_null(reach_words(*reach, {listener}));
  entry["findings"] = Json::array();
  if (queue_level(l) == QueueLevel::Full) entry["findings"].push_back("accept-queue-full");
  return entry;
}

void write_list_json(const Host& host, const std::vector<std::size_t>& selected,
                     std::span<const host::Near> near, const Sink& sink,
                     const reach::ReachTable* reach, const std::vector<std::size_t>& published) {
  JsonWriter writer(sink);
  writer.head("hark.list/1", host);
  writer.member("kernel", text_or_null(host.kernel));
  writer.list("listeners", selected.size(),
              [&](std::size_t i) { return entry_json(host, selected[i], reach); });
  if (reach == nullptr || !reach->rules_were_read()) {
    writer.member("published", nullptr);
  } else {
    writer.list("published", published.size(), [&](std::size_t i) {
      const reach::PublishedPort& port = reach->published()[published[i]];
      return published_json({host, *reach->network(port.netns)}, port);
    });
  }
  writer.list("gaps", host.gaps.size(), [&](std::size_t i) { return gap_json(host.gaps[i]); });
  if (selected.empty() && published.empty()) {
    writer.list("near", near.size(), [&](std::size_t i) { return near_json(host, near[i]); });
  }
  writer.end();
}

}  // namespace hark::show
