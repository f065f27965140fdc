#include "host/select_words.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace hark::host {
namespace {

constexpr std::array<FieldRow, kFieldCount - 1> kFields = {{
    {Field::Protocol, {"proto", "tcp, udp, mptcp, udplite or raw"}, {"protocol"}},
    {Field::Family, {"family", "ipv4 or ipv6"}, {"fam", "af"}},
    {Field::Port, {"port", "a port or a range of ports: 443, 8000-9000"}, {"ports", "sport"}},
    {Field::Address,
     {"address", "an address, a prefix, or any: 10.0.0.5, 10.0.0.0/8"},
     {"addr", "ip", "local", "bind"}},
    {Field::Interface,
     {"interface", "the device a socket is bound to"},
     {"if", "iface", "dev", "device"}},
    {Field::Netns, {"netns", "a network namespace: its name or inode number"}, {"ns", "namespace"}},
    {Field::State, {"state", "listen or unconn"}, {}},
    {Field::Scope, {"scope", "loopback, one-address, one-interface or all"}, {}},
    {Field::User, {"user", "the name or number of the socket's or an owner's user"}, {"uid"}},
    {Field::Unit, {"unit", "a systemd unit, with or without its type: ssh.service"}, {"service"}},
    {Field::Container,
     {"container", "a container's name, image or pod, or how its id begins"},
     {"ctr"}},
    {Field::Name, {"name", "a process's name"}, {"process", "proc", "comm"}},
    {Field::Pid, {"pid", "a process's number"}, {}},
    {Field::Exe, {"exe", "a program: its path or file name"}, {"program", "binary"}},
    {Field::CommandLine,
     {"cmdline", "a part of an owner's command line"},
     {"cmd", "command", "args"}},
    {Field::Cgroup, {"cgroup", "a cgroup's path, or one above it"}, {"cg"}},
    {Field::Inode, {"inode", "the number of a socket: socket:[N] in /proc/PID/fd"}, {"ino"}},
    {Field::Reachable,
     {"reachable", "who gets through: anywhere, some, loopback or none"},
     {"reach", "open"}},
    {Field::ReachableFrom,
     {"reachable-from", "an address or prefix from which clients get through"},
     {"from", "open-from"}},
    {Field::Kind, {"kind", "listener, or published: a port that rules send elsewhere"}, {"type"}},
}};

template <typename T>
constexpr std::uint8_t number_of(T value) {
  return static_cast<std::uint8_t>(value);
}
constexpr std::array kValues = {
    ValueWord{"tcp", Field::Protocol, number_of(Protocol::Tcp), true, true},
    ValueWord{"udp", Field::Protocol, number_of(Protocol::Udp), true, true},
    ValueWord{"mptcp", Field::Protocol, number_of(Protocol::Mptcp), true, true},
    ValueWord{"udplite", Field::Protocol, number_of(Protocol::Udplite), true, true},
    ValueWord{"udp-lite", Field::Protocol, number_of(Protocol::Udplite), true, false},
    ValueWord{"raw", Field::Protocol, number_of(Protocol::Raw), true, true},
    ValueWord{"ipv4", Field::Family, number_of(Family::Inet), true, true},
    ValueWord{"inet", Field::Family, number_of(Family::Inet), true, false},
    ValueWord{"v4", Field::Family, number_of(Family::Inet), true, false},
    ValueWord{"4", Field::Family, number_of(Family::Inet), false, false},
    ValueWord{"ipv6", Field::Family, number_of(Family::Inet6), true, true},
    ValueWord{"inet6", Field::Family, number_of(Family::Inet6), true, false},
    ValueWord{"v6", Field::Family, number_of(Family::Inet6), true, false},
    ValueWord{"6", Field::Family, number_of(Family::Inet6), false, false},
    ValueWord{"loopback", Field::Scope, number_of(Scope::Loopback), true, true},
    ValueWord{"one-address", Field::Scope, number_of(Scope::OneAddress), true, true},
    ValueWord{"one-interface", Field::Scope, number_of(Scope::OneInterface), true, true},
    ValueWord{"all", Field::Scope, number_of(Scope::All), false, true},
    ValueWord{"listen", Field::State, number_of(State::Listen), false, true},
    ValueWord{"listening", Field::State, number_of(State::Listen), false, false},
    ValueWord{"unconn", Field::State, number_of(State::Unconn), false, true},
    ValueWord{"unconnected", Field::State, number_of(State::Unconn), false, false},
    ValueWord{"anywhere", Field::Reachable, number_of(OpenTo::Anywhere), false, true},
    ValueWord{"some", Field::Reachable, number_of(OpenTo::Some), false, true},
    ValueWord{"loopback", Field::Reachable, number_of(OpenTo::ThisHost), false, true},
    ValueWord{"this-host", Field::Reachable, number_of(OpenTo::ThisHost), false, false},
    ValueWord{"none", Field::Reachable, number_of(OpenTo::Nobody), false, true},
    ValueWord{"nobody", Field::Reachable, number_of(OpenTo::Nobody), false, false},
    ValueWord{"published", Field::Kind, number_of(RowKind::Published), true, true},
    ValueWord{"listener", Field::Kind, number_of(RowKind::Listener), false, true},
};

std::vector<std::string> shown_values(Field field) {
  std::vector<std::string> out;
  for (const ValueWord& row : kValues) {
    if (row.field == field && row.shown) out.emplace_back(row.word);
  }
  return out;
}

std::vector<std::string> shown_fields() {
  std::vector<std::string> out;
  out.reserve(kFields.size());
  for (const FieldRow& row : kFields) out.emplace_back(row.shown.word);
  return out;
}

std::string did_you_mean(const std::string& word, std::string_view behind) {
  return "did you mean " + word + std::string(behind) + "?";
}

}  // namespace

