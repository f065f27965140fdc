#include "host/near_ports.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>

#include "base/text.h"
#include "decode/netlink_attributes.h"
#include "decode/passwd.h"
#include "decode/socket_details.h"
#include "host/socket_units.h"
#include "host/unit_files.h"
#include "host/unit_states.h"

namespace hark::host {
namespace {

constexpr std::size_t kMost = 3;
constexpr std::uint8_t kEstablished = 1;  // TCP_ESTABLISHED of net/tcp_states.h

std::string port_words(PortQuestion asked) {
  return std::string(name_of(asked.protocol)) + " " + std::to_string(asked.port);
}

std::string address_words(const IpAddress& address, std::uint16_t port) {
  const IpAddress plain = address.unmapped();
  const bool inet = plain.family == Family::Inet;
  return (inet ? plain.text() : "[" + plain.text() + "]") + ":" + std::to_string(port);
}

std::string user_words(kernel::Source& source, std::uint32_t uid) {
  if (const auto text = source.read_file("/etc/passwd")) {
    for (const decode::UserName& user : decode::decode_passwd(*text)) {
      if (user.uid == uid) return user.name;
    }
  }
  return "user " + std::to_string(uid);
}

void add_bound(kernel::Source& source, const ServiceFacts& facts, PortQuestion asked,
               std::vector<Near>& out) {
  std::size_t told = 0;
  for (const BoundSocket& bound : facts.bound) {
    if (bound.port != asked.port || told == kMost) continue;
    ++told;
    out.push_back({"bound-not-listening",
                   {},
                   port_words(asked) + ": a socket of " + user_words(source, bound.uid) +
                       " is bound to " + address_words(bound.address, bound.port) +
                       " and does not listen"});
  }
}

/// Is it one of those that clients get who ask for none?
bool is_ephemeral(kernel::Source& source, const kernel::NetnsRef& netns, std::uint16_t port) {
  constexpr std::uint16_t kFirst = 32768, kLast = 60999;  // as it is by default
  const auto text =
      source.read_net_table({.netns = netns, .pid = 0}, kernel::NetTable::LocalPortRange);
  if (!text) return port >= kFirst && port <= kLast;
  std::string_view rest = as_text(*text);
  std::string_view line = next_piece(rest, '\n');
  const auto first = parse_number<std::uint16_t>(next_word(line));
  const auto last = parse_number<std::uint16_t>(next_word(line));
  return port >= first.value_or(kFirst) && port <= last.value_or(kLast);
}

void add_gone(kernel::Source& source, const kernel::NetnsRef& netns, PortQuestion asked,
              std::vector<Near>& out) {
  if (is_ephemeral(source, netns, asked.port)) return;
  std::size_t established = 0;
  std::size_t closing = 0;
  for (const Family family : {Family::Inet, Family::Inet6}) {
    const auto answer = source.netlink(netns, decode::kNetlinkSockDiag,
                                       decode::connections_request(family, asked.port));
    if (!answer) continue;
    const auto sockets = decode::decode_socket_details(*answer);
    if (!sockets) continue;
    for (const decode::SocketDetails& one : *sockets) {
      if (one.local_port != asked.port) continue;
      ++(one.state == kEstablished ? established : closing);
    }
  }
  std::vector<std::string> parts;
  if (established > 0) parts.push_back(std::to_string(established) + " established");
  if (closing > 0) parts.push_back(std::to_string(closing) + " closing");
  if (parts.empty()) return;
  const bool one = established + closing == 1;
  out.push_back({"gone",
                 {},
                 port_words(asked) + ": nobody listens any more, but " +
                     (one ? "a connection" : "connections") + " of that port " +
                     (one ? "is" : "are") + " left: " + join(parts, ", ")});
}

/// A unit that names the port.
struct Namer {
  std::string name;
  std::string by;  ///< "ListenStream=80"
};

std::optional<Namer> socket_namer(const LoadedUnit& unit, PortQuestion asked) {
  for (const SocketUnit::Listen& listen : socket_unit_of(unit).listens) {
    if (listen.protocol != asked.protocol || listen.at.port != asked.port) continue;
    const char* key = asked.protocol == Protocol::Tcp ? "ListenStream=" : "ListenDatagram=";
    const std::string at = listen.at.address ? address_words(*listen.at.address, asked.port)
                                             : std::to_string(asked.port);
    return Namer{unit.name, key + at};
  }
  return std::nullopt;
}

std::optional<Namer> service_namer(const LoadedUnit& unit, PortQuestion asked) {
  for (const char* key : {"ExecStart", "Environment"}) {
    for (const std::string_view value :
         decode::all_values(unit.settings, decode::UnitSection::Service, key)) {
      if (names_port(value, asked.port)) {
        return Namer{unit.name, std::string(key) + "= with " + std::to_string(asked.port)};
      }
    }
  }
  return std::nullopt;
}

std::vector<Namer> namers(kernel::Source& source, PortQuestion asked) {
  std::vector<Namer> out;
  UnitFiles files(source, system_unit_folders(source));
  if (!files.readable()) return out;
  std::set<std::string> met;
  for (const std::string& name : enabled_units(source)) {
    const bool socket = name.ends_with(".socket");
    if (!socket && !name.ends_with(".service")) continue;
    const LoadedUnit unit = files.load(name);
    if (unit.load != UnitLoad::Loaded || !met.insert(unit.name).second) continue;
    auto found = socket ? socket_namer(unit, asked) : service_namer(unit, asked);
    if (found) out.push_back(std::move(*found));
  }
  return out;
}

void add_should_be(kernel::Source& source, PortQuestion asked, std::vector<Near>& out) {
  const std::vector<Namer> found = namers(source, asked);
  if (found.empty()) return;
  std::vector<std::string> names;
  for (const Namer& namer : found) names.push_back(namer.name);
  const auto states = ask_unit_states(source, names);
  std::size_t told = 0;
  for (const Namer& namer : found) {
    UnitFacts facts;
    if (states) {
      if (const auto at = states->find(namer.name); at != states->end())
        add_state(at->second, facts);
    }
    // A service that runs and does not listen may have its port from somewhere else.
    if (facts.active_state == "active" && !namer.name.ends_with(".socket")) continue;
    if (told++ == kMost) return;
    std::string state = "is enabled";
    if (!facts.active_state.empty()) state += " and " + facts.active_state;
    if (!facts.result.empty() && facts.result != "success") state += " (" + facts.result + ")";
    out.push_back({"should-be",
                   {},
                   port_words(asked) + ": " + namer.name + " " + state + ", and its " + namer.by +
                       " says that it listens there"});
  }
}

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

bool speaks_of_ports(std::string_view before) {
  while (!before.empty() && (before.back() == ' ' || before.back() == '=' || before.back() == '"' ||
                             before.back() == '\'')) {
    before.remove_suffix(1);
  }
  std::size_t begin = before.size();
  while (begin > 0 && is_word_character(before[begin - 1])) --begin;
  const std::string word = lower(before.substr(begin));
  constexpr std::array<std::string_view, 3> kShort = {"-p", "-l", "-b"};
  return word.find("port") != std::string::npos || word.find("listen") != std::string::npos ||
         word.find("bind") != std::string::npos || std::ranges::find(kShort, word) != kShort.end();
}

}  // namespace

bool names_port(std::string_view words, std::uint16_t port) {
  const std::string digits = std::to_string(port);
  for (std::size_t at = words.find(digits); at != std::string_view::npos;
       at = words.find(digits, at + 1)) {
    const std::string_view before = words.substr(0, at);
    const std::string_view behind = words.substr(at + digits.size());
    const bool ends = behind.empty() || !(is_word_character(behind.front()) ||
                                          behind.front() == '.' || behind.front() == ':');
    if (!ends || before.empty()) continue;
    const char last = before.back();
    if (last == ':') return true;
    const bool parted = last == ' ' || last == '=' || last == '"' || last == '\'';
    const bool attached = before.ends_with(" -p") || before.ends_with(" -l");
    if (attached || (parted && speaks_of_ports(before))) return true;
  }
  return false;
}

std::vector<Near> near_ports(kernel::Source& source, const kernel::NetnsRef& netns,
                             const ServiceFacts& facts, PortQuestion asked) {
  std::vector<Near> out;
  if (asked.protocol == Protocol::Tcp) {
    add_bound(source, facts, asked, out);
    add_gone(source, netns, asked, out);
  }
  add_should_be(source, asked, out);
  return out;
}

}  // namespace hark::host
