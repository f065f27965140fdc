#include "reach/journey.h"

#include <cerrno>
#include <string>

#include "host/near_words.h"
#include "reach/bridged.h"
#include "reach/carrier.h"
#include "reach/icmp_words.h"
#include "reach/journey_blockers.h"
#include "reach/passage.h"
#include "reach/reply.h"
#include "reach/shell_word.h"
#include "reach/sites.h"
#include "reach/sk_lookup.h"
#include "reach/socket_choice.h"
#include "reach/socket_options.h"
#include "reach/steps.h"
#include "reach/unanswerable.h"
#include "reach/way_back.h"

namespace hark::reach {
namespace {

/// The packets of one client's attempt, and what conntrack keeps of them.
class Journey {
 public:
  Journey(const World& world, const Question& question)
      : sites_(world),
        world_(sites_.home().world),
        question_(question),
        carrier_(sites_, question),
        back_(sites_, question, carrier_) {}

  JourneyEnd run() {
    const host::Link* link = world_.network.link(question_.interface);
    local_ = link != nullptr && link->is_loopback();
    back_.local = local_;
    if (auto end = reach_link(link)) return *end;
    Packet packet = first_packet();
    if (auto end = enter(packet)) return *end;
    return deliver(packet);
  }

 private:
  [[nodiscard]] bool tcp() const { return question_.protocol == Protocol::Tcp; }

  /// At the sockets that the client's packet came to.
  JourneyEnd ends(Outcome outcome, Blocker blocker) const {
    return ends(*there_, outcome, std::move(blocker));
  }

  static JourneyEnd ends(const Site& site, Outcome outcome, Blocker blocker) {
    name_place(site, blocker);
    return {.outcome = outcome, .blocker = std::move(blocker)};
  }

  /// What is asked from here on is asked where the socket is.
  World& there() {
    Sites::enter(*there_);
    return there_->world;
  }

  /// Does the client's packet come in at all?
  std::optional<JourneyEnd> reach_link(const host::Link* link) {
    if (link == nullptr || local_) return std::nullopt;
    if (auto blocker = link_down(world_, *link)) {
      add_stop(world_, Stage::Link, *blocker);
      return ends(Outcome::NoNeighbour, std::move(*blocker));
    }
    const auto& network = world_.network;
    const bool neighbours = on_link(network, question_.interface, question_.source) &&
                            on_link(network, question_.interface, question_.destination);
    if (neighbours) {
      const std::size_t before = world_.path.size();
      auto blocker =
          unresolvable(world_, question_.interface, question_.source, question_.destination);
      if (!blocker) {
        world_.heard = Heard{question_.interface, question_.source};
      } else if (carrier_.client_knows(*link, question_.destination)) {
        world_.path.resize(before);
      } else {
        return ends(Outcome::NoNeighbour, std::move(*blocker));
      }
    }
    add_step(world_, Stage::Link, "pass", link->name + " is up",
             "ip link show dev " + shell_word(link->name));
    return std::nullopt;
  }

  Packet first_packet() const {
    Packet packet;
    packet.family = question_.source.family;
    packet.protocol = tcp() ? kTcp : question_.protocol == Protocol::Udplite ? kUdplite : kUdp;
    packet.tuple = {.source = question_.source,
                    .destination = question_.destination,
                    .source_port = question_.source_port.value_or(kAnyPort),
                    .destination_port = question_.port};
    packet.tcp_flags = tcp() ? kSyn : 0;
    packet.payload_length = tcp() ? 0 : 1;
    packet.in = local_ ? 0 : question_.interface;
    packet.has_mac = true;
    packet.source_mac = client_mac();
    packet.from_socket = local_;
    constexpr std::uint8_t kBroadcast = 3;  // RTN_BROADCAST
    packet.to_all =
        !local_ && packet.family == Family::Inet &&
        address_type(world_.network, question_.destination, 0, world_.routes) == kBroadcast;
    return packet;
  }