const FieldRow* find_field(std::string_view word) {
  const auto named = [word](const char* name) { return name != nullptr && word == name; };
  const auto it = std::ranges::find_if(kFields, [&](const FieldRow& row) {
    return named(row.shown.word) || std::ranges::any_of(row.synonyms, named);
  });
  return it == kFields.end() ? nullptr : &*it;
}

const ValueWord* find_value(Field field, std::string_view value) {
  const auto it = std::ranges::find_if(
      kValues, [&](const ValueWord& row) { return row.field == field && value == row.word; });
  return it == kValues.end() ? nullptr : &*it;
}

const ValueWord* find_bare_value(std::string_view word) {
  const auto it = std::ranges::find_if(
      kValues, [&](const ValueWord& row) { return row.bare && word == row.word; });
  return it == kValues.end() ? nullptr : &*it;
}

void put_value(Term& term, const ValueWord& row) {
  term.field = row.field;
  term.protocol = row.field == Field::Protocol ? Protocol{row.value} : term.protocol;
  term.family = row.field == Field::Family ? Family{row.value} : term.family;
  term.scope = row.field == Field::Scope ? Scope{row.value} : term.scope;
  term.state = row.field == Field::State ? State{row.value} : term.state;
  term.open_to = row.field == Field::Reachable ? OpenTo{row.value} : term.open_to;
  term.kind = row.field == Field::Kind ? RowKind{row.value} : term.kind;
}

Error unknown_field(std::string_view word, std::string_view field) {
  std::vector<std::string> known;
  for (const FieldRow& row : kFields) {
    known.emplace_back(row.shown.word);
    for (const char* name : row.synonyms) {
      if (name != nullptr) known.emplace_back(name);
    }
  }
  const auto like = nearest(field, known);
  return plain_error(std::string(word), "unknown field '" + std::string(field) + "'",
                     like ? did_you_mean(*like, ":") : "fields are " + join(shown_fields(), ", "));
}

Error unknown_value(std::string_view word, Field field, std::string_view value) {
  const std::vector<std::string> known = shown_values(field);
  const auto like = nearest(value, known);
  return plain_error(std::string(word),
                     "unknown value '" + std::string(value) + "', one of " + join(known, ", "),
                     like ? did_you_mean(*like, "") : std::string{});
}

std::span<const FieldWord> field_words() {
  static constexpr auto kShown = [] {
    std::array<FieldWord, kFields.size()> out{};
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = kFields[i].shown;
    return out;
  }();
  return kShown;
}

}  // namespace hark::host
