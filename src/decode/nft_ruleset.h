// What nf_tables has in one network namespace: tables, chains, rules, sets with their elements,
// objects. linux/netfilter/nf_tables.h, net/netfilter/nf_tables_api.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/rare.h"
#include "base/result.h"
#include "decode/nft_expression.h"
#include "decode/nft_keys.h"

namespace hark::decode::nft {

/// NFPROTO_*
enum class TableFamily : std::uint8_t {
  Inet = 1,
  Ip = 2,
  Arp = 3,
  Netdev = 5,
  Bridge = 7,
  Ip6 = 10
};

struct Table {
  TableFamily family = TableFamily::Ip;
  std::string name;
  std::uint64_t handle = 0;
  bool dormant = false;  ///< its chains are not attached to any hook
  bool operator==(const Table&) const = default;
};

/// Where a base chain hangs.
struct Hook {
  std::uint32_t number = 0;  ///< NF_INET_*, NF_NETDEV_*, NF_BR_*, NF_ARP_*, by family
  std::int32_t priority = 0;
  std::vector<std::string> devices;  ///< of ingress and egress
  bool operator==(const Hook&) const = default;
};

struct Chain {
  TableFamily family = TableFamily::Ip;
  std::string table;
  std::string name;
  std::uint64_t handle = 0;
  std::optional<Hook> hook = {};  ///< of base chains
  std::string type = {};          ///< "filter", "nat", "route"; empty: not a base chain
  bool accepts = true;            ///< the policy of a base chain
  std::string comment = {};
  bool operator==(const Chain&) const = default;
};

struct Rule {
  TableFamily family = TableFamily::Ip;
  std::string table;
  std::string chain;
  std::uint64_t handle = 0;
  std::vector<Expression> expressions;
  std::string comment = {};
  bool operator==(const Rule&) const = default;
};

/// A set has up to hundreds of thousands of them: what most have not is kept elsewhere.
struct Element {
  Bytes key;                  ///< empty: the catch-all
  Rare<Bytes> key_end = {};   ///< of concatenated ranges: inclusive
  bool interval_end = false;  ///< where the interval before it ends, exclusive
  bool catch_all = false;
  Rare<Bytes> data = {};         ///< of maps
  Rare<VerdictTo> verdict = {};  ///< of verdict maps
  std::string object = {};       ///< of maps to objects
  std::optional<std::uint64_t> timeout_ms = {};
  std::optional<std::uint64_t> expires_in_ms = {};
  std::vector<Expression> expressions = {};  ///< a limit, a counter … of its own
  bool operator==(const Element&) const = default;
};

/// A key about which the kernel was asked alone.
struct AskedKey {
  Bytes key;
  std::optional<Element> found;
  bool operator==(const AskedKey&) const = default;
};

struct Set {
  TableFamily family = TableFamily::Ip;
  std::string table;
  std::string name;
  std::uint64_t handle = 0;
  std::uint32_t flags = 0;     ///< NFT_SET_*
  std::uint32_t key_type = 0;  ///< nft's own number for the type, for display
  std::uint32_t key_length = 0;
  std::uint32_t data_type = 0;  ///< NFT_DATA_VERDICT: a verdict map; else nft's own number
  std::uint32_t data_length = 0;
  std::uint32_t object_type = 0;
  /// Lengths in bytes of the fields of a concatenation; each is padded to 4 in the key.
  std::vector<std::uint32_t> fields = {};
  std::uint32_t size = 0;                   ///< most elements; 0: no limit
  std::optional<std::uint32_t> count = {};  ///< elements now, where the kernel tells (6.17)
  std::uint64_t timeout_ms = 0;             ///< of elements that have none of their own
  /// In the order of the dump. Empty optional: not read, or too many (kMostElements).
  std::optional<std::vector<Element>> elements = {};
  std::vector<AskedKey> asked = {};  ///< where the elements were not read

  [[nodiscard]] bool anonymous() const { return (flags & 0x1U) != 0; }
  [[nodiscard]] bool interval() const { return (flags & 0x4U) != 0; }
  [[nodiscard]] bool map() const { return (flags & 0x8U) != 0; }
  bool operator==(const Set&) const = default;
};
constexpr std::size_t kMostElements = 200'000;

struct Object {
  TableFamily family = TableFamily::Ip;
  std::string table;
  std::string name;
  std::uint64_t handle = 0;
  std::uint32_t type = 0;  ///< NFT_OBJECT_*
  Operation operation;     ///< Limit, Quota, Connlimit, Counter, Synproxy; Unknown: of another kind
  bool operator==(const Object&) const = default;
};

struct Flowtable {
  TableFamily family = TableFamily::Ip;
  std::string table;
  std::string name;
  std::uint64_t handle = 0;
  std::vector<std::string> devices;
  bool operator==(const Flowtable&) const = default;
};

/// All of one namespace. Every vector in the kernel's order; rules of a chain in the order in which
/// they are evaluated. What refers to a table, chain or set does so by family and name.
struct Ruleset {
  std::uint32_t generation = 0;
  std::vector<Table> tables;
  std::vector<Chain> chains;
  std::vector<Rule> rules;
  std::vector<Set> sets;
  std::vector<Object> objects;
  std::vector<Flowtable> flowtables;
  bool settled = true;  ///< false: it changed while it was read, parts may not belong together
  bool operator==(const Ruleset&) const = default;
};

/// "inet", "ip6", "netdev" …
[[nodiscard]] const char* name_of(TableFamily family);
/// "input", "ingress" … of a hook of that family; nullptr: no such hook.
[[nodiscard]] const char* hook_name(TableFamily family, std::uint32_t number);

/// Requests of nfnetlink, all dumps (of all families) but the first. They need CAP_NET_ADMIN over
/// the namespace.
[[nodiscard]] Bytes generation_request();
[[nodiscard]] Bytes tables_request();
[[nodiscard]] Bytes chains_request();
[[nodiscard]] Bytes rules_request();
[[nodiscard]] Bytes sets_request();
[[nodiscard]] Bytes objects_request();
[[nodiscard]] Bytes flowtables_request();
[[nodiscard]] Bytes elements_request(const Set& set);
/// Asks whether `key` is in the set now: the answer is one element, or ENOENT. Without a key: the
/// catch-all.
[[nodiscard]] Bytes element_request(const Set& set, ByteView key);

[[nodiscard]] Result<std::uint32_t> decode_generation(ByteView messages);
[[nodiscard]] Result<std::vector<Table>> decode_tables(ByteView messages);
[[nodiscard]] Result<std::vector<Chain>> decode_chains(ByteView messages);
[[nodiscard]] Result<std::vector<Rule>> decode_rules(ByteView messages);
/// Without elements.
[[nodiscard]] Result<std::vector<Set>> decode_sets(ByteView messages);
[[nodiscard]] Result<std::vector<Object>> decode_objects(ByteView messages);
[[nodiscard]] Result<std::vector<Flowtable>> decode_flowtables(ByteView messages);
[[nodiscard]] Result<std::vector<Element>> decode_elements(ByteView messages, const Set& set);

}  // namespace hark::decode::nft
