// IPVS on the way of a packet. net/netfilter/ipvs/ip_vs_core.c: its hooks stand at LOCAL_IN behind
// the filters (NF_IP_PRI_NAT_SRC - 1) and at LOCAL_OUT right behind NAT (NF_IP_PRI_NAT_DST + 2), of
// both families since Linux 2.6.36. So the input chain is asked about the service's own address.
//
// What IPVS then sends on is not followed: which server gets it, connections that it keeps, what it
// hides from conntrack (/proc/sys/net/ipv4/vs/conntrack) and how answers come back by its hook at
// FORWARD decide, and no kernel was there to compare with. Exact are two ends: no server takes new
// clients, and all that do are this host itself and get it as it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/network.h"
#include "reach/netfilter.h"
#include "reach/packet.h"
#include "reach/world.h"

namespace hark::reach {

/// The service that takes the first packet of a connection; nullptr: none. ip_vs_service_find().
[[nodiscard]] const host::IpvsService* ipvs_service(const host::Network& network,
                                                    const Packet& packet);

/// Its servers that get new clients.
[[nodiscard]] std::vector<const decode::IpvsBackend*> ipvs_servers(
    const host::IpvsService& service);

/// How it is told: words_of() says "IPVS service tcp 10.96.0.10:443".
[[nodiscard]] RulePlace place_of(const host::IpvsService& service);

/// kube-proxy's mode "ipvs" keeps the addresses of all services on a link of this name.
[[nodiscard]] bool has_kube_ipvs(const host::Network& network);

/// At which priority its hook stands; nothing: it has none there.
[[nodiscard]] std::optional<std::int32_t> ipvs_priority(HookPoint hook);
/// What the hook makes of the packet. Nothing: no service takes it.
[[nodiscard]] std::optional<HookResult> run_ipvs(World& world, const Packet& packet);

}  // namespace hark::reach
