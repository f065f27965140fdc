#include "reach/journey.h"

#include <cerrno>
#include <string>

#include "host/near_words.h"
#include "reach/icmp_words.h"
#include "reach/journey_blockers.h"
#include "reach/passage.h"
#include "reach/reply.h"
#include "reach/shell_word.h"
#include "reach/socket_choice.h"
#include "reach/socket_options.h"
#include "reach/steps.h"
#include "reach/unanswerable.h"

namespace hark::reach {
namespace {

constexpr std::uint32_t kUp = 0x1;         // IFF_UP
constexpr std::uint32_t kLoopback = 0x8;   // IFF_LOOPBACK
constexpr std::uint16_t kAnyPort = 45678;  // of the range that contract.md means by "any"

bool is_loopback(const host::Link* link) {
  return link != nullptr && (link->flags & kLoopback) != 0;
}

/// The packets of one client's attempt, and what conntrack keeps of them.
class Journey {
 public:
  Journey(World& world, const Question& question) : world_(world), question_(question) {}

  JourneyEnd run() {
    const host::Link* link = world_.network.link(question_.interface);
    local_ = is_loopback(link);
    if (auto end = reach_link(link)) return *end;
    Packet packet = first_packet();
    if (auto end = enter(packet)) return *end;
    return deliver(packet);
  }

 private:
  [[nodiscard]] bool tcp() const { return question_.protocol == Protocol::Tcp; }

  JourneyEnd ends(Outcome outcome, Blocker blocker) const {
    return {.outcome = outcome, .blocker = std::move(blocker)};
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
      if (auto blocker =
              unresolvable(world_, question_.interface, question_.source, question_.destination)) {
        return ends(Outcome::NoNeighbour, std::move(*blocker));
      }
      world_.heard = Heard{question_.interface, question_.source};
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
    if (local_) {
      if (auto end = leave_client(packet)) return end;
    }
    Arrival arrival = arrive(world_, packet, view_);
    if (arrival.blocker) name_rewritten(*arrival.blocker);
    switch (arrival.to) {
      case Arrival::To::Local:
        return to_everybody(arrival, packet.to_all);
      case Arrival::To::Forward:
        return pass_on(packet, arrival);
      case Arrival::To::Refused:
        return refuse(packet, std::move(*arrival.blocker), arrival.refusal);
      case Arrival::To::Lost:
        break;
    }
    return ends(Outcome::Silent, std::move(*arrival.blocker));
  }

  /// What stops a packet whose destination was rewritten is told as that.
  void name_rewritten(Blocker& blocker) const {
    if (!view_.connection || !view_.connection->destination_nat) return;
    const IpAddress& now = view_.connection->reply.source;
    const bool missing = blocker.cause.code == "local-route-missing";
    if (blocker.cause.code == "loopback-dst" || (missing && now.is_loopback())) {
      blocker.cause.code = "dnat-to-loopback";
    }
    if (blocker.cause.code == "not-local") blocker.cause.code = "forward-disabled";
  }

  /// TCP takes no connection by a broadcast or multicast address (tcp_conn_request), and nobody is
  /// told of a closed port there.
  std::optional<JourneyEnd> to_everybody(const Arrival& arrival, bool to_all) {
    everybody_ = arrival.route.broadcast;
    // It was one on the wire, whatever NAT has made of it (tcp_v4_rcv asks for PACKET_HOST).
    if ((!everybody_ && !to_all) || !tcp()) return std::nullopt;
    const std::string text =
        question_.destination.text() + " is a broadcast or multicast address, and TCP takes none";
    Blocker blocker = plain_blocker("broadcast-dst", text, "route",
                                    "ip route get " + question_.destination.text());
    add_stop(world_, Stage::Socket, blocker);
    return ends(Outcome::Silent, std::move(blocker));
  }

