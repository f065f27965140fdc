#include "show/list_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/text.h"
#include "show/reach_words.h"

namespace hark::show {
namespace {

using host::Listener;
using host::Process;
using host::ProcessId;

/// More values than this in a cell are counted, not shown.
constexpr std::size_t kMostValues = 4;

std::string listed(const std::vector<std::string>& values, std::string_view between, bool whole) {
  if (whole || values.size() <= kMostValues) return join(values, between);
  const std::span<const std::string> some(values.data(), kMostValues - 1);
  return fmt::format("{} and {} more", join(some, between), values.size() - some.size());
}

/// Each value that the listeners of the row have, once, in their order.
template <typename TextOf>
std::string each_listener(const RowView& view, std::string_view between, const TextOf& text_of) {
  std::vector<std::string> values;
  std::set<std::string> met;
  for (const std::size_t i : view.row.listeners) {
    std::string text = text_of(view.host.listeners[i]);
    if (!text.empty() && met.insert(text).second) values.push_back(std::move(text));
  }
  return listed(values, between, view.whole);
}

template <typename TextOf>
CellValue each_process(const RowView& view, const TextOf& text_of) {
  if (view.holders.known == Holders::Known::Unknown) return {.text = {}, .known = false};
  std::vector<std::string> values;
  std::set<std::string> met;
  for (const ProcessId id : view.holders.processes) {
    std::string text = text_of(view.host.at(id));
    if (met.insert(text).second) values.push_back(std::move(text));
  }
  return {.text = listed(values, ",", view.whole)};
}

const Listener& first_of(const RowView& view) {
  return view.host.listeners[view.row.listeners.front()];
}

const Process* lead_of(const RowView& view) {
  if (view.holders.known != Holders::Known::Processes) return nullptr;
  return &view.host.at(view.holders.lead);
}

/// A fact of the process that stands for all; `text_of` gives nothing where it is not known.
template <typename TextOf>
CellValue of_lead(const RowView& view, const TextOf& text_of) {
  const Process* lead = lead_of(view);
  if (lead == nullptr) {
    return {.text = {}, .known = view.holders.known == Holders::Known::Nobody};
  }
  std::optional<std::string> text = text_of(*lead);
  return {.text = text.value_or(""), .known = text.has_value()};
}

CellValue number_cell(const std::optional<std::uint64_t>& number) {
  return {.text = number ? fmt::format("{}", *number) : "", .known = number.has_value()};
}

CellValue port_cell(const RowView& view) {
  return {.text = fmt::format("{} {}", name_of(first_of(view).protocol),
                              port_words(view.host, view.row))};
}

CellValue protocol_cell(const RowView& view) {
  return {.text = std::string(name_of(first_of(view).protocol))};
}

CellValue bound_cell(const RowView& view) {
  return {.text = bound_words(view.host, view.row)};
}

/// As ss writes it: "*" is a socket of both families, the device stands behind the address.
std::string socket_address(const Listener& l) {
  const bool both = l.address.family == Family::Inet6 && l.address.is_unspecified() &&
                    l.v6only == false && l.protocol != Protocol::Raw;
  std::string address = both ? "*" : l.address.text();
  if (!both && l.address.family == Family::Inet6) address = "[" + address + "]";
  const std::string device = device_of(l);
  if (!device.empty()) address += "%" + device;
  return fmt::format("{}:{}", address, l.port);
}

CellValue address_cell(const RowView& view) {
  return {.text = each_listener(view, " ", socket_address)};
}

CellValue scope_cell(const RowView& view) {
  return {.text = each_listener(
              view, ",", [](const Listener& l) { return std::string(host::name_of(l.scope)); })};
}

CellValue who_cell(const RowView& view) {
  return {.text = who_words(view.host, view.row, view.ascii),
          .colour = cannot_serve(view.host, view.holders) ? Colour::Red : Colour::None};
}

CellValue reach_cell(const RowView& view) {
  if (view.reach == nullptr) return {.text = {}, .known = false};
  std::string text = reach_words(*view.reach, view.row.listeners);
  const bool known = !text.empty();
  const auto open = openness_of(*view.reach, view.row.listeners);
  return {.text = std::move(text),
          .known = known,
          .colour = open == reach::Openness::Nobody ? Colour::Red : Colour::None};
}

CellValue name_cell(const RowView& view) {
  CellValue names = each_process(view, program_name);
  if (view.holders.known != Holders::Known::Nobody) return names;
  std::vector<std::string> kernel;
  std::set<std::string> met;
  for (const std::size_t i : view.row.listeners) {
    for (const host::KernelOwner& owner : view.host.listeners[i].kernel_owners) {
      if (met.insert(owner.name()).second) kernel.push_back(owner.name());
    }
  }
  names.text = listed(kernel, ",", view.whole);
  return names;
}

CellValue pid_cell(const RowView& view) {
  return each_process(view, [](const Process& p) { return fmt::format("{}", p.pid); });
}

CellValue user_cell(const RowView& view) {
  return {.text = each_listener(view, ",", [](const Listener& l) { return user_words(l.socket); })};
}

CellValue uid_cell(const RowView& view) {
  return {.text = each_listener(view, ",",
                                [](const Listener& l) { return fmt::format("{}", l.socket.uid); })};
}

CellValue unit_cell(const RowView& view) {
  return {.text = first_of(view).unit};
}

CellValue container_cell(const RowView& view) {
  const auto& container = first_of(view).container;
  return {.text = container ? container_words(*container) : ""};
}

CellValue netns_cell(const RowView& view) {
  return {.text = netns_words(view.host.at(first_of(view).netns))};
}

CellValue interface_cell(const RowView& view) {
  const auto& listeners = view.row.listeners;
  const bool known = std::all_of(listeners.begin(), listeners.end(), [&](std::size_t i) {
    return view.host.listeners[i].interface_known;
  });
  return {.text = each_listener(view, ",", device_of), .known = known};
}

CellValue family_cell(const RowView& view) {
  return {.text = each_listener(view, ",", [](const Listener& l) {
            return std::string(l.address.family == Family::Inet ? "ipv4" : "ipv6");
          })};
}

CellValue state_cell(const RowView& view) {
  return {.text = each_listener(view, ",", [](const Listener& l) {
            return std::string(l.state == host::State::Listen ? "LISTEN" : "UNCONN");
          })};
}

CellValue queue_cell(const RowView& view) {
  const Listener& l = fullest(view.host, view.row);
  if (!l.queue.length) return {.text = {}, .known = false};
  std::string text = fmt::format("{}", *l.queue.length);
  if (l.queue.limit) text += fmt::format("/{}", *l.queue.limit);
  constexpr std::array<Colour, 3> kColours = {Colour::None, Colour::Yellow, Colour::Red};
  const QueueLevel level = queue_level(l);
  if (level == QueueLevel::Full) text += " full";
  return {.text = std::move(text), .colour = kColours[static_cast<std::size_t>(level)]};
}

CellValue limit_cell(const RowView& view) {
  return number_cell(fullest(view.host, view.row).queue.limit);
}

CellValue drops_cell(const RowView& view) {
  std::optional<std::uint64_t> sum;
  for (const std::size_t i : view.row.listeners) {
    const auto& drops = view.host.listeners[i].queue.drops;
    if (drops) sum = sum.value_or(0) + *drops;
  }
  return number_cell(sum);
}

CellValue inode_cell(const RowView& view) {
  return {.text = each_listener(
              view, ",", [](const Listener& l) { return fmt::format("{}", l.socket.inode); })};
}

CellValue cookie_cell(const RowView& view) {
  std::string text = each_listener(view, ",", [](const Listener& l) {
    return l.socket.cookie ? fmt::format("{:#x}", *l.socket.cookie) : std::string();
  });
  const bool known = !text.empty();
  return {.text = std::move(text), .known = known};
}

CellValue cgroup_cell(const RowView& view) {
  std::string text =
      each_listener(view, " ", [](const Listener& l) { return l.socket.cgroup.value_or(""); });
  const bool known = !text.empty();
  return {.text = std::move(text), .known = known};
}

CellValue exe_cell(const RowView& view) {
  return of_lead(view, [](const Process& p) -> std::optional<std::string> {
    if (!p.exe) return std::nullopt;
    return p.exe_deleted ? *p.exe + " (deleted)" : *p.exe;
  });
}

CellValue cmdline_cell(const RowView& view) {
  return of_lead(view, [](const Process& p) -> std::optional<std::string> {
    if (!p.command_line) return std::nullopt;
    return join(*p.command_line, " ");
  });
}

/// In the reader's time zone.
CellValue started_cell(const RowView& view) {
  return of_lead(view, [](const Process& p) -> std::optional<std::string> {
    return p.started_at_ms ? local_time(*p.started_at_ms) : std::nullopt;
  });
}

CellValue fds_cell(const RowView& view) {
  if (view.holders.known == Holders::Known::Unknown) return {.text = {}, .known = false};
  std::set<std::uint32_t> fds;
  for (const std::size_t i : view.row.listeners) {
    for (const host::Owner& owner : view.host.listeners[i].owners.value()) {
      if (owner.process == view.holders.lead) fds.insert(owner.fds.begin(), owner.fds.end());
    }
  }
  std::vector<std::string> texts;
  texts.reserve(fds.size());
  for (const std::uint32_t fd : fds) texts.push_back(fmt::format("{}", fd));
  return {.text = listed(texts, ",", view.whole)};
}

CellValue v6only_cell(const RowView& view) {
  bool known = true;
  std::string text = each_listener(view, ",", [&](const Listener& l) -> std::string {
    if (l.address.family == Family::Inet) return "";
    if (!l.v6only) known = false;
    return l.v6only ? (*l.v6only ? "yes" : "no") : "";
  });
  return {.text = std::move(text), .known = known};
}

CellValue started_by_cell(const RowView& view) {
  return of_lead(view, started_by_words);
}

constexpr const char* kStartedBy = "started-by";
constexpr unsigned kAsked = kMustStay;  // not in the usual table: only there if asked for

// word, heading, help; importance; may be cut, numbers, of processes; how it is made
constexpr std::array<ColumnSpec, 29> kSpecs = {{
    {{"port", "PORT", "protocol and ports"}, 200, false, false, false, port_cell},
    {{"protocol", "PROTOCOL", "tcp, mptcp, udp, udplite or raw"},
     kAsked,
     false,
     false,
     false,
     protocol_cell},
    {{"bound", "BOUND TO", "where it is bound, in words"}, 200, false, false, false, bound_cell},
    {{"address", "ADDRESS", "address, device and port, as ss writes them"},
     kAsked,
     false,
     false,
     false,
     address_cell},
    {{"scope", "SCOPE", "loopback, one-address, one-interface or all"},
     kAsked,
     false,
     false,
     false,
     scope_cell},
    {{"who", "WHO", "process, pid, how many more, and unit, container or where a door leads"},
     90,
     true,
     false,
     true,
     who_cell},
    {{"reach", "REACHABLE FROM", "whose packets get through to it"},
     95,
     true,
     false,
     false,
     reach_cell,
     false,
     true},
    {{"name", "NAME", "names of the processes"}, kAsked, true, false, true, name_cell},
    {{"pid", "PID", "process ids"}, kAsked, false, false, true, pid_cell},
    {{"user", "USER", "user who made the socket"}, kAsked, true, false, false, user_cell},
    {{"unit", "UNIT", "systemd unit"}, kAsked, true, false, false, unit_cell},
    {{"container", "CONTAINER", "name or id of the container"},
     kAsked,
     true,
     false,
     false,
     container_cell},
    {{"netns", "NETNS", "network namespace"}, 80, true, false, false, netns_cell},
    {{"interface", "INTERFACE", "device the socket is bound to"},
     kAsked,
     false,
     false,
     false,
     interface_cell},
    {{"family", "FAMILY", "ipv4 or ipv6"}, kAsked, false, false, false, family_cell},
    {{"state", "STATE", "LISTEN or UNCONN"}, kAsked, false, false, false, state_cell},
    {{"queue", "QUEUE", "what waits, of how much: connections of TCP, bytes of UDP"},
     85,
     false,
     false,
     false,
     queue_cell},
    {{"limit", "LIMIT", "how much may wait"}, kAsked, false, true, false, limit_cell, true},
    {{"drops", "DROPS", "what the sockets themselves dropped"},
     kAsked,
     false,
     true,
     false,
     drops_cell,
     true},
    {{"inode", "INODE", "inode of the socket"}, kAsked, false, false, false, inode_cell},
    {{"cookie", "COOKIE", "the kernel's id of the socket, never used twice"},
     kAsked,
     false,
     false,
     false,
     cookie_cell,
     true},
    {{"cgroup", "CGROUP", "control group of the socket"}, kAsked, true, false, false, cgroup_cell},
    {{"uid", "UID", "user id of who made the socket"}, kAsked, false, true, false, uid_cell},
    {{"exe", "EXE", "executable of the first process"}, kAsked, true, false, true, exe_cell, true},
    {{"cmdline", "COMMAND LINE", "command line of the first process"},
     kAsked,
     true,
     false,
     true,
     cmdline_cell,
     true},
    {{"started", "STARTED", "when the first process was started, in local time"},
     kAsked,
     false,
     false,
     true,
     started_cell},
    {{"fds", "FDS", "descriptors of the first process"}, kAsked, false, false, true, fds_cell},
    {{"v6only", "V6ONLY", "does an IPv6 socket refuse IPv4: yes or no"},
     kAsked,
     false,
     false,
     false,
     v6only_cell},
    {{kStartedBy, "STARTED BY",
      "who started the first process: shell, ssh session, service manager"},
     kAsked,
     true,
     false,
     true,
     started_by_cell,
     true},
}};

constexpr auto kColumns = [] {
  std::array<ListColumn, kSpecs.size()> out{};
  for (std::size_t i = 0; i < kSpecs.size(); ++i) out[i] = kSpecs[i].column;
  return out;
}();

}  // namespace

std::span<const ColumnSpec> column_specs() {
  return kSpecs;
}

const ColumnSpec* column_spec(std::string_view word) {
  const auto found = std::find_if(kSpecs.begin(), kSpecs.end(),
                                  [&](const ColumnSpec& s) { return s.column.word == word; });
  return found == kSpecs.end() ? nullptr : &*found;
}

std::span<const ListColumn> list_columns() {
  return kColumns;
}

bool column_needs_owners(const std::string& word) {
  const ColumnSpec* spec = column_spec(word);
  return spec != nullptr && spec->needs_owners;
}

bool column_needs_reach(const std::string& word) {
  const ColumnSpec* spec = column_spec(word);
  return spec != nullptr && spec->needs_reach;
}

bool column_needs_details(const std::string& word) {
  const ColumnSpec* spec = column_spec(word);
  return spec != nullptr && spec->needs_details;
}

}  // namespace hark::show
