// Ways past a firewall: over the other family, by a rewritten destination, or through the second of
// two rule systems.
//
// DNAT happens before the packet is routed (NF_INET_PRE_ROUTING): what it turns to a container is
// forwarded, and the input chain, where a host's firewall denies, never sees it. Whether the input
// chain would have denied it is found out by following the same packet without the rules of NAT.
#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "diagnose/families.h"
#include "diagnose/from_world.h"
#include "diagnose/words.h"
#include "reach/destinations.h"
#include "reach/firewall_rules.h"
#include "reach/published.h"
#include "reach/trace.h"

namespace hark::diagnose {
namespace {

using host::Listener;
using host::Network;
using reach::ChainView;
using reach::FirewallRules;
using reach::Reachability;
using reach::ReachClass;
using reach::RuleEnd;
using reach::RuleView;

/// What becomes of it behind this namespace is not seen: such an answer is open.
bool is_forwarded_by_nat(const ReachClass& one) {
  const bool open =
      one.answer.outcome == reach::Outcome::Answered || one.answer.cause.code == "forwarded";
  if (!open) return false;
  const auto has = [&](reach::Stage stage, std::string_view verdict) {
    return std::ranges::any_of(one.answer.path, [&](const reach::Step& step) {
      return step.stage == stage && (verdict.empty() || step.verdict == verdict);
    });
  };
  return has(reach::Stage::Prerouting, "rewrite") && has(reach::Stage::Forward, {});
}

class Namespace {
 public:
  Namespace(const Facts& facts, const Network& network)
      : facts_(facts), network_(network), plain_(facts.host, network) {}

  void find(std::vector<Finding>& out) {
    std::map<std::tuple<bool, std::uint16_t>, std::vector<std::size_t>> ports;
    for (const std::size_t i : facts_.listeners) {
      const Listener& listener = facts_.listener(i);
      const bool known = is_stream(listener) || listener.protocol == Protocol::Udp;
      if (listener.netns != network_.netns || !known) continue;
      if (listener.scope == host::Scope::Loopback) continue;
      ports[{is_stream(listener), listener.port}].push_back(i);
    }
    for (const auto& [port, members] : ports) {
      if (auto one = open_over_ipv6(members)) out.push_back(std::move(*one));
      if (auto one = listener_past_input(members)) out.push_back(std::move(*one));
    }
    published_past_input(out);
    two_systems(out);
  }

 private:
  [[nodiscard]] bool serves_ipv4(std::size_t i) const {
    const std::optional<IpFamily> only = reach::service_of(facts_.listener(i)).family;
    return !only || *only == IpFamily::Inet;
  }

  [[nodiscard]] std::optional<Finding> open_over_ipv6(
      const std::vector<std::size_t>& members) const {
    if (std::ranges::none_of(members, [this](std::size_t i) { return serves_ipv4(i); })) return {};
    const Reachability& all = facts_.reach.reachability(members);
    const FromWorld v6 = from_world(network_, all, IpFamily::Inet6);
    if (v6.through != Share::Most) return std::nullopt;
    const FromWorld v4 = from_world(network_, all, IpFamily::Inet);
    if (!v4.asked || v4.through == Share::Most || v4.closed == nullptr) return std::nullopt;
    const reach::Cause& denied = v4.closed->answer.cause;
    if (!reach::is_of_firewall(denied)) return std::nullopt;
    const std::size_t i = *std::ranges::find_if(members, [this](std::size_t member) {
      const std::optional<IpFamily> only = reach::service_of(facts_.listener(member)).family;
      return !only || *only == IpFamily::Inet6;
    });
    Finding out{.code = "ipv6-open",
                .severity = Severity::Risk,
                .listener = i,
                .text = host::holder_words(facts_.host, i) +
                        " is reachable from the Internet over IPv6, although the firewall keeps "
                        "it away over IPv4: " +
                        denied.text};
    out.evidence = denied.evidence;
    out.evidence.push_back(witness(*v6.open));
    out.remedy = "give IPv6 the same rules; a table of the family inet has both";
    return out;
  }

  static reach::Evidence witness(const ReachClass& open) {
    const reach::Question& asked = open.answer.question;
    return {.fact = asked.source.text() + " is answered",
            .where = "socket",
            .verify = "hark why " + std::string(name_of(asked.protocol)) + "/" +
                      std::to_string(asked.port) + " --from " + asked.source.text()};
  }

  /// The same packet, as if nothing rewrote it; nothing: the input chain does not deny it.
  std::optional<reach::Cause> denied_without_nat(const ReachClass& open) {
    return plain_.denied(open.answer.question);
  }