  /// Of the client, or of the router that sends on its packets.
  std::optional<Bytes> client_mac() const {
    if (local_) return std::nullopt;
    for (const host::Neighbour& neighbour : world_.network.neighbours) {
      if (neighbour.link == question_.interface && neighbour.address == question_.source &&
          !neighbour.mac.empty()) {
        return neighbour.mac;
      }
    }
    return std::nullopt;
  }

  /// From the client up to the sockets. Nothing: it got there.
  std::optional<JourneyEnd> enter(Packet& packet) {
    Carried way;
    if (local_) {
      if (auto end = leave_client(packet, way)) return end;
    } else {
      way = carrier_.go_on(sites_.home(), packet);
    }
    there_ = way.site;
    if (way.blocker) name_rewritten(*way.site, *way.blocker);
    switch (way.to) {
      case Carried::To::Local:
        return to_everybody(way.route, packet.to_all);
      case Carried::To::Refused:
        return refuse(*way.site, packet, std::move(*way.blocker), way.refusal);
      case Carried::To::Unseen:
        return ends(Outcome::Unknown, std::move(*way.blocker));
      case Carried::To::Client:
      case Carried::To::Lost:
        break;
    }
    return ends(Outcome::Silent, std::move(*way.blocker));
  }

  /// What stops a packet whose destination was rewritten is told as that.
  static void name_rewritten(const Site& site, Blocker& blocker) {
    const auto& connection = site.view.connection;
    if (!connection || !connection->destination_nat) return;
    const IpAddress& now = connection->reply.source;
    const bool missing = blocker.cause.code == "local-route-missing";
    if (blocker.cause.code == "loopback-dst" || (missing && now.is_loopback())) {
      blocker.cause.code = "dnat-to-loopback";
    }
    if (blocker.cause.code == "not-local") blocker.cause.code = "forward-disabled";
  }

  /// TCP takes no connection by a broadcast or multicast address (tcp_conn_request), and nobody is
  /// told of a closed port there.
  std::optional<JourneyEnd> to_everybody(const RouteIn& route, bool to_all) {
    back_.everybody = route.broadcast;
    // It was one on the wire, whatever NAT has made of it (tcp_v4_rcv asks for PACKET_HOST).
    if ((!back_.everybody && !to_all) || !tcp()) return std::nullopt;
    const std::string text =
        question_.destination.text() + " is a broadcast or multicast address, and TCP takes none";
    Blocker blocker = plain_blocker("broadcast-dst", text, "route",
                                    "ip route get " + question_.destination.text());
    add_stop(there(), Stage::Socket, blocker);
    return ends(Outcome::Silent, std::move(blocker));
  }

  /// A client on this host: its packet goes out by lo, or to another namespace.
  Departure depart_client(Packet& packet, Stage stage, Carried& way) {
    Site& home = sites_.home();
    Sites::enter(home);
    world_.carried = true;
    Departure out = depart(world_, packet, home.view, question_.bound, stage);
    world_.carried = false;
    if (out.blocker) return out;
    if (world_.network.is_loopback(packet.out)) {
      packet.in = packet.out;
      packet.out = 0;
      way = carrier_.go_on(home, packet, there_);
    } else {
      way = carrier_.leave(home, packet, out.route.fib, there_);
    }
    return out;
  }

  std::optional<JourneyEnd> leave_client(Packet& packet, Carried& way) {
    Departure out = depart_client(packet, Stage::Route, way);
    if (!out.blocker) return std::nullopt;
    there_ = &sites_.home();
    if (out.unseen) return ends(Outcome::Unknown, std::move(*out.blocker));
    if (out.refusal) {
      JourneyEnd end = refuse(*there_, packet, *out.blocker, *out.refusal);
      if (tcp() || end.outcome != Outcome::Silent) return end;
    }
    // connect() is not told what becomes of its SYN once it has a route (tcp_connect); a datagram's
    // sender is.
    const bool told = out.error != 0 && (!tcp() || !out.sent);
    if (!out.route.ok) name_route(out.route, *out.blocker);
    JourneyEnd end = ends(told ? Outcome::Rejected : Outcome::Silent, std::move(*out.blocker));
    if (told) end.error = out.error;
    return end;
  }

