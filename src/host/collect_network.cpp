#include "host/collect_network.h"

#include "host/service_facts.h"

namespace hark::host {

Network collect_network(kernel::Source& source, const kernel::NetnsRef& netns, const Host& host,
                        NetnsId id, const NetworkRequest& request) {
  Network network = read_network(source, netns, id, request);
  // Half-open connections are counted where they can fill a queue.
  const bool cookies = network.settings.syncookies.value_or(1) != 0;
  network.services = read_service_facts(source, netns, host, id, {.half_open = !cookies});
  return network;
}

}  // namespace hark::host
