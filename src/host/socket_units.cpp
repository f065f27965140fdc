#include "host/socket_units.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace hark::host {
namespace {

using decode::UnitSection;

/// parse_boolean of src/basic/parse-util.c
bool is_yes(std::string_view text) {
  const std::string word = lower(text);
  return word == "1" || word == "yes" || word == "y" || word == "true" || word == "t" ||
         word == "on";
}

bool says_yes(const LoadedUnit& unit, std::string_view key) {
  return is_yes(unit.text(UnitSection::Socket, key).value_or(""));
}

/// Which protocol a Listen*= key and SocketProtocol= make; nothing: none that is listed.
std::optional<Protocol> protocol_of(std::string_view key, std::string_view asked) {
  struct Row {
    std::string_view key;
    std::string_view asked;
    Protocol protocol;
  };
  constexpr std::array kRows = {Row{"ListenStream", "", Protocol::Tcp},
                                Row{"ListenStream", "mptcp", Protocol::Mptcp},
                                Row{"ListenDatagram", "", Protocol::Udp},
                                Row{"ListenDatagram", "udplite", Protocol::Udplite}};
  for (const Row& row : kRows) {
    if (row.key == key && row.asked == asked) return row.protocol;
  }
  return std::nullopt;
}

/// How well a listener fits: the better one wins.
enum class Fit : std::uint8_t { None, WithoutInet6, Whole };

Fit fit_of(const SocketUnit& unit, const SocketUnit::Listen& listen, const Listener& listener) {
  if (listen.protocol != listener.protocol) return Fit::None;
  if (listener.interface_known && unit.device != listener.interface) {
    // The scope of a link-local address binds the socket to that device as well.
    const bool scope = unit.device.empty() && listener.address.is_link_local();
    if (!scope || (!listen.at.device.empty() && listen.at.device != listener.interface)) {
      return Fit::None;
    }
  }
  const bool inet6 = listener.address.family == Family::Inet6;
  if (listen.at.address ? *listen.at.address != listener.address
                        : !listener.address.is_unspecified()) {
    return Fit::None;
  }
  if (!inet6) return listen.at.address ? Fit::Whole : Fit::WithoutInet6;
  const bool decides = unit.v6only && listener.v6only && listener.address.is_unspecified();
  return decides && *unit.v6only != *listener.v6only ? Fit::None : Fit::Whole;
}

}  // namespace

SocketUnit socket_unit_of(const LoadedUnit& unit) {
  SocketUnit out;
  out.name = unit.name;
  const std::string asked = lower(unit.text(UnitSection::Socket, "SocketProtocol").value_or(""));
  for (const decode::UnitSetting& one : unit.settings) {
    if (one.section != UnitSection::Socket || !one.key.starts_with("Listen")) continue;
    // An empty value of any of these keys takes back those of all of them.
    if (one.value.empty()) out.listens.clear();
    const auto protocol = protocol_of(one.key, asked);
    const auto text = decode::without_specifiers(one.value, unit.name);
    const auto at = text ? decode::parse_listen_address(*text) : std::nullopt;
    if (protocol && at) out.listens.push_back({.protocol = *protocol, .at = *at});
  }
  const std::string only = lower(unit.text(UnitSection::Socket, "BindIPv6Only").value_or(""));
  if (only == "both") out.v6only = false;
  if (only == "ipv6-only") out.v6only = true;
  out.device = unit.text(UnitSection::Socket, "BindToDevice").value_or("");
  out.other_namespace = says_yes(unit, "PrivateNetwork") ||
                        unit.text(UnitSection::Socket, "NetworkNamespacePath").has_value();
  return out;
}

std::vector<std::string> services_of(const LoadedUnit& unit) {
  const auto name = decode::split_unit_name(unit.name);
  if (!name || unit.load != UnitLoad::Loaded) return {};
  const std::string prefix(name->prefix);
  if (says_yes(unit, "Accept")) return {prefix + "@.service"};
  if (auto service = unit.text(UnitSection::Socket, "Service")) {
    const auto pieces = decode::split_unit_name(*service);
    if (!pieces || pieces->type != "service") return {};
    return {std::move(*service)};
  }
  const std::string instance = name->instance ? "@" + std::string(*name->instance) : "";
  return {prefix + instance + ".service"};
}

SocketUnits::SocketUnits(std::vector<SocketUnit> units) : units_(std::move(units)) {
  for (std::size_t unit = 0; unit < units_.size(); ++unit) {
    for (std::size_t listen = 0; listen < units_[unit].listens.size(); ++listen) {
      by_port_.push_back({units_[unit].listens[listen].at.port, unit, listen});
    }
  }
  std::ranges::stable_sort(by_port_, {}, &ByPort::port);
}

std::vector<std::string> SocketUnits::fitting(const Host& host, const Listener& listener) const {
  const bool hosts = host.at(listener.netns).name == "host";
  const bool any_is_hosts =
      std::ranges::any_of(host.namespaces, [](const Netns& one) { return one.name == "host"; });
  Fit best = Fit::WithoutInet6;
  std::vector<std::string> out;
  auto at = std::ranges::lower_bound(by_port_, listener.port, {}, &ByPort::port);
  for (; at != by_port_.end() && at->port == listener.port; ++at) {
    const SocketUnit& unit = units_[at->unit];
    // Sockets are made in the manager's own namespace, unless the unit says otherwise.
    if (any_is_hosts && unit.other_namespace == hosts) continue;
    const Fit fit = fit_of(unit, unit.listens[at->listen], listener);
    if (fit < best) continue;
    if (fit > best) out.clear();
    best = fit;
    out.push_back(unit.name);
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace hark::host
