// What a person is told of a published port. Texts are not escaped.
#pragma once

#include <string>
#include <vector>

#include "host/host.h"
#include "host/network.h"
#include "reach/published.h"

namespace hark::show {

/// "3000", "8000-8010", "every port"
[[nodiscard]] std::string published_ports(const reach::PublishedPort& port);

/// Where it leads, behind the address that it is published on unless that is every address:
/// "10.88.0.7:3000", "127.0.0.1 -> 172.17.0.2:80", "10.96.0.10 -> 10.244.0.3:53 and 2 more"
[[nodiscard]] std::string published_target(const reach::PublishedPort& port, bool ascii);

/// "172.17.0.2:80", "port 3128 of this host", "not known"
[[nodiscard]] std::string lead_words(const reach::PublishedPort& port, const reach::LeadsTo& lead);

/// "grafana (812)  container grafana", "nobody listens there  container web", "not seen from here"
[[nodiscard]] std::string published_who(const host::Host& host, const reach::PublishedPort& port,
                                        bool ascii);

/// Who stand behind it, as listeners of the host.
[[nodiscard]] std::vector<std::size_t> published_owners(const reach::PublishedPort& port);

/// "anywhere, past ufw (DNAT)", "this host only"
[[nodiscard]] std::string published_reach(const host::Network& network,
                                          const reach::PublishedPort& port);

/// "tcp 3000 is published: ip nat DOCKER handle 5 sends it on to 10.88.0.7:3000, grafana (812)"
[[nodiscard]] std::string published_sentence(const host::Host& host,
                                             const reach::PublishedPort& port);

}  // namespace hark::show