  /// At the sockets.
  JourneyEnd deliver(Packet& packet) {
    World& world = there();
    const ConntrackView& view = there_->view;
    delivered_ = packet.tuple;
    Packet asked = packet;
    if (view.tproxy_port != 0) {
      asked.tuple.destination_port = static_cast<std::uint16_t>(view.tproxy_port);
      if (view.tproxy_address) asked.tuple.destination = *view.tproxy_address;
    }
    if (local_ && sites_.is_home(*there_)) asked.in = link_for_sockets(world_.network, asked);
    const Steered steered = steer(world, asked);
    if (steered.to == Steered::To::Unknown) return ends(Outcome::Unknown, steered.blocker);
    if (steered.to == Steered::To::Nobody) return closed(packet, steered.blocker);
    const auto chosen = steered.to == Steered::To::Socket ? std::optional(steered.listener)
                                                          : choose_socket(world, asked);
    if (!chosen && !world.is_waived("no-socket")) {
      Blocker blocker = {.cause = no_socket(world, packet), .key = "no-socket"};
      if (!sites_.is_home(*there_)) add_other_ports(world, packet, blocker.cause);
      return closed(packet, std::move(blocker));
    }
    const host::Listener* listener = chosen ? &world.host.listeners[*chosen] : nullptr;
    if (listener != nullptr) {
      add_step(world, Stage::Socket, "pass", host::listener_words(world.host, *listener),
               std::string(tcp() ? "ss -Htlnp" : "ss -Hulnp") +
                   " sport = :" + std::to_string(asked.tuple.destination_port));
      if (auto blocker = socket_refuses(world, *listener, packet)) {
        add_stop(world, Stage::Handshake, *blocker);
        return with_socket(ends(Outcome::Silent, std::move(*blocker)), chosen);
      }
    }
    return with_socket(tcp() ? shake_hands(packet, listener) : answer(packet, listener), chosen);
  }

  static JourneyEnd with_socket(JourneyEnd end, std::optional<std::size_t> chosen) {
    if (!end.delivers_to) end.delivers_to = chosen;
    return end;
  }

  JourneyEnd closed(const Packet& packet, Blocker blocker) {
    add_stop(there(), Stage::Socket, blocker);
    if (back_.everybody) return ends(Outcome::Silent, std::move(blocker));
    const IcmpKind closed = port_unreachable(packet.family);
    return refuse(*there_, packet, std::move(blocker),
                  {.tcp_reset = tcp(), .icmp_type = closed.type, .icmp_code = closed.code});
  }

  /// The client is refused, unless the refusal gets lost.
  JourneyEnd refuse(Site& site, const Packet& packet, Blocker why, const Refusal& refusal) {
    Sites::enter(site);
    Packet reply = refusal_of(site.world, packet, refusal, refuser(why));
    const bool reset = refusal.tcp_reset && tcp();
    if (!reset) world_.assumptions.emplace_back("the limits of ICMP errors are not reached");
    JourneyEnd end;
    auto lost = never_refused(site.world, packet, refusal, refuser(why));
    if (lost) name_place(site, *lost);
    if (!lost && reset && !local_ && sites_.is_home(site) && refuser(why) != Refuser::Socket &&
        came_by_ports(site.world, packet)) {
      // It leaves by that port, past all rules and NAT (nf_send_reset).
      lost = back_.taken_for_answer(reply);
    } else if (!lost) {
      lost = back_.send(site, reply, link_scope(packet));
    }
    if (lost) {
      end = ends(site, Outcome::Silent, std::move(why));
      end.also.push_back(std::move(*lost));
      return end;
    }
    const Family family = packet.family;
    const bool refused = reset || is_port_unreachable(family, refusal.icmp_type, refusal.icmp_code);
    end = ends(site, refused ? Outcome::Refused : Outcome::Rejected, std::move(why));
    end.error = reset ? ECONNREFUSED : icmp_errno(family, refusal.icmp_type, refusal.icmp_code);
    if (!reset) end.icmp = icmp_name(family, refusal.icmp_type, refusal.icmp_code);
    if (refused && reset) end.icmp.clear();
    add_step(site.world, Stage::Reply, "pass",
             reset ? "a TCP reset leaves" : "ICMP " + end.icmp + " leaves");
    return end;
  }

