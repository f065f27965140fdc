#include "reach/reach_table.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <span>
#include <tuple>

#include "base/parallel.h"
#include "base/text.h"
#include "host/holders.h"
#include "host/near_words.h"
#include "reach/destinations.h"
#include "reach/published.h"
#include "reach/sk_lookup.h"

namespace hark::reach {
namespace {

using host::Listener;

/// Only of these it is known what a packet to them meets.
bool can_be_asked(const Listener& listener) {
  return listener.protocol == Protocol::Tcp || listener.protocol == Protocol::Mptcp ||
         listener.protocol == Protocol::Udp;
}

/// Sockets between which the kernel picks.
bool is_one_group(const Listener& a, const Listener& b) {
  return a.netns == b.netns && a.protocol == b.protocol && a.port == b.port &&
         a.address == b.address && a.interface_index == b.interface_index;
}

bool is_mine(const host::Host& host, const std::vector<std::size_t>& listeners,
             const Answer& answer) {
  // Nothing here takes it: it is passed on, which is what was asked of the port.
  if (!answer.delivers_to) return true;
  const Listener& taker = host.listeners[*answer.delivers_to];
  return std::ranges::any_of(listeners,
                             [&](std::size_t i) { return is_one_group(host.listeners[i], taker); });
}

/// Every client from elsewhere gets through. Those to whom no way leads back do not count where the
/// other family reaches the whole world: IPv6 without a route to it is nobody's loss.
bool is_all(const Reachability& one) {
  std::array<bool, 2> whole = {true, true};  // by family: nobody is turned away
  std::array<bool, 2> ways = {true, true};   // … nor without a way back
  std::array<bool, 2> some = {false, false};
  for (std::size_t i = 0; i < one.clients.parts.size(); ++i) {
    const ClientPart& part = one.clients.parts[i];
    const ClientPlace& place = one.clients.places[part.place];
    if (place.loopback) continue;
    const auto family = static_cast<std::size_t>(place.to.address.family);
    if (one.through[i] == Through::Yes) {
      some[family] = true;
    } else if (has_no_way_back(part.cls->answer)) {
      ways[family] = false;
    } else {
      whole[family] = false;
    }
  }
  bool full = false;
  for (const std::size_t family : {0U, 1U}) {
    if (!whole[family]) return false;
    full = full || (some[family] && ways[family]);
  }
  return full;
}

Openness openness_of(const Reachability& one) {
  bool here = false;
  bool here_open = false;
  bool outside = false;
  bool open = false;
  for (std::size_t i = 0; i < one.clients.parts.size(); ++i) {
    const bool loopback = one.clients.places[one.clients.parts[i].place].loopback;
    const Through through = one.through[i];
    (loopback ? here : outside) |= through == Through::Yes;
    (loopback ? here_open : open) |= through == Through::Maybe;
  }
  if (outside) return is_all(one) ? Openness::Anywhere : Openness::Some;
  if (open) return Openness::Unknown;
  // Rules that were not read may keep this host's own away: nobody else has it for sure.
  if (here || here_open) return Openness::ThisHost;
  return Openness::Nobody;
}

/// Positions, the last one excluded.
struct Piece {
  std::size_t first;
  std::size_t last;
};

/// Questions about one namespace for several threads. Each of them makes it ready for himself,
/// which takes as long as many questions.
std::vector<Piece> pieces_of(std::size_t count) {
  constexpr std::size_t kWorthwhile = 128;
  std::vector<Piece> out;
  if (count == 0) return out;
  const std::size_t pieces = std::clamp<std::size_t>(count / kWorthwhile, 1, useful_threads());
  for (std::size_t i = 0; i < pieces; ++i) {
    out.push_back({count * i / pieces, count * (i + 1) / pieces});
  }
  return out;
}

template <typename IsMine>
Reachability judged(const ClientSources& sources, const ClassList& classes, const IsMine& is_mine) {
  Reachability out;
  out.clients = view_of(sources, classes);
  out.through.reserve(out.clients.parts.size());
  for (const ClientPart& part : out.clients.parts) {
    Through through = gets_through(part.cls->answer);
    if (!is_mine(part.cls->answer)) through = Through::No;
    // Only with ports that hardly any client has, or with some of those that it may have.
    if (through == Through::Yes && !part.ports.empty()) through = Through::Maybe;
    out.through.push_back(through);
  }
  out.openness = openness_of(out);
  return out;
}

}  // namespace

bool has_no_way_back(const Answer& answer) {
  return answer.cause.code == "no-route-back" || answer.cause.code == "back-by-other-link" ||
         answer.cause.code.starts_with("rp-filter");
}

std::vector<std::vector<ReachClass>> reach_all(const host::Host& host, const host::Network& network,
                                               const std::vector<Destination>& to,
                                               host::Networks* others) {
  const Tracer tracer(host, network, others);
  std::vector<std::vector<ReachClass>> out;
  out.reserve(to.size());
  for (const Destination& one : to) out.push_back(reach(tracer, one));
  return out;
}

struct ReachTable::Published {
  std::map<host::NetnsId, Publishable> by_netns;
  AddressOwners addresses;
  std::vector<PublishedPort> found;
};

ReachTable::ReachTable(const host::Host& host, Sources about)
    : host_(host), about_(about), published_(new Published) {}
ReachTable::ReachTable(ReachTable&&) noexcept = default;
ReachTable::~ReachTable() = default;

void ReachTable::limit(const Space& space, Destination& to) const {
  const host::Link* link = space.network.link(to.interface);
  if (about_ != Sources::OfClients || link == nullptr) return;
  to.sources = space.sources->of(*link, to.address);
  to.next = false;
}

std::vector<PublishedCount> ReachTable::ask_published(Space& space, std::vector<Destination>& all) {
  std::vector<PublishedCount> counts;
  Publishable& may = published_->by_netns[space.network.netns];
  may = publishable(host_, space.network);
  add_addresses(space.network.netns, space.network);
  for (const PublishedPort& port : may.ports) {
    PublishedAsks asks = asks_of(*space.sources, about_, port);
    counts.push_back({asks.to.size(), asks.of_leads});
    std::ranges::move(asks.to, std::back_inserter(all));
  }
  return counts;
}

void ReachTable::add_addresses(host::NetnsId id, const host::Network& network) {
  for (const host::InterfaceAddress& one : network.addresses) {
    published_->addresses.emplace(one.address, id);
  }
}

bool ReachTable::leads_elsewhere() const {
  for (const auto& [id, may] : published_->by_netns) {
    for (const PublishedPort& port : may.ports) {
      for (const LeadsTo& lead : port.leads_to) {
        if (lead.address && !published_->addresses.contains(*lead.address)) return true;
      }
    }
  }
  return false;
}

void ReachTable::find_published() {
  for (auto& [id, may] : published_->by_netns) {
    const Space& space = spaces_.at(id);
    std::vector<PublishedPort>& ports = may.ports;
    std::vector<std::uint8_t> counts(ports.size());
    const std::vector<Piece> pieces = pieces_of(counts.size());
    do_each(pieces.size(), useful_threads(), [&](std::size_t piece) {
      WithoutNat plain(host_, space.network);
      for (std::size_t i = pieces[piece].first; i < pieces[piece].last; ++i) {
        PublishedPort& port = ports[i];
        if (!judge(*space.sources, port)) continue;
        find_owners(host_, published_->addresses, port);
        plain.judge(port);
        counts[i] = 1;
      }
    });
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] != 0) published_->found.push_back(std::move(ports[i]));
    }
    ports.clear();
  }
}

