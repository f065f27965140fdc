// Classes of sources as a person sees them: which of these sources a client could have at all, and
// which of them fare alike.
//
// Left out are sources that no client outside has: this host's own addresses, multicast, broadcast,
// 0/8, and 127/8 and ::1 outside lo; to a link-local address only neighbours send. Left out as well
// is what routing alone keeps apart: a source that the kernel refuses at one interface because its
// way back leaves by another, where it is answered. Nobody is there who has it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/intervals.h"
#include "host/network.h"
#include "reach/reach.h"

namespace hark::reach {

/// Which sources clients could have, in one namespace.
class ClientSources {
 public:
  explicit ClientSources(const host::Network& network);
  /// Of those that come in by `link` and ask `destination`: on lo this host's own addresses.
  [[nodiscard]] AddressSet of(const host::Link& link, const IpAddress& destination) const;
  [[nodiscard]] const host::Network& network() const { return network_; }

 private:
  const host::Network& network_;
  std::array<AddressSet, 2> own_, outside_;  ///< by family
};

/// Classes of one question, none of them owned.
using ClassList = std::vector<const ReachClass*>;
[[nodiscard]] ClassList list_of(std::span<const ReachClass> classes);

/// Clients at one place that are in one class.
struct ClientPart {
  std::size_t place = 0;  ///< position in ClientView::places
  const ReachClass* cls = nullptr;
  AddressSet addresses;
  /// Source ports for which it holds; empty: whatever port a client is given.
  PortSet ports = {};
};

/// An interface, and an address of this host that is asked there.
struct ClientPlace {
  std::uint32_t interface = 0;
  bool loopback = false;
  Destination to;
  AddressSet clients;  ///< all that could come
};

struct ClientView {
  std::vector<ClientPlace> places;  ///< in the order of the classes
  std::vector<ClientPart> parts;    ///< by place; disjoint but for ports
};

/// What becomes of clients. Classes without any have no part, nor have those of ports that hardly
/// any client has and that help nobody.
[[nodiscard]] ClientView view_of(const ClientSources& sources, const ClassList& classes);

/// Parts that a person would tell in one sentence: same service, outcome, and deciding fact.
struct ClientKind {
  const ReachClass* example = nullptr;  ///< stands for all
  std::vector<std::size_t> parts;       ///< positions in ClientView::parts, ascending
};

/// The ones that get through first, then what is open, then by outcome; within that the larger
/// first.
[[nodiscard]] std::vector<ClientKind> client_kinds(const ClientView& clients);

/// The fewest prefixes that hold all of `some` and nothing of `all` besides; the first `most`.
[[nodiscard]] std::vector<Prefix> prefixes_among(
    const AddressSet& some, const AddressSet& all,
    std::size_t most = std::numeric_limits<std::size_t>::max());

/// Does a client get through? Maybe: that is open.
enum class Through : std::uint8_t { No, Maybe, Yes };
[[nodiscard]] Through gets_through(const Answer& answer);

}  // namespace hark::reach
