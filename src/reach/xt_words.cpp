// Rules of the old iptables for people.
#include "decode/xt_words.h"

#include <algorithm>
#include <array>

#include "reach/xt.h"

namespace hark::reach {
namespace {

decode::xt::WordsContext context_of(Family family, const host::Network* network) {
  decode::xt::WordsContext out;
  out.family = family;
  if (network == nullptr) return out;
  out.set_name = [network](std::uint16_t index) {
    const auto found = std::ranges::find(network->ip_sets, index, &host::IpSet::index);
    return found == network->ip_sets.end() ? std::string() : found->name;
  };
  return out;
}

/// As xtables_save knows them; others are numbers.
std::string protocol_text(std::uint16_t protocol) {
  struct Name {
    std::uint16_t number;
    const char* name;
  };
  constexpr std::array<Name, 11> kNames = {{{1, "icmp"},
                                            {6, "tcp"},
                                            {17, "udp"},
                                            {50, "esp"},
                                            {51, "ah"},
                                            {58, "ipv6-icmp"},
                                            {108, "ipcomp"},
                                            {132, "sctp"},
                                            {135, "mobility-header"},
                                            {136, "udplite"},
                                            {33, "dccp"}}};
  const auto found = std::ranges::find(kNames, protocol, &Name::number);
  return found == kNames.end() ? std::to_string(protocol) : found->name;
}

void add(std::string& to, bool inverted, std::string_view option, std::string_view value) {
  to += inverted ? " ! " : " ";
  to += option;
  if (value.empty()) return;
  to += ' ';
  to += value;
}

void add_header(std::string& to, const decode::xt::Rule& rule) {
  if (!rule.source.any() || rule.not_source) add(to, rule.not_source, "-s", rule.source.text());
  if (!rule.destination.any() || rule.not_destination)
    add(to, rule.not_destination, "-d", rule.destination.text());
  if (!rule.in.any()) add(to, rule.not_in, "-i", rule.in.text());
  if (!rule.out.any()) add(to, rule.not_out, "-o", rule.out.text());
  if (rule.protocol != 0) add(to, rule.not_protocol, "-p", protocol_text(rule.protocol));
  if (rule.fragments) add(to, rule.not_fragments, "-f", {});
}

std::string jump_text(const decode::xt::Table& table, const decode::xt::Rule& rule,
                      const host::Network* network) {
  using Jump = decode::xt::Rule::Jump;
  switch (rule.jump) {
    case Jump::Continue:
      return {};
    case Jump::Accept:
      return " -j ACCEPT";
    case Jump::Drop:
      return " -j DROP";
    case Jump::Queue:
      return " -j QUEUE";
    case Jump::Return:
      return " -j RETURN";
    case Jump::Chain:
      return std::string(rule.go_to ? " -g " : " -j ") + table.chains[rule.chain].name;
    case Jump::Target:
      return " " + words_of(rule.target, table.family, network);
  }
  return {};
}

}  // namespace

std::string words_of(const decode::nft::XtMatch& match, Family family,
                     const host::Network* network) {
  return decode::xt::words_of(match, context_of(family, network));
}

std::string words_of(const decode::nft::XtTarget& target, Family family,
                     const host::Network* network) {
  return decode::xt::words_of(target, context_of(family, network));
}

std::string words_of(const decode::nft::XtMatch& match) {
  return words_of(match, Family::Inet, nullptr);
}

std::string words_of(const decode::nft::XtTarget& target) {
  return words_of(target, Family::Inet, nullptr);
}

std::string legacy_rule_text(const decode::xt::Table& table, std::size_t chain, std::size_t rule,
                             const host::Network* network) {
  const decode::xt::Rule& one = table.chains[chain].rules[rule];
  std::string out = "-A " + table.chains[chain].name;
  add_header(out, one);
  for (const auto& match : one.matches) out += " " + words_of(match, table.family, network);
  return out + jump_text(table, one, network);
}

}  // namespace hark::reach
