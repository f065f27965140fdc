#include "show/published_json.h"

#include <fmt/format.h>

#include "show/class_json.h"
#include "show/published_words.h"

namespace hark::show {
namespace {

using reach::LeadsTo;
using reach::PublishedPort;

Json addresses_json(const PublishedPort& port) {
  if (!port.addresses) return Json::array({port.family == Family::Inet6 ? "::" : "0.0.0.0"});
  Json out = Json::array();
  for (const Prefix& one : prefixes_of(*port.addresses)) {
    out.push_back(one.length == one.address.bits() ? one.address.text() : one.text());
  }
  return out;
}

Json ports_json(const PublishedPort& port) {
  Json out = Json::array();
  for (const auto& range : port.ports.ranges()) {
    out.push_back(range.first == range.last ? fmt::format("{}", range.first)
                                            : fmt::format("{}-{}", range.first, range.last));
  }
  return out;
}

Json rule_json(const reach::PublishedBy& rule) {
  const reach::RulePlace& place = rule.place;
  return {{"tool", place.tool},
          {"family", text_or_null(place.family)},
          {"table", for_json(place.table)},
          {"chain", for_json(place.chain)},
          {"handle", place.handle == 0 ? Json(nullptr) : Json(place.handle)},
          {"number", place.number == 0 ? Json(nullptr) : Json(place.number)},
          {"text", for_json(place.rule)},
          {"verify", for_json(command_of(place))}};
}

Json ipvs_json(const PublishedPort& port) {
  if (!port.ipvs) return nullptr;
  return {{"scheduler", for_json(port.ipvs->scheduler)},
          {"persistent", port.ipvs->persistent},
          {"one_packet", port.ipvs->one_packet},
          {"kube_proxy", port.kube_proxy}};
}

Json server_json(const LeadsTo& lead) {
  if (!lead.server) return nullptr;
  return {{"method", std::string(decode::name_of(lead.server->method))},
          {"weight", lead.server->weight}};
}

Json lead_json(const host::Host& host, const LeadsTo& lead) {
  Json out;
  out["address"] = lead.address ? Json(lead.address->text()) : Json(nullptr);
  out["last_address"] = lead.last_address ? Json(lead.last_address->text()) : Json(nullptr);
  out["port"] = lead.port ? Json(*lead.port) : Json(nullptr);
  out["netns"] = lead.netns ? netns_json(host.at(*lead.netns)) : Json(nullptr);
  out["container"] = nullptr;
  out["pod"] = nullptr;
  if (lead.container) {
    out["container"] = container_json(*lead.container);
    out["pod"] = text_or_null(lead.container->pod);
  }
  out["service"] = text_or_null(lead.service);
  out["listener"] =
      lead.listener ? listener_json(host, host.listeners[*lead.listener]) : Json(nullptr);
  out["somebody_listens"] = lead.somebody_listens ? Json(*lead.somebody_listens) : Json(nullptr);
  out["ipvs"] = server_json(lead);
  return out;
}

}  // namespace

Json published_json(const AnswerFacts& facts, const PublishedPort& port) {
  const auto& [host, network] = facts;
  Json out;
  out["protocol"] = std::string(name_of(port.protocol));
  out["family"] = port.family == Family::Inet6 ? "inet6" : "inet";
  out["addresses"] = addresses_json(port);
  out["port"] = port.first_port();
  out["ports"] = ports_json(port);
  out["netns"] = netns_json(host.at(port.netns));
  out["rules"] = Json::array();
  for (const reach::PublishedBy& rule : port.rules) out["rules"].push_back(rule_json(rule));
  out["leads_to"] = Json::array();
  for (const LeadsTo& lead : port.leads_to) out["leads_to"].push_back(lead_json(host, lead));
  out["chooses"] = !port.chance ? Json(nullptr) : Json("chance");
  out["affinity"] = port.sticky;
  out["ipvs"] = ipvs_json(port);
  out["certainty"] = port.certain ? "exact" : "depends";
  out["reach"] = Json::array();
  for (const reach::ReachClass* one : port.classes()) {
    out["reach"].push_back(class_json({host, network}, *one));
  }
  out["reachable_from"] = text_or_null(published_reach(network, port));
  out["bypasses_input"] = port.bypasses_input;
  out["input_denies"] = port.denied ? cause_json(*port.denied) : Json(nullptr);
  return out;
}

}  // namespace hark::show