  /// A client on this host: its packet goes out by lo first.
  std::optional<JourneyEnd> leave_client(Packet& packet) {
    Departure out = depart(world_, packet, view_, 0, Stage::Route);
    if (!out.blocker) {
      if (!is_loopback(world_.network.link(packet.out))) return elsewhere(packet);
      packet.in = packet.out;
      packet.out = 0;
      return std::nullopt;
    }
    if (out.refusal) {
      JourneyEnd end = refuse(packet, *out.blocker, *out.refusal);
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

  JourneyEnd elsewhere(const Packet& packet) {
    Blocker blocker = passed_on(world_, packet);
    const Evidence& route = blocker.cause.evidence.front();
    add_step(world_, Stage::Forward, "unknown", route.fact, route.verify);
    return ends(Outcome::Unknown, std::move(blocker));
  }

  JourneyEnd pass_on(Packet& packet, const Arrival& arrival) {
    auto end = forward(world_, packet, view_, arrival.route.fib);
    if (!end) return elsewhere(packet);
    if (end->to == Arrival::To::Refused) {
      return refuse(packet, std::move(*end->blocker), end->refusal);
    }
    return ends(Outcome::Silent, std::move(*end->blocker));
  }

  /// At the sockets.
  JourneyEnd deliver(Packet& packet) {
    Packet asked = packet;
    if (view_.tproxy_port != 0) {
      asked.tuple.destination_port = static_cast<std::uint16_t>(view_.tproxy_port);
      if (view_.tproxy_address) asked.tuple.destination = *view_.tproxy_address;
    }
    if (local_) asked.in = home_of(asked.tuple.destination);
    const auto chosen = choose_socket(world_, asked);
    if (!chosen && !world_.is_waived("no-socket")) return closed(packet);
    const host::Listener* listener = chosen ? &world_.host.listeners[*chosen] : nullptr;
    if (listener != nullptr) {
      add_step(world_, Stage::Socket, "pass", host::listener_words(world_.host, *listener),
               std::string(tcp() ? "ss -Htlnp" : "ss -Hulnp") +
                   " sport = :" + std::to_string(asked.tuple.destination_port));
      if (auto blocker = socket_refuses(world_, *listener, packet)) {
        add_stop(world_, Stage::Handshake, *blocker);
        return with_socket(ends(Outcome::Silent, std::move(*blocker)), chosen);
      }
    }
    return with_socket(tcp() ? shake_hands(packet, listener) : answer(packet, listener), chosen);
  }

  /// A packet of this host to itself goes over lo, but for sockets it came in by the link that has
  /// the address (__ip_route_output_key_hash: orig_oif; ip6_rcv_core: IP6CB iif).
  std::uint32_t home_of(const IpAddress& destination) const {
    for (const host::InterfaceAddress& own : world_.network.addresses) {
      if (own.address == destination) return own.link;
    }
    return question_.interface;
  }

  static JourneyEnd with_socket(JourneyEnd end, std::optional<std::size_t> chosen) {
    if (!end.delivers_to) end.delivers_to = chosen;
    return end;
  }

  JourneyEnd closed(const Packet& packet) {
    Blocker blocker = {.cause = no_socket(world_, packet), .key = "no-socket"};
    add_stop(world_, Stage::Socket, blocker);
    if (everybody_) return ends(Outcome::Silent, std::move(blocker));
    constexpr std::uint8_t kUnreachable4 = 3, kPort4 = 3, kUnreachable6 = 1, kPort6 = 4;
    const bool ipv4 = packet.family == Family::Inet;
    return refuse(packet, std::move(blocker),
                  {.tcp_reset = tcp(),
                   .icmp_type = ipv4 ? kUnreachable4 : kUnreachable6,
                   .icmp_code = ipv4 ? kPort4 : kPort6});
  }

  /// Sends a packet of this host to the client, on lo through PREROUTING and INPUT again.
  std::optional<Blocker> send_back(Packet& packet, std::uint32_t bound) {
    const std::size_t before = world_.path.size();
    Departure out = depart(world_, packet, view_, bound, Stage::Reply);
    if (out.blocker) return std::move(out.blocker);
    if (!is_loopback(world_.network.link(packet.out))) {
      if (!local_) return std::nullopt;
      const std::string text = "the answer to " + packet.tuple.destination.text() + " leaves by " +
                               link_name(world_, packet.out) + ", to which the socket is bound";
      Blocker blocker = plain_blocker("no-route-back", text, "route",
                                      "ip route get " + packet.tuple.destination.text() + " oif " +
                                          shell_word(link_name(world_, packet.out)));
      add_stop(world_, Stage::Reply, blocker);
      return blocker;
    }
    if (!local_) return stays_here(packet);
    packet.in = packet.out;
    packet.out = 0;
    Arrival arrival = arrive(world_, packet, view_);
    relabel(before, Stage::Reply);
    if (arrival.to == Arrival::To::Local) return std::nullopt;
    if (arrival.blocker) return std::move(arrival.blocker);
    return Blocker{
        .cause = {.code = "no-route-back", .text = "the reply does not come back", .evidence = {}},
        .key = "no-route-back"};
  }

  /// The asker is on a link, and its address is one of ours.
  Blocker stays_here(const Packet& packet) {
    const std::string text = "the answer never leaves: " + packet.tuple.destination.text() +
                             " is an address of this host itself";
    Blocker blocker = plain_blocker("src-is-local", text, "route",
                                    "ip route get " + packet.tuple.destination.text());
    add_stop(world_, Stage::Reply, blocker);
    return blocker;
  }

  /// Steps of the answer are all of one stage; those that only say that nothing happened go.
  void relabel(std::size_t from, Stage stage) {
    std::vector<Step>& path = world_.path;
    for (std::size_t i = from; i < path.size();) {
      path[i].stage = stage;
      if (path[i].verdict == "pass") {
        path.erase(path.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        ++i;
      }
    }
  }

  /// The client is refused, unless the refusal gets lost.
  JourneyEnd refuse(const Packet& packet, Blocker why, const Refusal& refusal) {
    Packet reply = refusal_of(world_, packet, refusal, refuser(why));
    const bool reset = refusal.tcp_reset && tcp();
    if (!reset) world_.assumptions.emplace_back("the limits of ICMP errors are not reached");
    JourneyEnd end;
    auto lost = never_refused(world_, packet, refusal, refuser(why));
    if (!lost) lost = send_back(reply, link_scope(packet));
    if (lost) {
      end = ends(Outcome::Silent, std::move(why));
      end.also.push_back(std::move(*lost));
      return end;
    }
    const Family family = packet.family;
    const bool refused = reset || is_port_unreachable(family, refusal.icmp_type, refusal.icmp_code);
    end = ends(refused ? Outcome::Refused : Outcome::Rejected, std::move(why));
    end.error = reset ? ECONNREFUSED : icmp_errno(family, refusal.icmp_type, refusal.icmp_code);
    if (!reset) end.icmp = icmp_name(family, refusal.icmp_type, refusal.icmp_code);
    if (refused && reset) end.icmp.clear();
    add_step(world_, Stage::Reply, "pass",
             reset ? "a TCP reset leaves" : "ICMP " + end.icmp + " leaves");
    return end;
  }

  static Refuser refuser(const Blocker& why) {
    if (why.key == "no-socket") return Refuser::Socket;
    return why.cause.code.starts_with("prerouting") ? Refuser::RuleBeforeRouting : Refuser::Rule;
  }

  /// The link that an answer must leave by, where the address alone does not say.
  std::uint32_t link_scope(const Packet& packet) const {
    return packet.tuple.source.is_link_local() && packet.family == Family::Inet6 && !local_
               ? question_.interface
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
        static_cast<std::uint32_t>(option(world_, *listener, OptionPart::Mark).value_or(0));
    // inet_request_mark(): the client's, where the host accepts marks, only if it has none itself.
    if (reply.socket_mark != 0 || !tcp()) reply.mark = reply.socket_mark;
    if (listener->socket.cgroup) reply.socket_cgroup = *listener->socket.cgroup;
  }

  JourneyEnd shake_hands(const Packet& packet, const host::Listener* listener) {
    Packet reply = answer_to(world_, packet);
    reply.tcp_flags = kSyn | kAck;
    speak_for(reply, listener);
    if (auto lost = send_back(reply, bound_link(packet, listener))) {
      if (lost->cause.code == "no-route" || lost->cause.code.starts_with("route-")) {
        lost->cause.code = "no-route-back";
      }
      return ends(view_.synproxy ? Outcome::Hangs : Outcome::Silent, std::move(*lost));
    }
    add_step(world_, Stage::Handshake, "pass",
             "SYN and ACK go back by " + link_name(world_, reply.in != 0 ? reply.in : reply.out));
    Packet third = first_packet();
    third.tcp_flags = kAck;
    const std::size_t before = world_.path.size();
    std::optional<JourneyEnd> lost = come_again(third, "the handshake's last packet is ");
    if (view_.synproxy) return lost ? std::move(*lost) : serve(listener, Outcome::Hangs);
    // What the client says next acknowledges as well, and makes good for it.
    if (lost && was_reset_) return std::move(*lost);
    if (auto end = speak(lost.has_value())) return lost ? std::move(*lost) : std::move(*end);
    if (lost) world_.path.resize(before);
    if (listener != nullptr) tell_deferred_accept(world_, *listener);
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
    Packet reply = answer_to(world_, first);
    reply.tcp_flags = kAck | kPsh;
    reply.payload_length = 1;
    speak_for(reply, listener);
    const std::size_t before = world_.path.size();
    if (auto lost = send_back(reply, bound_link(first, listener))) {
      return ends(Outcome::Hangs, std::move(*lost));
    }
    relabel(before, Stage::Reply);
    return end;
  }

  /// A later packet of the client; only what stops it is told, after `words`.
  std::optional<JourneyEnd> come_again(Packet& packet, const char* words) {
    const std::size_t before = world_.path.size();
    std::optional<Blocker> blocker;
    if (local_) {
      Departure left = depart(world_, packet, view_, 0, Stage::Handshake);
      blocker = std::move(left.blocker);
      was_reset_ = left.refusal && left.refusal->tcp_reset;
      packet.in = packet.out;
      packet.out = 0;
    }
    if (!blocker) {
      Arrival arrival = arrive(world_, packet, view_);
      blocker = std::move(arrival.blocker);
      was_reset_ = arrival.to == Arrival::To::Refused && arrival.refusal.tcp_reset;
    }
    relabel(before, Stage::Handshake);
    if (!blocker) return std::nullopt;
    blocker->cause.text = words + blocker->cause.text;
    return ends(Outcome::Hangs, std::move(*blocker));
  }

  JourneyEnd serve(const host::Listener* listener, Outcome otherwise) {
    if (listener != nullptr) {
      if (auto blocker = nobody_serves(world_, *listener)) {
        add_stop(world_, Stage::Process, *blocker);
        return ends(otherwise, std::move(*blocker));
      }
    }
    return {.outcome = Outcome::Answered};
  }

  /// UDP: the socket has the datagram; does its answer get back?
  JourneyEnd answer(const Packet& packet, const host::Listener* listener) {
    JourneyEnd end = serve(listener, Outcome::Silent);
    if (end.outcome != Outcome::Answered) return end;
    if (auto lost = never_answered(world_, packet, bound_link(packet, listener))) {
      return ends(Outcome::Silent, std::move(*lost));
    }
    if (!everybody_ && listener != nullptr) {
      if (auto lost = other_source(world_, *listener, packet, bound_link(packet, listener))) {
        return ends(Outcome::Silent, std::move(*lost));
      }
    }
    Packet reply = answer_to(world_, packet);
    if (everybody_) reply.tuple.source = {.family = packet.family};
    reply.payload_length = 1;
    speak_for(reply, listener);
    if (auto lost = send_back(reply, bound_link(packet, listener))) {
      return ends(Outcome::Silent, std::move(*lost));
    }
    // One that conntrack takes for a connection of its own may be sent on to somebody else.
    if (reply.tuple.destination == question_.source) return end;
    const std::string text = "a rule sends the answer to " + reply.tuple.destination.text();
    Blocker lost = plain_blocker("no-route-back", text, "nat", "nft list ruleset");
    add_stop(world_, Stage::Reply, lost);
    return ends(Outcome::Silent, std::move(lost));
  }

  World& world_;
  const Question& question_;
  ConntrackView view_;
  bool local_ = false;
  bool was_reset_ = false;  ///< the last packet of come_again() was answered by a reset
  bool everybody_ = false;  ///< it came by a broadcast or multicast address
};

}  // namespace

JourneyEnd travel(World& world, const Question& question) {
  return Journey(world, question).run();
}

}  // namespace hark::reach
