#include "decode/bolt_file.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <vector>

namespace hark::decode {
namespace {

constexpr std::uint32_t kMagic = 0xED0CDAED;
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kPageHead = 16;
constexpr std::size_t kElement = 16;
constexpr std::size_t kBucketHead = 16;
constexpr std::uint16_t kBranch = 0x01;
constexpr std::uint16_t kLeaf = 0x02;
constexpr std::uint32_t kIsBucket = 0x01;
constexpr std::size_t kDeepestName = 4;
constexpr unsigned kDeepestPage = 32;

struct Meta {
  std::uint32_t page_size = 0;
  std::uint64_t root = 0;
  std::uint64_t transaction = 0;
};

/// FNV-1a, as Go's hash/fnv.
std::uint64_t sum_of(ByteView bytes) {
  std::uint64_t out = 14695981039346656037U;
  for (const std::byte one : bytes) {
    out ^= static_cast<std::uint64_t>(one);
    out *= 1099511628211U;
  }
  return out;
}

/// Of the two meta pages a crash leaves one whole.
std::optional<Meta> meta_at(ByteView file, std::size_t at) {
  constexpr std::size_t kSummed = 56;
  if (at > file.size() || file.size() - at < kPageHead + kSummed + sizeof(std::uint64_t)) {
    return std::nullopt;
  }
  const ByteView meta = file.subspan(at + kPageHead);
  ByteReader reader(meta);
  const auto magic = reader.value<std::uint32_t>();
  const auto version = reader.value<std::uint32_t>();
  Meta out;
  out.page_size = reader.value<std::uint32_t>();
  (void)reader.value<std::uint32_t>();  // flags
  out.root = reader.value<std::uint64_t>();
  (void)reader.take(3 * sizeof(std::uint64_t));  // sequence, free pages, highest page
  out.transaction = reader.value<std::uint64_t>();
  const auto sum = reader.value<std::uint64_t>();
  constexpr std::uint32_t kLeastPage = 512;
  constexpr std::uint32_t kLargestPage = 65536;
  if (magic != kMagic || version != kVersion || sum != sum_of(meta.first(kSummed))) {
    return std::nullopt;
  }
  if (out.page_size < kLeastPage || out.page_size > kLargestPage) return std::nullopt;
  return out;
}

std::optional<Meta> newest_meta(ByteView file) {
  std::optional<Meta> out = meta_at(file, 0);
  // Where the first is damaged the size of pages is not known.
  constexpr std::array<std::size_t, 4> kUsual = {4096, 8192, 16384, 65536};
  std::vector<std::size_t> places(kUsual.begin(), kUsual.end());
  if (out) places = {out->page_size};
  for (const std::size_t at : places) {
    const auto other = meta_at(file, at);
    if (!other || other->page_size != at) continue;
    if (!out || other->transaction > out->transaction) out = other;
  }
  return out;
}

class Walk {
 public:
  Walk(ByteView file, std::size_t page_size, const std::function<void(BoltPath, ByteView)>& tell)
      : file_(file), page_size_(page_size), tell_(tell) {}

  /// A tree; false: it is damaged.
  bool pages(std::uint64_t id, unsigned depth) {
    if (depth > kDeepestPage || !met_.insert(id).second) return false;
    if (id > file_.size() / page_size_) return false;
    const std::size_t at = id * page_size_;
    if (file_.size() - at < kPageHead) return false;
    ByteReader reader(file_.subspan(at));
    (void)reader.value<std::uint64_t>();  // its own number
    (void)reader.value<std::uint16_t>();
    (void)reader.value<std::uint16_t>();
    const std::uint64_t more = reader.value<std::uint32_t>();
    const std::uint64_t size = (more + 1) * page_size_;
    if (size > file_.size() - at) return false;
    return page(file_.subspan(at, size), depth);
  }

 private:
  bool page(ByteView page, unsigned depth) {
    ByteReader reader(page);
    (void)reader.value<std::uint64_t>();
    const auto flags = reader.value<std::uint16_t>();
    const auto count = reader.value<std::uint16_t>();
    if (!reader.ok() || page.size() < kPageHead + count * kElement) return false;
    if (flags != kBranch && flags != kLeaf) return false;
    for (std::size_t i = 0; i < count; ++i) {
      const ByteView element = page.subspan(kPageHead + i * kElement);
      if (!(flags == kBranch ? branch(element, depth) : leaf(element, depth))) return false;
    }
    return true;
  }

  bool branch(ByteView element, unsigned depth) {
    ByteReader reader(element);
    (void)reader.take(2 * sizeof(std::uint32_t));  // of a key that is in the leaf as well
    return pages(reader.value<std::uint64_t>(), depth + 1);
  }

  bool leaf(ByteView element, unsigned depth) {
    ByteReader reader(element);
    const auto flags = reader.value<std::uint32_t>();
    const std::size_t at = reader.value<std::uint32_t>();
    const std::size_t key = reader.value<std::uint32_t>();
    const std::size_t value = reader.value<std::uint32_t>();
    if (at > element.size() || key > element.size() - at) return false;
    if (value > element.size() - at - key || !take(kElement + key + value)) return false;
    if (path_.size() == kDeepestName) return true;
    path_.emplace_back(as_text(element.subspan(at, key)));
    const ByteView content = element.subspan(at + key, value);
    bool whole = true;
    if ((flags & kIsBucket) != 0) {
      whole = bucket(content, depth);
    } else {
      tell_(path_, content);
    }
    path_.pop_back();
    return whole;
  }

  /// Small ones are where their root's number would lead.
  bool bucket(ByteView content, unsigned depth) {
    if (content.size() < kBucketHead) return false;
    const auto root = ByteReader(content).value<std::uint64_t>();
    if (depth >= kDeepestPage) return false;
    return root == 0 ? page(content.subspan(kBucketHead), depth + 1) : pages(root, depth + 1);
  }

  /// Of a file in which nothing lies over anything else all is less than this.
  bool take(std::size_t size) {
    if (size > left_) return false;
    left_ -= size;
    return true;
  }

  ByteView file_;
  std::size_t page_size_;
  const std::function<void(BoltPath, ByteView)>& tell_;
  std::size_t left_ = file_.size() * (kDeepestName + 1);
  std::set<std::uint64_t> met_;
  std::vector<std::string> path_;
};

}  // namespace

Result<void> walk_bolt(ByteView file, const std::function<void(BoltPath, ByteView)>& tell) {
  const auto meta = newest_meta(file);
  if (!meta) return fail(plain_error("Bolt database", "no whole meta page"));
  if (Walk(file, meta->page_size, tell).pages(meta->root, 0)) return {};
  return fail(plain_error("Bolt database", "damaged"));
}

}  // namespace hark::decode