  static Refuser refuser(const Blocker& why) {
    if (why.key == "no-socket" || why.cause.code == "sk-lookup") return Refuser::Socket;
    return why.cause.code.starts_with("prerouting") ? Refuser::RuleBeforeRouting : Refuser::Rule;
  }

  /// The link that an answer must leave by, where the address alone does not say.
  std::uint32_t link_scope(const Packet& packet) const {
    return packet.tuple.source.is_link_local() && packet.family == Family::Inet6 && !local_
               ? packet.in
               : 0;
  }

  std::uint32_t bound_link(const Packet& packet, const host::Listener* listener) const {
    if (listener != nullptr && listener->interface_index != 0) return listener->interface_index;
    return link_scope(packet);
  }

  void speak_for(Packet& reply, const host::Listener* listener) const {
    reply.from_socket = true;
    if (listener == nullptr) return;
    reply.socket_uid = listener->socket.uid;
    reply.socket_mark =
        static_cast<std::uint32_t>(option(there_->world, *listener, OptionPart::Mark).value_or(0));
    // inet_request_mark(): the client's, where the host accepts marks, only if it has none itself.
    if (reply.socket_mark != 0 || !tcp()) reply.mark = reply.socket_mark;
    if (listener->socket.cgroup) reply.socket_cgroup = *listener->socket.cgroup;
  }

  JourneyEnd shake_hands(const Packet& packet, const host::Listener* listener) {
    Packet reply = answer_to(there(), packet);
    reply.tcp_flags = kSyn | kAck;
    speak_for(reply, listener);
    const bool home = sites_.is_home(*there_);
    auto lost_answer = back_.send(*there_, reply, bound_link(packet, listener));
    if (auto& lost = lost_answer) {
      if (const auto bounced = back_.rebound) {
        JourneyEnd end = refuse(*bounced->site, bounced->reset, *lost, bounced->refusal);
        if (end.outcome != Outcome::Silent) return end;
      }
      if (lost->cause.code == "no-route" || lost->cause.code.starts_with("route-")) {
        lost->cause.code = "no-route-back";
      }
      return ends(has_synproxy() ? Outcome::Hangs : Outcome::Silent, std::move(*lost));
    }
    const std::string back =
        home ? link_name(world_, reply.in != 0 ? reply.in : reply.out) : "the same way";
    add_step(world_, Stage::Handshake, "pass", "SYN and ACK go back by " + back);
    Packet third = first_packet();
    third.tcp_flags = kAck;
    const std::size_t before = world_.path.size();
    std::optional<JourneyEnd> lost = come_again(third, "the handshake's last packet is ");
    if (has_synproxy()) return lost ? std::move(*lost) : serve(listener, Outcome::Hangs);
    // What the client says next acknowledges as well, and makes good for it.
    if (lost && was_reset_) return std::move(*lost);
    if (auto end = speak(lost.has_value())) return lost ? std::move(*lost) : std::move(*end);
    if (lost) world_.path.resize(before);
    if (listener != nullptr) tell_deferred_accept(there(), *listener);
    return reply_to(packet, listener);
  }

  /// The client says something. `first`: by that the host learns that the handshake has ended.
  std::optional<JourneyEnd> speak(bool first) {
    Packet data = first_packet();
    data.tcp_flags = kAck | kPsh;
    data.payload_length = 1;
    data.has_socket = !local_ && !first;
    return come_again(data, "what the client says then is ");
  }

  /// What the server says to that.
  JourneyEnd reply_to(const Packet& first, const host::Listener* listener) {
    JourneyEnd end = serve(listener, Outcome::Hangs);
    if (end.outcome != Outcome::Answered) return end;
    Packet reply = answer_to(there(), first);
    reply.tcp_flags = kAck | kPsh;
    reply.payload_length = 1;
    speak_for(reply, listener);
    const std::size_t before = world_.path.size();
    if (auto lost = back_.send(*there_, reply, bound_link(first, listener))) {
      return ends(Outcome::Hangs, std::move(*lost));
    }
    relabel(world_.path, before, Stage::Reply);
    return end;
  }

