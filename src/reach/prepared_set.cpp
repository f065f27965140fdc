#include "reach/prepared_set.h"

#include <algorithm>
#include <cstring>

namespace hark::reach {

namespace nft = decode::nft;

namespace {

/// As memcmp; the shorter first.
int order(ByteView a, ByteView b) {
  const std::size_t length = std::min(a.size(), b.size());
  const int sign = length == 0 ? 0 : std::memcmp(a.data(), b.data(), length);
  if (sign != 0 || a.size() == b.size()) return sign;
  return a.size() < b.size() ? -1 : 1;
}

/// By key; at equal keys the end of one interval before the start of the next.
bool before(const nft::Element* a, const nft::Element* b) {
  const int sign = order(a->key, b->key);
  return sign != 0 ? sign < 0 : a->interval_end && !b->interval_end;
}

}  // namespace

PreparedSet::PreparedSet(const nft::Set& set) : set_(set) {
  bool ends = false;
  if (set.elements) {
    for (const nft::Element& element : *set.elements) {
      if (element.catch_all) catch_all_ = &element;
      ends = ends || element.key_end.has_value();
    }
  }
  std::size_t at = 0;
  for (const std::uint32_t length : set.fields) {
    fields_.emplace_back(at, length);
    at += (std::size_t{length} + 3) / 4 * 4;
  }
  if (fields_.empty()) fields_.emplace_back(0, set.key_length);
  if (set.interval()) kind_ = ends || set.fields.size() > 1 ? Kind::Boxes : Kind::Interval;
}

const nft::Element* PreparedSet::find(ByteView key) const {
  if (!set_.elements || set_.elements->empty()) return nullptr;
  for (const auto& [known, found] : remembered_) {
    if (order(known, key) == 0) return found;
  }
  const nft::Element* found = nullptr;
  if (kind_ == Kind::Boxes || ++searches_ <= kSearchesBeforeIndex) {
    found = search(key);
  } else {
    if (index_.empty()) make_index();
    found = search_index(key);
  }
  if (remembered_.size() == kRemembered) remembered_.erase(remembered_.begin());
  remembered_.emplace_back(Bytes(key.begin(), key.end()), found);
  return found;
}

const nft::Element* PreparedSet::search(ByteView key) const {
  const nft::Element* best = nullptr;
  for (const nft::Element& element : *set_.elements) {
    if (element.catch_all) continue;
    if (kind_ == Kind::Interval) {
      if (order(element.key, key) <= 0 && (best == nullptr || before(best, &element))) {
        best = &element;
      }
    } else if (kind_ == Kind::Boxes ? in_box(element, key) : order(element.key, key) == 0) {
      return &element;
    }
  }
  return best != nullptr && best->interval_end ? nullptr : best;
}

void PreparedSet::make_index() const {
  for (const nft::Element& element : *set_.elements) {
    if (!element.catch_all) index_.push_back(&element);
  }
  std::ranges::sort(index_, before);
}

const nft::Element* PreparedSet::search_index(ByteView key) const {
  const auto behind = std::upper_bound(
      index_.begin(), index_.end(), key,
      [](ByteView wanted, const nft::Element* element) { return order(wanted, element->key) < 0; });
  if (behind == index_.begin()) return nullptr;
  const nft::Element* last = *std::prev(behind);
  if (last->interval_end) return nullptr;
  return kind_ == Kind::Interval || order(last->key, key) == 0 ? last : nullptr;
}

bool PreparedSet::in_box(const nft::Element& element, ByteView key) const {
  const Bytes& last = element.key_end ? *element.key_end : element.key;
  for (const auto& [at, length] : fields_) {
    const std::size_t end = at + length;
    if (end > key.size() || end > element.key.size() || end > last.size()) return false;
    if (order(key.subspan(at, length), ByteView(element.key).subspan(at, length)) < 0) return false;
    if (order(key.subspan(at, length), ByteView(last).subspan(at, length)) > 0) return false;
  }
  return true;
}

bool PreparedSet::box_may_hold(const nft::Element& element, const PartBytes& key) const {
  const Bytes& last = element.key_end ? *element.key_end : element.key;
  const Bytes least = key.least();
  const Bytes greatest = key.greatest();
  for (const auto& [at, length] : fields_) {
    const std::size_t end = at + length;
    if (end > least.size() || end > element.key.size() || end > last.size()) return false;
    const ByteView low = ByteView(element.key).subspan(at, length);
    const ByteView high = ByteView(last).subspan(at, length);
    if (order(ByteView(greatest).subspan(at, length), low) < 0) return false;
    if (order(ByteView(least).subspan(at, length), high) > 0) return false;
  }
  return true;
}

const std::vector<KeyRange>& PreparedSet::key_ranges() const {
  if (ranges_) return *ranges_;
  ranges_.emplace();
  const std::size_t length = set_.key_length;
  const auto add = [&](const nft::Element* element, Bytes first, Bytes last) {
    first.resize(length);
    last.resize(length);
    ranges_->push_back({element, std::move(first), std::move(last)});
  };
  if (!set_.elements) return *ranges_;
  if (kind_ != Kind::Interval) {
    for (const nft::Element& element : *set_.elements) {
      if (element.catch_all) continue;
      add(&element, element.key, element.key_end ? *element.key_end : element.key);
    }
    return *ranges_;
  }
  if (index_.empty()) make_index();
  for (std::size_t i = 0; i < index_.size(); ++i) {
    if (index_[i]->interval_end) continue;
    // Up to the next start or end; of equal starts the last one is found.
    Bytes last(length, std::byte{0xff});
    if (i + 1 < index_.size()) {
      last = index_[i + 1]->key;
      last.resize(length);
      if (order(last, index_[i]->key) == 0) continue;
      for (std::size_t at = length; at-- > 0;) {
        const auto byte = std::to_integer<unsigned>(last[at]);
        last[at] = static_cast<std::byte>((byte - 1U) & 0xffU);
        if (byte != 0) break;
      }
    }
    add(index_[i], index_[i]->key, std::move(last));
  }
  return *ranges_;
}

std::vector<const nft::Element*> PreparedSet::may_find(const PartBytes& key,
                                                       std::size_t most) const {
  std::vector<const nft::Element*> found;
  if (!set_.elements) return found;
  if (kind_ == Kind::Interval && index_.empty()) make_index();
  const Bytes least = key.least();
  const Bytes greatest = key.greatest();
  if (kind_ == Kind::Interval) {
    for (std::size_t i = 0; i < index_.size() && found.size() < most; ++i) {
      if (index_[i]->interval_end || order(index_[i]->key, greatest) > 0) continue;
      const bool over = i + 1 < index_.size() && order(index_[i + 1]->key, least) <= 0;
      if (!over) found.push_back(index_[i]);
    }
    return found;
  }
  for (const nft::Element& element : *set_.elements) {
    if (found.size() == most) break;
    if (element.catch_all) continue;
    if (kind_ == Kind::Boxes ? box_may_hold(element, key) : key.may_be(element.key)) {
      found.push_back(&element);
    }
  }
  return found;
}

}  // namespace hark::reach
