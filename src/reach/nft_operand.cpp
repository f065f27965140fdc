#include "reach/nft_operand.h"

#include <fmt/format.h>

#include <algorithm>

namespace hark::reach::ruletext {
namespace {

using decode::nft::PayloadBase;
using decode::nft::TableFamily;

constexpr std::uint32_t kByte = 8;
constexpr std::uint32_t kCommonIcmp = 4;  // type, code and checksum

Operand::Tells told_by(const Header& header, const HeaderField& field) {
  if (field.show == Show::EtherType && header.layer == Layer::Link) {
    return Operand::Tells::EtherType;
  }
  const bool next = field.name == "protocol" || field.name == "nexthdr";
  if (next && header.layer == Layer::Network) return Operand::Tells::Protocol;
  const bool icmp = field.show == Show::IcmpType || field.show == Show::Icmpv6Type;
  if (icmp && field.name == "type") return Operand::Tells::IcmpType;
  return Operand::Tells::Nothing;
}

/// The field that begins at a bit, or else the first one after it.
const HeaderField* field_from(const Header& header, std::uint32_t bit) {
  const HeaderField* best = nullptr;
  for (const HeaderField& field : header.fields) {
    if (field.offset == bit) return &field;
    if (field.offset > bit && (best == nullptr || field.offset < best->offset)) best = &field;
  }
  return best;
}

}  // namespace

Part raw_part(const decode::nft::Payload& payload) {
  constexpr const char* kBases[] = {"ll", "nh", "th", "ih", "tun"};
  const auto base = static_cast<std::size_t>(payload.base);
  return {.words = fmt::format("@{},{},{}", base < std::size(kBases) ? kBases[base] : "?",
                               std::uint64_t{payload.offset} * kByte, payload.length * kByte),
          .show = Show::Hex,
          .first = 0,
          .bits = payload.length * kByte};
}

namespace {

/// Cuts a load at the borders of the header's fields; bits without a field, and fields that it
/// ends in, have no words.
std::vector<Part> cut(const Header& header, std::uint32_t begin, std::uint32_t bits) {
  std::vector<Part> out;
  const std::uint32_t end = begin + bits;
  for (std::uint32_t at = begin; at < end;) {
    const HeaderField* field = field_from(header, at);
    const std::uint32_t next = field == nullptr ? end : std::min(field->offset, end);
    if (next != at) {  // bits without a name
      out.push_back({.words = {}, .show = Show::Hex, .first = at - begin, .bits = next - at});
      at = next;
      continue;
    }
    Part part{.words = std::string(header.name) + ' ' + std::string(field->name),
              .show = field->show,
              .first = at - begin,
              .bits = field->bits,
              .tells = told_by(header, *field)};
    if (field->bits > end - at) {
      part.bits = end - at;
      if (has_prefixes(field->show)) part.whole = field->bits;
      if (!has_prefixes(field->show)) part.words.clear();
    }
    at += part.bits;
    out.push_back(std::move(part));
  }
  return out;
}

std::optional<std::uint32_t> network_of(TableFamily family) {
  if (family == TableFamily::Ip) return kEtherIp;
  if (family == TableFamily::Ip6) return kEtherIp6;
  if (family == TableFamily::Arp) return kEtherArp;
  return std::nullopt;
}

}  // namespace

Bytes bits_of(ByteView bytes, std::uint32_t first, std::uint32_t bits) {
  Bytes out((bits + kByte - 1) / kByte);
  for (std::uint32_t i = 0; i < bits; ++i) {
    const std::uint32_t from = first + i;
    if (from / kByte >= bytes.size()) break;
    const bool set = (std::to_integer<unsigned>(bytes[from / kByte]) >> (7 - from % kByte) & 1U);
    const std::uint32_t to = static_cast<std::uint32_t>(out.size()) * kByte - bits + i;
    if (set) out[to / kByte] |= static_cast<std::byte>(0x80U >> to % kByte);
  }
  return out;
}

Headers::Headers(TableFamily family)
    : family_(family),
      network_(network_of(family)),
      ether_(family == TableFamily::Bridge || family == TableFamily::Netdev) {}

const Header* Headers::header_at(const decode::nft::Payload& payload) const {
  constexpr std::uint32_t kEtherLength = 14;
  switch (payload.base) {
    case PayloadBase::Link:
      if (!ether_) return nullptr;
      return payload.offset < kEtherLength ? &ether_header() : vlan_ ? &vlan_header() : nullptr;
    case PayloadBase::Network:
      return network_ ? find_header(Layer::Network, *network_) : nullptr;
    case PayloadBase::Transport: {
      if (!transport_) return &any_transport();
      const Header* icmp = icmp_type_ ? find_icmp_header(*transport_, *icmp_type_) : nullptr;
      if (icmp != nullptr) return icmp;
      const Header* known = find_header(Layer::Transport, *transport_);
      return known != nullptr ? known : &any_transport();
    }
    case PayloadBase::Inner:
    case PayloadBase::Tunnel:
      break;
  }
  return nullptr;
}

std::vector<Part> Headers::parts(const Operand& operand) const {
  constexpr std::uint32_t kFarthest = 0xffff;
  const std::uint32_t bits = operand.length * kByte;
  if (operand.kind == Operand::Kind::Packet) {
    const Header* header = header_at(operand.payload);
    if (header == nullptr || operand.payload.offset > kFarthest) return {raw_part(operand.payload)};
    auto out = cut(*header, operand.payload.offset * kByte, bits);
    const bool guessed = header == &any_transport() && out.size() > 1;
    const bool named = !guessed && std::any_of(out.begin(), out.end(), [](const Part& part) {
      return !part.words.empty();
    });
    if (!named) return {raw_part(operand.payload)};
    return out;
  }
  if (operand.kind == Operand::Kind::Option && !operand.exthdr.present) {
    // A field of bits is loaded with the bytes around it: the mask says which bits are meant.
    std::uint32_t skipped = 0, width = bits;
    if (!operand.mask.empty()) {
      const auto set = [&](std::uint32_t bit) {
        return (std::to_integer<unsigned>(operand.mask[bit / kByte]) >> (7 - bit % kByte) & 1U) !=
               0;
      };
      const auto size = static_cast<std::uint32_t>(operand.mask.size()) * kByte;
      while (skipped < size && !set(skipped)) ++skipped;
      width = size;
      while (width > skipped && !set(width - 1)) --width;
      width -= skipped;
    }
    const auto first = operand.exthdr.offset > kFarthest ? kFarthest : operand.exthdr.offset;
    auto field = field_of(operand.exthdr, first * kByte + skipped, width);
    if (field)
      return {{.words = field->words, .show = field->show, .first = skipped, .bits = width}};
    const std::string name = words_of(operand.exthdr).words;
    return {{.words = fmt::format("{} @{},{}", name, operand.exthdr.offset * kByte, bits),
             .show = Show::Hex,
             .first = 0,
             .bits = bits}};
  }
  return {{.words = operand.key.words,
           .show = operand.key.show,
           .first = 0,
           .bits = bits,
           .tells = operand.tells,
           .computed = operand.computed}};
}

void Headers::learn(Operand::Tells tells, std::uint64_t value, std::size_t statement) {
  constexpr std::uint64_t kArphrdEther = 1;
  constexpr std::uint64_t kIpv4 = 2;
  constexpr std::uint64_t kIpv6 = 10;
  const auto number = static_cast<std::uint32_t>(value);
  switch (tells) {
    case Operand::Tells::Nothing:
      return;
    case Operand::Tells::LinkType:
      ether_ = ether_ || value == kArphrdEther;
      if (value == kArphrdEther) asked_ether_ = Asked{0, statement};
      return;
    case Operand::Tells::IcmpType:
      icmp_type_ = number;
      asked_icmp_type_ = Asked{number, statement};
      return;
    case Operand::Tells::Nfproto:
      if (value != kIpv4 && value != kIpv6) return;
      network_ = value == kIpv4 ? kEtherIp : kEtherIp6;
      asked_network_ = Asked{*network_, statement};
      return;
    case Operand::Tells::EtherType:
      if (number == kEtherVlan) {
        vlan_ = true;
        asked_link_ = Asked{kEtherVlan, statement};
        return;
      }
      network_ = number;
      asked_network_ = Asked{number, statement};
      return;
    case Operand::Tells::Protocol:
      transport_ = number;
      asked_transport_.reset();
      // Where there are other families, it says as well that it is this one.
      if (family_ == TableFamily::Ip || family_ == TableFamily::Ip6) {
        asked_transport_ = Asked{number, statement};
      }
      return;
    case Operand::Tells::L4proto:
      transport_ = number;
      asked_transport_ = Asked{number, statement};
      return;
  }
}

void Headers::take(std::optional<Asked>& asked, std::uint32_t number,
                   std::vector<std::size_t>& out) {
  if (!asked || asked->number != number) return;
  out.push_back(asked->statement);
  asked.reset();
}

std::vector<std::size_t> Headers::implied_by(Layer layer, std::uint32_t number) {
  std::vector<std::size_t> out;
  if (layer == Layer::Link) {
    take(asked_ether_, 0, out);
    take(asked_link_, number, out);
  }
  if (layer == Layer::Network) take(asked_network_, number, out);
  if (layer == Layer::Transport) {
    take(asked_transport_, number, out);
    // These exist in one family only.
    if (number == kProtocolIcmp) take(asked_network_, kEtherIp, out);
    if (number == kProtocolIcmpv6) take(asked_network_, kEtherIp6, out);
  }
  return out;
}

std::vector<std::size_t> Headers::implied_by(const Operand& operand) {
  if (operand.kind != Operand::Kind::Packet) return {};
  const Header* header = header_at(operand.payload);
  if (header == nullptr || header == &any_transport()) return {};
  auto out = implied_by(header->layer, header->number);
  const bool form_of_its_own = header->layer == Layer::Transport && transport_ && icmp_type_ &&
                               header == find_icmp_header(*transport_, *icmp_type_) &&
                               operand.payload.offset >= kCommonIcmp;
  if (form_of_its_own) take(asked_icmp_type_, *icmp_type_, out);
  return out;
}

}  // namespace hark::reach::ruletext
