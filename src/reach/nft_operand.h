// What registers hold while a rule is read: in nft's words, as far as that can be followed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/network.h"
#include "reach/nft_fields.h"

namespace hark::reach::ruletext {

struct Operand {
  enum class Kind : std::uint8_t { Nothing, Words, Packet, Option, Constant };
  Kind kind = Kind::Nothing;
  KeyWords key = {};  ///< of Words
  std::uint32_t length = 0;
  decode::nft::Payload payload = {};  ///< of Packet
  decode::nft::Exthdr exthdr = {};    ///< of Option
  Bytes constant = {};
  /// (value & mask) ^ xored; both empty: the value as it is.
  Bytes mask = {};
  Bytes xored = {};
  /// Of Words: comparing it with a number says which protocol follows.
  enum class Tells : std::uint8_t {
    Nothing,
    Nfproto,
    EtherType,
    L4proto,
    Protocol,  ///< as L4proto, told by a header of the network layer
    LinkType,
    IcmpType
  };
  Tells tells = Tells::Nothing;
  bool continued = false;  ///< the register before holds the begin of the same value
  bool computed = false;   ///< of Words: they have an operator in them
};

/// A piece of an operand that has a name of its own. Bits count from the operand's first; a value
/// of this machine's byte order is turned round before.
struct Part {
  std::string words;  ///< empty: bits between fields
  Show show = Show::Hex;
  std::uint32_t first = 0;
  std::uint32_t bits = 0;
  std::uint32_t whole = 0;  ///< bits of the field, of which only the first were loaded; else 0
  Operand::Tells tells = Operand::Tells::Nothing;
  bool computed = false;
};

/// A load by its place alone: "@nh,96,32".
[[nodiscard]] Part raw_part(const decode::nft::Payload& payload);

/// Which header follows which, as far as the rule has asked; and what it asked only for that.
class Headers {
 public:
  explicit Headers(decode::nft::TableFamily family);

  /// The parts of an operand, in order, at least one.
  [[nodiscard]] std::vector<Part> parts(const Operand& operand) const;

  /// A statement at this position compared `tells` with `value` and nothing else.
  void learn(Operand::Tells tells, std::uint64_t value, std::size_t statement);
  /// A field of the operand was used: statements that only asked for its header need not be
  /// printed. Their positions.
  [[nodiscard]] std::vector<std::size_t> implied_by(const Operand& operand);
  /// The same of a statement that answers packets of this kind; nothing: of any.
  [[nodiscard]] std::vector<std::size_t> implied_by(Layer layer, std::uint32_t number);

  [[nodiscard]] std::optional<std::uint32_t> network() const { return network_; }
  [[nodiscard]] std::optional<std::uint32_t> transport() const { return transport_; }
  [[nodiscard]] decode::nft::TableFamily family() const { return family_; }

 private:
  struct Asked {
    std::uint32_t number = 0;
    std::size_t statement = 0;
  };
  [[nodiscard]] const Header* header_at(const decode::nft::Payload& payload) const;
  static void take(std::optional<Asked>& asked, std::uint32_t number,
                   std::vector<std::size_t>& out);

  decode::nft::TableFamily family_;
  std::optional<std::uint32_t> network_;
  std::optional<std::uint32_t> transport_;
  std::optional<std::uint32_t> icmp_type_;
  bool ether_ = false;  ///< frames have an Ethernet header
  bool vlan_ = false;
  std::optional<Asked> asked_ether_;
  std::optional<Asked> asked_link_;
  std::optional<Asked> asked_network_;
  std::optional<Asked> asked_transport_;
  std::optional<Asked> asked_icmp_type_;
};

/// `bits` of big-endian bytes from `first` on, right-aligned in as few bytes as they need.
[[nodiscard]] Bytes bits_of(ByteView bytes, std::uint32_t first, std::uint32_t bits);

}  // namespace hark::reach::ruletext
