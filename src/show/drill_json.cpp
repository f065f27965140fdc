#include "show/drill_json.h"

#include "show/json_parts.h"

namespace hark::show {
namespace {

Json question_json(const drill::Question& question) {
  Json choices = Json::array();
  Json grades = Json::array();
  for (const drill::Choice& one : question.choices) {
    choices.push_back(for_json(one.text));
    grades.push_back({{"credit", one.credit}, {"why", text_or_null(one.why)}});
  }
  return {{"kind", std::string(info_of(question.kind).name)},
          {"key", question.key},
          {"text", for_json(question.text)},
          {"choices", std::move(choices)},
          {"grades", std::move(grades)},
          {"answer", for_json(question.choices[question.answer].text)},
          {"explanation", text_or_null(question.explanation)},
          {"verify", text_or_null(question.verify)}};
}

}  // namespace

void write_drill_json(const DrillReport& report, const Sink& sink) {
  JsonWriter writer(sink);
  writer.member("schema", "hark.drill/1");
  writer.member("taken_at", report.host.taken_at_ms > 0
                                ? Json(host::rfc3339(report.host.taken_at_ms))
                                : Json(nullptr));
  writer.member("host", text_or_null(report.host.name));
  writer.member("seed", report.seed);
  writer.list("questions", report.questions.size(),
              [&](std::size_t i) { return question_json(report.questions[i]); });
  writer.list("gaps", report.gaps.size(), [&](std::size_t i) { return gap_json(report.gaps[i]); });
  writer.end();
}

}  // namespace hark::show
