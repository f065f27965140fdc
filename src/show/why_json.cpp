#include "show/why_json.h"

#include <algorithm>
#include <string>

#include "base/protocol.h"
#include "show/class_json.h"
#include "show/json_parts.h"
#include "show/published_json.h"

namespace hark::show {
namespace {

using reach::Question;

/// What all questions or destinations have in common, else null.
template <typename T, typename Get>
Json common(const std::vector<T>& all, const Get& get) {
  if (all.empty()) return nullptr;
  const Json first = get(all.front());
  const bool same =
      std::all_of(all.begin(), all.end(), [&](const T& one) { return get(one) == first; });
  return same ? first : Json(nullptr);
}

/// The parts of the question that questions and destinations both have.
template <typename T, typename Address>
Json asked_json(const WhyReport& report, const std::vector<T>& all, const Address& address) {
  return {
      {"protocol", common(all, [](const T& q) { return Json(std::string(name_of(q.protocol))); })},
      {"address", common(all, [&](const T& q) { return Json((q.*address).text()); })},
      {"port", common(all, [](const T& q) { return Json(q.port); })},
      {"interface",
       common(all, [&](const T& q) { return link_json(report.network, q.interface); })}};
}

Json question_json(const WhyReport& report) {
  const auto& questions = report.plan.questions;
  Json asked = questions.empty()
                   ? asked_json(report, report.plan.destinations, &reach::Destination::address)
                   : asked_json(report, questions, &Question::destination);
  if (report.plan.empty() && report.target.endpoint) asked["port"] = report.target.port;
  return {{"target", for_json(report.target.written)},
          {"protocol", asked["protocol"]},
          {"address", asked["address"]},
          {"port", asked["port"]},
          {"source", common(questions, [](const Question& q) { return Json(q.source.text()); })},
          {"interface", asked["interface"]},
          {"interface_by_route", report.plan.interface_chosen},
          {"netns", netns_json(report.host.at(report.network.netns))}};
}

}  // namespace

void write_why_json(const WhyReport& report, const Sink& sink) {
  JsonWriter writer(sink);
  writer.head("hark.why/1", report.host);
  writer.member("question", question_json(report));
  const std::size_t one_source = report.answers.size();
  writer.list("answers", one_source + report.classes.size(), [&](std::size_t i) {
    return i < one_source ? class_json(report.facts(), report.answers[i])
                          : class_json(report.facts(), report.classes[i - one_source]);
  });
  const host::Network& network = report.network;
  if (network.gap(host::NetworkFact::Nftables) != nullptr ||
      network.gap(host::NetworkFact::Legacy) != nullptr) {
    writer.member("published", nullptr);
  } else {
    writer.list("published", report.published.size(),
                [&](std::size_t i) { return published_json(report.facts(), report.published[i]); });
  }
  writer.list("notes", report.plan.notes.size(),
              [&](std::size_t i) { return Json(for_json(report.plan.notes[i])); });
  writer.list("gaps", report.gaps.size(), [&](std::size_t i) { return gap_json(report.gaps[i]); });
  writer.list("near", report.near.size(),
              [&](std::size_t i) { return near_json(report.host, report.near[i]); });
  writer.end();
}

}  // namespace hark::show
