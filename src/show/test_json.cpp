#include "show/test_json.h"

#include <cmath>

#include "show/class_json.h"
#include "show/json_parts.h"
#include "show/why_words.h"

namespace hark::show {
namespace {

using probe::Seen;

/// Milliseconds to the microsecond.
Json time_json(const std::optional<double>& time) {
  constexpr double kParts = 1000;
  return time ? Json(std::round(*time * kParts) / kParts) : Json(nullptr);
}

Json errno_json(int error) {
  return error == 0 ? Json(nullptr) : Json(errno_name(error));
}

Json service_json(const Seen& seen) {
  if (!seen.service) return nullptr;
  return {{"protocol", for_json(seen.service->protocol)},
          {"detail", for_json(seen.service->detail)},
          {"trouble", seen.service->trouble}};
}

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json address_json(const std::optional<IpAddress>& address) {
  return address ? Json(address->text()) : Json(nullptr);
}

Json attempt_json(const TestReport& report, const TestedAttempt& tested) {
  const probe::Asked& asked = tested.attempt.asked;
  const Seen& seen = tested.seen;
  const auto& target = report.targets[tested.target];
  return {{"target", for_json(target.written)},
          {"from", address_json(seen.local)},
          {"to", endpoint_words(asked.address, asked.port)},
          {"protocol", std::string(name_of(asked.protocol))},
          {"address", asked.address.text()},
          {"port", asked.port},
          {"outcome", std::string(reach::name_of(seen.outcome))},
          {"errno", errno_json(seen.error)},
          {"icmp", seen.icmp && !seen.icmp->name.empty() ? Json(seen.icmp->name) : Json(nullptr)},
          {"icmp_from", address_json(seen.icmp ? seen.icmp->from : std::nullopt)},
          {"phase", seen.done ? Json(std::string(probe::name_of(seen.phase))) : Json(nullptr)},
          {"elapsed_ms", seen.done ? time_json(seen.elapsed_ms) : Json(nullptr)},
          {"times_ms",
           {{"resolve", time_json(target.resolve_ms)},
            {"connect", time_json(seen.times.connect_ms)},
            {"tls", time_json(seen.times.tls_ms)},
            {"first_byte", time_json(seen.times.first_byte_ms)}}},
          {"rtt_ms", time_json(seen.rtt_ms)},
          {"retransmits", seen.retransmits},
          {"accepted", or_null(seen.accepted)},
          {"service", service_json(seen)},
          {"first_choice", tested.winner},
          {"predicted",
           tested.predicted ? class_json(report.facts(), *tested.predicted) : Json(nullptr)},
          {"agrees", or_null(tested.agrees)},
          {"explanation", text_or_null(tested.difference)}};
}

/// A target without an address to try.
Json unresolved_json(const TestedTarget& target) {
  return {{"target", for_json(target.written)},
          {"from", nullptr},
          {"to", nullptr},
          {"protocol", nullptr},
          {"address", nullptr},
          {"port", nullptr},
          {"outcome", "unknown"},
          {"errno", nullptr},
          {"icmp", nullptr},
          {"icmp_from", nullptr},
          {"phase", "resolve"},
          {"elapsed_ms", time_json(target.resolve_ms)},
          {"times_ms",
           {{"resolve", time_json(target.resolve_ms)},
            {"connect", nullptr},
            {"tls", nullptr},
            {"first_byte", nullptr}}},
          {"rtt_ms", nullptr},
          {"retransmits", nullptr},
          {"accepted", nullptr},
          {"service", nullptr},
          {"first_choice", false},
          {"predicted", nullptr},
          {"agrees", nullptr},
          {"explanation", for_json(target.trouble)}};
}

}  // namespace

void write_test_json(const TestReport& report, const Sink& sink) {
  JsonWriter writer(sink);
  writer.head("hark.test/1", report.host);
  // In the order of the targets, with those that have no address in their places.
  std::vector<Json> attempts;
  for (std::size_t target = 0; target < report.targets.size(); ++target) {
    const std::size_t before = attempts.size();
    for (const TestedAttempt& tested : report.attempts) {
      if (tested.target == target) attempts.push_back(attempt_json(report, tested));
    }
    if (attempts.size() == before && !report.targets[target].trouble.empty()) {
      attempts.push_back(unresolved_json(report.targets[target]));
    }
  }
  writer.list("attempts", attempts.size(), [&](std::size_t i) { return attempts[i]; });
  writer.member("interrupted", report.interrupted);
  writer.list("notes", report.notes.size(),
              [&](std::size_t i) { return Json(for_json(report.notes[i])); });
  writer.list("gaps", report.gaps.size(), [&](std::size_t i) { return gap_json(report.gaps[i]); });
  std::vector<Json> near;
  for (const TestedTarget& target : report.targets) {
    for (const host::Near& one : target.near) near.push_back(near_json(report.host, one));
  }
  writer.list("near", near.size(), [&](std::size_t i) { return near[i]; });
  writer.end();
}

}  // namespace hark::show
