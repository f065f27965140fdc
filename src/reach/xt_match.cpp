#include <array>

#include "reach/xt.h"
#include "reach/xt_ask.h"

namespace hark::reach {

const Connection* Ask::connection() const {
  const bool tracked = packet.ct == CtState::New || packet.ct == CtState::Established ||
                       packet.ct == CtState::Related;
  return tracked && view.connection ? &*view.connection : nullptr;
}

std::string Ask::words() const {
  return words_of(match, packet.family, &world.network);
}

bool Ask::unsure(std::string_view code, Doubt doubt) const {
  const std::string what = words();
  return world.choices.pick({std::string(code), what + " of " + context.place,
                             std::string(code) + ":" + context.place + ":" + what + ":" +
                                 std::to_string(drawn(world, doubt)),
                             doubt});
}

bool has_in(HookPoint hook) {
  return hook == HookPoint::Prerouting || hook == HookPoint::Input || hook == HookPoint::Forward;
}

bool has_out(HookPoint hook) {
  return hook == HookPoint::Forward || hook == HookPoint::Output || hook == HookPoint::Postrouting;
}

namespace {

std::string link_name(const World& world, std::uint32_t index) {
  const host::Link* link = index == 0 ? nullptr : world.network.link(index);
  return link == nullptr ? std::string() : link->name;
}

Judge judge_of(std::string_view name) {
  if (name == "set") return judge_set;
  for (const auto& find :
       {connection_judge, header_judge, state_judge, chance_judge, payload_judge})
    if (const Judge judge = find(name)) return judge;
  return nullptr;
}

}  // namespace

std::string Ask::in() const {
  return has_in(context.hook) ? link_name(world, packet.in) : std::string();
}

std::string Ask::out() const {
  return has_out(context.hook) ? link_name(world, packet.out) : std::string();
}

bool has_ports(const Packet& packet) {
  return packet.protocol == kTcp || packet.protocol == kUdp || packet.protocol == kUdplite;
}

XtMatched xt_match(World& world, const XtContext& context, const decode::nft::XtMatch& match,
                   const Packet& packet, const ConntrackView& view) {
  const auto blob = decode::xt::read(match);
  const Judge judge = blob ? judge_of(match.name) : nullptr;
  if (judge == nullptr) {
    const std::string what = words_of(match, packet.family, &world.network);
    return when(world.choices.pick({"xt-match", what + " of " + context.place,
                                    "xt-match:" + context.place + ":" + what, Doubt::Opaque}));
  }
  return judge({world, context, *blob, match, packet, view});
}

}  // namespace hark::reach
