// Where the routes for an address are found without looking at all of them: a host may have a
// million. Made once for a Network; without it every lookup walks over all routes.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "host/network.h"

namespace hark::reach {

/// Refers to the routes of the Network it was made of, which must outlive it and not change.
class RoutingIndex {
 public:
  explicit RoutingIndex(const host::Network& network);

  /// The routes of a table whose destination contains the address: longest prefix first, those of
  /// one prefix in the kernel's order. Found once: questions about a host ask for few addresses,
  /// and for each many times.
  [[nodiscard]] std::vector<const host::Route*> matching(std::uint32_t table,
                                                         const IpAddress& address) const;
  [[nodiscard]] bool has_table(Family family, std::uint32_t table) const;
  /// A route of type local that somebody else than the kernel made: fib_has_custom_local_routes.
  [[nodiscard]] bool custom_local_routes() const { return custom_local_routes_; }
  /// As only_default_rules() of fib.h.
  [[nodiscard]] bool only_default_rules() const { return only_default_rules_; }

 private:
  struct Entry {
    std::uint64_t high = 0, low = 0;  ///< the address, as numbers
    std::uint32_t position = 0;       ///< in Network::routes
  };
  /// The routes of one prefix length, by address.
  struct Length {
    std::uint8_t length = 0;
    std::vector<Entry> entries;
  };
  /// By length, longest first.
  using Table = std::vector<Length>;

  [[nodiscard]] std::vector<const host::Route*> find(std::uint32_t table,
                                                     const IpAddress& address) const;

  const host::Network& network_;
  std::map<std::pair<Family, std::uint32_t>, Table> tables_;
  bool custom_local_routes_ = false;
  bool only_default_rules_ = false;
  struct Asked {
    std::uint32_t table;
    IpAddress address;
    bool operator==(const Asked&) const = default;
  };
  struct HashOfAsked {
    std::size_t operator()(const Asked& asked) const;
  };
  mutable std::unordered_map<Asked, std::vector<const host::Route*>, HashOfAsked> found_;
};

/// Is it one that RoutingIndex::custom_local_routes() means?
[[nodiscard]] bool is_custom_local(const host::Route& route);

/// As RoutingIndex::matching(), with or without an index.
[[nodiscard]] std::vector<const host::Route*> matching_routes(const host::Network& network,
                                                              const RoutingIndex* index,
                                                              std::uint32_t table,
                                                              const IpAddress& address);

}  // namespace hark::reach
