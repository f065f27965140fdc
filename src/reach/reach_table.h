// Who reaches the listeners of a host: each namespace's facts, and the classes of sources of every
// place at which one of its listeners can be asked. A place that several listeners share is asked
// once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "host/host.h"
#include "host/network.h"
#include "reach/client_view.h"
#include "reach/reach.h"

namespace hark::reach {

/// reach() of each destination, in their order, with one Tracer for all. `others` as of Tracer.
/// Several threads may be in it at once.
using AskReach = std::function<std::vector<std::vector<ReachClass>>(
    const host::Host&, const host::Network&, const std::vector<Destination>&,
    host::Networks* others)>;
[[nodiscard]] std::vector<std::vector<ReachClass>> reach_all(const host::Host& host,
                                                             const host::Network& network,
                                                             const std::vector<Destination>& to,
                                                             host::Networks* others);

/// To whom a listener is open, in one word. The order is that of openness.
enum class Openness : std::uint8_t {
  NotAsked,  ///< a raw socket, or nobody asked
  Nobody,
  ThisHost,
  Unknown,   ///< a fact that could not be read decides, or chance does
  Some,      ///< of other hosts some
  Anywhere,  ///< every client on every interface that is up
};

/// What a few listeners of one service and namespace come to: those of one row.
struct Reachability {
  Openness openness = Openness::NotAsked;
  ClientView clients = {};
  std::vector<Through> through = {};  ///< to ClientView::parts: do they reach these listeners?
};

/// What a table is asked. Addresses that no client has (client_view.h) make most of the classes,
/// and what else would block takes as long as what does.
enum class Sources : std::uint8_t { Every, OfClients };

struct PublishedPort;  // published.h
struct PublishedCount;

class ReachTable {
 public:
  /// Keeps the reference.
  explicit ReachTable(const host::Host& host, Sources about = Sources::Every);
  ReachTable(ReachTable&&) noexcept;
  ReachTable& operator=(ReachTable&&) = delete;
  ~ReachTable();

  /// Asks for `listeners`, all of them of the namespace that `network` is of, and for the ports
  /// that are published there. `others` as of Tracer.
  void add(host::Network network, const std::vector<std::size_t>& listeners, const AskReach& ask,
           host::Networks* others = nullptr);
  /// The same of several namespaces, of each the listeners that are named for it; packets of one
  /// are followed through all the others.
  void add_all(std::map<host::NetnsId, host::Network> networks,
               const std::map<host::NetnsId, std::vector<std::size_t>>& listeners,
               const AskReach& ask, host::Networks& others);
  /// Whose addresses these are, of a namespace that was not added: for find_published().
  void add_addresses(host::NetnsId id, const host::Network& network);
  /// Judges what add() asked, once all namespaces are added. An address that no namespace has that
  /// was told of is none of this host.
  void find_published();

  /// By namespace, port, protocol, family and address. Empty before find_published().
  [[nodiscard]] const std::vector<PublishedPort>& published() const;
  /// Addresses that ports of the namespaces added may lead to, and that none of them has.
  [[nodiscard]] bool leads_elsewhere() const;
  /// Of some namespace that was added; of others published_gaps() tell.
  [[nodiscard]] bool rules_were_read() const;
  /// Rules could not be read, or there were too many: not all that is published is known.
  [[nodiscard]] std::vector<host::Gap> published_gaps() const;

  [[nodiscard]] const host::Host& host() const { return host_; }
  /// nullptr: of this namespace nothing was added.
  [[nodiscard]] const host::Network* network(host::NetnsId id) const;
  /// To be looked at again; what was asked stays as it was answered.
  [[nodiscard]] host::ServiceFacts* services(host::NetnsId id);
  [[nodiscard]] const ClientSources* sources(host::NetnsId id) const;
  /// Of these listeners of one namespace, each class once. Empty: they were not asked, or there is
  /// no place to ask them at.
  [[nodiscard]] ClassList classes(const std::vector<std::size_t>& listeners) const;
  /// What these listeners of one namespace come to together; worked out once.
  [[nodiscard]] const Reachability& reachability(const std::vector<std::size_t>& listeners) const;

 private:
  struct Space {
    host::Network network;
    std::unique_ptr<const ClientSources> sources;
    std::vector<std::vector<ReachClass>> places;
  };
  struct Published;
  struct Asked;
  [[nodiscard]] Asked open(host::Network network, const std::vector<std::size_t>& listeners,
                           host::Networks* others);
  void close(const Asked& asked);
  [[nodiscard]] std::vector<PublishedCount> ask_published(Space& space,
                                                          std::vector<Destination>& all);
  void limit(const Space& space, Destination& to) const;

  const host::Host& host_;
  const Sources about_;
  std::map<host::NetnsId, Space> spaces_;
  std::unique_ptr<Published> published_;
  std::map<std::size_t, std::vector<const std::vector<ReachClass>*>> by_listener_;
  mutable std::map<std::vector<std::size_t>, Reachability> known_;
};

/// What a port comes to, whoever answers there; of answers that are not `mine` nobody has anything.
[[nodiscard]] Reachability reachability(const ClientSources& sources, const ClassList& classes,
                                        const std::function<bool(const Answer&)>& mine = {});

/// The same when what may be over in a moment is over: a full queue, a stopped process.
[[nodiscard]] Reachability settled(Reachability one);

/// The same when whoever ends open by this cause got through.
[[nodiscard]] Reachability as_far_as(Reachability one, std::string_view code);

/// Does a client with an address in `from` reach it?
[[nodiscard]] bool reaches(const Reachability& one, const Prefix& from);

/// The kernel would answer, but has no way back to this client: no host is there.
[[nodiscard]] bool has_no_way_back(const Answer& answer);

}  // namespace hark::reach
