// Which clients a trace speaks for. A trace follows the packet of one client, the witness. Whoever
// wants to know who else fares alike hands it a Clients: wherever a rule asks about the client's
// address or port, those that it would tell apart from the witness leave. What is left at the end
// are clients with the same answer, by the same way (reach.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/intervals.h"

namespace hark::decode::nft {
struct Element;
}

namespace hark::reach {

/// A byte that is a copy of one of the client's address or port, or of some of its bits.
struct ClientByte {
  static constexpr std::uint8_t kNone = 0;
  static constexpr std::uint8_t kAddress = 1;  ///< and the fifteen behind it
  static constexpr std::uint8_t kPort = 17;    ///< and the one behind it

  std::uint8_t at = kNone;
  std::uint8_t kept = 0xff;  ///< bits that were not masked out

  [[nodiscard]] bool is_client() const { return at != kNone; }
};

/// A set of nf_tables as it tells clients apart, for one value of what else is in its key.
struct ClientGroups {
  struct Group {
    const decode::nft::Element* element;  ///< the first of those that say the same
    AddressSet addresses;                 ///< of a field with the address
    PortSet ports;                        ///< of one with the port
  };
  std::vector<Group> groups;
  AddressSet all_addresses;
  PortSet all_ports;
};

class RuleMemory;

/// What many traces of one ruleset need again; grows as they ask.
using ClientGroupsCache = std::map<std::string, ClientGroups>;

class Clients {
 public:
  /// The witness is one of `addresses` with one of `ports`.
  Clients(const IpAddress& address, std::uint16_t port, AddressSet addresses, PortSet ports,
          ClientGroupsCache& cache, RuleMemory* rules = nullptr)
      : groups(cache),
        memory(rules),
        address_(address),
        port_(port),
        addresses_(std::move(addresses)),
        ports_(std::move(ports)) {}

  [[nodiscard]] const IpAddress& address() const { return address_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Of the witness: the byte of which that is a copy.
  [[nodiscard]] std::uint8_t byte(const ClientByte& copy) const;

  /// Somebody asks whether the client is in `set`: those leave that get another answer.
  void split(const AddressSet& set);
  void split(const PortSet& set);
  /// The same, of a set that outlives this: asked again it costs nothing.
  void split_once(const AddressSet& set);
  void split(const AddressRange& range);
  /// The same for an address of a packet, which may be the client's or not.
  void split(const IpAddress& asked, const AddressRange& range);
  void split(std::uint16_t asked, std::uint16_t first, std::uint16_t last);
  /// Somebody compares `asked` with `wanted` in the bits of `mask`. False: which clients that tells
  /// apart takes too many ranges to say, and all are still there.
  [[nodiscard]] bool split_masked(const IpAddress& asked, const IpAddress& wanted,
                                  const IpAddress& mask);

  [[nodiscard]] const AddressSet& addresses();
  [[nodiscard]] const PortSet& ports() const { return ports_; }

  bool next = true;    ///< what else would block is asked, too
  bool itself = true;  ///< who has the address and the port that he asks for is a client, too
  ClientGroupsCache& groups;
  RuleMemory* memory;  ///< nullptr: every rule is run every time

 private:
  IpAddress address_;
  std::uint16_t port_;
  AddressSet addresses_;
  PortSet ports_;
  /// Ranges that have left, not yet taken out of addresses_: each would cost a copy of it.
  std::vector<AddressRange> gone_;
  std::vector<const AddressSet*> asked_;  ///< of split_once()
};

/// The bytes of an address (4 or 16) or of a port (2) as ranges are made of them.
using ClientKey = IpAddress;
/// The keys of `width` bytes with (key & mask) == wanted; nothing: too many ranges.
[[nodiscard]] std::optional<std::vector<AddressRange>> masked_ranges(const ClientKey& wanted,
                                                                     const ClientKey& mask,
                                                                     std::size_t width);
/// The keys of which what `mask` leaves is between the two; nothing where the mask is no prefix.
/// first behind last: there is none.
[[nodiscard]] std::optional<AddressRange> masked_between(const ClientKey& first,
                                                         const ClientKey& last,
                                                         const ClientKey& mask, std::size_t width);

}  // namespace hark::reach
