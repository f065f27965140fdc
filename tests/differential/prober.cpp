#include "prober.h"

#include <algorithm>
#include <functional>
#include <set>
#include <tuple>

#include "local_client.h"
#include "wire.h"

namespace hark::differential {

namespace {

constexpr std::uint8_t kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10;
constexpr unsigned kQuietTurns = 3;

// A client: which one is it that a frame is for?
using ClientKey = std::tuple<bool, IpAddress, std::uint16_t>;

struct Client {
  enum class State : std::uint8_t { Neighbour, Asked, Connected, Ended };
  Ask ask;
  std::size_t position = 0;  ///< in the questions
  unsigned link = 0;
  State state = State::Asked;
  std::uint32_t sequence = 0;
  Observation seen;
  std::unique_ptr<LocalClient> local = {};
  [[nodiscard]] Flow flow() const {
    return {ask.source, ask.destination, seen.source_port, ask.port};
  }
};

bool on_subnets(const InterfaceNow& interface, const IpAddress& address) {
  return std::ranges::any_of(interface.subnets,
                             [&](const Prefix& subnet) { return subnet.contains(address); });
}

// A connected socket, as clients of UDP mostly have, takes answers of the address alone that it
// asked. Whoever asks everybody cannot be connected.
bool is_for_connected(const Ask& ask, const Seen& seen) {
  const bool everybody = ask.destination.is_multicast() || ask.destination.text().ends_with(".255");
  return everybody || (seen.flow.source == ask.destination && seen.flow.source_port == ask.port);
}

}  // namespace

struct Prober::Work {
  Work(const Place& the_place, Servers& the_servers, const std::vector<IpAddress>& dead)
      : place(the_place), servers(the_servers), wire(the_place, dead) {}

  const Place& place;
  Servers& servers;
  Wire wire;
  std::vector<Client> clients = {};
  std::map<ClientKey, std::size_t> by_key = {};
  std::set<ClientKey> used = {};  ///< of this host, ever
  std::uint16_t next_port = 32768;

