#include "reach/way_out.h"

#include <string>
#include <vector>

#include "reach/choices.h"
#include "reach/routing.h"
#include "reach/world.h"

namespace hark::reach {

std::optional<WayOut> way_towards(const host::Host& host, const host::Network& network,
                                  const IpAddress& destination, std::uint32_t link) {
  Choices choices;
  std::vector<Step> path;
  std::vector<std::string> assumptions;
  const std::vector<std::string> waived;
  World world{host, network, choices, path, assumptions, waived};
  Flow flow;
  flow.family = destination.family;
  flow.source.family = destination.family;
  flow.destination = destination;
  flow.source_given = false;
  flow.out = link;
  const RouteOut out = route_output(world, flow);
  if (!out.ok || out.source.is_unspecified()) return std::nullopt;
  return WayOut{.source = out.source, .link = out.fib.link};
}

}  // namespace hark::reach
