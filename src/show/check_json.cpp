#include <array>

#include "show/check.h"
#include "show/class_json.h"
#include "show/escape.h"
#include "show/json_parts.h"
#include "show/published_json.h"

namespace hark::show {
namespace {

using diagnose::Deviation;
using diagnose::PolicyResult;
using diagnose::PolicyStatus;

Json reach_json(const host::ReachWish& wish) {
  using Kind = host::ReachWish::Kind;
  if (wish.kind == Kind::NotSaid) return nullptr;
  if (entries_of(wish).empty()) return words_of(wish);
  Json out = Json::array();
  for (const std::string& one : entries_of(wish)) out.push_back(for_json(one));
  return out;
}

Json expectation_json(const CheckReport& report, std::size_t at) {
  const host::Expectation& one = report.policy.expectations[at];
  Json owners = Json::array();
  for (const host::OwnerWish& owner : one.owners) owners.push_back(for_json(owner.written));
  return {{"index", at},
          {"port", text_or_null(one.port)},
          {"as", text_or_null(one.as)},
          {"address", text_or_null(one.address_written)},
          {"family", !one.family                   ? Json(nullptr)
                     : *one.family == Family::Inet ? Json("inet")
                                                   : Json("inet6")},
          {"published", one.published ? Json(*one.published) : Json(nullptr)},
          {"netns", text_or_null(one.netns)},
          {"owner", owners.empty() ? Json(nullptr) : std::move(owners)},
          {"reach", reach_json(one.reach)},
          {"optional", one.optional},
          {"why", text_or_null(one.why)},
          {"file", text_or_null(report.file)},
          {"line", one.place.line},
          {"column", one.place.column}};
}

/// By place; those that deviate and, once each, what decides of the first of them.
Json sources_json(const host::Network* network, const Deviation& sources,
                  const std::vector<std::size_t>& parts) {
  Json out = Json::array();
  for (const std::size_t i : parts) {
    const reach::ClientPart& part = sources.clients.parts[i];
    const reach::ClientPlace& place = sources.clients.places[part.place];
    Json addresses = Json::array();
    for (const Prefix& prefix : reach::prefixes_among(part.addresses, place.clients)) {
      addresses.push_back(prefix.text());
    }
    Json ports = Json::array();
    for (const auto& range : part.ports.ranges()) {
      ports.push_back(std::to_string(range.first) + "-" + std::to_string(range.last));
    }
    out.push_back(
        {{"interface", network == nullptr ? Json(nullptr) : link_json(*network, place.interface)},
         {"addresses", std::move(addresses)},
         {"ports", ports.empty() ? Json(nullptr) : std::move(ports)},
         {"destination", place.to.address.text()},
         {"cause", cause_json(part.cls->answer.cause)}});
  }
  return out;
}

Json result_json(const CheckReport& report, const CheckItem& item) {
  const host::Host& host = report.host;
  const PolicyResult& one = *item.results.front();
  const host::Network* network = nullptr;
  Json listener = nullptr;
  Json published = nullptr;
  if (one.subject.listener) {
    listener = listener_json(host, host.listeners[*one.subject.listener]);
    network = report.reach.network(host.listeners[*one.subject.listener].netns);
  }
  if (one.subject.published) {
    const reach::PublishedPort& port = report.reach.published()[*one.subject.published];
    network = report.reach.network(port.netns);
    published = published_json({host, *network}, port);
  }
  Json near = Json::array();
  for (const host::Near& miss : one.near) near.push_back(near_json(host, miss));
  return {
      {"expectation", one.expectation ? expectation_json(report, *one.expectation) : Json(nullptr)},
      {"status", std::string(name_of(one.status))},
      {"listener", std::move(listener)},
      {"published", std::move(published)},
      {"text", for_json(check_subject(report, item, true) + ": " + check_sentence(report, item))},
      {"cause", text_or_null(check_cause(report, item))},
      {"too_many", sources_json(network, one.sources, one.sources.too_many)},
      {"too_few", sources_json(network, one.sources, one.sources.too_few)},
      {"not_known", sources_json(network, one.sources, one.sources.open)},
      {"declared", text_or_null(one.declared)},
      {"near", std::move(near)}};
}

struct Rule {
  const char* level;
  const char* text;
};
constexpr std::array<Rule, 7> kRules = {
    {{"error", "Something listens that the policy does not name"},
     {"error", "A listener is open to more than the policy says"},
     {"error", "A listener has another owner than the policy says"},
     {"error", "Nobody listens where the policy says"},
     {"error", "A listener is closed to some that the policy says it is open to"},
     {"warning", "What decides could not be read"},
     {"none", "As the policy says"}}};

/// A path as a relative URI reference (RFC 3986): what is not unreserved is written as %XX.
std::string uri_of(const std::string& path) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out = path.starts_with('/') ? "file://" : "";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return out;
}

Json location_json(const CheckReport& report, const PolicyResult& one) {
  decode::TextPlace place = report.policy.default_place;
  if (one.expectation) place = report.policy.expectations[*one.expectation].place;
  const std::string file = report.file == "-" ? "policy.toml" : report.file;
  return {{"physicalLocation",
           {{"artifactLocation", {{"uri", uri_of(file)}}},
            {"region", {{"startLine", place.line}, {"startColumn", place.column}}}}}};
}

Json sarif_result(const CheckReport& report, const CheckItem& item) {
  const PolicyResult& one = *item.results.front();
  const auto rule = static_cast<std::size_t>(one.status);
  const std::string subject = check_subject(report, item, true);
  std::string text = subject + ": " + check_sentence(report, item);
  if (const std::string cause = check_cause(report, item); !cause.empty())
    text += " (" + cause + ")";
  // Alike for the same listener at the next run, whatever its pid.
  const std::string print =
      std::string(name_of(one.status)) + "/" + subject +
      (one.expectation ? "/" + words_of(report.policy.expectations[*one.expectation]) : "");
  return {{"ruleId", std::string(name_of(one.status))},
          {"ruleIndex", rule},
          {"level", kRules[rule].level},
          {"message", {{"text", for_json(text)}}},
          {"locations", Json::array({location_json(report, one)})},
          {"partialFingerprints", {{"hark/1", for_json(print)}}}};
}

Json sarif_rules() {
  Json out = Json::array();
  for (std::size_t i = 0; i + 1 < kRules.size(); ++i) {
    out.push_back({{"id", std::string(name_of(static_cast<PolicyStatus>(i)))},
                   {"shortDescription", {{"text", kRules[i].text}}},
                   {"defaultConfiguration", {{"level", kRules[i].level}}}});
  }
  return out;
}

Json sarif_notes(const CheckReport& report) {
  Json out = Json::array();
  for (const host::Gap& gap : report.gaps) {
    out.push_back({{"level", "note"},
                   {"descriptor", {{"id", for_json(gap.code)}}},
                   {"message", {{"text", for_json(gap.what)}}}});
  }
  return out;
}

}  // namespace

