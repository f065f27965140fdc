#include "drill/questions_parts.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "host/holders.h"
#include "host/scope.h"
#include "reach/destinations.h"

namespace hark::drill {
namespace {

using reach::Certainty;
using reach::Outcome;

/// More would make a question nobody reads to its end.
constexpr std::size_t kMostWrong = 3;

/// Of an address's host part: the last number of a neighbour. Nobody looks whether he is there.
constexpr std::array<std::uint8_t, 6> kNeighbours = {9, 23, 40, 77, 130, 200};

bool is_certain(const reach::Answer& answer) {
  const bool exact =
      answer.certainty == Certainty::Exact || answer.certainty == Certainty::ExactNow;
  return exact && answer.outcome != Outcome::Depends && answer.outcome != Outcome::Unknown &&
         answer.instead.empty();
}

/// The subnet at the link in which the address stands that is asked there.
const host::InterfaceAddress* subnet_of(const host::Network& network,
                                        const reach::Destination& to) {
  const auto found = std::ranges::find_if(network.addresses, [&](const auto& one) {
    return one.link == to.interface && one.address == to.address;
  });
  if (found == network.addresses.end()) return nullptr;
  const unsigned host_bits = found->address.bits() - found->subnet.length;
  return host_bits >= 3 && !found->address.is_link_local() ? &*found : nullptr;
}

/// Neighbours that could be there, in an order that the dice give.
std::vector<IpAddress> neighbours(const host::InterfaceAddress& at, const AddressSet& possible,
                                  Dice& dice) {
  std::vector<IpAddress> out;
  const std::size_t last = at.address.family == Family::Inet ? 3 : 15;
  for (const std::uint8_t one : kNeighbours) {
    IpAddress candidate = at.subnet.address;
    candidate.bytes[last] = static_cast<std::uint8_t>(candidate.bytes[last] | one);
    if (at.subnet.contains(candidate) && possible.contains(candidate)) out.push_back(candidate);
  }
  dice.shuffle(out);
  // Of a small subnet those may be none.
  const AddressSet others = possible.intersect(AddressSet(range_of(at.subnet)));
  if (out.empty() && !others.empty()) out.push_back(others.ranges().front().last);
  return out;
}

/// In which of the view's classes a client is; none: as if all were one.
std::size_t part_of(const reach::ClientView* view, const reach::Destination& to,
                    const IpAddress& source) {
  if (view == nullptr) return 0;
  for (std::size_t i = 0; i < view->parts.size(); ++i) {
    const reach::ClientPart& part = view->parts[i];
    if (view->places[part.place].interface != to.interface || part.addresses.empty()) continue;
    if (part.addresses.ranges().front().first.family != source.family) continue;
    if (part.addresses.contains(source)) return i;
  }
  return view->parts.size();
}

std::string netns_suffix(const Facts& facts, host::NetnsId id) {
  const host::Netns& netns = facts.host.at(id);
  return netns.own ? "" : " in " + host::netns_words(netns);
}

}  // namespace

std::optional<reach::Answer> Asker::ask(host::NetnsId netns, bool stream, std::uint16_t port,
                                        const LanClient& client, const Rebound* otherwise) {
  const host::Network* network = facts_.reach.network(netns);
  if (network == nullptr) return std::nullopt;
  const reach::Question question = {.protocol = stream ? Protocol::Tcp : Protocol::Udp,
                                    .source = client.source,
                                    .destination = client.destination,
                                    .port = port,
                                    .interface = client.interface};
  std::optional<reach::Answer> answer;
  if (otherwise == nullptr) {
    std::unique_ptr<reach::Tracer>& tracer = tracers_[netns];
    if (!tracer) tracer = std::make_unique<reach::Tracer>(facts_.host, *network);
    answer = tracer->trace(question);
  } else {
    if (!copied_) changed_ = facts_.host;
    copied_ = true;
    host::Listener& changed = changed_.listeners[otherwise->listener];
    changed.address = otherwise->address;
    changed.v6only = otherwise->address.family == Family::Inet
                         ? std::nullopt
                         : std::optional<bool>(otherwise->v6only);
    changed.scope = host::scope_of(changed.address, changed.interface);
    answer = reach::Tracer(changed_, *network).trace(question);
    changed = facts_.host.listeners[otherwise->listener];
  }
  if (!is_certain(*answer)) return std::nullopt;
  return answer;
}

std::vector<LanClient> lan_clients(const Making& making, host::NetnsId netns,
                                   const reach::ClientView* view,
                                   const std::vector<reach::Destination>& places, Dice& dice) {
  const host::Network* network = making.facts.reach.network(netns);
  const reach::ClientSources* sources = making.facts.reach.sources(netns);
  std::vector<LanClient> out;
  if (network == nullptr || sources == nullptr) return out;
  std::set<std::pair<std::uint32_t, std::size_t>> met;
  for (const reach::Destination& to : places) {
    const host::Link* link = network->link(to.interface);
    if (link == nullptr || link->is_loopback()) continue;
    const host::InterfaceAddress* at = subnet_of(*network, to);
    if (at == nullptr) continue;
    for (const IpAddress& one : neighbours(*at, sources->of(*link, to.address), dice)) {
      if (!met.emplace(to.interface, part_of(view, to, one)).second) continue;
      out.push_back({to.interface, link->name, one, to.address});
    }
  }
  dice.shuffle(out);
  return out;
}

std::vector<LanClient> lan_clients(const Making& making, const Port& port, Dice& dice) {
  const host::Network* network = making.facts.reach.network(port.netns);
  if (network == nullptr) return {};
  // Where it can be asked is asked of the first of its sockets that has a place.
  for (const std::size_t i : port.listeners) {
    reach::Service service = reach::service_of(making.facts.host.listeners[i]);
    const auto& view = making.facts.reach.reachability(port.listeners).clients;
    std::vector<LanClient> out =
        lan_clients(making, port.netns, &view, reach::destinations_of(*network, service), dice);
    if (!out.empty()) return out;
  }
  return {};
}

std::string port_words(const Facts& facts, const Port& port) {
  return (port.stream ? "tcp " : "udp ") + std::to_string(port.port) +
         netns_suffix(facts, port.netns);
}

std::string command_in(const Facts& facts, host::NetnsId netns, std::string command) {
  if (command.empty() || facts.host.at(netns).own) return command;
  const std::string before = facts.enter ? facts.enter(netns) : std::string();
  return before.empty() ? std::string() : before + command;
}

std::string ss_command(const Facts& facts, const Port& port, std::string_view more) {
  return command_in(facts, port.netns,
                    (port.stream ? "ss -Htln" : "ss -Huln") + std::string(more) +
                        " sport = :" + std::to_string(port.port));
}

std::string command_of(const Facts& facts, host::NetnsId netns, const reach::Answer& answer) {
  for (const reach::Evidence& one : answer.cause.evidence) {
    if (!one.verify.empty()) return command_in(facts, netns, one.verify);
  }
  for (std::size_t i = answer.path.size(); i > 0; --i) {
    const reach::Step& step = answer.path[i - 1];
    if (!step.verify.empty()) return command_in(facts, netns, step.verify);
  }
  return {};
}

std::string key_word(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
  return out;
}

Question begin(const Making& making, Kind kind, const Port& port, std::string_view what) {
  const host::Netns& netns = making.facts.host.at(port.netns);
  const std::string place = netns.own ? "here" : key_word(netns.name);
  const std::string number = std::to_string(port.port);
  Question out;
  out.kind = kind;
  out.key = std::string(info_of(kind).name) + ":" + place + ":" + (port.stream ? "tcp:" : "udp:") +
            number;
  if (!what.empty()) out.key += ":" + key_word(what);
  out.subject = place + ":" + number;
  out.weight = weight_of(making.facts, port);
  return out;
}

void finish(const Making& making, Question question, Choice right, std::vector<Choice> wrong) {
  right.credit = 100;
  Dice dice(making.seed, question.key + " choices");
  dice.shuffle(wrong);
  std::ranges::stable_sort(wrong, std::greater<>(), &Choice::credit);
  std::set<std::string> met = {lower(right.text)};
  for (const std::string& word : right.also) met.insert(lower(word));
  for (Choice& one : wrong) {
    if (question.choices.size() == kMostWrong) break;
    if (one.text.empty() || !met.insert(lower(one.text)).second) continue;
    question.choices.push_back(std::move(one));
  }
  if (question.choices.empty() || right.text.empty()) return;
  question.choices.push_back(std::move(right));
  dice.shuffle(question.choices);
  const auto at = std::ranges::find(question.choices, 100U, &Choice::credit);
  question.answer = static_cast<std::size_t>(at - question.choices.begin());
  making.out.push_back(std::move(question));
}

}  // namespace hark::drill
