// All that a trace needs of one namespace besides its listeners.
#pragma once

#include "host/network.h"
#include "kernel/source.h"

namespace hark::host {

/// read_network() and, for the listeners of `host` in that namespace, read_service_facts().
[[nodiscard]] Network collect_network(kernel::Source& source, const kernel::NetnsRef& netns,
                                      const Host& host, NetnsId id, const NetworkRequest& request);

/// As if NetworkRequest::socket_options had been false.
void forget_socket_options(Network& network);

/// Rules of firewalls alone, with the sets that they ask.
[[nodiscard]] Network read_rules(kernel::Source& source, const kernel::NetnsRef& netns, NetnsId id);

}  // namespace hark::host