  /// By an interface that leads to the world, where there is one: containers that reach each other
  /// by way of this host are their own business.
  [[nodiscard]] const ReachClass* passed_on(const Reachability& one) const {
    const auto leads = [this](const reach::ClientPlace& place) {
      return leads_to_world(network_, place.interface, place.to.address.family);
    };
    const bool any = std::ranges::any_of(one.clients.places, leads);
    for (const reach::ClientPart& part : one.clients.parts) {
      const reach::ClientPlace& place = one.clients.places[part.place];
      if (place.loopback || (any && !leads(place))) continue;
      if (is_forwarded_by_nat(*part.cls)) return part.cls;
    }
    return nullptr;
  }

  std::optional<Finding> listener_past_input(const std::vector<std::size_t>& members) {
    const ReachClass* open = passed_on(facts_.reach.reachability(members));
    if (open == nullptr) return std::nullopt;
    const reach::Question& asked = open->answer.question;
    told_.insert({asked.protocol == Protocol::Tcp, asked.port});
    const std::optional<reach::Cause> denied = denied_without_nat(*open);
    if (!denied) return std::nullopt;
    Finding out = past_input(*open, *denied);
    out.listener = members.front();
    out.text = host::holder_words(facts_.host, members.front()) + ": its port" + out.text;
    return out;
  }

  /// "… is reachable past the firewall", to be begun.
  [[nodiscard]] static Finding past_input(const ReachClass& open, const reach::Cause& denied) {
    Finding out{.code = "dnat-bypasses-input", .severity = Severity::Risk};
    out.text = " is reachable from elsewhere although the firewall would keep clients away (" +
               denied.text + "): DNAT sends them on before the input chain is asked";
    for (const reach::Step& step : open.answer.path) {
      if (step.stage != reach::Stage::Prerouting || step.verdict != "rewrite") continue;
      out.evidence.push_back({.fact = step.detail, .where = "prerouting", .verify = step.verify});
    }
    out.evidence.insert(out.evidence.end(), denied.evidence.begin(), denied.evidence.end());
    out.remedy =
        "publish the port on 127.0.0.1 or on a private address only, or deny it where forwarded "
        "packets pass: the chain DOCKER-USER, or a forward chain";
    return out;
  }

  /// Ports that rules publish and at which no socket of this namespace listens: of both protocols
  /// and families each once.
  void published_past_input(std::vector<Finding>& out) {
    for (const reach::PublishedPort& port : facts_.reach.published()) {
      if (port.netns != network_.netns || !port.denied || port.let_through == nullptr) continue;
      if (!told_.insert({port.protocol == Protocol::Tcp, port.first_port()}).second) continue;
      Finding one = past_input(*port.let_through, *port.denied);
      const std::string what =
          std::string(name_of(port.protocol)) + " " + std::to_string(port.first_port());
      one.subject = what;
      one.port = port.first_port();
      one.text = "published port " + what + one.text;
      out.push_back(std::move(one));
    }
  }

  static bool filters(const std::vector<const ChainView*>& chains, bool legacy) {
    return std::ranges::any_of(chains, [legacy](const ChainView* chain) {
      if ((chain->legacy != nullptr) != legacy) return false;
      if (chain->hook && !chain->accepts) return true;
      return std::ranges::any_of(chain->rules, [](const RuleView& rule) {
        return rule.end == RuleEnd::Drop || rule.end == RuleEnd::Reject;
      });
    });
  }

  void two_systems(std::vector<Finding>& out) const {
    if (network_.legacy.empty() || network_.nft.chains.empty()) return;
    const FirewallRules rules(network_);
    const std::vector<const ChainView*> chains = rules.at_hook(reach::kHookInput, "filter");
    if (!filters(chains, true) || !filters(chains, false)) return;
    out.push_back(
        {.code = "two-rule-systems",
         .severity = Severity::Notice,
         .subject = "firewall",
         .text = "two firewalls filter what comes in: tables of the old iptables and chains of "
                 "nftables. A packet must please both, and each tool shows only its own rules",
         .evidence = {{.fact = "the legacy table filter drops or rejects at INPUT",
                       .where = "iptables",
                       .verify = "iptables-legacy-save"},
                      {.fact = "a chain of nftables drops or rejects at input",
                       .where = "nftables",
                       .verify = "nft list ruleset"}},
         .remedy = "keep one of the two: iptables-legacy-save | iptables-nft-restore moves the old "
                   "tables over"});
  }

  const Facts& facts_;
  const Network& network_;
  reach::WithoutNat plain_;
  std::set<std::tuple<bool, std::uint16_t>> told_;
};

}  // namespace

std::vector<Finding> firewall_ways(const Facts& facts) {
  std::vector<Finding> out;
  for (std::size_t i = 0; i < facts.host.namespaces.size(); ++i) {
    const Network* network = facts.reach.network(static_cast<host::NetnsId>(i));
    if (network != nullptr) Namespace(facts, *network).find(out);
  }
  return out;
}

}  // namespace hark::diagnose
