// What the match "set" of iptables asks of a packet's destination: the elements of an ipset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "decode/ipset.h"
#include "host/network.h"
#include "reach/aim.h"

namespace hark::reach {

/// Sets of a namespace, decoded when they are first asked. Keeps the reference.
class AimSets {
 public:
  explicit AimSets(const host::Network& network) : network_(network) {}

  /// What is left of `before` where all these matches hold: one Aim for each port that a set has
  /// with addresses of its own, so several where a set has pairs. Empty: nothing is left.
  [[nodiscard]] std::vector<Aim> ask(const Aim& before,
                                     const std::vector<decode::nft::XtMatch>& matches);
  [[nodiscard]] std::vector<Aim> ask(const Aim& before, const decode::nft::XtMatch& match);

 private:
  struct Query;
  void add(const Aim& before, const decode::IpSetContents* set, const Query& query, unsigned depth,
           std::vector<Aim>& out);
  [[nodiscard]] const decode::IpSetContents* set(const host::IpSet* found);
  [[nodiscard]] const decode::IpSetContents* by_index(std::uint16_t index);
  [[nodiscard]] const decode::IpSetContents* by_name(const std::string& name);

  const host::Network& network_;
  std::map<const host::IpSet*, std::optional<decode::IpSetContents>> known_;
  std::size_t looked_ = 0;  ///< elements, all questions counted
};

}  // namespace hark::reach
