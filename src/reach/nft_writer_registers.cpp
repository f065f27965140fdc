#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "reach/nft_writer.h"

namespace hark::reach::ruletext {
namespace {

constexpr std::uint32_t kWord = 4;

std::size_t words_in(std::uint32_t length) {
  return (length + kWord - 1) / kWord;
}

bool is_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}
bool is_full(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0xff}; });
}

}  // namespace

Bytes big_endian_of(const Operand& operand, ByteView value) {
  Bytes out(value.begin(), value.end());
  const bool turned =
      operand.kind == Operand::Kind::Words && operand.key.host_order && !is_text(operand.key.show);
  if (turned) std::reverse(out.begin(), out.end());
  return out;
}

void Writer::leave_out(std::span<const std::size_t> statements) {
  for (const std::size_t statement : statements) statements_[statement].clear();
}

void Writer::load(Reg first, Operand operand) {
  const std::size_t count = std::max<std::size_t>(words_in(operand.length), 1);
  for (std::size_t i = 1; i < count && first + i < registers_.size(); ++i) {
    registers_[first + i] = Operand{.continued = true};
  }
  registers_[first] = std::move(operand);
}

void Writer::load_words(Reg first, KeyWords key, std::uint32_t length, Operand::Tells tells) {
  load(first,
       Operand{
           .kind = Operand::Kind::Words, .key = std::move(key), .length = length, .tells = tells});
}

const Operand& Writer::at(Reg first) const {
  return registers_[first];
}

std::vector<Operand> Writer::values_at(Reg first, std::uint32_t length) const {
  std::vector<Operand> out;
  std::uint32_t left = length;
  for (std::size_t reg = first; left != 0 && reg < registers_.size();) {
    Operand operand = registers_[reg];
    const bool known = operand.kind != Operand::Kind::Nothing && operand.length != 0;
    if (!known) {
      operand = Operand{.kind = Operand::Kind::Words,
                        .key = {fmt::format("[register {}]", reg), Show::Hex, false}};
      operand.length = std::min(left, kWord);
    }
    // A short load of the last field is what is left of the key, or a part of it.
    operand.length = std::min(operand.length, left);
    left -= std::min(left, static_cast<std::uint32_t>(words_in(operand.length)) * kWord);
    reg += words_in(operand.length);
    out.push_back(std::move(operand));
  }
  return out;
}

std::string Writer::words_of_operand(const Operand& operand) {
  if (operand.kind == Operand::Kind::Constant) return value(Show::Hex, operand.constant);
  leave_out(headers_.implied_by(operand));
  const std::vector<Part> parts = headers_.parts(operand);
  const Bytes mask = big_endian_of(operand, operand.mask);
  const Bytes xored = big_endian_of(operand, operand.xored);
  std::string out;
  for (const Part& part : parts) {
    if (!mask.empty() && is_zero(bits_of(mask, part.first, part.bits))) continue;
    out += (out.empty() ? "" : " . ") + part.words;
  }
  if (mask.empty() || parts.size() != 1) return out.empty() ? parts.front().words : out;
  // netlink_parse_bitwise_mask_xor of nft: what is set is both kept and added.
  Bytes kept = mask, flipped = xored, added(mask.size());
  for (std::size_t i = 0; i < mask.size() && i < xored.size(); ++i) {
    added[i] = ~mask[i] & xored[i];
    flipped[i] ^= added[i];
    kept[i] |= added[i];
  }
  const Show show = parts.front().show;
  if (!is_full(kept)) out += " & " + value(show, kept);
  if (!is_zero(flipped)) out += " ^ " + value(show, flipped);
  if (!is_zero(added)) out += " | " + value(show, added);
  return out;
}

std::string Writer::value_at(Reg first, Show show, bool host_order, std::uint32_t length) {
  const Operand& operand = at(first);
  if (operand.kind == Operand::Kind::Nothing) return fmt::format("[register {}]", first);
  if (operand.kind != Operand::Kind::Constant) return words_of_operand(Operand(operand));
  Bytes bytes = operand.constant;
  if (length != 0 && bytes.size() > length) bytes.resize(length);
  if (host_order && !is_text(show)) std::reverse(bytes.begin(), bytes.end());
  return value(show, bytes);
}

std::string Writer::joined_words(Reg first, std::uint32_t length) {
  std::vector<std::string> words;
  for (const Operand& operand : values_at(first, length)) {
    words.push_back(words_of_operand(operand));
  }
  return join(words, " . ");
}

}  // namespace hark::reach::ruletext
