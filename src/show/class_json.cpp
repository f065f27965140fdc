#include "show/class_json.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "base/protocol.h"
#include "show/why_words.h"

namespace hark::show {
namespace {

using reach::Answer;
using reach::Cause;
using reach::Question;

// Ports that a program gets that asks for none: net.ipv4.ip_local_port_range as it is by default.
constexpr const char* kEphemeral = "32768-60999";
constexpr std::uint16_t kWitnessPort = 40000;

Json path_json(const host::Host& host, const std::vector<reach::Step>& path) {
  Json out = Json::array();
  for (const reach::Step& step : path) {
    out.push_back({{"stage", std::string(name_of(step.stage))},
                   {"verdict", for_json(step.verdict)},
                   {"detail", for_json(step.detail)},
                   {"verify", text_or_null(step.verify)},
                   {"netns", netns_json(host.at(step.netns))}});
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
Json sources_json(const AnswerFacts& facts, const Question& question) {
  const Prefix alone{question.source, static_cast<std::uint8_t>(question.source.bits())};
  return {{"interface", link_json(facts.network, question.interface)},
          {"addresses", Json::array({alone.text()})},
          {"ports", Json::array({ports_of(question)})}};
}

Json witness_json(const AnswerFacts& facts, const Question& question) {
  return {{"source", question.source.text()},
          {"port", question.source_port.value_or(kWitnessPort)},
          {"interface", link_json(facts.network, question.interface)}};
}

/// "0-65535"
Json ports_json(const PortSet& ports) {
  Json out = Json::array();
  for (const auto& range : ports.ranges())
    out.push_back(fmt::format("{}-{}", range.first, range.last));
  return out;
}

Json sources_json(const AnswerFacts& facts, const reach::ReachClass& one) {
  Json addresses = Json::array();
  for (const Prefix& prefix : prefixes_of(one.addresses)) addresses.push_back(prefix.text());
  return {{"interface", link_json(facts.network, one.interface)},
          {"addresses", std::move(addresses)},
          {"ports", ports_json(one.ports)}};
}

/// CLASS of docs/contract.md.
Json class_of(const AnswerFacts& facts, const Answer& answer, Json sources) {
  const Question& question = answer.question;
  Json possible = Json::array();
  for (const reach::Outcome one : answer.possible) possible.push_back(std::string(name_of(one)));
  Json next = Json::array();
  for (const Cause& cause : answer.next) next.push_back(cause_json(cause));
  Json assumptions = Json::array();
  for (const std::string& one : answer.assumptions) assumptions.push_back(for_json(one));
  Json or_to = Json::array();
  for (const std::size_t i : answer.or_to) {
    or_to.push_back(listener_json(facts.host, facts.host.listeners[i]));
  }
  return {{"sources", std::move(sources)},
          {"destination", question.destination.text()},
          {"protocol", std::string(name_of(question.protocol))},
          {"port", question.port},
          {"witness", witness_json(facts, question)},
          {"outcome", std::string(name_of(answer.outcome))},
          {"icmp", text_or_null(answer.icmp)},
          {"errno", text_or_null(errno_name(errno_of(answer)))},
          {"possible", std::move(possible)},
          {"conditions", conditions_json(answer.conditions)},
          {"certainty", std::string(name_of(answer.certainty))},
          {"cause", cause_json(answer.cause)},
          {"next", std::move(next)},
          {"delivers_to", answer.delivers_to
                              ? listener_json(facts.host, facts.host.listeners[*answer.delivers_to])
                              : Json(nullptr)},
          {"or_to", std::move(or_to)},
          {"path", path_json(facts.host, answer.path)},
          {"assumptions", std::move(assumptions)},
          {"text", for_json(verdict_words(facts, answer))}};
}

}  // namespace

Json cause_json(const Cause& cause) {
  return {{"code", text_or_null(cause.code)},
          {"text", for_json(cause.text)},
          {"evidence", evidence_json(cause.evidence)},
          {"tool", text_or_null(cause.tool)}};
}

Json evidence_json(const std::vector<reach::Evidence>& evidence) {
  Json out = Json::array();
  for (const reach::Evidence& one : evidence) {
    out.push_back({{"fact", for_json(one.fact)},
                   {"where", text_or_null(one.where)},
                   {"verify", text_or_null(one.verify)}});
  }
  return out;
}

Json link_json(const host::Network& network, std::uint32_t index) {
  const host::Link* link = network.link(index);
  return link == nullptr ? Json(nullptr) : Json(for_json(link->name));
}

Json class_json(const AnswerFacts& facts, const Answer& answer) {
  return class_of(facts, answer, sources_json(facts, answer.question));
}

Json class_json(const AnswerFacts& facts, const reach::ReachClass& one) {
  return class_of(facts, one.answer, sources_json(facts, one));
}

}  // namespace hark::show
