#include "show/why_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/protocol.h"
#include "show/json_parts.h"
#include "show/why_words.h"

namespace hark::show {
namespace {

using reach::Answer;
using reach::Cause;
using reach::Question;

// Ports that a program gets that asks for none: net.ipv4.ip_local_port_range as it is by default.
constexpr const char* kEphemeral = "32768-60999";
constexpr std::uint16_t kWitnessPort = 40000;

Json link_json(const WhyReport& report, std::uint32_t index) {
  const host::Link* link = report.network.link(index);
  return link == nullptr ? Json(nullptr) : Json(for_json(link->name));
}

Json cause_json(const Cause& cause) {
  Json evidence = Json::array();
  for (const reach::Evidence& one : cause.evidence) {
    evidence.push_back({{"fact", for_json(one.fact)},
                        {"where", text_or_null(one.where)},
                        {"verify", text_or_null(one.verify)}});
  }
  return {{"code", text_or_null(cause.code)},
          {"text", for_json(cause.text)},
          {"evidence", std::move(evidence)},
          {"tool", text_or_null(cause.tool)}};
}

Json path_json(const std::vector<reach::Step>& path) {
  Json out = Json::array();
  for (const reach::Step& step : path) {
    out.push_back({{"stage", std::string(name_of(step.stage))},
                   {"verdict", for_json(step.verdict)},
                   {"detail", for_json(step.detail)},
                   {"verify", text_or_null(step.verify)}});
  }
  return out;
}

Json conditions_json(const std::vector<reach::Condition>& conditions) {
  Json out = Json::array();
  for (const reach::Condition& one : conditions) {
    out.push_back({{"code", for_json(one.code)}, {"text", for_json(one.text)}});
  }
  return out;
}

std::string ports_of(const Question& question) {
  if (!question.source_port) return kEphemeral;
  return fmt::format("{0}-{0}", *question.source_port);
}

/// A class of one source.
Json sources_json(const WhyReport& report, const Question& question) {
  const Prefix alone{question.source, static_cast<std::uint8_t>(question.source.bits())};
  return {{"interface", link_json(report, question.interface)},
          {"addresses", Json::array({alone.text()})},
          {"ports", Json::array({ports_of(question)})}};
}

Json witness_json(const WhyReport& report, const Question& question) {
  return {{"source", question.source.text()},
          {"port", question.source_port.value_or(kWitnessPort)},
          {"interface", link_json(report, question.interface)}};
}

/// CLASS of docs/contract.md.
Json class_json(const WhyReport& report, const Answer& answer) {
  const Question& question = answer.question;
  Json possible = Json::array();
  for (const reach::Outcome one : answer.possible) possible.push_back(std::string(name_of(one)));
  Json next = Json::array();
  for (const Cause& cause : answer.next) next.push_back(cause_json(cause));
  Json assumptions = Json::array();
  for (const std::string& one : answer.assumptions) assumptions.push_back(for_json(one));
  return {
      {"sources", sources_json(report, question)},
      {"destination", question.destination.text()},
      {"protocol", std::string(name_of(question.protocol))},
      {"port", question.port},
      {"witness", witness_json(report, question)},
      {"outcome", std::string(name_of(answer.outcome))},
      {"icmp", text_or_null(answer.icmp)},
      {"errno", text_or_null(errno_name(errno_of(answer)))},
      {"possible", std::move(possible)},
      {"conditions", conditions_json(answer.conditions)},
      {"certainty", std::string(name_of(answer.certainty))},
      {"cause", cause_json(answer.cause)},
      {"next", std::move(next)},
      {"delivers_to", answer.delivers_to
                          ? listener_json(report.host, report.host.listeners[*answer.delivers_to])
                          : Json(nullptr)},
      {"path", path_json(answer.path)},
      {"assumptions", std::move(assumptions)},
      {"text", for_json(verdict_words(report, answer))}};
}

/// What all questions have in common, else null.
template <typename Get>
Json common(const std::vector<Question>& questions, const Get& get) {
  if (questions.empty()) return nullptr;
  const Json first = get(questions.front());
  const bool same = std::all_of(questions.begin(), questions.end(),
                                [&](const Question& one) { return get(one) == first; });
  return same ? first : Json(nullptr);
}

Json question_json(const WhyReport& report) {
  const auto& all = report.plan.questions;
  const bool asked_all = report.plan.representatives;
  Json protocol =
      common(all, [](const Question& q) { return Json(std::string(name_of(q.protocol))); });
  Json address = common(all, [](const Question& q) { return Json(q.destination.text()); });
  Json port = common(all, [](const Question& q) { return Json(q.port); });
  Json source = common(all, [](const Question& q) { return Json(q.source.text()); });
  Json link = common(all, [&](const Question& q) { return link_json(report, q.interface); });
  if (all.empty() && report.target.endpoint) port = report.target.port;
  return {{"target", for_json(report.target.written)},
          {"protocol", std::move(protocol)},
          {"address", std::move(address)},
          {"port", std::move(port)},
          {"source", asked_all ? Json(nullptr) : std::move(source)},
          {"interface", std::move(link)},
          {"interface_by_route", report.plan.interface_chosen},
          {"netns", netns_json(report.host.at(report.network.netns))}};
}

}  // namespace

void write_why_json(const WhyReport& report, const Sink& sink) {
  JsonWriter writer(sink);
  writer.member("schema", "hark.why/1");
  writer.member("taken_at", report.host.taken_at_ms > 0
                                ? Json(host::rfc3339(report.host.taken_at_ms))
                                : Json(nullptr));
  writer.member("host", text_or_null(report.host.name));
  writer.member("question", question_json(report));
  writer.list("answers", report.answers.size(),
              [&](std::size_t i) { return class_json(report, report.answers[i]); });
  writer.list("notes", report.plan.notes.size(),
              [&](std::size_t i) { return Json(for_json(report.plan.notes[i])); });
  writer.list("gaps", report.gaps.size(), [&](std::size_t i) { return gap_json(report.gaps[i]); });
  writer.list("near", report.near.size(),
              [&](std::size_t i) { return near_json(report.host, report.near[i]); });
  writer.end();
}

}  // namespace hark::show