  /// A later packet of the client; only what stops it is told, after `words`.
  std::optional<JourneyEnd> come_again(Packet& packet, const char* words) {
    const std::size_t before = world_.path.size();
    Carried way;
    was_reset_ = false;
    if (local_) {
      Departure left = depart_client(packet, Stage::Handshake, way);
      if (left.blocker) {
        way = {.to = Carried::To::Lost, .site = &sites_.home(), .blocker = std::move(left.blocker)};
        was_reset_ = left.refusal && left.refusal->tcp_reset;
      }
    } else {
      way = carrier_.go_on(sites_.home(), packet, there_);
    }
    relabel(world_.path, before, Stage::Handshake);
    if (way.to == Carried::To::Local && way.site == there_) {
      if (packet.tuple == delivered_) return std::nullopt;
      was_reset_ = true;  // by whom it came to: he knows of no connection
    }
    was_reset_ = was_reset_ || (way.to == Carried::To::Refused && way.refusal.tcp_reset);
    if (!way.blocker) {
      const std::string text = "sent to another place than the first";
      way.blocker = plain_blocker("other-way", text, "nat", "nft list ruleset");
    }
    way.blocker->cause.text = words + way.blocker->cause.text;
    return ends(*way.site, Outcome::Hangs, std::move(*way.blocker));
  }

  JourneyEnd serve(const host::Listener* listener, Outcome otherwise) {
    if (listener != nullptr) {
      if (auto blocker = nobody_serves(there(), *listener)) {
        add_stop(there(), Stage::Process, *blocker);
        return ends(otherwise, std::move(*blocker));
      }
    }
    return {.outcome = Outcome::Answered};
  }

  /// UDP: the socket has the datagram; does its answer get back?
  JourneyEnd answer(const Packet& packet, const host::Listener* listener) {
    JourneyEnd end = serve(listener, Outcome::Silent);
    if (end.outcome != Outcome::Answered) return end;
    const std::uint32_t bound = bound_link(packet, listener);
    Packet reply = answer_to(there(), packet);
    reply.payload_length = 1;
    speak_for(reply, listener);
    if (auto lost = never_answered(there(), reply, bound)) {
      return ends(Outcome::Silent, std::move(*lost));
    }
    if (!back_.everybody && listener != nullptr) {
      if (auto lost = other_source(there(), *listener, packet, bound)) {
        return ends(Outcome::Silent, std::move(*lost));
      }
    }
    const bool routed = listener != nullptr && is_source_routed(there(), *listener, packet);
    if (back_.everybody || routed) reply.tuple.source = {.family = packet.family};
    if (auto lost = back_.send(*there_, reply, bound)) {
      return ends(Outcome::Silent, std::move(*lost));
    }
    // One that conntrack takes for a connection of its own may be sent on to somebody else.
    if (reply.tuple.destination == question_.source) return end;
    const std::string text = "a rule sends the answer to " + reply.tuple.destination.text();
    Blocker lost = plain_blocker("no-route-back", text, "nat", "nft list ruleset");
    add_stop(world_, Stage::Reply, lost);
    return ends(Outcome::Silent, std::move(lost));
  }

  [[nodiscard]] bool has_synproxy() const {
    return sites_.home().view.synproxy || there_->view.synproxy;
  }

  Sites sites_;
  World& world_;  ///< of the namespace of the question
  const Question& question_;
  Carrier carrier_;
  WayBack back_;
  Site* there_ = &sites_.home();  ///< where the client's packet came to
  bool local_ = false;
  Tuple delivered_;         ///< of the first packet, at the sockets
  bool was_reset_ = false;  ///< the last packet of come_again() was answered by a reset
};

}  // namespace

JourneyEnd travel(const World& world, const Question& question) {
  return Journey(world, question).run();
}

}  // namespace hark::reach
