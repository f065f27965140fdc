#include "reach/routing_classes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include "decode/nft_operations.h"
#include "reach/fib.h"

namespace hark::reach {
namespace {

using fib::common_bits;
using host::Network;

/// A prefix that something looks at, and what it means: two of equal words do the same.
struct Cut {
  Prefix prefix;
  std::string words;  ///< empty: only the border counts
};

// What the kernel's own checks ask of an address, and RFC 6724's table of labels. Of 169.254/16 and
// 240/4 nothing of IPv4 asks (include/linux/in.h).
constexpr std::array<std::string_view, 6> kSpecial4 = {
    "0.0.0.0/32", "0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "224.0.0.0/24", "255.255.255.255/32"};
constexpr std::array<std::string_view, 13> kSpecial6 = {
    "::/128",       "::1/128",   "::/96",     "::ffff:0:0/96", "::ffff:127.0.0.0/104",
    "ff00::/8",     "fe80::/10", "fec0::/10", "fc00::/7",      "2001::/32",
    "2001:10::/28", "2002::/16", "3ffe::/16"};

Prefix prefix_of(const IpAddress& address, unsigned length) {
  Prefix out{.address = address, .length = static_cast<std::uint8_t>(length)};
  for (unsigned bit = length; bit < address.bits(); ++bit) {
    out.address.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
  }
  return out;
}

/// Does any rule look at MAC addresses? Only then do neighbours differ by theirs.
bool asks_for_macs(const Network& network) {
  if (!network.legacy.empty()) return true;
  return std::ranges::any_of(network.nft.rules, [](const decode::nft::Rule& rule) {
    return std::ranges::any_of(rule.expressions, [](const decode::nft::Expression& expression) {
      const auto* load = std::get_if<decode::nft::Payload>(&expression.operation);
      return (load != nullptr && load->base == decode::nft::PayloadBase::Link) ||
             std::holds_alternative<decode::nft::XtMatch>(expression.operation);
    });
  });
}

class Cutter {
 public:
  Cutter(const Network& network, Family family)
      : network_(network),
        family_(family),
        lengths_count_(std::ranges::any_of(network.rules, [](const host::PolicyRule& rule) {
          return rule.suppress_prefix_length.has_value();
        })) {}

  std::vector<AddressSet> classes() {
    cut();
    return grouped();
  }

 private:
  void add(const Prefix& prefix, std::string words) {
    if (prefix.address.family == family_) cuts_.push_back({prefix, std::move(words)});
  }
  void add(const IpAddress& address, std::string words) {
    add(prefix_of(address, address.bits()), std::move(words));
  }

  void cut() {
    const auto special = [this](const auto& texts) {
      for (const std::string_view text : texts) {
        if (const auto prefix = Prefix::parse(text)) add(*prefix, std::string(text));
      }
    };
    if (family_ == Family::Inet) {
      special(kSpecial4);
    } else {
      special(kSpecial6);
    }
    for (const host::Route& route : network_.routes) add(route);
    std::size_t number = 0;
    for (const host::PolicyRule& rule : network_.rules) {
      ++number;
      if (rule.source) add(*rule.source, fmt::format("rule {} from", number));
      if (rule.destination) add(*rule.destination, fmt::format("rule {} to", number));
    }
    number = 0;
    for (const host::InterfaceAddress& own : network_.addresses) {
      ++number;
      add(own.address, fmt::format("own {}", number));
      add(own.subnet, fmt::format("subnet {}", number));
    }
    const bool macs = asks_for_macs(network_);
    for (const host::Neighbour& one : network_.neighbours) {
      std::string words = fmt::format("neighbour {} {} {} {}", one.link, one.state, one.flags,
                                      one.mac.empty() ? 0 : 1);
      if (macs) {
        for (const std::byte byte : one.mac) words += fmt::format(" {}", static_cast<int>(byte));
      }
      add(one.address, std::move(words));
    }
    if (family_ == Family::Inet6) cut_by_likeness();
  }

  /// Routes that lead to the same hops in the same way are one, whatever their prefix; those of
  /// other types are named when they decide.
  void add(const host::Route& route) {
    if (route.family != family_) return;
    std::string words = fmt::format("route {} {} {} {} {} {} {} {} {} ", route.table, route.type,
                                    route.scope, route.tos, route.metric, route.protocol,
                                    route.flags, route.error, route.preference);
    words += route.preferred_source ? route.preferred_source->text() : "-";
    for (const host::NextHop& hop : route.hops) {
      words += fmt::format(" {} {} {} {} {}", hop.link, hop.gateway ? hop.gateway->text() : "-",
                           hop.flags, hop.weight, hop.encap);
    }
    const bool plain = route.type == fib::kUnicast && !route.source && !lengths_count_;
    // A default route is one that is looked for as such.
    if (!plain || route.destination.length == 0) words += " of " + route.destination.text();
    if (route.source) {
      words += " from " + route.source->text();
      add(*route.source, "source " + route.source->text());
    }
    add(route.destination, words);
    if (family_ == Family::Inet6) add(route.destination.address, "begins a subnet");
  }

  /// Which own address is the most like another decides which is written into an answer.
  void cut_by_likeness() {
    std::set<unsigned> lengths;
    for (const host::InterfaceAddress& own : network_.addresses) {
      if (own.address.family != Family::Inet6) continue;
      own_.push_back(&own);
      lengths.insert(own.subnet.length);
      for (const host::InterfaceAddress* other : own_) {
        if (other != &own) lengths.insert(common_bits(own.address, other->address));
      }
    }
    for (const host::InterfaceAddress* own : own_) {
      for (const unsigned length : lengths) {
        for (const unsigned at : {length, length + 1}) {
          if (at <= own->address.bits()) add(prefix_of(own->address, at), {});
        }
      }
    }
  }

  /// The order of the own addresses by likeness.
  std::string likeness(const IpAddress& address) const {
    std::vector<unsigned> scores;
    for (const host::InterfaceAddress* own : own_) {
      scores.push_back(std::min<unsigned>(common_bits(own->address, address), own->subnet.length));
    }
    std::vector<unsigned> ranks = scores;
    std::ranges::sort(ranks);
    ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
    std::string out;
    for (const unsigned score : scores) {
      out += fmt::format("{} ", std::ranges::lower_bound(ranks, score) - ranks.begin());
    }
    return out;
  }

  std::vector<AddressSet> grouped() {
    std::ranges::stable_sort(cuts_, [](const Cut& a, const Cut& b) {
      return std::pair(a.prefix.address, a.prefix.length) <
             std::pair(b.prefix.address, b.prefix.length);
    });
    const AddressRange all = all_addresses(family_).ranges().front();
    IpAddress at = all.first;
    bool left = true;
    const auto close = [&](const IpAddress& until) {
      // Up to and with `until`.
      if (!left || until < at) return;
      pieces_[words_of_stack(at)].push_back({at, until});
      const auto behind = next_address(until);
      left = behind.has_value();
      at = behind.value_or(until);
    };
    for (const Cut& cut : cuts_) {
      const AddressRange range = range_of(cut.prefix);
      while (!stack_.empty() && range_of(stack_.back()->prefix).last < range.first) {
        close(range_of(stack_.back()->prefix).last);
        stack_.pop_back();
      }
      if (range.first != all.first) close(previous_address(range.first));
      stack_.push_back(&cut);
    }
    while (!stack_.empty()) {
      close(range_of(stack_.back()->prefix).last);
      stack_.pop_back();
    }
    close(all.last);
    std::vector<AddressSet> out;
    for (auto& [words, ranges] : pieces_) out.emplace_back(std::move(ranges));
    return out;
  }

  std::string words_of_stack(const IpAddress& address) const {
    std::string out;
    const std::string* last = nullptr;
    for (const Cut* cut : stack_) {
      if (cut->words.empty() || (last != nullptr && *last == cut->words)) continue;
      out += cut->words + "\n";
      last = &cut->words;
    }
    if (!own_.empty()) out += likeness(address);
    return out;
  }

  const Network& network_;
  Family family_;
  bool lengths_count_;  ///< a rule refuses routes by the length of their prefix
  std::vector<Cut> cuts_;
  std::vector<const host::InterfaceAddress*> own_;
  std::vector<const Cut*> stack_;
  std::map<std::string, std::vector<AddressRange>> pieces_;
};

}  // namespace

std::vector<AddressSet> routing_classes(const Network& network, Family family) {
  return Cutter(network, family).classes();
}

std::vector<PortSet> routing_ports(const Network& network, Family family) {
  std::vector<std::pair<decode::PortRange, std::uint16_t>> asked;
  for (const host::PolicyRule& rule : network.rules) {
    if (rule.family != family) continue;
    if (rule.source_ports) asked.emplace_back(*rule.source_ports, rule.source_port_mask);
    if (rule.destination_ports) {
      asked.emplace_back(*rule.destination_ports, rule.destination_port_mask);
    }
  }
  if (asked.empty()) return {all_ports()};
  std::map<std::vector<bool>, std::vector<Interval<std::uint16_t>>> classes;
  for (unsigned number = 0; number <= 65535; ++number) {
    std::vector<bool> matches;
    for (const auto& [range, mask] : asked) {
      const unsigned value = mask == 0 ? number : number & mask;
      const unsigned first = mask == 0 ? range.first : range.first & mask;
      matches.push_back(mask == 0 ? value >= range.first && value <= range.last : value == first);
    }
    const auto port = static_cast<std::uint16_t>(number);
    classes[matches].push_back({port, port});
  }
  std::vector<PortSet> out;
  for (auto& [matches, ranges] : classes) out.emplace_back(std::move(ranges));
  return out;
}

}  // namespace hark::reach
