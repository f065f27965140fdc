#include "show/lab_json.h"

#include "show/json_parts.h"

namespace hark::show {

void write_lab_json(std::span<const drill::LabScenario> scenarios,
                    const drill::LabProgress& progress, const Sink& sink) {
  JsonWriter writer(sink);
  writer.member("schema", "hark.lab/1");
  writer.list("scenarios", scenarios.size(), [&](std::size_t i) {
    const drill::LabScenario& one = scenarios[i];
    const auto found = progress.find(one.name);
    const bool known = found != progress.end();
    return Json{{"name", for_json(one.name)},
                {"title", for_json(one.title)},
                {"topic", one.topic},
                {"difficulty", one.difficulty},
                {"story", for_json(one.story)},
                {"needs", one.needs},
                {"solved", known && found->second.solved()},
                {"mended", known && found->second.mended}};
  });
  writer.list("gaps", 0, [](std::size_t) { return Json(nullptr); });
  writer.end();
}

}  // namespace hark::show
