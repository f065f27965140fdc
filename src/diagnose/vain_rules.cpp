// Rules of a firewall that do nothing for anybody: they open a port at which nobody listens, or
// only for this host itself, or stand behind one that ends the chain for every packet.
//
// Only what is certain is told: of rules that ask for something else besides ports, clients and
// interfaces nothing is known, and a range of ports is opened for what comes and goes.
#include <algorithm>
#include <array>

#include "diagnose/families.h"
#include "diagnose/words.h"
#include "reach/firewall_rules.h"

namespace hark::diagnose {
namespace {

using host::Listener;
using host::Network;
using reach::ChainView;
using reach::FirewallRules;
using reach::RuleEnd;
using reach::RuleView;

constexpr std::size_t kMostPorts = 16;

bool is_of(const Listener& listener, Protocol protocol) {
  return protocol == Protocol::Tcp
             ? is_stream(listener)
             : listener.protocol == Protocol::Udp || listener.protocol == Protocol::Udplite;
}

bool opens(const RuleView& rule) {
  const std::size_t ports = rule.named_ports();
  return rule.end == RuleEnd::Accept && !rule.odd && !rule.from_loopback && ports > 0 &&
         ports <= kMostPorts;
}

/// Answers to what a client of this host asked of everybody: DHCP.
bool is_of_clients(std::uint16_t port) {
  return port == 68 || port == 546;
}

class Namespace {
 public:
  Namespace(const Facts& facts, const Network& network)
      : facts_(facts), network_(network), rules_(network) {
    for (const ChainView* chain : rules_.at_hook(reach::kHookPrerouting, "nat")) {
      for (const RuleView& rule : chain->rules) {
        if (rule.end == RuleEnd::Dnat) rewritten_.push_back(&rule);
      }
    }
  }

  void find(std::vector<Finding>& out) const {
    stale(out);
    only_here(out);
    shadowed(out, reach::kHookInput);
    shadowed(out, reach::kHookForward);
  }

 private:
  /// A program may take its packets wherever it likes, and a rule may send them elsewhere.
  [[nodiscard]] bool is_turned_elsewhere(std::uint16_t port) const {
    const bool programs = std::ranges::any_of(
        network_.programs,
        [](const host::AttachedProgram& one) { return one.where == "sk-lookup"; });
    return programs || std::ranges::any_of(rewritten_, [port](const RuleView* rule) {
             return rule->ports.empty() ? rule->odd : names(*rule, port);
           });
  }
  static bool names(const RuleView& rule, std::uint16_t port) {
    return std::ranges::any_of(rule.ports, [port](const Interval<std::uint16_t>& range) {
      return range.first <= port && port <= range.last;
    });
  }
  [[nodiscard]] bool is_served(Protocol protocol, std::uint16_t port) const {
    return std::ranges::any_of(facts_.host.listeners, [&](const Listener& one) {
      return one.netns == network_.netns && one.port == port && is_of(one, protocol);
    });
  }
  [[nodiscard]] std::string in_words() const {
    const host::Netns& netns = facts_.host.at(network_.netns);
    return netns.own || facts_.host.namespaces.size() == 1 ? "" : " in " + host::netns_words(netns);
  }

