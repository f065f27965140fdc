#include "show/explain_json.h"

#include "show/json_parts.h"

namespace hark::show {

void write_explain_json(const diagnose::Explained& known, const Sink& sink) {
  const auto& port = known.target.port;
  JsonWriter writer(sink);
  writer.member("schema", "hark.explain/1");
  writer.member("question", for_json(known.question));
  writer.member("code", text_or_null(known.code));
  writer.member("errno", known.number != 0 ? Json(known.number) : Json(nullptr));
  writer.member("text", text_or_null(known.text));
  writer.member("host", text_or_null(known.target.host));
  writer.member("port", port ? Json(*port) : Json(nullptr));
  writer.member("means", text_or_null(known.means));
  writer.member("excludes", text_or_null(known.excludes));
  writer.list("next", known.next.size(), [&](std::size_t i) {
    return Json{{"command", for_json(known.next[i].command)}, {"why", known.next[i].why}};
  });
  writer.list("near", known.near.size(),
              [&](std::size_t i) { return Json(for_json(known.near[i])); });
  writer.list("gaps", 0, [](std::size_t) { return Json(nullptr); });
  writer.end();
}

}  // namespace hark::show
