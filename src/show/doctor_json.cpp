#include "show/doctor_json.h"

#include "show/class_json.h"
#include "show/json_parts.h"

namespace hark::show {

Json finding_json(const host::Host& host, const diagnose::Finding& finding) {
  Json also = Json::array();
  for (const std::size_t i : finding.also) also.push_back(listener_json(host, host.listeners[i]));
  return {{"code", for_json(finding.code)},
          {"severity", std::string(name_of(finding.severity))},
          {"listener", finding.listener ? listener_json(host, host.listeners[*finding.listener])
                                        : Json(nullptr)},
          {"also", std::move(also)},
          {"subject", text_or_null(finding.subject)},
          {"text", for_json(finding.text)},
          {"evidence", evidence_json(finding.evidence)},
          {"remedy", text_or_null(finding.remedy)}};
}

void write_doctor_json(const DoctorReport& report, const Sink& sink) {
  const host::Host& host = report.host;
  JsonWriter writer(sink);
  writer.head("hark.doctor/1", host);
  writer.member("target",
                report.target == nullptr ? Json(nullptr) : Json(for_json(report.target->written)));
  writer.member("listeners_examined", report.listeners.size());
  writer.list("findings", report.findings.size(),
              [&](std::size_t i) { return finding_json(host, report.findings[i]); });
  writer.list("near", report.near.size(),
              [&](std::size_t i) { return near_json(host, report.near[i]); });
  writer.list("gaps", report.gaps.size(), [&](std::size_t i) { return gap_json(report.gaps[i]); });
  writer.end();
}

}  // namespace hark::show
