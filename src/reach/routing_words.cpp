// How routes, rules and settings are named in causes, and the commands that show them.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "reach/fib.h"
#include "reach/shell_word.h"

namespace hark::reach::fib {
namespace {

std::string_view type_word(std::uint8_t type) {
  switch (type) {
    case kLocal:
      return "local ";
    case kBroadcast:
      return "broadcast ";
    case kAnycast:
      return "anycast ";
    case kMulticast:
      return "multicast ";
    case kBlackhole:
      return "blackhole ";
    case kUnreachable:
      return "unreachable ";
    case kProhibit:
      return "prohibit ";
    case kThrow:
      return "throw ";
    default:
      return "";
  }
}

std::string hop_words(const host::Network& network, const host::NextHop& hop) {
  std::string out;
  if (hop.gateway) {
    out += fmt::format(" via {}{}", hop.gateway->family == Family::Inet6 ? "inet6 " : "",
                       hop.gateway->text());
  }
  if (hop.link != 0) out += fmt::format(" dev {}", link_name(network, hop.link));
  return out;
}

std::string destination_words(const Prefix& prefix) {
  if (prefix.length == 0) return "default";
  if (prefix.length == prefix.address.bits()) return prefix.address.text();
  return prefix.text();
}

std::string action_words(const host::PolicyRule& rule) {
  switch (rule.action) {
    case kToTable:
      return rule.l3mdev ? std::string("lookup [l3mdev-table]")
                         : fmt::format("lookup {}", table_name(rule.table));
    case kGoto:
      return fmt::format("goto {}", rule.goto_priority);
    case kNop:
      return "nop";
    case kRuleUnreachable:
      return "unreachable";
    case kRuleProhibit:
      return "prohibit";
    default:
      return "blackhole";
  }
}

std::string ports_words(std::string_view word, const std::optional<decode::PortRange>& range) {
  if (!range) return {};
  if (range->first == range->last) return fmt::format(" {} {}", word, range->first);
  return fmt::format(" {} {}-{}", word, range->first, range->last);
}

const char* option_of(Family family) {
  return family == Family::Inet ? "-4" : "-6";
}

}  // namespace

std::string link_name(const host::Network& network, std::uint32_t link) {
  const host::Link* found = network.link(link);
  return found != nullptr ? found->name : fmt::format("if{}", link);
}

std::string table_name(std::uint32_t table) {
  switch (table) {
    case kTableDefault:
      return "default";
    case kTableMain:
      return "main";
    case kTableLocal:
      return "local";
    default:
      return std::to_string(table);
  }
}

std::string words_of(const host::Network& network, const host::Route& route) {
  std::string out =
      fmt::format("{}{}", type_word(route.type), destination_words(route.destination));
  if (route.source && route.source->length != 0) {
    out += fmt::format(" from {}", route.source->text());
  }
  if (error_of_route(route.type) == 0) {
    for (const host::NextHop& hop : route.hops) out += hop_words(network, hop);
  }
  if (route.metric != 0) out += fmt::format(" metric {}", route.metric);
  return out + ", table " + table_name(route.table);
}

std::string words_of(const host::PolicyRule& rule) {
  std::string out = fmt::format("rule {}:{}", rule.priority, rule.inverted ? " not" : "");
  out += fmt::format(" from {}", rule.source ? destination_words(*rule.source) : "all");
  if (rule.destination) out += fmt::format(" to {}", destination_words(*rule.destination));
  if (rule.tos != 0) out += fmt::format(" tos {:#x}", rule.tos);
  if (rule.mask != 0) out += fmt::format(" fwmark {:#x}/{:#x}", rule.mark, rule.mask);
  if (!rule.iif.empty()) out += " iif " + rule.iif;
  if (!rule.oif.empty()) out += " oif " + rule.oif;
  if (rule.first_uid) {
    out += fmt::format(" uidrange {}-{}", *rule.first_uid, rule.last_uid.value_or(UINT32_MAX));
  }
  if (rule.protocol != 0) out += fmt::format(" ipproto {}", rule.protocol);
  out += ports_words("sport", rule.source_ports) + ports_words("dport", rule.destination_ports);
  return out + " " + action_words(rule);
}

Evidence evidence_of(const host::Network& network, const host::Route& route) {
  return {.fact = words_of(network, route),
          .where = "route table " + table_name(route.table),
          .verify = fmt::format("ip {} route show table {}", option_of(route.family),
                                table_name(route.table))};
}

Evidence evidence_of(const host::PolicyRule& rule) {
  return {.fact = words_of(rule),
          .where = "ip rule",
          .verify = fmt::format("ip {} rule show", option_of(rule.family))};
}

std::vector<Evidence> evidence_of(const host::Network& network, const Found& found,
                                  const Key& key) {
  std::vector<Evidence> out;
  const bool own_rule = found.rule != nullptr && found.rule->priority != 0 &&
                        (found.rule->priority < 32766 || found.from_rule);
  if (own_rule) out.push_back(evidence_of(*found.rule));
  if (found.route != nullptr) out.push_back(evidence_of(network, *found.route));
  if (!out.empty()) return out;
  return {{.fact = fmt::format("no route to {}", key.destination.text()),
           .where = "route tables",
           .verify = fmt::format("ip {} route show table all", option_of(key.family()))}};
}

Evidence sysctl_evidence(std::string_view family, std::string_view link, std::string_view name,
                         std::int64_t value) {
  // sysctl(8) takes a dot in the name of a link for a slash, and the other way round.
  std::string key(link);
  std::ranges::replace(key, '.', '/');
  const std::string path = fmt::format("net.{}.conf.{}.{}", family, key, name);
  return {.fact = fmt::format("{} = {}", path, value),
          .where = "sysctl",
          .verify = "sysctl " + shell_word(path)};
}

std::string get_command(const host::Network& network, const Flow& flow) {
  std::string out = fmt::format("ip {}route get {}", flow.family == Family::Inet6 ? "-6 " : "",
                                flow.destination.text());
  if (flow.in != 0 || flow.source_given) out += " from " + flow.source.text();
  if (flow.in != 0) out += " iif " + shell_word(link_name(network, flow.in));
  if (flow.in == 0 && flow.out != 0) out += " oif " + shell_word(link_name(network, flow.out));
  if (flow.mark != 0) out += fmt::format(" mark {:#x}", flow.mark);
  return out;
}

}  // namespace hark::reach::fib