  void stale(std::vector<Finding>& out) const {
    // Where some sockets could not be read, nobody knows who listens.
    const bool all_read = std::ranges::none_of(facts_.host.gaps, [](const host::Gap& gap) {
      return gap.code == "sockets-not-read" || gap.code == "dump-interrupted";
    });
    if (!all_read) return;
    for (const ChainView* chain : rules_.at_hook(reach::kHookInput, "filter")) {
      for (std::size_t i = 0; i < reached(*chain); ++i) {
        const RuleView& rule = chain->rules[i];
        if (!opens(rule) || is_in_use(rule)) continue;
        for (const Protocol protocol : protocols_of(rule)) add_stale(*chain, i, protocol, out);
      }
    }
  }
  static std::vector<Protocol> protocols_of(const RuleView& rule) {
    if (rule.protocol) return {*rule.protocol};
    return {Protocol::Tcp, Protocol::Udp};
  }
  /// One of its ports is, or may be.
  [[nodiscard]] bool is_in_use(const RuleView& rule) const {
    for (const auto& range : rule.ports) {
      for (std::uint32_t port = range.first; port <= range.last; ++port) {
        const auto number = static_cast<std::uint16_t>(port);
        if (is_of_clients(number) || is_turned_elsewhere(number)) return true;
        for (const Protocol protocol : protocols_of(rule)) {
          if (is_served(protocol, number)) return true;
        }
      }
    }
    return false;
  }
  void add_stale(const ChainView& chain, std::size_t position, Protocol protocol,
                 std::vector<Finding>& out) const {
    const RuleView& rule = chain.rules[position];
    const reach::RulePlace place = rules_.place(chain, position);
    std::string ports;
    for (const auto& range : rule.ports) {
      ports += (ports.empty() ? "" : ",") + std::to_string(range.first);
      if (range.last != range.first) ports += "-" + std::to_string(range.last);
    }
    const std::string subject = std::string(name_of(protocol)) + " " + ports;
    out.push_back({.code = "stale-rule",
                   .severity = Severity::Notice,
                   .subject = subject + in_words(),
                   .port = rule.ports.front().first,
                   .text = "the firewall opens " + subject + in_words() +
                           ", where nobody listens: whoever starts a program there is open to "
                           "those that the rule lets in",
                   .evidence = {{.fact = place.rule,
                                 .where = reach::words_of(place),
                                 .verify = reach::command_of(place)}},
                   .remedy = "take the rule out, or start what it was made for"});
  }

  void only_here(std::vector<Finding>& out) const {
    std::vector<std::pair<const ChainView*, std::size_t>> opening;
    for (const ChainView* chain : rules_.at_hook(reach::kHookInput, "filter")) {
      for (std::size_t i = 0; i < reached(*chain); ++i) {
        if (opens(chain->rules[i])) opening.emplace_back(chain, i);
      }
    }
    if (opening.empty()) return;
    for (const std::size_t i : facts_.listeners) {
      if (facts_.listener(i).netns == network_.netns) only_here(i, opening, out);
    }
  }
  void only_here(std::size_t i,
                 const std::vector<std::pair<const ChainView*, std::size_t>>& opening,
                 std::vector<Finding>& out) const {
    const Listener& listener = facts_.listener(i);
    if (!is_localhost(listener.address) || is_turned_elsewhere(listener.port)) return;
    const IpFamily family = listener.address.unmapped().family;
    const auto found = std::ranges::find_if(opening, [&](const auto& one) {
      const RuleView& rule = one.first->rules[one.second];
      return names(rule, listener.port) && (!rule.protocol || is_of(listener, *rule.protocol)) &&
             std::ranges::find(one.first->families, family) != one.first->families.end();
    });
    if (found == opening.end() || !others_are_let_through(i) || is_served_elsewhere(listener)) {
      return;
    }
    const reach::RulePlace place = rules_.place(*found->first, found->second);
    out.push_back({.code = "loopback-only-though-opened",
                   .severity = Severity::Notice,
                   .listener = i,
                   .text = host::holder_words(facts_.host, i) +
                           " listens on this host only, although a rule of the firewall opens its "
                           "port to others: they are refused",
                   .evidence = {{.fact = "bound to " + listener.address.text(),
                                 .where = "socket",
                                 .verify = socket_command(listener)},
                                {.fact = place.rule,
                                 .where = reach::words_of(place),
                                 .verify = reach::command_of(place)}},
                   .remedy =
                       "let the program listen on the address that others use, or take the rule "
                       "out if nobody else is meant to reach it"});
  }
  /// The packets of some come as far as the sockets.
  [[nodiscard]] bool others_are_let_through(std::size_t i) const {
    return std::ranges::any_of(facts_.reach.classes({i}), [](const reach::ReachClass* one) {
      return one->answer.cause.code == "bound-other-addr";
    });
  }
  [[nodiscard]] bool is_served_elsewhere(const Listener& listener) const {
    return std::ranges::any_of(facts_.host.listeners, [&](const Listener& other) {
      return other.netns == listener.netns && other.port == listener.port &&
             is_stream(other) == is_stream(listener) && other.scope != host::Scope::Loopback;
    });
  }

