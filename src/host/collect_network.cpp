#include "host/collect_network.h"

#include <cerrno>
#include <string>

#include "host/network_reader.h"
#include "host/service_facts.h"

namespace hark::host {
namespace {

void note_refused(const NetworkReading& reading, const RefusedOptions& refused) {
  const std::string what = "options of " + std::to_string(refused.sockets) +
                           (refused.sockets == 1 ? " socket" : " sockets");
  Error error = refused.error;
  if (error.code == EOPNOTSUPP) {
    error.why = "to look would give them another class of the cgroups net_cls and net_prio";
  }
  note_unread(reading, NetworkFact::SocketOptions, what, error);
}

}  // namespace

Network collect_network(kernel::Source& source, const kernel::NetnsRef& netns, const Host& host,
                        NetnsId id, const NetworkRequest& request) {
  Network network;
  source.visit(netns, [&] {
    network = read_network(source, netns, id, request);
    // Half-open connections are counted where they can fill a queue.
    const bool cookies = network.settings.syncookies.value_or(1) != 0;
    network.services = read_service_facts(source, netns, host, id,
                                          {.half_open = !cookies,
                                           .options = request.socket_options,
                                           .bound = request.bound_sockets,
                                           .folders = request.folders});
  });
  if (network.services.refused.sockets > 0) {
    note_refused({.source = source, .netns = netns, .request = request, .network = network},
                 network.services.refused);
  }
  return network;
}

void forget_socket_options(Network& network) {
  for (SocketFacts& socket : network.services.sockets) socket.options = {};
  network.services.refused = {};
  std::erase_if(network.unread,
                [](const auto& one) { return one.first == NetworkFact::SocketOptions; });
}

Network read_rules(kernel::Source& source, const kernel::NetnsRef& netns, NetnsId id) {
  Network network;
  network.netns = id;
  const NetworkRequest request;
  source.visit(netns, [&] {
    read_firewalls({.source = source, .netns = netns, .request = request, .network = network});
  });
  return network;
}

}  // namespace hark::host
