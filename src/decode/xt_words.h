// Matches and targets in the words of iptables-save. The `save` functions of iptables'
// extensions/libxt_*.c say what those are; tests/netns compares them with it.
#pragma once

#include <functional>
#include <string>

#include "base/address.h"
#include "decode/nft_expression.h"
#include "decode/xt_blob.h"

namespace hark::decode::xt {

struct WordsContext {
  hark::Family family = hark::Family::Inet;
  /// The name of an ipset by its index; empty: not known.
  std::function<std::string(std::uint16_t)> set_name = {};
};

/// "-m conntrack --ctstate NEW"; "-m foo [revision 2]" where it is not known.
[[nodiscard]] std::string words_of(const nft::XtMatch& match, const WordsContext& context);
/// "-j REJECT --reject-with tcp-reset"
[[nodiscard]] std::string words_of(const nft::XtTarget& target, const WordsContext& context);

/// As iptables-save quotes a word: only where it must.
[[nodiscard]] std::string quoted(std::string_view text);

/// Writes options. Only for xt_*_words.cpp.
class Line {
 public:
  Line(const Blob& blob, const WordsContext& context) : blob_(blob), context_(context) {}

  [[nodiscard]] const Blob& blob() const { return blob_; }
  [[nodiscard]] hark::Family family() const { return context_.family; }
  [[nodiscard]] std::uint64_t number(Field field) const { return blob_.number(field); }
  [[nodiscard]] bool bit(Field field, std::uint64_t bits) const {
    return (blob_.number(field) & bits) != 0;
  }
  [[nodiscard]] std::string set_name(std::uint16_t index) const;

  Line& word(std::string_view text);
  /// "--socket-exists", or "! --socket-exists"
  Line& flag(std::string_view name, bool inverted = false);
  /// "--mark 0x1", or "! --mark 0x1"
  Line& option(std::string_view name, std::string_view value, bool inverted = false);
  /// The kernel's name of the extension is not iptables'.
  void rename(std::string_view name) { name_ = name; }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  const Blob& blob_;
  const WordsContext& context_;
  std::string text_, name_;
};
using Write = void (*)(Line& line);

/// nullptr: no such match or target there.
[[nodiscard]] Write common_match_writer(std::string_view name);  ///< xt_match_words.cpp
[[nodiscard]] Write rare_match_writer(std::string_view name);    ///< xt_rare_words.cpp
[[nodiscard]] Write long_match_writer(std::string_view name);    ///< xt_long_words.cpp
[[nodiscard]] Write target_writer(std::string_view name);        ///< xt_target_words.cpp

/// "0x1", "0x1/0xff"
[[nodiscard]] std::string mark_text(std::uint64_t mark, std::uint64_t mask);
[[nodiscard]] std::string hex_text(std::uint64_t number, int digits = 0);
/// "5", "5:7"
[[nodiscard]] std::string range_text(std::uint64_t low, std::uint64_t high, char between = ':');
/// "10.0.0.0/8", "10.0.0.1"
[[nodiscard]] std::string network_text(const IpAddress& address, const IpAddress& mask);
/// "NEW,RELATED" of the bits that are set.
struct BitName {
  std::uint64_t bit;
  const char* name;
};
[[nodiscard]] std::string bits_text(std::uint64_t bits, std::span<const BitName> names);
/// "src,dst" of the directions of a set.
[[nodiscard]] std::string directions_text(std::uint64_t flags, std::uint64_t dimensions);

}  // namespace hark::decode::xt
