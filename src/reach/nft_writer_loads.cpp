#include <fmt/format.h>

#include <algorithm>

#include "reach/nft_writer.h"

namespace hark::reach::ruletext {
namespace {

namespace nft = decode::nft;

constexpr std::uint32_t kWord = 4;
constexpr std::uint32_t kNameLength = 16;

/// Bytes that a key fills: nft_meta_get_init and nft_ct_get_init of the kernel.
struct Length {
  std::uint32_t key;
  std::uint32_t bytes;
};
std::uint32_t length_in(std::span<const Length> lengths, std::uint32_t key) {
  for (const Length& length : lengths) {
    if (length.key == key) return length.bytes;
  }
  return kWord;
}
constexpr std::uint32_t number(nft::MetaKey key) {
  return static_cast<std::uint32_t>(key);
}
constexpr std::uint32_t number(nft::CtKey key) {
  return static_cast<std::uint32_t>(key);
}
constexpr Length kMetaLengths[] = {
    {number(nft::MetaKey::Protocol), 2},
    {number(nft::MetaKey::Iiftype), 2},
    {number(nft::MetaKey::Oiftype), 2},
    {number(nft::MetaKey::Iifname), kNameLength},
    {number(nft::MetaKey::Oifname), kNameLength},
    {number(nft::MetaKey::BridgeIifname), kNameLength},
    {number(nft::MetaKey::BridgeOifname), kNameLength},
    {number(nft::MetaKey::Iifkind), kNameLength},
    {number(nft::MetaKey::Oifkind), kNameLength},
    {number(nft::MetaKey::Sdifname), kNameLength},
    {number(nft::MetaKey::Nfproto), 1},
    {number(nft::MetaKey::L4proto), 1},
    {number(nft::MetaKey::Pkttype), 1},
    {number(nft::MetaKey::Nftrace), 1},
    {number(nft::MetaKey::Secpath), 1},
    {number(nft::MetaKey::Day), 1},
    {number(nft::MetaKey::Time), 8},
    {number(nft::MetaKey::BridgePvid), 2},
    {number(nft::MetaKey::BridgeVlanProtocol), 2},
    {number(nft::MetaKey::BridgeMac), 6},
};
constexpr Length kCtLengths[] = {
    {number(nft::CtKey::Direction), 1},        {number(nft::CtKey::L3protocol), 1},
    {number(nft::CtKey::Protocol), 1},         {number(nft::CtKey::Helper), kNameLength},
    {number(nft::CtKey::Labels), kNameLength}, {number(nft::CtKey::SourcePort), 2},
    {number(nft::CtKey::DestinationPort), 2},  {number(nft::CtKey::Zone), 2},
    {number(nft::CtKey::Packets), 8},          {number(nft::CtKey::Bytes), 8},
    {number(nft::CtKey::AveragePacket), 8},    {number(nft::CtKey::SourceIp6), 16},
    {number(nft::CtKey::DestinationIp6), 16},
};

Operand::Tells told_by(std::uint32_t meta_key) {
  if (meta_key == number(nft::MetaKey::Nfproto)) return Operand::Tells::Nfproto;
  if (meta_key == number(nft::MetaKey::Protocol)) return Operand::Tells::EtherType;
  if (meta_key == number(nft::MetaKey::L4proto)) return Operand::Tells::L4proto;
  if (meta_key == number(nft::MetaKey::Iiftype)) return Operand::Tells::LinkType;
  return Operand::Tells::Nothing;
}

}  // namespace

void Writer::write(const nft::Immediate& it) {
  if (it.verdict) return say(verdict_text(*it.verdict));
  load(it.dreg, Operand{.kind = Operand::Kind::Constant,
                        .length = static_cast<std::uint32_t>(it.data.size()),
                        .constant = it.data});
}

void Writer::write(const nft::Payload& it) {
  load(it.dreg, Operand{.kind = Operand::Kind::Packet, .length = it.length, .payload = it});
}

void Writer::write(const nft::Bitwise& it) {
  Operand operand = at(it.sreg);
  const bool known = operand.kind != Operand::Kind::Nothing && operand.mask.empty() &&
                     operand.length <= it.length && operand.kind != Operand::Kind::Constant;
  if (known && it.op == nft::Bitwise::Op::MaskXor) {
    operand.mask = Bytes(it.mask.begin(), it.mask.begin() + operand.length);
    operand.xored = Bytes(it.xored.begin(), it.xored.begin() + operand.length);
    operand.tells = Operand::Tells::Nothing;
    return load(it.dreg, std::move(operand));
  }
  constexpr const char* kSigns[] = {"&", "<<", ">>", "&", "|", "^"};
  const auto op = static_cast<std::size_t>(it.op);
  const char* sign = op < std::size(kSigns) ? kSigns[op] : "?";
  const bool shifts = it.op == nft::Bitwise::Op::ShiftLeft || it.op == nft::Bitwise::Op::ShiftRight;
  const bool masks = it.op == nft::Bitwise::Op::MaskXor;
  const Show show = operand.kind == Operand::Kind::Words ? operand.key.show : Show::Hex;
  const bool host = operand.kind == Operand::Kind::Words && operand.key.host_order;
  std::string words = operand.kind == Operand::Kind::Nothing ? fmt::format("[register {}]", it.sreg)
                                                             : words_of_operand(operand);
  std::string other;
  if (shifts) {
    other = std::to_string(it.shift);
  } else if (it.sreg2) {
    other = value_at(*it.sreg2, show, host, it.length);
  } else {
    other = value(show, big_endian_of(operand, it.mask));
  }
  words += fmt::format(" {} {}", sign, other);
  if (masks) words += " ^ " + value(show, big_endian_of(operand, it.xored));
  load(it.dreg, Operand{.kind = Operand::Kind::Words,
                        .key = {words, show, host},
                        .length = it.length,
                        .computed = true});
}

void Writer::write(const nft::Byteorder& it) {
  Operand operand = at(it.sreg);
  // nft turns numbers round to compare their size; what it compares them with is turned already.
  if (operand.kind == Operand::Kind::Words) operand.key.host_order = it.to_host;
  load(it.dreg, std::move(operand));
}

void Writer::write(const nft::Meta& it) {
  const KeyWords key = words_of(it);
  const std::uint32_t length = length_in(kMetaLengths, it.key);
  if (it.dreg) return load_words(*it.dreg, key, length, told_by(it.key));
  const bool host = key.host_order;
  say(fmt::format("{} set {}", key.words, value_at(*it.sreg, key.show, host, length)));
}

void Writer::write(const nft::Ct& it) {
  const KeyWords key = words_of(it);
  std::uint32_t length = length_in(kCtLengths, it.key);
  const bool old_address =
      it.key == number(nft::CtKey::Source) || it.key == number(nft::CtKey::Destination);
  KeyWords words = key;
  const bool ipv6 = headers_.network() == kEtherIp6;
  if (old_address && ipv6) {
    length = kNameLength;
    words.show = Show::Ipv6;
  }
  if (old_address && headers_.network()) {
    words.words.insert(words.words.rfind(' '), ipv6 ? " ip6" : " ip");
  }
  if (it.dreg) return load_words(*it.dreg, words, length);
  say(fmt::format("{} set {}", key.words, value_at(*it.sreg, key.show, key.host_order, length)));
}

void Writer::write(const nft::Fib& it) {
  const KeyWords key = words_of(it);
  const bool name = key.show == Show::Ifname;
  load_words(it.dreg, key, name ? kNameLength : kWord);
}

void Writer::write(const nft::Rt& it) {
  const KeyWords key = words_of(it);
  std::uint32_t length = key.show == Show::Ipv6 ? 16 : kWord;
  if (it.key == static_cast<std::uint32_t>(nft::RtKey::TcpMss)) length = 2;
  if (it.key == static_cast<std::uint32_t>(nft::RtKey::Xfrm)) length = 1;
  load_words(it.dreg, key, length);
}

void Writer::write(const nft::Socket& it) {
  const auto key = static_cast<nft::SocketKey>(it.key);
  std::uint32_t length = 1;
  if (key == nft::SocketKey::Mark) length = kWord;
  if (key == nft::SocketKey::CgroupV2) length = 2 * kWord;
  load_words(it.dreg, words_of(it), length);
}

void Writer::write(const nft::Osf& it) {
  load_words(it.dreg, words_of(it), kNameLength);
}

void Writer::write(const nft::Xfrm& it) {
  const KeyWords key = words_of(it);
  load_words(it.dreg, key, key.show == Show::Ipv6 ? kNameLength : kWord);
}

void Writer::write(const nft::Exthdr& it) {
  const KeyWords key = words_of(it);
  if (it.dreg && it.present) return load_words(*it.dreg, key, 1);
  if (it.dreg) {
    return load(*it.dreg,
                Operand{.kind = Operand::Kind::Option, .length = it.length, .exthdr = it});
  }
  if (!it.sreg) return say("reset " + key.words);
  constexpr std::uint32_t kByte = 8;
  const auto field = field_of(it, it.offset * kByte, it.length * kByte);
  const std::string words =
      field ? field->words
            : fmt::format("{} @{},{}", key.words, it.offset * kByte, it.length * kByte);
  const Show show = field ? field->show : Show::Hex;
  say(fmt::format("{} set {}", words, value_at(*it.sreg, show, false, it.length)));
}

void Writer::write(const nft::Numgen& it) {
  std::string words = fmt::format("numgen {} mod {}", it.random ? "random" : "inc", it.modulus);
  if (it.offset != 0) words += fmt::format(" offset {}", it.offset);
  load_words(it.dreg, {words, Show::Decimal, true}, kWord);
}

void Writer::write(const nft::Hash& it) {
  std::string words = "symhash";
  if (!it.symmetric) words = "jhash " + joined_words(it.sreg, it.length);
  words += fmt::format(" mod {}", it.modulus);
  if (it.seed) words += fmt::format(" seed 0x{:x}", *it.seed);
  if (it.offset != 0) words += fmt::format(" offset {}", it.offset);
  load_words(it.dreg, {words, Show::Decimal, true}, kWord);
}

void Writer::write(const nft::Tunnel& it) {
  const bool path = it.key == static_cast<std::uint32_t>(nft::TunnelKey::Path);
  load_words(it.dreg,
             {path ? "tunnel path" : "tunnel id", path ? Show::Exists : Show::Decimal, true},
             path ? 1 : kWord);
}

void Writer::write(const nft::Inner& it) {
  say(fmt::format("[inside of a tunnel of type {}]", it.type));
  registers_ = {};  // what it wrote, and where, is not known
}

void Writer::write(const nft::PayloadSet& it) {
  Operand target{.kind = Operand::Kind::Packet,
                 .length = it.length,
                 .payload = {it.sreg, it.base, it.offset, it.length}};
  leave_out(headers_.implied_by(target));
  const Operand source = at(it.sreg);
  const std::vector<Part> parts = headers_.parts(target);
  const bool same = source.kind == Operand::Kind::Packet && source.payload.base == it.base &&
                    source.payload.offset == it.offset && source.length == it.length &&
                    source.mask.size() == it.length;
  if (same) {
    // A field within what can be written at once: the rest is kept by the mask.
    for (const Part& part : parts) {
      const Bytes kept = bits_of(source.mask, part.first, part.bits);
      const bool written =
          std::all_of(kept.begin(), kept.end(), [](std::byte b) { return b == std::byte{0}; });
      if (!written || part.words.empty()) continue;
      return say(fmt::format("{} set {}", part.words,
                             value(part.show, bits_of(source.xored, part.first, part.bits))));
    }
  }
  const bool named = parts.size() == 1 && parts.front().whole == 0;
  const Part part = named ? parts.front() : raw_part(target.payload);
  say(fmt::format("{} set {}", part.words, value_at(it.sreg, part.show, false, it.length)));
}

}  // namespace hark::reach::ruletext
