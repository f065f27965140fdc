#include "cli/why_engine.h"

#include <memory>

#include "host/collect_network.h"
#include "kernel/resolve_name.h"
#include "reach/choices.h"
#include "reach/routing.h"
#include "reach/world.h"

namespace hark::cli {
namespace {

/// By which link this host sends to an address; of several next hops the first.
std::optional<std::uint32_t> link_to(const host::Host& host, const host::Network& network,
                                     const IpAddress& address) {
  reach::Choices choices;
  std::vector<reach::Step> path;
  std::vector<std::string> assumptions;
  const std::vector<std::string> waived;
  reach::World world{host, network, choices, path, assumptions, waived};
  reach::Flow flow;
  flow.family = address.family;
  flow.source.family = address.family;
  flow.destination = address;
  flow.source_given = false;
  const reach::RouteOut out = reach::route_output(world, flow);
  if (!out.ok || out.fib.link == 0) return std::nullopt;
  return out.fib.link;
}

}  // namespace

WhyEngine why_engine() {
  WhyEngine engine;
  engine.read = [](kernel::Source& source, const kernel::NetnsRef& way, const host::Host& host,
                   host::NetnsId id) {
    return host::collect_network(source, way, host, id, host::network_request(host, id));
  };
  engine.tracer = [](const host::Host& host, const host::Network& network,
                     host::Networks* others) -> WhyEngine::Trace {
    const auto tracer = std::make_shared<const reach::Tracer>(host, network, others);
    return [tracer](const reach::Question& question) { return tracer->trace(question); };
  };
  engine.reach = reach::reach_all;
  engine.routing = [](const host::Host& host, const host::Network& network) {
    return reach::Routing{
        .link_to = [&](const IpAddress& to) { return link_to(host, network, to); },
        .is_own = [&](const IpAddress& one) { return reach::is_own_address(network, one); }};
  };
  engine.resolve = [](const std::string& name) { return kernel::resolve_name(name); };
  return engine;
}

}  // namespace hark::cli
