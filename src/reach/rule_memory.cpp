#include "reach/rule_memory.h"

namespace hark::reach {
namespace {

void blank(Tuple& tuple, const Clients& clients) {
  for (IpAddress* address : {&tuple.source, &tuple.destination}) {
    if (*address == clients.address()) address->bytes = {};
  }
  for (std::uint16_t* port : {&tuple.source_port, &tuple.destination_port}) {
    if (*port == clients.port()) *port = 0;
  }
}

}  // namespace

RuleMemory::Rules& RuleMemory::of(HookPoint hook, const Packet& packet, const ConntrackView& view,
                                  const Clients& clients) {
  Situation now{.hook = hook, .packet = packet, .view = view};
  blank(now.packet.tuple, clients);
  if (now.view.connection) {
    blank(now.view.connection->original, clients);
    blank(now.view.connection->reply, clients);
  }
  for (Situation& known : situations_) {
    if (known.hook == now.hook && known.packet == now.packet && known.view == now.view) {
      return known.rules;
    }
  }
  return situations_.emplace_back(std::move(now)).rules;
}

}  // namespace hark::reach
