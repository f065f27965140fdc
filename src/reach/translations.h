// The rules of a namespace that send packets elsewhere than where they were sent to: dnat,
// redirect, netmap, tproxy of nf_tables and of the old iptables, at the hooks prerouting and
// output. Each with the packets that it may be about and where it leads, as far as words tell:
// chains are followed from their hook through jumps, verdict maps and maps. Whether a packet really
// comes there, a trace must tell (published.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "host/network.h"
#include "reach/aim.h"
#include "reach/firewall_rules.h"

namespace hark::reach {

struct Translation {
  enum class Kind : std::uint8_t { Dnat, Redirect, Netmap, Tproxy, Ipvs };
  Kind kind = Kind::Dnat;
  Aim aim;
  /// Where it leads. Empty: the address or port stays, or is not to be learnt (`open`); of Redirect
  /// and Tproxy: an address of this host.
  std::optional<IpAddress> address = {};
  std::optional<IpAddress> last_address = {};  ///< of several: the last one
  std::optional<std::uint16_t> port = {};
  /// Ports are moved: the packet's, from this one on, to `port` and on.
  std::optional<std::uint16_t> moved_from = {};
  bool open = false;         ///< address or port are worked out in a way that is not followed here
  std::string service = {};  ///< of Kubernetes, told by kube-proxy: "default/web:http"
  const ChainView* chain = nullptr;
  std::size_t position = 0;  ///< of the rule in its chain
};

struct Translations {
  std::vector<Translation> all;  ///< in the order in which the rules are met
  bool complete = true;          ///< false: there are more than were followed
};

[[nodiscard]] Translations translations_of(const FirewallRules& rules,
                                           const host::Network& network);

/// The service that a chain of kube-proxy or the comment in it is about; empty: none.
/// "service-ULMVA6XW-default/web/tcp/http" and "default/web:http cluster IP" are default/web:http.
[[nodiscard]] std::string kubernetes_service(std::string_view chain, std::string_view comment);

/// Follows one rule of nf_tables: nft_translation.cpp. `meet` is called for each way through it
/// that ends in a verdict or in a rewritten destination.
struct NftWay {
  Aim aim;
  std::optional<decode::nft::VerdictTo> verdict = {};
  std::optional<Translation> translation = {};
};
class NftReader {
 public:
  NftReader(const host::Network& network, const SetsByName& sets);
  NftReader(const NftReader&) = delete;
  NftReader& operator=(const NftReader&) = delete;
  ~NftReader();

  /// False: it took too many steps.
  [[nodiscard]] bool read(const decode::nft::Rule& rule, const Aim& aim, std::vector<NftWay>& ways);

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

/// The same of a target of iptables. Nothing: it rewrites no destination.
[[nodiscard]] std::optional<Translation> translation_of(const decode::nft::XtTarget& target,
                                                        Family family);

}  // namespace hark::reach
