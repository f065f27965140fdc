// A table of the old iptables ("legacy", x_tables) as getsockopt(IPT_SO_GET_INFO) and
// (IPT_SO_GET_ENTRIES) give it: linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/
// ip6_tables.h, net/ipv4/netfilter/ip_tables.c.
//
// The kernel keeps one run of entries. Those of a built-in chain begin at hook_entry[] and end with
// its policy at underflow[]; a chain of the user begins behind an entry with target ERROR, which
// carries its name, and ends with an unconditional RETURN; the last entry is an ERROR of the name
// ERROR. Jumps are offsets of entries. Here they are chains and positions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"
#include "decode/nft_expression.h"

namespace hark::decode::xt {

/// "-i eth0", "-i veth+": the name is compared where the mask has bits.
struct DeviceMatch {
  std::array<char, 16> name{};
  std::array<std::uint8_t, 16> mask{};

  [[nodiscard]] bool any() const { return mask == std::array<std::uint8_t, 16>{}; }
  /// ifname_compare_aligned() of x_tables.h; a packet without a device has an empty name.
  [[nodiscard]] bool matches(std::string_view device) const;
  /// As iptables writes it.
  [[nodiscard]] std::string text() const;
  bool operator==(const DeviceMatch&) const = default;
};

struct AddressMatch {
  IpAddress address;
  IpAddress mask;

  [[nodiscard]] bool any() const { return mask.is_unspecified(); }
  [[nodiscard]] bool matches(const IpAddress& candidate) const;
  /// "10.0.0.0/8", "10.0.0.1/255.0.0.255"
  [[nodiscard]] std::string text() const;
  bool operator==(const AddressMatch&) const = default;
};

struct Rule {
  enum class Jump : std::uint8_t {
    Target,    ///< see `target`
    Continue,  ///< it has no target at all
    Accept,
    Drop,
    Queue,
    Return,
    Chain,  ///< `chain`; comes back unless `go_to`
  };
  AddressMatch source, destination;
  DeviceMatch in, out;
  std::uint16_t protocol = 0;  ///< 0: any
  bool fragments = false;      ///< wants second and later fragments (IPv4)
  bool not_source = false, not_destination = false, not_in = false, not_out = false;
  bool not_protocol = false, not_fragments = false;
  std::vector<nft::XtMatch> matches;
  Jump jump = Jump::Continue;
  bool go_to = false;
  std::size_t chain = 0;  ///< position in Table::chains
  nft::XtTarget target = {};
  std::uint64_t packets = 0, bytes = 0;
  bool operator==(const Rule&) const = default;
};

struct Chain {
  std::string name;
  std::optional<std::uint32_t> hook = {};  ///< NF_INET_* of a built-in chain
  /// Accept or Drop of a built-in chain, Return of one of the user.
  Rule::Jump policy = Rule::Jump::Return;
  std::vector<Rule> rules;
  bool operator==(const Chain&) const = default;
};

struct Table {
  Family family = Family::Inet;
  std::string name;
  std::vector<Chain> chains;  ///< in the order in which the kernel has them
  bool operator==(const Table&) const = default;

  /// The chain at a hook (NF_INET_*); nullptr: the table has none there.
  [[nodiscard]] const Chain* at_hook(std::uint32_t hook) const;
};

/// `info` is a struct ipt_getinfo, `entries` a struct ipt_get_entries with its entries (their ip6t
/// forms are laid out alike).
[[nodiscard]] Result<Table> decode_table(Family family, ByteView info, ByteView entries);

/// "INPUT" … of NF_INET_*.
[[nodiscard]] const char* builtin_name(std::uint32_t hook);

}  // namespace hark::decode::xt
