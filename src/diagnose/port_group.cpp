#include "diagnose/port_group.h"

#include <tuple>

#include "diagnose/words.h"

namespace hark::diagnose {
namespace {

using host::Listener;

bool are_bound_alike(const Listener& a, const Listener& b) {
  const auto key = [](const Listener& one) {
    return std::tuple(one.netns, one.protocol, one.port, one.address, one.interface_index,
                      one.v6only.value_or(false), one.state);
  };
  return key(a) == key(b);
}

}  // namespace

bool divides_clients(const Facts& facts, const Listener& listener) {
  if (is_stream(listener)) return true;
  const host::Network* network = facts.network(listener);
  const host::SocketFacts* socket =
      network == nullptr ? nullptr : network->services.socket(listener.socket.inode);
  return socket != nullptr && socket->options &&
         socket->options->value(OptionPart::ReusePort).value_or(0) != 0;
}

std::vector<std::size_t> sharing_the_port(const Facts& facts, std::size_t listener) {
  const Listener& first = facts.listener(listener);
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < facts.host.listeners.size(); ++i) {
    const Listener& one = facts.listener(i);
    if (i == listener || (are_bound_alike(first, one) && divides_clients(facts, one)))
      out.push_back(i);
  }
  if (out.size() > 1 && !divides_clients(facts, first)) return {listener};
  return out;
}

}  // namespace hark::diagnose
