// From where a port is reached, what a client on the LAN sees, which fact decides, and what would
// change if it were bound otherwise: all from the same traces as hark why.
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "drill/questions_parts.h"
#include "reach/destinations.h"

namespace hark::drill {
namespace {

using host::Listener;
using reach::Answer;
using reach::Openness;
using reach::Outcome;

/// What a client sees, in the words of a choice.
struct View {
  Outcome outcome = Outcome::Answered;
  std::string text;
  std::string why_not;  ///< what it would take
  std::vector<std::string> also;
};

std::string rejection(int error) {
  switch (error) {
    case EACCES:
      return "\"Permission denied\": an ICMP error comes back";
    case ENETUNREACH:
      return "\"Network is unreachable\": an ICMP error comes back";
    case ENOPROTOOPT:
      return "\"Protocol not available\": an ICMP error comes back";
    default:
      return "\"No route to host\": an ICMP error comes back";
  }
}

/// What a client may see, or what may become of its datagram: programs hear of few ICMP errors by
/// UDP. `error` is that of a rejection.
std::vector<View> views(bool stream, Family family, int error) {
  const std::string asks = family == Family::Inet ? "ARP" : "neighbour discovery";
  const std::string no_answer = "for that nobody may answer " + asks + " for the address";
  if (!stream) {
    return {{Outcome::Answered,
             "a server gets it",
             "for that a socket has to take it",
             {"answered", "served"}},
            {Outcome::Refused,
             "\"Connection refused\": ICMP port unreachable comes back",
             "for that no socket may take it, and the error has to get back",
             {"refused", "port unreachable"}},
            {Outcome::Rejected,
             "an ICMP error comes back, another than port unreachable",
             "for that a router or a reject rule has to send one",
             {"rejected"}},
            {Outcome::Silent,
             "nothing comes back",
             "for that it, or the answer, has to be dropped on its way",
             {"silent", "dropped", "timeout"}},
            {Outcome::NoNeighbour,
             "it is never sent: nobody answers " + asks,
             no_answer,
             {"no-neighbour", "no neighbour"}}};
  }
  return {{Outcome::Answered,
           "it connects, and is served",
           "for that a listener has to take it, and somebody to serve it",
           {"answered", "connects", "served"}},
          {Outcome::Refused,
           "\"Connection refused\": an answer says no",
           "for that a packet has to come back: a reset, or ICMP port unreachable",
           {"refused", "connection refused", "ECONNREFUSED"}},
          {Outcome::Rejected,
           rejection(error),
           "for that a router or a reject rule has to send an ICMP error",
           {"rejected", "icmp"}},
          {Outcome::Silent,
           "nothing comes back: in the end \"Connection timed out\"",
           "for that the packet, or the answer, has to be dropped on its way",
           {"silent", "timeout", "times out", "connection timed out", "ETIMEDOUT", "dropped"}},
          {Outcome::NoNeighbour,
           "\"No route to host\" after some seconds: nobody answers " + asks,
           no_answer,
           {"no-neighbour", "no neighbour"}},
          {Outcome::Hangs,
           "it connects, and then nothing comes",
           "for that the handshake has to complete, and nobody to serve",
           {"hangs", "hang"}}};
}

/// How near one is to the other, and why it is not the same.
struct Nearness {
  Outcome truth, said;
  const char* why;
};
constexpr std::array kNear = {
    Nearness{Outcome::Refused, Outcome::Rejected, "an answer does come back, but not that one"},
    Nearness{Outcome::Rejected, Outcome::Refused, "an answer does come back, but not that one"},
    Nearness{Outcome::Silent, Outcome::NoNeighbour,
             "it does wait in vain, but its packet leaves: ARP is answered"},
    Nearness{Outcome::NoNeighbour, Outcome::Silent,
             "it does wait in vain, but its packet never leaves"},
    Nearness{Outcome::Answered, Outcome::Hangs,
             "the handshake does complete, and it is served, too"},
    Nearness{Outcome::Hangs, Outcome::Answered, "the handshake does complete, and that is all"},
};
constexpr unsigned kNearCredit = 50;

std::string text_of(const Answer& answer, bool stream) {
  for (const View& view : views(stream, answer.question.source.family, answer.error)) {
    if (view.outcome == answer.outcome) return view.text;
  }
  return {};
}

/// The choices of a question about what a client sees. False: hark has no words for the truth.
void finish_with_outcome(const Making& making, Question question, const Answer& answer,
                         bool stream) {
  Choice right;
  std::vector<Choice> wrong;
  for (View& view : views(stream, answer.question.source.family, answer.error)) {
    Choice one{.text = std::move(view.text), .also = std::move(view.also)};
    if (view.outcome == answer.outcome) {
      right = std::move(one);
      continue;
    }
    one.why = std::move(view.why_not);
    const auto near = std::ranges::find_if(kNear, [&](const Nearness& pair) {
      return pair.truth == answer.outcome && pair.said == view.outcome;
    });
    if (near != kNear.end()) {
      one.credit = kNearCredit;
      one.why = near->why;
    }
    wrong.push_back(std::move(one));
  }
  finish(making, std::move(question), std::move(right), std::move(wrong));
}

std::string decided_by(const Answer& answer) {
  std::string out = answer.cause.text;
  if (!answer.next.empty()) out += "; without that also: " + answer.next.front().text;
  return out;
}

/// "A client at 10.0.0.9 (by eth0) connects to 10.0.0.5, tcp 8080."
std::string client_asks(const LanClient& client, const Port& port) {
  const bool v6 = client.destination.family == Family::Inet6;
  const std::string to = client.destination.text();
  return "A client at " + client.source.text() + " (by " + client.link + ")" +
         (port.stream ? " connects to " : " sends a datagram to ") + (v6 ? "[" + to + "]" : to) +
         (port.stream ? ", tcp " : ", udp ") + std::to_string(port.port) + ".";
}

std::string what_words(const Port& port, const char* does, const char* becomes) {
  return port.stream ? std::string(" What ") + does + " it see?"
                     : std::string(" What ") + becomes + " of it?";
}

/// What decides, as a person would put it. Some facts need more than their code to be told apart,
/// and are asked of nobody.
struct Decider {
  const char* text;
  std::vector<std::string_view> codes;
};
const std::vector<Decider>& deciders() {
  static const std::vector<Decider> kAll = {
      {"nothing stops it: a listener takes it", {"listener-answers"}},
      {"the binding: no socket is bound to that address and port",
       {"no-socket", "bound-other-addr", "bound-other-dev", "v6only", "bound-not-listening",
        "namespace-mismatch"}},
      {"a firewall rule, or a chain's policy, on the way in",
       {"prerouting-drop", "prerouting-reject", "input-drop", "input-policy-drop", "input-reject",
        "nft-netdev-ingress"}},
      {"a firewall rule, or a chain's policy, on the way out",
       {"output-drop", "output-policy-drop", "output-reject", "postrouting-drop",
        "postrouting-reject", "nft-netdev-egress"}},
      {"the way back: this host has no fitting route to the client",
       {"no-route-back", "back-by-other-link", "rp-filter-strict", "rp-filter-loose"}},
      {"a queue of the socket is full", {"accept-queue-full", "syn-queue-full", "rcvbuf-full"}},
      {"the process: it is stopped, frozen, or does not accept",
       {"stopped", "frozen", "out-of-fds", "not-accepting", "zombie-holder"}},
      {"the neighbourhood: nobody answers for that address on the link",
       {"addr-absent", "arp-suppressed", "arp-filtered", "v6-tentative", "v6-ns-filtered"}},
  };
  return kAll;
}

const Decider* decider_of(std::string_view code) {
  for (const Decider& one : deciders()) {
    if (std::ranges::find(one.codes, code) != one.codes.end()) return &one;
  }
  return nullptr;
}

/// Something else would stop it as well: what that is must not stand among the wrong choices.
bool stops_too(const Answer& answer, const Decider& one) {
  return std::ranges::any_of(
      answer.next, [&](const reach::Cause& cause) { return decider_of(cause.code) == &one; });
}

bool rules_stand(const host::Network& network) {
  return !network.nft.tables.empty() || !network.legacy.empty();
}

struct OpennessChoice {
  Openness openness;
  const char* text;
  std::vector<std::string> also;
};
const std::vector<OpennessChoice>& openness_choices() {
  static const std::vector<OpennessChoice> kAll = {
      {Openness::ThisHost,
       "from this host only",
       {"this host only", "loopback", "local", "itself"}},
      {Openness::Anywhere, "from anywhere", {"anywhere", "everywhere", "all"}},
      {Openness::Some, "from some other hosts, not from all", {"some"}},
      {Openness::Nobody, "from nowhere, not even from this host", {"nowhere", "nobody", "none"}},
  };
  return kAll;
}

const char* openness_hint(Openness truth, Openness said) {
  const bool outside = truth == Openness::Anywhere || truth == Openness::Some;
  if (outside && (said == Openness::Anywhere || said == Openness::Some)) {
    return "other hosts do reach it, but look at which";
  }
  return outside ? "other hosts reach it" : "";
}

/// Where a listener could be bound instead, of those that make a difference worth asking.
std::vector<Asker::Rebound> other_bindings(const Listener& one, std::size_t position) {
  const auto to = [&](const char* address, bool v6only = false) {
    return Asker::Rebound{position, *IpAddress::parse(address), v6only};
  };
  const IpAddress now = one.address.unmapped();
  if (now.is_loopback()) {
    if (now.family == Family::Inet6) return {to("::")};
    return {to("0.0.0.0"), to("::")};
  }
  if (now.family == Family::Inet6 && one.v6only.value_or(true)) return {to("::1")};
  if (now.is_unspecified()) return {to("127.0.0.1")};
  if (now.family == Family::Inet6) return {to("::1"), to("::")};
  return {to("127.0.0.1"), to("0.0.0.0")};
}

std::string binding_words(const IpAddress& address, bool v6only) {
  if (address.family == Family::Inet || !address.is_unspecified()) return address.text();
  return v6only ? "[::] with IPV6_V6ONLY" : "[::] without IPV6_V6ONLY";
}

/// Another socket at the port would be in the way, or answer instead.
bool is_alone(const host::Host& host, const Port& port) {
  if (port.listeners.size() != 1) return false;
  const Listener& mine = host.listeners[port.listeners.front()];
  return mine.interface.empty() && mine.interface_known &&
         std::ranges::none_of(host.listeners, [&](const Listener& one) {
           const bool other_kind = (one.protocol == Protocol::Udp) == port.stream;
           return &one != &mine && one.netns == mine.netns && one.port == mine.port &&
                  one.protocol != Protocol::Raw && !other_kind;
         });
}

/// The first client of whom the answer is known for certain.
struct Asked {
  LanClient client;
  Answer answer;
};
std::optional<Asked> first_certain(const Making& making, const Port& port, Dice& dice) {
  for (const LanClient& client : lan_clients(making, port, dice)) {
    auto answer = making.asker.ask(port.netns, port.stream, port.port, client);
    if (answer) return Asked{client, std::move(*answer)};
  }
  return std::nullopt;
}

}  // namespace

void add_reach(const Making& making, const Port& port) {
  const Facts& facts = making.facts;
  const reach::Reachability& reachability = facts.reach.reachability(port.listeners);
  const host::Network* network = facts.reach.network(port.netns);
  const bool open =
      std::ranges::find(reachability.through, reach::Through::Maybe) != reachability.through.end();
  const auto truth =
      std::ranges::find(openness_choices(), reachability.openness, &OpennessChoice::openness);
  if (open || network == nullptr || truth == openness_choices().end()) {
    return;
  }
  Question question = begin(making, Kind::Reach, port);
  question.text = "From where can " + port_words(facts, port) + " be reached?";
  std::vector<Choice> wrong;
  for (const OpennessChoice& one : openness_choices()) {
    if (one.openness == truth->openness) continue;
    const bool both_outside =
        (truth->openness == Openness::Some || truth->openness == Openness::Anywhere) &&
        (one.openness == Openness::Some || one.openness == Openness::Anywhere);
    wrong.push_back({.text = one.text,
                     .credit = both_outside ? kNearCredit : 0,
                     .why = openness_hint(truth->openness, one.openness),
                     .also = one.also});
  }
  std::string deciding;
  for (std::size_t i = 0; i < reachability.clients.parts.size() && deciding.empty(); ++i) {
    const reach::ClientPart& part = reachability.clients.parts[i];
    const bool outside = !reachability.clients.places[part.place].loopback;
    const bool stopped = reachability.through[i] != reach::Through::Yes;
    if (outside && stopped == (truth->openness != Openness::Anywhere)) {
      deciding = part.cls->answer.cause.text;
    }
  }
  const std::string words = facts.reach_words ? facts.reach_words(port.listeners) : std::string();
  question.explanation = words.empty() ? std::string(truth->text) : words;
  if (!deciding.empty()) question.explanation += "; what decides: " + deciding;
  question.verify = ss_command(facts, port);
  if (rules_stand(*network) && !question.verify.empty()) {
    question.verify += "; " + command_in(facts, port.netns, "nft list ruleset");
  }
  finish(making, std::move(question), {.text = truth->text, .also = truth->also}, std::move(wrong));
}

void add_why(const Making& making, const Port& port) {
  Dice dice(making.seed, port_words(making.facts, port) + " why");
  const std::optional<Asked> asked = first_certain(making, port, dice);
  if (!asked) return;
  const Decider* truth = decider_of(asked->answer.cause.code);
  if (truth == nullptr) return;
  Question question = begin(making, Kind::Why, port);
  question.text = client_asks(asked->client, port) + " Which fact decides what it gets?";
  std::vector<Choice> wrong;
  for (const Decider& one : deciders()) {
    if (&one == truth || stops_too(asked->answer, one)) continue;
    wrong.push_back({.text = one.text});
  }
  question.explanation = decided_by(asked->answer);
  question.verify = command_of(making.facts, port.netns, asked->answer);
  finish(making, std::move(question), {.text = truth->text}, std::move(wrong));
}

void add_error(const Making& making, const Port& port) {
  Dice dice(making.seed, port_words(making.facts, port) + " error");
  const std::optional<Asked> asked = first_certain(making, port, dice);
  if (!asked || text_of(asked->answer, port.stream).empty()) return;
  Question question = begin(making, Kind::Error, port);
  question.text = client_asks(asked->client, port) + what_words(port, "does", "becomes");
  question.explanation = decided_by(asked->answer);
  question.verify = command_of(making.facts, port.netns, asked->answer);
  finish_with_outcome(making, std::move(question), asked->answer, port.stream);
}

void add_rebound(const Making& making, const Port& port) {
  const host::Host& host = making.facts.host;
  if (!is_alone(host, port)) return;
  const std::size_t position = port.listeners.front();
  const Listener& now = host.listeners[position];
  Dice dice(making.seed, port_words(making.facts, port) + " rebound");
  std::vector<Asker::Rebound> others = other_bindings(now, position);
  const Asker::Rebound& other = others[dice.roll(others.size())];
  // Where it could be asked does not hang on how it is bound now.
  const host::Network* network = making.facts.reach.network(port.netns);
  if (network == nullptr) return;
  const reach::Service service{
      .protocol = port.stream ? Protocol::Tcp : Protocol::Udp,
      .port = port.port,
      .family = now.address.unmapped().family == Family::Inet6 && now.v6only.value_or(true)
                    ? std::optional(Family::Inet6)
                    : std::optional(Family::Inet)};
  for (const LanClient& client :
       lan_clients(making, port.netns, nullptr, reach::destinations_of(*network, service), dice)) {
    const auto today = making.asker.ask(port.netns, port.stream, port.port, client);
    const auto then = making.asker.ask(port.netns, port.stream, port.port, client, &other);
    if (!today || !then || text_of(*today, port.stream).empty()) continue;
    Question question = begin(making, Kind::Rebound, port);
    question.text = port_words(making.facts, port) + " is bound to " +
                    binding_words(now.address, now.v6only.value_or(false)) +
                    ". Think of it bound to " + binding_words(other.address, other.v6only) +
                    " instead. " + client_asks(client, port) +
                    what_words(port, "would", "would become");
    question.explanation = then->outcome == today->outcome
                               ? "the same as today: " + then->cause.text
                               : then->cause.text + "; today: " + text_of(*today, port.stream) +
                                     ", since " + today->cause.text;
    question.verify = ss_command(making.facts, port);
    if (rules_stand(*network) && !question.verify.empty()) {
      question.verify += "; " + command_in(making.facts, port.netns, "nft list ruleset");
    }
    finish_with_outcome(making, std::move(question), *then, port.stream);
    return;
  }
}

void add_closed(const Making& making, host::NetnsId netns) {
  constexpr std::uint16_t kFirst = 20'000;
  constexpr std::uint16_t kMany = 10'000;
  const host::Host& host = making.facts.host;
  const host::Network* network = making.facts.reach.network(netns);
  if (network == nullptr) return;
  Dice dice(making.seed, "closed " + host.at(netns).name);
  const auto number = static_cast<std::uint16_t>(kFirst + dice.roll(kMany));
  const bool taken = std::ranges::any_of(host.listeners, [&](const Listener& one) {
    return one.netns == netns && one.port == number;
  });
  if (taken) return;
  const Port port{.netns = netns, .stream = true, .port = number, .listeners = {}};
  const reach::Service service{.protocol = Protocol::Tcp, .port = number};
  for (const LanClient& client :
       lan_clients(making, netns, nullptr, reach::destinations_of(*network, service), dice)) {
    const auto answer = making.asker.ask(netns, true, number, client);
    // Rules may lead any port elsewhere.
    if (!answer || answer->delivers_to || answer->outcome == Outcome::Answered ||
        answer->outcome == Outcome::Hangs) {
      continue;
    }
    Question question = begin(making, Kind::Closed, port);
    // On another day it is another port, and the same question.
    question.key = "closed:" + question.subject.substr(0, question.subject.find(':')) + ":" +
                   key_word(client.link);
    question.subject = question.key;
    question.text = "Nothing listens on " + port_words(making.facts, port) + ". " +
                    client_asks(client, port) + what_words(port, "does", "becomes");
    question.explanation = decided_by(*answer);
    question.verify = command_of(making.facts, netns, *answer);
    finish_with_outcome(making, std::move(question), *answer, true);
    return;
  }
}

}  // namespace hark::drill
