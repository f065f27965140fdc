// Published ports: an address and port that answers although no socket of that namespace listens on
// it, because a rule sends what comes there to somewhere else. docs/contract.md, "published ports".
//
// Candidates are what the words of the rules say (translations.h). Each is then asked like a
// listener, at every interface, and only what rules really rewrite on its way is published. A port
// at which a door listens (docker-proxy) is no candidate: the listener's own row tells of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/host.h"
#include "host/network.h"
#include "reach/client_view.h"
#include "reach/reach.h"
#include "reach/reach_table.h"
#include "reach/translations.h"

namespace hark::reach {

/// A rule that publishes it.
struct PublishedBy {
  RulePlace place;
  std::string told;  ///< how a trace names it
  Translation::Kind kind = Translation::Kind::Dnat;
};

/// Where what comes to a published port goes on to.
struct LeadsTo {
  std::optional<IpAddress> address =
      {};  ///< empty: of this namespace, or not to be learnt (`open`)
  std::optional<IpAddress> last_address = {};  ///< of several addresses: the last one
  std::optional<std::uint16_t> port = {};      ///< empty: the one that was asked for
  bool open = false;
  std::string service = {};                        ///< of Kubernetes: "default/web:http"
  std::optional<decode::IpvsBackend> server = {};  ///< of IPVS
  /// The namespace of this host that has the address; empty: none that could be entered.
  std::optional<host::NetnsId> netns = {};
  std::optional<std::size_t> listener = {};  ///< position in Host::listeners
  std::optional<bool> somebody_listens = {};
  std::optional<host::Container> container = {};
  /// What this host gets there; of several places each is asked.
  const std::vector<ReachClass>* asked = nullptr;
};

struct PublishedPort {
  host::NetnsId netns{};
  Protocol protocol = Protocol::Tcp;  ///< Tcp or Udp
  Family family = Family::Inet;
  std::optional<AddressSet> addresses = {};  ///< empty: every address of this host
  PortSet ports;
  std::vector<PublishedBy> rules;
  std::vector<LeadsTo> leads_to;
  bool chance = false;  ///< chance or a hash picks among them
  bool sticky = false;  ///< clients come back to the one that they had
  bool certain = true;  ///< false: what could not be read decides whether it is published
  Reachability reach = {};
  /// What comes there is passed on, and the input chain is not asked.
  bool bypasses_input = false;
  /// By what the input chain would have kept away who is let through.
  std::optional<Cause> denied = {};
  const ReachClass* let_through = nullptr;                  ///< of `denied`: one of those clients
  std::optional<host::IpvsService> ipvs = {};               ///< that serves it
  bool kube_proxy = false;                                  ///< which made that service
  std::vector<const std::vector<ReachClass>*> places = {};  ///< by interface asked

  [[nodiscard]] std::uint16_t first_port() const { return ports.ranges().front().first; }
  [[nodiscard]] ClassList classes() const;
};

/// What may be published in a namespace, and not yet asked.
struct Publishable {
  std::unique_ptr<const FirewallRules> rules;
  std::vector<PublishedPort> ports;  ///< by port, protocol, family and address
  bool complete = true;              ///< false: there are more than hark follows
};
[[nodiscard]] Publishable publishable(const host::Host& host, const host::Network& network);
/// Those of IPVS among them, as many as are wanted.
[[nodiscard]] std::vector<PublishedPort> ipvs_ports(const host::Network& network, std::size_t most);
/// The marks of its other services: what has them, rules decide. "100, 101 and 3 more"; empty:
/// none.
[[nodiscard]] std::string ipvs_marks(const host::Network& network);

/// What is asked of one port.
struct PublishedAsks {
  std::vector<Destination> to;
  std::size_t of_leads = 0;  ///< the last ones: places where it leads, by this host itself
};
/// At every interface by which IP receives; then, where it leads to several places, each of these.
[[nodiscard]] PublishedAsks asks_of(const ClientSources& sources, Sources about,
                                    const PublishedPort& port);
/// How many of each, and the answers to them, which begin at `next`; the position behind them.
struct PublishedCount {
  std::size_t all = 0, of_leads = 0;
};
[[nodiscard]] std::size_t take_answers(const std::vector<std::vector<ReachClass>>& places,
                                       std::size_t next, PublishedCount count, PublishedPort& port);

/// Which namespaces have an address.
using AddressOwners = std::multimap<IpAddress, host::NetnsId>;

/// Judges a candidate by its `places`, in the namespace that `sources` is of; false: nothing comes
/// to its rules. Then only rules and backends that were met are left in it.
[[nodiscard]] bool judge(const ClientSources& sources, PublishedPort& port);
/// Who stands behind it.
void find_owners(const host::Host& host, const AddressOwners& addresses, PublishedPort& port);

/// Packets as if no rule changed where they go: what the input chain would have made of them.
class WithoutNat {
 public:
  WithoutNat(const host::Host& host, const host::Network& network);
  WithoutNat(const WithoutNat&) = delete;
  WithoutNat& operator=(const WithoutNat&) = delete;
  ~WithoutNat();
  /// Nothing: the input chain does not deny it.
  [[nodiscard]] std::optional<Cause> denied(const Question& question);
  /// Fills `bypasses_input`, `denied` and `let_through` of a port that was judged.
  void judge(PublishedPort& port);

 private:
  const host::Host& host_;
  const host::Network& network_;
  struct Plain;
  std::unique_ptr<Plain> plain_;
};

/// A rule of a firewall denies it: "input-drop", "forward-policy-drop" …
[[nodiscard]] bool is_of_firewall(const Cause& cause);

/// Is the packet sent elsewhere on its way by a rule of the port?
[[nodiscard]] bool is_translated(const Answer& answer, const PublishedPort& port);

}  // namespace hark::reach