const std::vector<PublishedPort>& ReachTable::published() const {
  return published_->found;
}

namespace {

bool were_rules_read(const host::Network& network) {
  return network.gap(host::NetworkFact::Nftables) == nullptr &&
         network.gap(host::NetworkFact::Legacy) == nullptr &&
         network.gap(host::NetworkFact::Links) == nullptr;
}

/// A program that answers for others: whose sockets it has is all that can be told.
host::Gap steering_gap(const host::Host& host, const host::Netns& netns,
                       const host::AttachedProgram& program) {
  constexpr std::size_t kMost = 3;
  const std::vector<std::size_t> sockets = steers_to(host, program);
  std::vector<std::string> words;
  for (std::size_t i = 0; i < std::min(sockets.size(), kMost); ++i) {
    words.push_back(host::listener_words(host, host.listeners[sockets[i]]));
  }
  if (sockets.size() > kMost) {
    words.push_back(std::to_string(sockets.size() - kMost) + " more");
  }
  if (has_unknown_sockets(host, program)) {
    words.emplace_back(program.sockets ? "a socket that is no listener here"
                                       : "sockets that are not known");
  }
  return {
      .code = "sk-lookup-not-listed",
      .what = words_of(program) + " of " + host::netns_words(netns) +
              " may answer where nobody listens" +
              (words.empty() ? std::string(": it has no sockets") : ", by " + join(words, "; ")),
      .hides = "ports that it answers",
      .remedy = "bpftool prog show id " + std::to_string(program.id)};
}

}  // namespace

