#include "show/diff_json.h"

#include <algorithm>

#include "show/json_parts.h"
#include "show/published_json.h"

namespace hark::show {
namespace {

using diagnose::Change;
using diagnose::Snapshot;

Json side_json(const DiffSide& side) {
  const host::Host& host = side.snapshot.host;
  return {
      {"file", text_or_null(side.file)},
      {"host", text_or_null(host.name)},
      {"taken_at", host.taken_at_ms > 0 ? Json(host::rfc3339(host.taken_at_ms)) : Json(nullptr)}};
}

/// Every code of the doctor that is about it.
Json codes_json(const Snapshot& side, std::size_t listener) {
  Json out = Json::array();
  for (const diagnose::Finding& one : side.findings) {
    const bool also = std::find(one.also.begin(), one.also.end(), listener) != one.also.end();
    if (one.listener == listener || also) out.push_back(for_json(one.code));
  }
  return out;
}

/// The first of those that share an address stands for all.
Json thing_json(const Snapshot& side, const Change& change,
                const std::vector<std::size_t>& positions) {
  Json out;
  out["kind"] = change.published ? "published" : "listener";
  const std::size_t first = positions.front();
  if (change.published) {
    const reach::PublishedPort& port = side.reach.published()[first];
    out.update(published_json({side.host, *side.reach.network(port.netns)}, port));
  } else {
    out.update(entry_json(side.host, first, &side.reach));
    out["findings"] = codes_json(side, first);
  }
  return out;
}

Json judged_json(const Change& change, const std::string& text) {
  return {{"turn", std::string(name_of(change.turn))},
          {"severity", std::string(name_of(change.severity))},
          {"text", for_json(text)}};
}

Json changed_json(const DiffReport& report, const Change& change, const std::string& text) {
  Json out;
  out["before"] = thing_json(report.before.snapshot, change, change.before);
  out["after"] = thing_json(report.after.snapshot, change, change.after);
  out["fields"] = Json::array();
  for (const diagnose::ChangedField field : change.fields) {
    out["fields"].push_back(std::string(name_of(field)));
  }
  out.update(judged_json(change, text));
  return out;
}

}  // namespace

void write_diff_json(const DiffReport& report, const Sink& sink) {
  const diagnose::Changes& changes = report.changes;
  std::vector<std::string> texts(changes.list.size());
  for (const DiffRow& row : diff_rows(report, true)) {
    for (const std::size_t i : row.changes) texts[i] = row.text;
  }
  std::vector<std::size_t> added, removed, changed;
  for (std::size_t i = 0; i < changes.list.size(); ++i) {
    const Change& one = changes.list[i];
    (one.before.empty() ? added : one.after.empty() ? removed : changed).push_back(i);
  }
  const auto one_sided = [&](std::size_t i) {
    const Change& one = changes.list[i];
    const bool after = one.before.empty();
    const DiffSide& side = after ? report.after : report.before;
    Json out = thing_json(side.snapshot, one, after ? one.after : one.before);
    out.update(judged_json(one, texts[i]));
    return out;
  };
  const auto finding = [](const DiffSide& side, std::size_t i) {
    return finding_json(side.snapshot.host, side.snapshot.findings[i]);
  };
  JsonWriter writer(sink);
  writer.member("schema", "hark.diff/1");
  writer.member("old", side_json(report.before));
  writer.member("new", side_json(report.after));
  writer.member("same_host", !changes.other_host);
  writer.list("added", added.size(), [&](std::size_t i) { return one_sided(added[i]); });
  writer.list("removed", removed.size(), [&](std::size_t i) { return one_sided(removed[i]); });
  writer.list("changed", changed.size(), [&](std::size_t i) {
    return changed_json(report, changes.list[changed[i]], texts[changed[i]]);
  });
  writer.list("findings_added", changes.came.size(),
              [&](std::size_t i) { return finding(report.after, changes.came[i]); });
  writer.list("findings_removed", changes.went.size(),
              [&](std::size_t i) { return finding(report.before, changes.went[i]); });
  writer.member("unchanged", changes.unchanged);
  writer.list("gaps", changes.gaps.size(),
              [&](std::size_t i) { return gap_json(changes.gaps[i]); });
  writer.end();
}

}  // namespace hark::show
