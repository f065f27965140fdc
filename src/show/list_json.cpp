#include "show/list_json.h"

#include "show/json_parts.h"
#include "show/list_facts.h"

namespace hark::show {
namespace {

using host::Host;
using host::Listener;

/// A listener as `hark list` gives it: with its scope, and what is wrong with it.
Json entry_json(const Host& host, const Listener& l) {
  Json entry = listener_json(host, l);
  entry["scope"] = std::string(host::name_of(l.scope));
  entry["reach"] = nullptr;  // unknown until it is computed, never "nobody"
  entry["findings"] = Json::array();
  if (queue_level(l) == QueueLevel::Full) entry["findings"].push_back("accept-queue-full");
  return entry;
}

}  // namespace

void write_list_json(const Host& host, const std::vector<std::size_t>& selected,
                     std::span<const host::Near> near, const Sink& sink) {
  JsonWriter writer(sink);
  writer.member("schema", "hark.list/1");
  writer.member("taken_at",
                host.taken_at_ms > 0 ? Json(host::rfc3339(host.taken_at_ms)) : Json(nullptr));
  writer.member("host", text_or_null(host.name));
  writer.member("kernel", text_or_null(host.kernel));
  writer.list("listeners", selected.size(),
              [&](std::size_t i) { return entry_json(host, host.listeners[selected[i]]); });
  writer.member("published", nullptr);
  writer.list("gaps", host.gaps.size(), [&](std::size_t i) { return gap_json(host.gaps[i]); });
  if (selected.empty()) {
    writer.list("near", near.size(), [&](std::size_t i) { return near_json(host, near[i]); });
  }
  writer.end();
}

}  // namespace hark::show
