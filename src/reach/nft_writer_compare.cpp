#include <fmt/format.h>

#include <algorithm>

#include "reach/nft_writer.h"

namespace hark::reach::ruletext {
namespace {

using decode::nft::CmpOp;

constexpr std::uint32_t kByte = 8;
constexpr std::size_t kLongestName = 16;  // IFNAMSIZ

bool is_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

/// How many bits from the first on are set, if no other is.
std::optional<std::uint32_t> prefix_length(ByteView mask) {
  std::uint32_t length = 0;
  bool ended = false;
  for (const std::byte byte : mask) {
    for (std::uint32_t bit = 0; bit < kByte; ++bit) {
      const bool set = (std::to_integer<unsigned>(byte) >> (7 - bit) & 1U) != 0;
      if (set && ended) return std::nullopt;
      if (set) ++length;
      ended = ended || !set;
    }
  }
  return length;
}

bool all_set(ByteView bits, std::uint32_t count) {
  std::uint32_t set = 0;
  for (const std::byte byte : bits) {
    set += static_cast<std::uint32_t>(__builtin_popcount(std::to_integer<unsigned>(byte)));
  }
  return set == count;
}

/// nft leaves out "==" but where it would be read as something else.
std::string with_operator(const std::string& words, CmpOp op, const std::string& value,
                          bool always = false) {
  if (op == CmpOp::Eq && !always) return words + ' ' + value;
  return words + ' ' + operator_text(op) + ' ' + value;
}

}  // namespace

const char* operator_text(CmpOp op) {
  constexpr const char* kOperators[] = {"==", "!=", "<", "<=", ">", ">="};
  const auto number = static_cast<std::size_t>(op);
  return number < std::size(kOperators) ? kOperators[number] : "?";
}

std::string Writer::relation(const Part& part, CmpOp op, const Side& side) {
  if (part.whole != 0) {  // the first bytes of an address: a prefix
    Bytes padded = side.value;
    padded.resize(part.whole / kByte);
    return with_operator(part.words, op, fmt::format("{}/{}", value(part.show, padded), part.bits));
  }
  const bool equality = op == CmpOp::Eq || op == CmpOp::Neq;
  if (side.mask.empty()) {
    const bool must = is_flags(part.show) && !is_zero(side.value);
    const bool hidden = op == CmpOp::Eq && part.show == Show::CtLabel;
    return with_operator(part.words, op, value(part.show, side.value),
                         part.computed || (must && !hidden));
  }
  if (has_prefixes(part.show) && equality) {
    const auto length = prefix_length(side.mask);
    if (length) {
      return with_operator(part.words, op,
                           fmt::format("{}/{}", value(part.show, side.value), *length));
    }
  }
  if (is_flags(part.show) && equality) {
    const std::string mask = value(part.show, side.mask);
    if (is_zero(side.value)) return part.words + (op == CmpOp::Eq ? " ! " : " ") + mask;
    return with_operator(part.words, op, value(part.show, side.value) + " / " + mask);
  }
  const std::string words = part.words + " & " + value(part.show, side.mask, true);
  return with_operator(words, op, value(part.show, side.value, true), true);
}

/// Fewer bytes than a name has: "eth*". Empty: it is no such comparison.
std::string Writer::short_name(const Operand& operand, CmpOp op, const Bytes& data) const {
  const bool name = operand.kind == Operand::Kind::Words && is_text(operand.key.show);
  const bool short_one = data.size() < kLongestName && operand.mask.empty() &&
                         operand.key.show == Show::Ifname && !data.empty() &&
                         data.back() != std::byte{0};
  if (!name || !short_one) return {};
  return with_operator(operand.key.words, op, quoted(std::string(as_text(data)) + '*'));
}

void Writer::compare(const Operand& operand, CmpOp op, const Bytes& data) {
  const std::string name = short_name(operand, op, data);
  if (!name.empty()) return say(name);
  Operand known = operand;
  // Less may be compared than was loaded, of packets as of names.
  if (data.size() < known.length && known.mask.empty()) {
    known.length = static_cast<std::uint32_t>(data.size());
  }
  const Bytes bytes = big_endian_of(known, data);
  const Bytes mask = big_endian_of(known, known.mask);
  const bool flipped = !is_zero(known.xored) || mask.size() > bytes.size();
  std::vector<Part> parts = headers_.parts(known);
  if (known.length < operand.length && parts.size() == 1 && has_prefixes(parts[0].show) &&
      parts[0].whole == 0) {
    parts[0].whole = operand.length * kByte;
  }
  const bool anything = !known.mask.empty() && is_zero(mask);  // a prefix of no bits
  const auto meant = [&mask, anything](const Part& part) {
    return mask.empty() || anything || !is_zero(bits_of(mask, part.first, part.bits));
  };
  const auto active = std::count_if(parts.begin(), parts.end(), meant);
  std::vector<std::string> said;
  bool plain = !flipped && (active == 1 || op == CmpOp::Eq);
  for (const Part& part : parts) {
    Side side{.value = bits_of(bytes, part.first, part.bits), .mask = {}};
    if (!meant(part)) {
      plain = plain && is_zero(side.value);
      continue;
    }
    const Bytes wanted = mask.empty() ? Bytes{} : bits_of(mask, part.first, part.bits);
    if (!mask.empty() && !all_set(wanted, part.bits)) side.mask = wanted;
    // nft makes one comparison of several fields, if it asks for all of each.
    plain = plain && !part.words.empty() && (active == 1 || side.mask.empty());
    if (!plain) break;
    said.push_back(relation(part, op, side));
    if (op == CmpOp::Eq && side.mask.empty() && part.whole == 0) {
      const auto number = static_cast<std::uint32_t>(number_in(side.value));
      headers_.learn(part.tells, number, statements_.size() + said.size() - 1);
      // nft takes the family for said, where only one has such a protocol.
      const bool tied = number == kProtocolIcmp || number == kProtocolIcmpv6;
      if (part.tells == Operand::Tells::L4proto && tied) {
        const auto family = number == kProtocolIcmp ? kEtherIp : kEtherIp6;
        leave_out(headers_.implied_by(Layer::Network, family));
      }
    }
  }
  if (plain && !said.empty()) {
    leave_out(headers_.implied_by(known));
    for (std::string& statement : said) say(std::move(statement));
    return;
  }
  say(fmt::format("{} {} {}", raw_words(known), operator_text(op), value(Show::Hex, bytes)));
}

/// Where fields do not fit: the place in the packet and the mask.
std::string Writer::raw_words(const Operand& operand) {
  if (operand.kind != Operand::Kind::Packet) return words_of_operand(operand);
  std::string out = raw_part(operand.payload).words;
  if (!operand.mask.empty()) out += " & " + value(Show::Hex, operand.mask);
  if (!is_zero(operand.xored)) out += " ^ " + value(Show::Hex, operand.xored);
  return out;
}

void Writer::compare_range(const Operand& operand, bool negated, const Bytes& from,
                           const Bytes& to) {
  const CmpOp op = negated ? CmpOp::Neq : CmpOp::Eq;
  const bool several = operand.mask.empty() && headers_.parts(operand).size() > 1;
  if (several || operand.length != from.size()) {  // no form of nft's
    const std::string ends = value(Show::Hex, from) + '-' + value(Show::Hex, to);
    return say(with_operator(raw_words(operand), op, ends));
  }
  leave_out(headers_.implied_by(operand));
  const std::string words = words_of_operand(operand);
  say(with_operator(words, op, range_text(operand, from, to, false), operand.computed));
}

/// What a comparison reads; a register of which nothing is known is called by its number.
Operand Writer::compared(Reg sreg, std::size_t length) const {
  const Operand& operand = at(sreg);
  const bool known =
      operand.kind != Operand::Kind::Nothing && operand.kind != Operand::Kind::Constant;
  if (known) return operand;
  return {.kind = Operand::Kind::Words,
          .key = {fmt::format("[register {}]", sreg), Show::Hex, false},
          .length = static_cast<std::uint32_t>(length),
          .computed = true};
}

void Writer::write(const decode::nft::Cmp& it) {
  const Operand operand = compared(it.sreg, it.data.size());
  // A range is a pair of comparisons, as nft makes it.
  if (it.op == CmpOp::Gte && next_ < rule_.expressions.size()) {
    const auto* upper = std::get_if<decode::nft::Cmp>(&rule_.expressions[next_].operation);
    const bool pair = upper != nullptr && upper->op == CmpOp::Lte && upper->sreg == it.sreg &&
                      upper->data.size() == it.data.size();
    if (pair) {
      ++next_;
      return compare_range(operand, false, it.data, upper->data);
    }
  }
  compare(operand, it.op, it.data);
}

void Writer::write(const decode::nft::Range& it) {
  compare_range(compared(it.sreg, it.from.size()), it.negated, it.from, it.to);
}

}  // namespace hark::reach::ruletext