void write_check_json(const CheckReport& report, const Sink& sink) {
  const std::vector<CheckItem> items = check_items(report, false);
  JsonWriter writer(sink);
  writer.head("hark.check/1", report.host);
  writer.member("policy", {{"file", text_or_null(report.file)},
                           {"default", report.policy.deny ? "deny" : "allow"},
                           {"expectations", report.policy.expectations.size()}});
  writer.list("results", items.size(),
              [&](std::size_t i) { return result_json(report, items[i]); });
  writer.list("gaps", report.gaps.size(), [&](std::size_t i) { return gap_json(report.gaps[i]); });
  writer.end();
}

void write_check_sarif(const CheckReport& report, const Sink& sink) {
  Json results = Json::array();
  for (const CheckItem& item : check_items(report, false)) {
    if (item.results.front()->status == PolicyStatus::Met) continue;
    results.push_back(sarif_result(report, item));
  }
  const Json run = {
      {"tool",
       {{"driver", {{"name", "hark"}, {"version", HARK_VERSION}, {"rules", sarif_rules()}}}}},
      {"invocations", Json::array({{{"executionSuccessful", true},
                                    {"toolExecutionNotifications", sarif_notes(report)}}})},
      {"results", std::move(results)}};
  const Json out = {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                    {"version", "2.1.0"},
                    {"runs", Json::array({run})}};
  sink(json_for_terminal(out.dump(2)));
  sink("\n");
}

}  // namespace hark::show