  static const char* end_words(RuleEnd end) {
    switch (end) {
      case RuleEnd::Accept:
        return "accepts";
      case RuleEnd::Drop:
        return "drops";
      case RuleEnd::Reject:
        return "rejects";
      case RuleEnd::Return:
      case RuleEnd::Goto:
        return "sends away";
      case RuleEnd::None:
      case RuleEnd::Dnat:
      case RuleEnd::Jump:
      case RuleEnd::Other:
        break;
    }
    return nullptr;
  }

  /// The first that ends the chain for every packet.
  static std::vector<RuleView>::const_iterator ending_of(const ChainView& chain) {
    return std::ranges::find_if(chain.rules, [](const RuleView& rule) {
      return !rule.conditional && end_words(rule.end) != nullptr;
    });
  }
  /// How many of its rules are.
  static std::size_t reached(const ChainView& chain) {
    return static_cast<std::size_t>(ending_of(chain) - chain.rules.begin());
  }

  void shadowed(std::vector<Finding>& out, std::uint32_t hook) const {
    for (const ChainView* chain : rules_.at_hook(hook, "filter")) {
      const auto ending = ending_of(*chain);
      if (ending == chain->rules.end()) continue;
      const auto dead = std::find_if(ending + 1, chain->rules.end(), [&](const RuleView& rule) {
        return rule.end != RuleEnd::None && rule.end != ending->end;
      });
      if (dead == chain->rules.end()) continue;
      add_shadowed(*chain, static_cast<std::size_t>(ending - chain->rules.begin()),
                   static_cast<std::size_t>(dead - chain->rules.begin()), out);
    }
  }
  void add_shadowed(const ChainView& chain, std::size_t ending, std::size_t dead,
                    std::vector<Finding>& out) const {
    const reach::RulePlace before = rules_.place(chain, ending);
    const reach::RulePlace behind = rules_.place(chain, dead);
    const std::size_t count = chain.rules.size() - ending - 1;
    Finding one{.code = "shadowed-rule",
                .severity = Severity::Notice,
                .subject = "firewall" + in_words(),
                .text = counted(count, "rule") + " of " + chain.table + " " + chain.name +
                        in_words() + (count == 1 ? " is" : " are") + " never reached, as `" +
                        behind.rule + "`: before it " + reach::words_of(before) + " " +
                        end_words(chain.rules[ending].end) + " every packet"};
    const RuleView& rule = chain.rules[dead];
    if (!rule.ports.empty()) one.port = rule.ports.front().first;
    for (const reach::RulePlace& place : {before, behind}) {
      one.evidence.push_back({.fact = place.rule,
                              .where = reach::words_of(place),
                              .verify = reach::command_of(place)});
    }
    one.remedy = "move what is meant to count before the rule that ends the chain, or take it out";
    out.push_back(std::move(one));
  }

  const Facts& facts_;
  const Network& network_;
  FirewallRules rules_;
  std::vector<const RuleView*> rewritten_;
};

}  // namespace

std::vector<Finding> vain_rules(const Facts& facts) {
  std::vector<Finding> out;
  for (std::size_t i = 0; i < facts.host.namespaces.size(); ++i) {
    const Network* network = facts.reach.network(static_cast<host::NetnsId>(i));
    if (network == nullptr || (network->nft.chains.empty() && network->legacy.empty())) continue;
    Namespace(facts, *network).find(out);
  }
  return out;
}

}  // namespace hark::diagnose
