// Labels by which a container tells others its port.
#pragma once

#include <string_view>

namespace hark::decode {

/// Those of Traefik's routers and of Prometheus' discovery.
[[nodiscard]] inline bool names_port(std::string_view label) {
  constexpr std::string_view kServer = ".loadbalancer.server.port";
  return label == "traefik.port" || label == "prometheus.io/port" ||
         (label.starts_with("traefik.") && label.ends_with(kServer));
}

}  // namespace hark::decode