  void begin(Client& client, const std::vector<InterfaceNow>& interfaces);
  void choose_port(Client& client);
  void send_first(Client& client);
  void take(unsigned link, const Seen& seen);
  void take_answer(Client& client, unsigned link, const Seen& seen);
  void take_neighbour(unsigned link, const Seen& seen);
  void take_deliveries();
  [[nodiscard]] unsigned turn(int wait_ms);
  void settle();
  void conclude(Client& client);
};

void Prober::Work::choose_port(Client& client) {
  const auto key = [&](std::uint16_t port) {
    return ClientKey{client.ask.udp, client.ask.source, port};
  };
  std::uint16_t port = client.ask.source_port.value_or(0);
  // A port that was asked for twice with one address is taken as another one nearby only if it was
  // left open: otherwise the caller asks in two turns.
  while (port == 0 || (!client.ask.source_port && used.contains(key(port)))) {
    port = next_port;
    next_port =
        next_port >= 60000 ? std::uint16_t{32768} : static_cast<std::uint16_t>(next_port + 7);
    if (used.contains(key(port))) port = 0;
  }
  used.insert(key(port));
  client.seen.source_port = port;
  by_key[key(port)] = static_cast<std::size_t>(&client - clients.data());
}

void Prober::Work::begin(Client& client, const std::vector<InterfaceNow>& interfaces) {
  const auto interface = std::ranges::find(interfaces, client.ask.interface, &InterfaceNow::name);
  const int netns = place.netns_of(client.ask.interface);
  choose_port(client);
  client.sequence = 0x10000000U + static_cast<std::uint32_t>(client.seen.source_port) * 4096U;
  if (netns != place.host()) {
    place.in_netns(netns,
                   [&] { client.local = std::make_unique<LocalClient>(client.ask, client.seen); });
    // It could not even send from there.
    if (client.seen.error != 0) client.seen.outcome = "invalid";
    return;
  }
  if (interface == interfaces.end()) {
    client.state = Client::State::Ended;
    client.seen.outcome = "invalid";
    return;
  }
  if (client.ask.interface == "lo") {
    place.in_host([&] { client.local = std::make_unique<LocalClient>(client.ask, client.seen); });
    return;
  }
  client.link = static_cast<unsigned>(client.ask.interface.back() - '0');
  if (!interface->up) {
    client.state = Client::State::Ended;
    client.seen.outcome = "no-neighbour";
  } else if (on_subnets(*interface, client.ask.source) &&
             on_subnets(*interface, client.ask.destination)) {
    client.state = Client::State::Neighbour;
    wire.send(client.link, neighbour_question(Wire::client_mac(client.link), client.ask.source,
                                              client.ask.destination));
  } else {
    send_first(client);
  }
}

void Prober::Work::send_first(Client& client) {
  Envelope envelope{Wire::host_mac(client.link), Wire::client_mac(client.link)};
  const std::string own = "10." + std::to_string(client.link + 1) + ".0.255";
  if (client.ask.destination.text() == own) envelope.to.fill(0xff);
  client.state = Client::State::Asked;
  wire.send(client.link, client.ask.udp
                             ? udp_frame(envelope, client.flow(), "?")
                             : tcp_frame(envelope, client.flow(), {kSyn, client.sequence, 0}));
}

void Prober::Work::take_neighbour(unsigned link, const Seen& seen) {
  for (Client& client : clients) {
    if (client.state != Client::State::Neighbour || client.link != link) continue;
    if (client.ask.destination != seen.target || client.ask.source != seen.flow.destination)
      continue;
    send_first(client);
  }
}

void Prober::Work::take(unsigned link, const Seen& seen) {
  if (seen.kind == Seen::Kind::NeighbourAnswers) return take_neighbour(link, seen);
  if (seen.kind == Seen::Kind::NeighbourAsked) return;
  const bool about = seen.kind == Seen::Kind::IcmpError;
  const bool udp = about ? seen.udp : seen.kind == Seen::Kind::Udp;
  const IpAddress& address = about ? seen.flow.source : seen.flow.destination;
  const std::uint16_t port = about ? seen.flow.source_port : seen.flow.destination_port;
  const auto found = by_key.find({udp, address, port});
  if (found != by_key.end()) return take_answer(clients[found->second], link, seen);
  // The client's own first packet, going out again.
  for (Client& client : clients) {
    const bool own_syn = !udp && seen.tcp_flags == kSyn && seen.sequence == client.sequence;
    const bool own_datagram = udp && seen.payload == "?" && seen.flow.source == client.ask.source &&
                              seen.flow.source_port == client.seen.source_port;
    if (about || client.ask.udp != udp || (!own_syn && !own_datagram)) continue;
    if (client.seen.outcome.empty()) client.seen.outcome = "forwarded";
  }
}

void Prober::Work::take_answer(Client& client, unsigned link, const Seen& seen) {
  if (client.local || client.state == Client::State::Ended) return;
  (void)link;  // answers may come by another link: what the network then does is not ours to say
  Observation& out = client.seen;
  if (seen.kind == Seen::Kind::IcmpError) {
    if (client.state == Client::State::Connected) return;
    out.icmp = icmp_name(seen.flow.source.family, seen.icmp_type, seen.icmp_code);
    out.outcome = out.icmp == "port-unreachable" ? "refused" : "rejected";
    client.state = Client::State::Ended;
    return;
  }
  // A client's kernel knows only whom it has asked.
  if (!is_for_connected(client.ask, seen)) return;
  if (seen.kind == Seen::Kind::Udp) {
    out.listener = seen.payload;
    out.outcome = "answered";
    client.state = Client::State::Ended;
    return;
  }
  if ((seen.tcp_flags & kRst) != 0) {
    if (client.state == Client::State::Asked) out.outcome = "refused";
    client.state = Client::State::Ended;
    return;
  }
  const std::uint32_t ours = client.sequence + 1;
  const Envelope envelope{Wire::host_mac(client.link), Wire::client_mac(client.link)};
  if ((seen.tcp_flags & kSyn) != 0) {
    if (client.state != Client::State::Asked || seen.acknowledged != ours) return;
    client.state = Client::State::Connected;
    out.outcome = "hangs";
    const std::uint32_t theirs = seen.sequence + 1;
    wire.send(client.link, tcp_frame(envelope, client.flow(), {kAck, ours, theirs}));
    const auto flags = static_cast<std::uint8_t>(kAck | kPsh);
    wire.send(client.link, tcp_frame(envelope, client.flow(), {flags, ours, theirs, "?"}));
  } else if (!seen.payload.empty() && client.state == Client::State::Connected) {
    out.listener = seen.payload;
    out.outcome = "answered";
    client.state = Client::State::Ended;
    wire.send(client.link, tcp_frame(envelope, client.flow(), {kRst, ours + 1, seen.acknowledged}));
  }
}

void Prober::Work::take_deliveries() {
  for (const Delivery& delivery : servers.settle()) {
    const auto found = by_key.find({delivery.udp, delivery.peer, delivery.port});
    if (found != by_key.end()) clients[found->second].seen.delivered = delivery.listener;
  }
}

// One turn: lets the kernel finish, reads what came, lets the servers serve. How much happened.
unsigned Prober::Work::turn(int wait_ms) {
  wire.drain();
  unsigned count = wire.read([&](unsigned link, const Seen& seen) { take(link, seen); }, wait_ms);
  for (Client& client : clients) {
    if (client.local && client.local->go_on(client.seen)) count++;
  }
  take_deliveries();
  return count;
}

void Prober::Work::settle() {
  for (unsigned quiet = 0; quiet < kQuietTurns;) quiet = turn(0) == 0 ? quiet + 1 : 0;
}

void Prober::Work::conclude(Client& client) {
  if (client.state == Client::State::Connected) {
    // The same client may be asked again.
    const Envelope envelope{Wire::host_mac(client.link), Wire::client_mac(client.link)};
    wire.send(client.link, tcp_frame(envelope, client.flow(), {kRst, client.sequence + 1, 0}));
  }
  if (client.local) client.local->conclude(client.seen);
  // To end a connection later would tell the host its neighbours again, which a second try has it
  // forget.
  client.local.reset();
  std::string& outcome = client.seen.outcome;
  if (!outcome.empty()) return;
  outcome = client.state == Client::State::Neighbour ? "no-neighbour" : "silent";
}

Prober::Prober(const Place& place, Servers& servers, const std::vector<IpAddress>& dead)
    : work_(std::make_unique<Work>(place, servers, dead)) {}

Prober::~Prober() = default;

std::vector<Observation> Prober::ask(const std::vector<Ask>& asks, const ProbeSettings& settings) {
  Work& work = *work_;
  const std::vector<InterfaceNow> interfaces = work.place.interfaces();
  work.clients.clear();
  work.by_key.clear();
  work.clients.resize(asks.size());
  constexpr std::size_t kAtOnce = 32;  // fewer than any queue on the way holds
  for (std::size_t i = 0; i < asks.size(); i++) {
    Client& client = work.clients[i];
    client.ask = asks[i];
    client.position = i;
    work.begin(client, interfaces);
    if (i % kAtOnce == kAtOnce - 1) work.settle();
  }
  work.settle();
  // What comes now comes late, by a timer: it counts all the same.
  while (work.turn(settings.grace_ms) != 0) work.settle();
  std::vector<Observation> out;
  for (Client& client : work.clients) {
    work.conclude(client);
    out.push_back(client.seen);
  }
  return out;
}

std::string words_of(const Observation& seen) {
  std::string words = seen.outcome;
  if (!seen.icmp.empty()) words += " " + seen.icmp;
  if (seen.error != 0) words += " errno " + std::to_string(seen.error);
  if (!seen.listener.empty()) words += " by " + seen.listener;
  if (seen.listener.empty() && !seen.delivered.empty()) words += " (got by " + seen.delivered + ")";
  return words;
}

}  // namespace hark::differential
