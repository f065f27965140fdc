// The words of a row: where it is bound, who holds it, which ports.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "host/doors.h"
#include "host/units.h"
#include "show/list_facts.h"
#include "show/list_rows.h"

namespace hark::show {
namespace {

using host::Host;
using host::Listener;
using host::Process;

/// Ports are listed whole up to this many columns, and from there on shortened to the lesser one.
constexpr std::size_t kLongestPorts = 24;
constexpr std::size_t kShortenedPorts = 16;

constexpr std::string_view kBlankArrow = " \u2192";

/// 127.0.0.1 or ::1, the addresses that every program means by "localhost".
bool is_usual_loopback(const Listener& l) {
  const IpAddress address = l.address.unmapped();
  if (!address.is_loopback()) return false;
  const auto& b = address.bytes;
  if (address.family == Family::Inet && (b[1] != 0 || b[2] != 0 || b[3] != 1)) return false;
  const std::string device = device_of(l);
  return device.empty() || device == "lo";
}

bool is_this_host_only(const Listener& l) {
  return is_usual_loopback(l) ||
         (l.address.unmapped().is_unspecified() && !is_bound_to_everything(l));
}

/// Which families a socket bound to every address takes packets of.
struct Families {
  bool inet = false;
  bool inet6 = false;
  bool perhaps_inet = false;  ///< v6only is not known
};

/// A raw IPv6 socket gets IPv6 alone, whatever its v6only says (net/ipv6/raw.c).
Families families_of(const Listener& l) {
  if (l.address.unmapped().family == Family::Inet) return {.inet = true};
  if (l.protocol == Protocol::Raw) return {.inet6 = true};
  return {.inet = l.v6only == false, .inet6 = true, .perhaps_inet = !l.v6only};
}

std::string everything_words(const Host& host, const ListRow& row) {
  Families all;
  for (const std::size_t i : row.listeners) {
    const Families one = families_of(host.listeners[i]);
    all.inet |= one.inet;
    all.inet6 |= one.inet6;
    all.perhaps_inet |= one.perhaps_inet;
  }
  std::string words = "every address";
  if (!all.inet6) words = "every IPv4 address";
  if (!all.inet) words = "every IPv6 address";
  const std::string device = device_of(host.listeners[row.listeners.front()]);
  if (!device.empty()) words += " on " + device;
  if (!all.inet && all.perhaps_inet) words += ", perhaps IPv4";
  return words;
}

std::string one_address_words(const Listener& l) {
  const IpAddress address = l.address.unmapped();
  const std::string device = device_of(l);
  if (device.empty()) return address.text() + " only";
  if (address.is_loopback() && device == "lo") return address.text() + "%lo";
  if (address.is_link_local()) return address.text() + "%" + device + " only";
  return fmt::format("{} on {} only", address.text(), device);
}

/// Text that could be taken for our own words stands in quotes.
std::string quoted_if_needed(std::string_view name) {
  const bool plain = !name.empty() && name.front() != ' ' && name.back() != ' ' &&
                     name.find_first_of("()\"") == std::string_view::npos &&
                     name.find("  ") == std::string_view::npos && !name.starts_with("kernel:") &&
                     name.find(" ->") == std::string_view::npos &&
                     name.find(kBlankArrow) == std::string_view::npos;
  return plain ? std::string(name) : fmt::format("\"{}\"", name);
}

/// What is unusual about the processes of a row: "stopped", "2 stopped" where it is not all.
std::string process_notes(const Host& host, const Holders& holders) {
  struct Note {
    char state;  // as in proc(5); 0: the executable was deleted
    const char* words;
  };
  constexpr std::array<Note, 6> kNotes = {{{'T', "stopped"},
                                           {'t', "stopped by a debugger"},
                                           {'Z', "zombie"},
                                           {'X', "dead"},
                                           {'D', "in uninterruptible wait"},
                                           {0, "deleted executable"}}};
  std::string out;
  for (const Note& note : kNotes) {
    const auto has = [&](host::ProcessId id) {
      const Process& process = host.at(id);
      return note.state == 0 ? process.exe_deleted : process.state == note.state;
    };
    const auto count = static_cast<std::size_t>(
        std::count_if(holders.processes.begin(), holders.processes.end(), has));
    if (count == 0) continue;
    out += ", ";
    if (count < holders.processes.size()) out += fmt::format("{} ", count);
    out += note.words;
  }
  return out;
}

/// The unit or container, or nothing.
std::string home_words(const Listener& l) {
  if (l.container) return "container " + quoted_if_needed(container_words(*l.container));
  return l.unit.empty() ? "" : quoted_if_needed(l.unit);
}

std::string process_words(const Host& host, const Holders& holders) {
  const Process& lead = host.at(holders.lead);
  std::string out = fmt::format("{} ({}", quoted_if_needed(program_name(lead)), lead.pid);
  if (holders.processes.size() > 1) out += fmt::format(" +{}", holders.processes.size() - 1);
  return out + process_notes(host, holders) + ")";
}

/// Where a door leads: " → web (172.17.0.2:80)", " → 172.17.0.2:80,443", " → web (port 80)", or
/// nothing where that is not known.
std::string door_words(const Host& host, const ListRow& row, bool ascii) {
  // A row may have a door for each of its ports.
  const Holders holders = holders_of(host, {row.listeners.front()});
  if (holders.known != Holders::Known::Processes) return {};
  const Rare<host::Door>& door = host.at(holders.lead).door;
  const std::string arrow = fmt::format("{} ", ascii ? " ->" : kBlankArrow);
  if (!door) return {};
  const std::string told = host::door_words(*door, host.listeners[row.listeners.front()]);
  if (!told.empty()) return arrow + quoted_if_needed(told);
  if (!door->address && !door->container && door->netns == 0) return {};
  // The ports of one row come out equally far from their own numbers.
  ListRow inside = row;
  const std::uint16_t port = host::door_port(*door, host.listeners[row.listeners.front()]);
  const int shift = port - host.listeners[row.listeners.front()].port;
  for (std::uint16_t& one : inside.ports) one = static_cast<std::uint16_t>(one + shift);
  std::string to = host::door_target(*door, 0);
  if (port != 0) to += (to.empty() ? "port " : ":") + port_words(host, inside);
  std::string name;
  if (door->container) {
    name = quoted_if_needed(container_words(*door->container));
  } else if (door->netns != 0) {
    name = quoted_if_needed(netns_words(host::netns_of(*door)));
  }
  if (name.empty()) return arrow + to;
  return arrow + (to.empty() ? name : fmt::format("{} ({})", name, to));
}

/// "ssh.socket, starts ssh.service": what systemd holds the socket for. Of several socket units
/// each is named, and what they start only if it is the same.
std::string socket_unit_words(const Host& host, const Listener& l) {
  std::string out;
  const host::UnitFacts& first = host.at(l.socket_units.front());
  bool alike = true;
  for (const host::UnitId id : l.socket_units) {
    const host::UnitFacts& unit = host.at(id);
    if (!out.empty()) out += " or ";
    out += quoted_if_needed(unit.name);
    alike = alike && unit.triggers == first.triggers;
  }
  if (!alike || first.triggers.empty()) return out;
  out += ", starts " + quoted_if_needed(join(first.triggers, " and "));
  if (first.can_start == false) out += ", which cannot start: " + first.cannot_start_because;
  return out;
}

/// Every holder is a manager of systemd, which waits for the first client.
bool is_held_by_systemd_alone(const Host& host, const Holders& holders) {
  return std::all_of(holders.processes.begin(), holders.processes.end(),
                     [&](host::ProcessId id) { return host::is_systemd(host.at(id)); });
}

std::string held_for_units_words(const Host& host, const Holders& holders, const Listener& l) {
  if (!is_held_by_systemd_alone(host, holders)) {
    return process_words(host, holders) + "  " + socket_unit_words(host, l);
  }
  const Process& lead = host.at(holders.lead);
  const std::string who = lead.pid == 1 ? "systemd" : fmt::format("systemd ({})", lead.pid);
  return who + " for " + socket_unit_words(host, l);
}

/// What is left to say of a socket whose owner is not known.
std::string ownerless_words(const Listener& l) {
  if (std::string home = home_words(l); !home.empty()) return home;
  if (l.socket.cgroup) {
    const std::string_view path = *l.socket.cgroup;
    const std::string_view last = path.substr(path.rfind('/') + 1);
    if (!last.empty()) return "cgroup " + quoted_if_needed(last);
  }
  return l.socket.user.empty() ? user_words(l.socket)
                               : "user " + quoted_if_needed(user_words(l.socket));
}

/// "kernel: vxlan device vx0, and 2 more"
std::string kernel_words(const Host& host, const ListRow& row) {
  constexpr std::size_t kMost = 2;
  std::vector<std::string> words;
  for (const std::size_t i : row.listeners) {
    for (const host::KernelOwner& owner : host.listeners[i].kernel_owners) {
      std::string one = quoted_if_needed(owner.words());
      if (std::find(words.begin(), words.end(), one) == words.end()) words.push_back(one);
    }
  }
  std::string out = "kernel: ";
  for (std::size_t i = 0; i < words.size() && i < kMost; ++i) out += (i > 0 ? ", " : "") + words[i];
  if (words.size() > kMost) out += fmt::format(" and {} more", words.size() - kMost);
  return out;
}

/// A socket that all processes were searched for in vain.
std::string unheld_words(const Host& host, const ListRow& row) {
  const Listener& first = host.listeners[row.listeners.front()];
  if (!first.kernel_owners.empty()) return kernel_words(host, row);
  if (!first.held_by) return "nobody holds it";
  if (first.held_by->how == host::HeldBy::How::Kernel) return first.held_by->words;
  return "nobody's descriptor: " + first.held_by->words;
}

/// The numbers of IANA's protocol registry that raw sockets are used for.
std::string raw_protocol(std::uint16_t number) {
  struct Known {
    std::uint16_t number;
    const char* name;
  };
  constexpr std::array<Known, 18> kKnown = {{{1, "icmp"},
                                             {2, "igmp"},
                                             {4, "ipip"},
                                             {6, "tcp"},
                                             {17, "udp"},
                                             {33, "dccp"},
                                             {41, "ipv6"},
                                             {46, "rsvp"},
                                             {47, "gre"},
                                             {50, "esp"},
                                             {51, "ah"},
                                             {58, "icmpv6"},
                                             {88, "eigrp"},
                                             {89, "ospf"},
                                             {103, "pim"},
                                             {112, "vrrp"},
                                             {115, "l2tp"},
                                             {132, "sctp"}}};
  for (const Known& known : kKnown) {
    if (known.number == number) return known.name;
  }
  return fmt::format("{}", number);
}

/// Ports as text, runs of neighbours as one piece each, with the count of ports in the piece.
std::vector<std::pair<std::string, std::size_t>> port_pieces(const ListRow& row, bool raw) {
  std::vector<std::pair<std::string, std::size_t>> pieces;
  for (std::size_t i = 0; i < row.ports.size();) {
    std::size_t end = i + 1;
    while (!raw && end < row.ports.size() && row.ports[end] == row.ports[end - 1] + 1) ++end;
    const std::uint16_t first = row.ports[i];
    std::string text = raw ? raw_protocol(first) : fmt::format("{}", first);
    if (end - i > 1) {
      text += fmt::format("{}{}", end - i == 2 ? "," : "-", row.ports[end - 1]);
    }
    pieces.emplace_back(std::move(text), end - i);
    i = end;
  }
  return pieces;
}

}  // namespace

std::string bound_words(const Host& host, const ListRow& row) {
  const auto all = [&](const auto& holds) {
    return std::all_of(row.listeners.begin(), row.listeners.end(),
                       [&](std::size_t i) { return holds(host.listeners[i]); });
  };
  const Listener& first = host.listeners[row.listeners.front()];
  if (all(is_this_host_only)) return "this host only";
  if (all(is_bound_to_everything) &&
      all([&](const Listener& l) { return device_of(l) == device_of(first); })) {
    return everything_words(host, row);
  }
  if (is_bound_to_everything(first) || is_this_host_only(first)) return "several addresses";
  const std::string words = one_address_words(first);
  return all([&](const Listener& l) { return one_address_words(l) == words; })
             ? words
             : "several addresses";
}

std::string who_words(const Host& host, const ListRow& row, bool ascii) {
  const Listener& first = host.listeners[row.listeners.front()];
  const Holders holders = holders_of(host, row.listeners);
  const std::string home = home_words(first);
  std::string out;
  switch (holders.known) {
    case Holders::Known::Processes:
      if (!first.socket_units.empty()) {
        out = held_for_units_words(host, holders, first) + door_words(host, row, ascii);
        break;
      }
      out = process_words(host, holders);
      if (std::string door = door_words(host, row, ascii); !door.empty()) {
        out += door;
      } else if (!home.empty()) {
        out += "  " + home;
      }
      break;
    case Holders::Known::Nobody:
      out = unheld_words(host, row);
      if (!home.empty()) out += "  " + home;
      break;
    case Holders::Known::Unknown:
      if (first.socket_units.empty() && first.held_by &&
          first.held_by->how != host::HeldBy::How::Unreadable) {
        out = unheld_words(host, row);
        break;
      }
      out = first.socket_units.empty() ? ownerless_words(first) : socket_unit_words(host, first);
      if (first.socket_units_inferred) out.insert(0, "probably systemd for ");
      if (host.owners_asked) out += "  owner not readable";
      break;
  }
  if (row.probable_clients) out += "  probable client";
  return out;
}

std::string port_words(const Host& host, const ListRow& row) {
  const bool raw = host.listeners[row.listeners.front()].protocol == Protocol::Raw;
  std::string all;
  std::string some;
  std::size_t in_some = 0;
  for (const auto& [text, count] : port_pieces(row, raw)) {
    if (!all.empty()) all += ',';
    all += text;
    if (in_some == 0 || all.size() <= kShortenedPorts) {
      some = all;
      in_some += count;
    }
  }
  if (all.size() <= kLongestPorts) return all;
  return fmt::format("{} and {} more", some, row.ports.size() - in_some);
}

}  // namespace hark::show
