#include "decode/xt_words.h"

#include <fmt/format.h>

#include "decode/xt_table.h"

namespace hark::decode::xt {
namespace {

std::string unknown(std::string_view option, std::string_view name, std::uint32_t revision) {
  return fmt::format("{} {} [revision {}]", option, name, revision);
}

}  // namespace

std::string quoted(std::string_view text) {
  constexpr std::string_view kPlain =
      "_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr std::string_view kEscaped = "\"\\'";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos)
    return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (kEscaped.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out + '"';
}

std::string Line::set_name(std::uint16_t index) const {
  std::string name = context_.set_name ? context_.set_name(index) : std::string();
  return name.empty() ? fmt::format("[set {}]", index) : name;
}

Line& Line::word(std::string_view text) {
  text_ += ' ';
  text_ += text;
  return *this;
}

Line& Line::flag(std::string_view name, bool inverted) {
  if (inverted) word("!");
  return word(name);
}

Line& Line::option(std::string_view name, std::string_view value, bool inverted) {
  return flag(name, inverted).word(value);
}

std::string hex_text(std::uint64_t number, int digits) {
  return fmt::format("0x{:0{}x}", number, digits);
}

std::string mark_text(std::uint64_t mark, std::uint64_t mask) {
  return mask == 0xffffffff ? hex_text(mark) : hex_text(mark) + "/" + hex_text(mask);
}

std::string range_text(std::uint64_t low, std::uint64_t high, char between) {
  return low == high ? std::to_string(low) : fmt::format("{}{}{}", low, between, high);
}

std::string network_text(const IpAddress& address, const IpAddress& mask) {
  const std::string all = "/" + std::to_string(address.bits());
  std::string out = AddressMatch{address, mask}.text();
  if (out.ends_with(all)) out.resize(out.size() - all.size());
  return out;
}

std::string bits_text(std::uint64_t bits, std::span<const BitName> names) {
  std::string out;
  for (const BitName& name : names) {
    if ((bits & name.bit) == 0) continue;
    if (!out.empty()) out += ',';
    out += name.name;
  }
  return out;
}

std::string directions_text(std::uint64_t flags, std::uint64_t dimensions) {
  std::string out;
  for (std::uint64_t i = 1; i <= dimensions && i <= 6; ++i)
    out += std::string(i == 1 ? "" : ",") + ((flags >> i & 1U) != 0 ? "src" : "dst");
  return out;
}

std::string words_of(const nft::XtMatch& match, const WordsContext& context) {
  const auto blob = read(match);
  if (!blob) return unknown("-m", match.name, match.revision);
  Write write = common_match_writer(match.name);
  if (write == nullptr) write = rare_match_writer(match.name);
  if (write == nullptr) write = long_match_writer(match.name);
  if (write == nullptr) return unknown("-m", match.name, match.revision);
  Line line(*blob, context);
  write(line);
  return "-m " + (line.name().empty() ? match.name : line.name()) + line.text();
}

std::string words_of(const nft::XtTarget& target, const WordsContext& context) {
  const auto blob = read(target);
  const Write write = blob ? target_writer(target.name) : nullptr;
  if (write == nullptr) return unknown("-j", target.name, target.revision);
  Line line(*blob, context);
  write(line);
  return "-j " + (line.name().empty() ? target.name : line.name()) + line.text();
}

}  // namespace hark::decode::xt
