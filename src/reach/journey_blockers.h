// Blockers that a journey meets besides rules, routes and services.
#pragma once

#include <optional>
#include <string>

#include "host/network.h"
#include "reach/routing.h"
#include "reach/service.h"
#include "reach/world.h"

namespace hark::reach {

/// One whose only evidence is what it says.
[[nodiscard]] Blocker plain_blocker(const char* code, const std::string& text,
                                    const std::string& where, const std::string& verify);

/// Nothing comes in by this link.
[[nodiscard]] std::optional<Blocker> link_down(const World& world, const host::Link& link);

/// The packet left this host, or this namespace: what becomes of it there is not seen. Whoever
/// listens for it in another namespace of this host is named, with how to ask there.
[[nodiscard]] Blocker passed_on(const World& world, const Packet& packet);

/// Nobody listens in the namespace to which the packet was passed on: `cause` says so, and on which
/// ports somebody does.
void add_other_ports(const World& world, const Packet& packet, Cause& cause);

/// Of a client on this host it is the way there that is missing, not the way back.
void name_route(const RouteOut& route, Blocker& blocker);

}  // namespace hark::reach
