// Which bits of a packet nft(8) calls what: fields of headers, extension headers, options, and the
// keys of meta, ct and their kin.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "host/network.h"
#include "reach/nft_values.h"

namespace hark::reach::ruletext {

/// A field of a header: bits counted from the header's begin.
struct HeaderField {
  std::string_view name;
  std::uint32_t offset;
  std::uint32_t bits;
  Show show = Show::Decimal;
};
enum class Layer : std::uint8_t { Link, Network, Transport };
struct Header {
  std::string_view name;  ///< "tcp"
  Layer layer;
  std::uint32_t number;  ///< of the layer below: ether type, protocol of IP; 0: none of its own
  std::span<const HeaderField> fields;
};

/// Numbers of headers, as Header has them.
constexpr std::uint32_t kEtherIp = 0x0800;
constexpr std::uint32_t kEtherArp = 0x0806;
constexpr std::uint32_t kEtherVlan = 0x8100;
constexpr std::uint32_t kEtherIp6 = 0x86dd;
constexpr std::uint32_t kProtocolIcmp = 1;
constexpr std::uint32_t kProtocolTcp = 6;
constexpr std::uint32_t kProtocolIcmpv6 = 58;

/// Nothing: no such header is known.
[[nodiscard]] const Header* find_header(Layer layer, std::uint32_t number);
/// What ICMP messages of this type look like, if that is a form of its own.
[[nodiscard]] const Header* find_icmp_header(std::uint32_t number, std::uint32_t type);
/// Of what has ports, whichever it is.
[[nodiscard]] const Header& any_transport();
[[nodiscard]] const Header& ether_header();
[[nodiscard]] const Header& vlan_header();

/// How a key is called, how its value is shown, and whether it stands in this machine's byte order.
struct KeyWords {
  std::string words;
  Show show = Show::Decimal;
  bool host_order = true;
};
[[nodiscard]] KeyWords words_of(const decode::nft::Meta& meta);
[[nodiscard]] KeyWords words_of(const decode::nft::Ct& ct);
[[nodiscard]] KeyWords words_of(const decode::nft::Fib& fib);
[[nodiscard]] KeyWords words_of(const decode::nft::Rt& rt);
[[nodiscard]] KeyWords words_of(const decode::nft::Socket& socket);
[[nodiscard]] KeyWords words_of(const decode::nft::Osf& osf);
[[nodiscard]] KeyWords words_of(const decode::nft::Xfrm& xfrm);
/// Of the header itself: "tcp option maxseg", "exthdr frag".
[[nodiscard]] KeyWords words_of(const decode::nft::Exthdr& exthdr);

/// The field that an exthdr's bits are: "tcp option maxseg size", "frag frag-off"; `first` and
/// `bits` count from the begin of the header. Nothing: no such field.
[[nodiscard]] std::optional<KeyWords> field_of(const decode::nft::Exthdr& exthdr,
                                               std::uint32_t first, std::uint32_t bits);

}  // namespace hark::reach::ruletext
