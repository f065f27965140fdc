#include "reach/ipvs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "base/text.h"
#include "reach/icmp_words.h"

namespace hark::reach {

using decode::IpvsBackend;
using decode::IpvsMethod;
using host::IpvsService;

namespace {

constexpr std::uint16_t kFtp = 21;
constexpr std::uint16_t kFtpData = 20;
constexpr std::uint16_t kFirstUserPort = 1024;

/// Those of the kernel: all of them pass over a server whose weight is 0.
constexpr std::array<std::string_view, 14> kSchedulers = {
    "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "fo", "ovf", "twos"};

/// Services stand in the order of decode_ipvs().
const IpvsService* find(const host::Network& network, std::uint8_t protocol,
                        const IpAddress& address, std::uint16_t port) {
  const auto key = [](const IpvsService& one) {
    return std::tuple(one.mark, one.protocol, one.address, one.port);
  };
  const auto wanted = std::tuple(0U, protocol, address, port);
  const auto at = std::ranges::lower_bound(network.ipvs, wanted, {}, key);
  return at != network.ipvs.end() && key(*at) == wanted ? &*at : nullptr;
}

/// Of a service by mark the family is not told: it is that of its servers, as far as it has some.
const IpvsService* find_by_mark(const host::Network& network, const Packet& packet) {
  if (packet.mark == 0) return nullptr;
  auto at = std::ranges::lower_bound(network.ipvs, packet.mark, {}, &IpvsService::mark);
  for (; at != network.ipvs.end() && at->mark == packet.mark; ++at) {
    const bool other_family = std::ranges::any_of(at->backends, [&](const IpvsBackend& server) {
      return server.method != IpvsMethod::Tunnel && server.address.family != packet.family;
    });
    if (!other_family) return &*at;
  }
  return nullptr;
}

bool opens_connection(const Packet& packet) {
  if (packet.reply || packet.arp || packet.related || packet.to_all) return false;
  if (packet.protocol == kUdp) return true;
  return packet.protocol == kTcp && (packet.tcp_flags & (kSyn | kAck | kRst)) == kSyn;
}

std::string place_words(const IpAddress& address, std::uint16_t port) {
  return address.family == Family::Inet6 ? fmt::format("[{}]:{}", address.text(), port)
                                         : fmt::format("{}:{}", address.text(), port);
}

std::string_view protocol_words(std::uint8_t protocol) {
  return protocol == kTcp ? "tcp" : protocol == kUdp ? "udp" : "sctp";
}

std::shared_ptr<const ToldPlace> told(const IpvsService& service, std::string what) {
  RulePlace out = place_of(service);
  out.rule = std::move(what);
  return std::make_shared<const ToldPlace>(std::move(out));
}

HookResult passed_to_server(const IpvsService& service,
                            const std::vector<const IpvsBackend*>& servers, const Packet& packet) {
  constexpr std::size_t kMost = 3;
  std::vector<std::string> to;
  for (const IpvsBackend* one : servers) {
    const std::uint16_t port = one->port != 0 ? one->port : packet.tuple.destination_port;
    to.push_back(place_words(one->address, port));
    if (to.size() == kMost) break;
  }
  std::string words = to.empty() ? "a server" : join(to, " or ");
  if (servers.size() > to.size()) {
    words += fmt::format(" or {} more", servers.size() - to.size());
  }
  HookResult out;
  out.end = HookResult::End::Ipvs;
  out.place = told(service, "to " + words);
  out.notes = {fmt::format("ipvs to {} by {}", words, out.place->words())};
  return out;
}

}  // namespace

const IpvsService* ipvs_service(const host::Network& network, const Packet& packet) {
  if (network.ipvs.empty() || !opens_connection(packet)) return nullptr;
  if (const IpvsService* by_mark = find_by_mark(network, packet)) return by_mark;
  const IpAddress& address = packet.tuple.destination;
  const std::uint16_t port = packet.tuple.destination_port;
  if (const IpvsService* one = find(network, packet.protocol, address, port)) return one;
  if (packet.protocol == kTcp && (port == kFtpData || port >= kFirstUserPort)) {
    // For what FTP's own connection names. Others are let through: ip_vs_leave().
    const IpvsService* ftp = find(network, kTcp, address, kFtp);
    if (ftp != nullptr) return ftp->persistent ? ftp : nullptr;
  }
  return find(network, packet.protocol, address, 0);
}

std::vector<const IpvsBackend*> ipvs_servers(const IpvsService& service) {
  std::vector<const IpvsBackend*> out;
  for (const IpvsBackend& one : service.backends) {
    if (one.weight > 0) out.push_back(&one);
  }
  return out;
}

RulePlace place_of(const IpvsService& service) {
  RulePlace out;
  out.tool = "ipvs";
  out.table = service.mark != 0 ? "mark" : std::string(protocol_words(service.protocol));
  out.chain = service.mark != 0 ? fmt::format("{:#x}", service.mark)
                                : place_words(service.address, service.port);
  return out;
}

bool has_kube_ipvs(const host::Network& network) {
  return network.link("kube-ipvs0") != nullptr;
}

std::optional<std::int32_t> ipvs_priority(HookPoint hook) {
  if (hook == HookPoint::Input) return 99;
  if (hook == HookPoint::Output) return -98;
  return std::nullopt;
}

std::optional<HookResult> run_ipvs(World& world, const Packet& packet) {
  const IpvsService* service = ipvs_service(world.network, packet);
  if (service == nullptr) return std::nullopt;
  const auto servers = ipvs_servers(*service);
  // Port 0 is for services that keep their clients: ip_vs_schedule().
  const bool nowhere =
      servers.empty() || (service->mark == 0 && service->port == 0 && !service->persistent);
  const bool known = std::ranges::find(kSchedulers, service->scheduler) != kSchedulers.end();
  if (nowhere && known) {
    const IcmpKind closed = port_unreachable(packet.family);
    HookResult out;
    out.end = HookResult::End::Reject;
    out.icmp_type = closed.type;
    out.icmp_code = closed.code;
    out.place = told(*service, "it has no server that takes new clients");
    return out;
  }
  const bool here = !servers.empty() && std::ranges::all_of(servers, [](const IpvsBackend* one) {
    return one->method == IpvsMethod::Local;
  });
  if (here) return std::nullopt;
  return passed_to_server(*service, servers, packet);
}

}  // namespace hark::reach
