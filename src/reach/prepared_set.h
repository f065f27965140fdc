// A set of nf_tables, made ready to be searched: nft_set_hash.c, nft_set_rbtree.c,
// nft_set_pipapo.c. Elements that the dump shows are taken as present.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "decode/nft_ruleset.h"
#include "reach/nft_registers.h"

namespace hark::reach {

/// Keys that find the same element: as memcmp orders, or field by field.
struct KeyRange {
  const decode::nft::Element* element;
  Bytes first, last;  ///< as long as the set's keys
};

class PreparedSet {
 public:
  explicit PreparedSet(const decode::nft::Set& set);

  [[nodiscard]] const decode::nft::Set& set() const { return set_; }
  /// Were its elements read? If not, nothing is known about any key.
  [[nodiscard]] bool read() const { return set_.elements.has_value(); }
  [[nodiscard]] const decode::nft::Element* catch_all() const { return catch_all_; }

  /// The element that the kernel finds, the catch-all excepted; nullptr: none.
  ///   exact:        equal bytes
  ///   intervals:    the greatest start that is not greater, unless an end lies between
  ///   ranges of concatenations: the first one inserted whose every field holds the key
  [[nodiscard]] const decode::nft::Element* find(ByteView key) const;
  /// Elements that a key known in part could find, at most `most`, in order.
  [[nodiscard]] std::vector<const decode::nft::Element*> may_find(const PartBytes& key,
                                                                  std::size_t most) const;

  /// Its elements but the catch-all, in the order in which they are found. Made when first asked.
  [[nodiscard]] const std::vector<KeyRange>& key_ranges() const;
  /// A key is compared as one run of bytes, and not each of its fields on its own.
  [[nodiscard]] bool compares_whole_keys() const { return kind_ != Kind::Boxes; }
  [[nodiscard]] bool has_ranges() const { return kind_ != Kind::Exact; }
  /// Where each field begins, how long it is.
  [[nodiscard]] const std::vector<std::pair<std::size_t, std::size_t>>& fields() const {
    return fields_;
  }

 private:
  enum class Kind : std::uint8_t { Exact, Interval, Boxes };
  /// A search through the index costs less than one through all only when it is made often.
  static constexpr unsigned kSearchesBeforeIndex = 3;
  static constexpr std::size_t kRemembered = 16;

  [[nodiscard]] const decode::nft::Element* search(ByteView key) const;
  [[nodiscard]] const decode::nft::Element* search_index(ByteView key) const;
  [[nodiscard]] bool in_box(const decode::nft::Element& element, ByteView key) const;
  [[nodiscard]] bool box_may_hold(const decode::nft::Element& element, const PartBytes& key) const;
  void make_index() const;

  const decode::nft::Set& set_;
  Kind kind_ = Kind::Exact;
  const decode::nft::Element* catch_all_ = nullptr;
  std::vector<std::pair<std::size_t, std::size_t>> fields_;

  // Only to be faster; nothing that can be seen from outside.
  mutable std::vector<const decode::nft::Element*> index_;
  mutable std::vector<std::pair<Bytes, const decode::nft::Element*>> remembered_;
  mutable unsigned searches_ = 0;
  mutable std::optional<std::vector<KeyRange>> ranges_;
};

}  // namespace hark::reach