bool ReachTable::rules_were_read() const {
  return std::ranges::any_of(spaces_,
                             [](const auto& one) { return were_rules_read(one.second.network); });
}

std::vector<host::Gap> ReachTable::published_gaps() const {
  std::vector<host::Gap> out;
  for (const auto& [id, space] : spaces_) {
    // Where none were read the list itself is missing.
    if (!rules_were_read() || were_rules_read(space.network)) continue;
    out.push_back({.code = "published-not-read",
                   .what = "rules of " + host::netns_words(host_.at(id)) + " could not be read",
                   .hides = "ports that are published there",
                   .remedy = ""});
  }
  for (const auto& [id, may] : published_->by_netns) {
    if (!may.complete) {
      out.push_back({.code = "published-not-all",
                     .what = "rules of NAT: more than hark follows to their ends",
                     .hides = "some ports that are published",
                     .remedy = "ask for one port: hark why PORT"});
    }
    if (const std::string marks = ipvs_marks(spaces_.at(id).network); !marks.empty()) {
      out.push_back({.code = "ipvs-mark-not-listed",
                     .what = "IPVS serves what has the mark " + marks +
                             ": which ports that are, rules decide",
                     .hides = "ports that it serves",
                     .remedy = "ask for one port: hark why PORT"});
    }
    for (const host::AttachedProgram& program : spaces_.at(id).network.programs) {
      if (is_sk_lookup(program)) out.push_back(steering_gap(host_, host_.at(id), program));
    }
  }
  return out;
}

/// What is asked of one namespace.
struct ReachTable::Asked {
  Space& space;
  std::vector<Destination> to = {};
  std::map<std::size_t, std::vector<std::size_t>> places = {};  ///< of listeners; the rest follow
  std::size_t of_listeners = 0;
  std::vector<PublishedCount> counts = {};
};

ReachTable::Asked ReachTable::open(host::Network network, const std::vector<std::size_t>& listeners,
                                   host::Networks* others) {
  Asked out{.space = spaces_[network.netns]};
  Space& space = out.space;
  space.network = std::move(network);
  if (others != nullptr) others->know(space.network);
  space.sources = std::make_unique<const ClientSources>(space.network);
  using Key = std::tuple<Protocol, IpAddress, std::uint16_t, std::uint32_t>;
  std::map<Key, std::size_t> known;
  for (const std::size_t i : listeners) {
    const Listener& listener = host_.listeners[i];
    if (!can_be_asked(listener)) continue;
    for (const Destination& to : destinations_of(space.network, service_of(listener))) {
      const auto [at, is_new] =
          known.emplace(Key(to.protocol, to.address, to.port, to.interface), out.to.size());
      if (is_new) {
        out.to.push_back(to);
        limit(space, out.to.back());
      }
      out.places[i].push_back(at->second);
    }
  }
  out.of_listeners = out.to.size();
  out.counts = ask_published(space, out.to);
  return out;
}

void ReachTable::close(const Asked& asked) {
  Space& space = asked.space;
  std::size_t next = asked.of_listeners;
  Publishable& may = published_->by_netns[space.network.netns];
  for (std::size_t i = 0; i < may.ports.size(); ++i) {
    next = take_answers(space.places, next, asked.counts[i], may.ports[i]);
  }
  for (const auto& [listener, at] : asked.places) {
    for (const std::size_t place : at) by_listener_[listener].push_back(&space.places[place]);
  }
}

void ReachTable::add(host::Network network, const std::vector<std::size_t>& listeners,
                     const AskReach& ask, host::Networks* others) {
  const Asked asked = open(std::move(network), listeners, others);
  asked.space.places = ask(host_, asked.space.network, asked.to, others);
  close(asked);
}

