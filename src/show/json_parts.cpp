#include "show/json_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/protocol.h"
#include "host/doors.h"
#include "show/list_facts.h"

namespace hark::show {
namespace {

using host::Host;
using host::Listener;

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json time_or_null(const std::optional<std::int64_t>& unix_ms) {
  return unix_ms ? Json(host::rfc3339(*unix_ms)) : Json(nullptr);
}

/// Of an optional or a Rare one.
template <typename MaybeContainer>
Json container_or_null(const MaybeContainer& container) {
  return container ? container_json(*container) : Json(nullptr);
}

Json words_json(const std::optional<std::vector<std::string>>& words) {
  if (!words) return nullptr;
  Json out = Json::array();
  for (const std::string& word : *words) out.push_back(for_json(word));
  return out;
}

/// Where a door leads, as far as it is known.
Json door_json(const host::Process& process, const Listener& l) {
  if (!process.door) return nullptr;
  const host::Door& door = *process.door;
  const std::string told = host::door_words(door, l);
  return {{"kind", for_json(door.kind)},
          {"to", told.empty() ? text_or_null(host::door_target(door, host::door_port(door, l)))
                              : Json(for_json(told))},
          {"container", container_or_null(door.container)},
          {"netns", door.netns == 0 ? Json(nullptr) : netns_json(host::netns_of(door))}};
}

Json parents_json(const std::optional<std::vector<host::Ancestor>>& parents) {
  if (!parents) return nullptr;
  Json out = Json::array();
  for (const host::Ancestor& one : *parents) {
    out.push_back({{"pid", one.pid == 0 ? Json(nullptr) : Json(one.pid)},
                   {"name", text_or_null(one.name)},
                   {"role", std::string(host::name_of(one.role))}});
  }
  return out;
}

Json owner_json(const host::Process& p, const Listener& l, const std::vector<std::uint32_t>& fds) {
  return {{"pid", p.pid},
          {"fds", fds},
          {"name", for_json(p.name)},
          {"program", for_json(program_name(p))},
          {"cmdline", words_json(p.command_line)},
          {"exe", p.exe ? Json(for_json(*p.exe)) : Json(nullptr)},
          {"exe_deleted", p.exe_deleted},
          {"user", text_or_null(p.user)},
          {"uid", or_null(p.uid)},
          {"started_at", time_or_null(p.started_at_ms)},
          {"state", p.state == '?' ? Json(nullptr) : Json(for_json(std::string(1, p.state)))},
          {"door", door_json(p, l)},
          {"parents", parents_json(p.started_by)},
          {"kernel", nullptr}};
}

/// A part of the kernel, in the fields of a process.
Json kernel_owner_json(const host::KernelOwner& owner) {
  Json out = owner_json(host::Process(), Listener(), {});
  for (Json& value : out) value = nullptr;
  out["fds"] = Json::array();
  out["name"] = for_json(owner.name());
  out["kernel"] = for_json(owner.name());
  return out;
}

Json owners_json(const Host& host, const Listener& l) {
  if (!l.owners) return nullptr;
  Json out = Json::array();
  for (const host::Owner& owner : *l.owners) {
    out.push_back(owner_json(host.at(owner.process), l, owner.fds));
  }
  for (const host::KernelOwner& owner : l.kernel_owners) out.push_back(kernel_owner_json(owner));
  return out;
}

Json held_by_json(const Rare<host::HeldBy>& held_by) {
  if (!held_by) return nullptr;
  Json candidates = Json::array();
  for (const host::HeldBy::Candidate& candidate : held_by->candidates) {
    candidates.push_back({{"pid", candidate.pid},
                          {"name", for_json(candidate.name)},
                          {"why", for_json(candidate.why)}});
  }
  return {{"how", std::string(host::name_of(held_by->how))},
          {"words", for_json(held_by->words)},
          {"candidates", std::move(candidates)}};
}

Json socket_json(const host::Socket& s) {
  return {{"inode", s.inode},
          {"cookie", s.cookie ? Json(fmt::format("{:#x}", *s.cookie)) : Json(nullptr)},
          {"uid", s.uid},
          {"user", text_or_null(s.user)},
          {"cgroup", s.cgroup ? Json(for_json(*s.cgroup)) : Json(nullptr)}};
}

Json queue_json(const host::Queue& q) {
  return {{"length", or_null(q.length)}, {"limit", or_null(q.limit)}, {"drops", or_null(q.drops)}};
}

Json names_json(const std::vector<std::string>& names) {
  Json out = Json::array();
  for (const std::string& name : names) out.push_back(for_json(name));
  return out;
}

Json exit_json(const std::optional<host::UnitExit>& last) {
  if (!last) return nullptr;
  return {{"code", last->code}, {"status", last->status}, {"at", time_or_null(last->at_ms)}};
}

const char* source_word(host::UnitSource source) {
  constexpr std::array kWords = {"cgroup", "files", "dbus"};
  return kWords[static_cast<std::size_t>(source)];
}

/// UNIT of docs/contract.md.
Json unit_json(const host::UnitFacts& unit) {
  return {{"name", for_json(unit.name)},
          {"user", or_null(unit.user)},
          {"description", text_or_null(unit.description)},
          {"load_state", text_or_null(unit.load_state)},
          {"active_state", text_or_null(unit.active_state)},
          {"sub_state", text_or_null(unit.sub_state)},
          {"result", text_or_null(unit.result)},
          {"since", time_or_null(unit.state_since_ms)},
          {"file", text_or_null(unit.fragment)},
          {"triggers", names_json(unit.triggers)},
          {"can_start", or_null(unit.can_start)},
          {"cannot_start_because", text_or_null(unit.cannot_start_because)},
          {"restarts", or_null(unit.restarts)},
          {"last_exit", exit_json(unit.last_exit)},
          {"source", source_word(unit.source)}};
}

Json unit_or_null(const Host& host, const std::optional<host::UnitId>& id) {
  return id ? unit_json(host.at(*id)) : Json(nullptr);
}

/// The socket units of a listener, each with the facts of what it starts.
Json socket_units_json(const Host& host, const Listener& l) {
  Json out = Json::array();
  for (const host::UnitId id : l.socket_units) {
    const host::UnitFacts& unit = host.at(id);
    Json entry = unit_json(unit);
    entry["inferred"] = l.socket_units_inferred;
    entry["starts"] = Json::array();
    for (const host::UnitFacts& other : host.units) {
      const bool started =
          std::find(unit.triggers.begin(), unit.triggers.end(), other.name) != unit.triggers.end();
      if (started && other.user == unit.user) entry["starts"].push_back(unit_json(other));
    }
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(for_json(text));
}

Json netns_json(const host::Netns& netns) {
  return {{"inode", or_null(netns.inode)}, {"name", text_or_null(netns.name)}};
}

Json container_json(const host::Container& container) {
  return {{"runtime", for_json(container.runtime)},
          {"id", for_json(container.id)},
          {"name", text_or_null(container.name)},
          {"image", text_or_null(container.image)},
          {"pod", text_or_null(container.pod)},
          {"namespace", text_or_null(container.pod_namespace)}};
}

Json listener_json(const Host& host, const Listener& l) {
  const bool inet = l.address.family == Family::Inet;
  return {{"protocol", std::string(name_of(l.protocol))},
          {"family", inet ? "inet" : "inet6"},
          {"address", l.address.text()},
          {"port", l.port},
          {"v6only", inet ? Json(nullptr) : or_null(l.v6only)},
          {"interface", text_or_null(l.interface)},
          {"netns", netns_json(host.at(l.netns))},
          {"state", l.state == host::State::Listen ? "LISTEN" : "UNCONN"},
          {"socket", socket_json(l.socket)},
          {"queue", queue_json(l.queue)},
          {"unit", text_or_null(l.unit)},
          {"unit_facts", unit_or_null(host, l.unit_id)},
          {"socket_units", socket_units_json(host, l)},
          {"container", container_or_null(l.container)},
          {"owners", owners_json(host, l)},
          {"held_by", held_by_json(l.held_by)},
          {"probable_client", l.probable_client}};
}

Json gap_json(const host::Gap& gap) {
  return {{"code", for_json(gap.code)},
          {"what", for_json(gap.what)},
          {"hides", for_json(gap.hides)},
          {"remedy", text_or_null(gap.remedy)}};
}

Json near_json(const Host& host, const host::Near& near) {
  return {{"relation", for_json(near.relation)},
          {"listener",
           near.listener ? listener_json(host, host.listeners[*near.listener]) : Json(nullptr)},
          {"text", for_json(near.text)}};
}

void JsonWriter::head(std::string_view schema, const host::Host& host) {
  member("schema", schema);
  member("taken_at", host.taken_at_ms > 0 ? Json(host::rfc3339(host.taken_at_ms)) : Json(nullptr));
  member("host", text_or_null(host.name));
}

void JsonWriter::member(std::string_view name, const Json& value) {
  begin(name);
  sink_(line_of(value));
}

void JsonWriter::begin(std::string_view name) {
  sink_(first_ ? "\n  \"" : ",\n  \"");
  first_ = false;
  sink_(name);
  sink_("\": ");
}

std::string JsonWriter::line_of(const Json& value) {
  return json_for_terminal(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace hark::show
