// Which listeners an expectation names, and whether their owner is the one that it wants.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diagnose/policy.h"

namespace hark::diagnose {

/// An expectation with its ports; one with `as` makes one of these for each port declared.
struct PolicyPort {
  std::size_t expectation = 0;  ///< position in Policy::expectations
  const host::Expectation* asked = nullptr;
  std::optional<Protocol> protocol = {};
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  const host::DeclaredPort* declared = nullptr;
  std::vector<host::OwnerWish> owners = {};
};
/// Of an expectation whose `as` nobody says anything of: none.
[[nodiscard]] std::vector<PolicyPort> policy_ports(const PolicyFacts& facts,
                                                   const host::Policy& policy, std::size_t i);

/// Is it named? Of a published port: those of its ports that are.
[[nodiscard]] bool names(const PolicyFacts& facts, const PolicyPort& port,
                         const host::Listener& listener);
[[nodiscard]] PortSet names(const PolicyFacts& facts, const PolicyPort& port,
                            const reach::PublishedPort& published);

enum class Fit : std::uint8_t { No, Unknown, Yes };
[[nodiscard]] Fit owner_fits(const PolicyFacts& facts, const PolicyPort& port,
                             const PolicySubject& subject);
[[nodiscard]] Fit owner_fits(const PolicyFacts& facts, const host::OwnerWish& owner,
                             const PolicySubject& subject);

/// "tcp/22, /etc/ssh/sshd_config line 5"
[[nodiscard]] std::string declared_words(const host::DeclaredPort& declared);

}  // namespace hark::diagnose