void ReachTable::add_all(std::map<host::NetnsId, host::Network> networks,
                         const std::map<host::NetnsId, std::vector<std::size_t>>& listeners,
                         const AskReach& ask, host::Networks& others) {
  struct Part {
    const Asked* of;
    Piece piece;
  };
  std::vector<Asked> all;
  all.reserve(networks.size());
  std::vector<Part> parts;
  for (auto& [id, network] : networks) {
    const auto known = listeners.find(id);
    all.push_back(open(std::move(network),
                       known == listeners.end() ? std::vector<std::size_t>() : known->second,
                       &others));
    const Asked& asked = all.back();
    asked.space.places.resize(asked.to.size());
    for (const Piece& piece : pieces_of(asked.to.size())) parts.push_back({&asked, piece});
  }
  do_each(parts.size(), useful_threads(), [&](std::size_t i) {
    const auto& [of, piece] = parts[i];
    const auto to = std::span(of->to).subspan(piece.first, piece.last - piece.first);
    std::ranges::move(ask(host_, of->space.network, {to.begin(), to.end()}, &others),
                      of->space.places.begin() + static_cast<std::ptrdiff_t>(piece.first));
  });
  for (const Asked& asked : all) close(asked);
}

const host::Network* ReachTable::network(host::NetnsId id) const {
  const auto found = spaces_.find(id);
  return found == spaces_.end() ? nullptr : &found->second.network;
}

host::ServiceFacts* ReachTable::services(host::NetnsId id) {
  const auto found = spaces_.find(id);
  return found == spaces_.end() ? nullptr : &found->second.network.services;
}

const ClientSources* ReachTable::sources(host::NetnsId id) const {
  const auto found = spaces_.find(id);
  return found == spaces_.end() ? nullptr : found->second.sources.get();
}

ClassList ReachTable::classes(const std::vector<std::size_t>& listeners) const {
  ClassList out;
  std::set<const std::vector<ReachClass>*> met;
  for (const std::size_t i : listeners) {
    const auto found = by_listener_.find(i);
    if (found == by_listener_.end()) continue;
    for (const std::vector<ReachClass>* place : found->second) {
      if (!met.insert(place).second) continue;
      for (const ReachClass& one : *place) out.push_back(&one);
    }
  }
  return out;
}

const Reachability& ReachTable::reachability(const std::vector<std::size_t>& listeners) const {
  const auto [at, is_new] = known_.try_emplace(listeners);
  const ClassList list = is_new ? classes(listeners) : ClassList();
  if (!list.empty()) {
    at->second = judged(*sources(host_.listeners[listeners.front()].netns), list,
                        [&](const Answer& answer) { return is_mine(host_, listeners, answer); });
  }
  return at->second;
}

Reachability reachability(const ClientSources& sources, const ClassList& classes,
                          const std::function<bool(const Answer&)>& mine) {
  return judged(sources, classes, [&](const Answer& answer) { return !mine || mine(answer); });
}

Reachability settled(Reachability one) {
  for (std::size_t i = 0; i < one.through.size(); ++i) {
    const Answer& answer = one.clients.parts[i].cls->answer;
    const bool kept = answer.outcome == Outcome::Hangs || answer.outcome == Outcome::Silent;
    if (kept && answer.certainty == Certainty::ExactNow && one.through[i] == Through::No) {
      one.through[i] = Through::Yes;
    }
  }
  if (!one.through.empty()) one.openness = openness_of(one);
  return one;
}

Reachability as_far_as(Reachability one, std::string_view code) {
  for (std::size_t i = 0; i < one.through.size(); ++i) {
    const Answer& answer = one.clients.parts[i].cls->answer;
    const bool open = answer.outcome == Outcome::Unknown && answer.cause.code == code;
    if (open && one.through[i] == Through::Maybe) one.through[i] = Through::Yes;
  }
  if (!one.through.empty()) one.openness = openness_of(one);
  return one;
}

bool reaches(const Reachability& one, const Prefix& from) {
  const AddressSet asked(range_of(from));
  for (std::size_t i = 0; i < one.clients.parts.size(); ++i) {
    const ClientPart& part = one.clients.parts[i];
    if (one.through[i] != Through::Yes || part.addresses.empty()) continue;
    if (part.addresses.ranges().front().first.family != from.address.family) continue;
    if (!part.addresses.intersect(asked).empty()) return true;
  }
  return false;
}

}  // namespace hark::reach
