#include "kernel/btf.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cerrno>
#include <cstring>
#include <map>
#include <vector>

namespace hark::kernel {
namespace {

// Of linux/btf.h.
constexpr std::uint16_t kMagic = 0xeb9f;
enum Kind : std::uint32_t {
  kInt = 1,
  kArray = 3,
  kStruct = 4,
  kUnion = 5,
  kEnum = 6,
  kFunction = 12,
  kPrototype = 13,
  kVariable = 14,
  kSection = 15,
  kDeclarationTag = 17,
  kEnum64 = 19,
  kKinds = 20,
};

/// Bytes after a type's head: fixed ones, and so many for each of its `vlen` parts.
struct Tail {
  std::uint8_t fixed = 0;
  std::uint8_t each = 0;
};
constexpr std::array<Tail, kKinds> kTails = [] {
  std::array<Tail, kKinds> out{};
  out[kInt] = {4, 0};
  out[kArray] = {12, 0};
  out[kStruct] = {0, 12};
  out[kUnion] = {0, 12};
  out[kEnum] = {0, 8};
  out[kPrototype] = {0, 8};
  out[kVariable] = {4, 0};
  out[kSection] = {0, 12};
  out[kDeclarationTag] = {4, 0};
  out[kEnum64] = {0, 12};
  return out;
}();

/// Kinds that do not exist have no tail.
constexpr std::size_t tail_size(std::uint32_t kind, std::uint32_t parts) {
  constexpr std::array<Tail, 32> kAll = [] {
    std::array<Tail, 32> out{};
    for (std::size_t i = 0; i < kTails.size(); ++i) out[i] = kTails[i];
    return out;
  }();
  const Tail tail = kAll[kind & 31];
  return tail.fixed + std::size_t{tail.each} * parts;
}

constexpr std::size_t kHead = 12;        ///< struct btf_type
constexpr std::size_t kMemberSize = 12;  ///< struct btf_member
constexpr std::size_t kIndexStep = 64;   ///< every so many types, where one begins is kept
constexpr unsigned kDeepest = 8;         ///< anonymous structures inside each other
constexpr std::size_t kPrefix = 4;       ///< bytes of a name that are looked at first

struct Type {
  std::uint32_t name = 0;
  std::uint32_t kind = 0;
  std::uint32_t parts = 0;
  bool bit_fields = false;
  std::uint32_t size = 0;
  ByteView members;
};

Error broken() {
  return kernel_error(EBADMSG, "kernel's type information");
}

std::uint32_t word_at(ByteView bytes, std::size_t at) {
  std::uint32_t out = 0;
  std::memcpy(&out, bytes.data() + at, sizeof out);
  return out;
}

/// The names that are asked for, by their first four bytes (of three, and the zero after them).
class Prefixes {
 public:
  explicit Prefixes(std::span<const BtfQuestion> questions) {
    for (const BtfQuestion& question : questions) add(question.type);
  }
  [[nodiscard]] bool maybe(std::uint32_t word) const { return bits_.test(place(word)); }
  /// The names that begin so.
  [[nodiscard]] const std::vector<std::string_view>* names(std::uint32_t word) const {
    const auto found = names_.find(word);
    return found == names_.end() ? nullptr : &found->second;
  }

 private:
  void add(std::string_view name) {
    std::array<char, kPrefix> first{};
    std::memcpy(first.data(), name.data(), std::min(name.size(), first.size()));
    std::uint32_t word = 0;
    std::memcpy(&word, first.data(), sizeof word);
    bits_.set(place(word));
    auto& same = names_[word];
    if (std::ranges::find(same, name) == same.end()) same.push_back(name);
  }

  static constexpr unsigned kBits = 12;
  static std::size_t place(std::uint32_t word) { return word * 2654435769U >> (32 - kBits); }
  std::bitset<std::size_t{1} << kBits> bits_;
  std::map<std::uint32_t, std::vector<std::string_view>> names_;
};

class Description {
 public:
  /// False: no such description.
  bool open(ByteView btf) {
    ByteReader head(btf);
    const auto magic = head.value<std::uint16_t>();
    head.take(2);  // version, flags
    const auto head_size = head.value<std::uint32_t>();
    const auto type_begin = head.value<std::uint32_t>();
    const auto type_size = head.value<std::uint32_t>();
    const auto text_begin = head.value<std::uint32_t>();
    const auto text_size = head.value<std::uint32_t>();
    if (!head.ok() || magic != kMagic || head_size > btf.size()) return false;
    const ByteView body = btf.subspan(head_size);
    if (type_begin > body.size() || type_size > body.size() - type_begin) return false;
    if (text_begin > body.size() || text_size > body.size() - text_begin) return false;
    types_ = body.subspan(type_begin, type_size);
    text_ = body.subspan(text_begin, text_size);
    return true;
  }

  /// Reads the type that begins at `at`, and sets `at` to the next one. False: cut off.
  bool read(std::size_t& at, Type& out) const {
    if (types_.size() - at < kHead) return false;
    out.name = word_at(types_, at);
    const std::uint32_t info = word_at(types_, at + 4);
    out.size = word_at(types_, at + 8);
    out.kind = info >> 24 & 0x1f;
    out.parts = info & 0xffff;
    out.bit_fields = (info >> 31) != 0;
    if (out.kind >= kKinds) return false;
    const Tail tail = kTails[out.kind];
    const std::size_t rest = tail.fixed + std::size_t{tail.each} * out.parts;
    if (types_.size() - at - kHead < rest) return false;
    out.members = types_.subspan(at + kHead, rest);
    at += kHead + rest;
    return true;
  }

  /// Goes through all types; `see` gets those that are asked for. This is the one loop that is
  /// gone through 130,000 times.
  template <typename See>
  bool each(const Prefixes& prefixes, See see) {
    constexpr std::uint32_t kNamed = 1U << kStruct | 1U << kUnion | 1U << kFunction;
    const std::byte* const begin = types_.data();
    const std::size_t end = types_.size();
    const std::size_t last_prefix = text_.size() < kPrefix ? 0 : text_.size() - kPrefix;
    if (last_prefix == 0) return types_.empty();
    index_.reserve(end / kHead / kIndexStep + 1);
    std::uint32_t until_index = 1;
    std::uint32_t id = 1;
    for (std::size_t at = 0; at < end; ++id) {
      if (--until_index == 0) {
        index_.push_back(static_cast<std::uint32_t>(at));
        until_index = kIndexStep;
      }
      if (end - at < kHead) return false;
      std::array<std::uint32_t, 2> head{};  // name, info
      std::memcpy(head.data(), begin + at, sizeof head);
      const auto [name, info] = head;
      const std::uint32_t kind = info >> 24 & 0x1f;
      const std::size_t size = kHead + tail_size(kind, info & 0xffff);
      if (kind >= kKinds || end - at < size) return false;
      if ((kNamed >> kind & 1) != 0 && name <= last_prefix &&
          prefixes.maybe(word_at(text_, name))) {
        std::size_t next = at;
        Type type;
        if (!read(next, type)) return false;
        if (is_asked(prefixes, name)) see(id, type);
      }
      at += size;
    }
    return true;
  }

  [[nodiscard]] bool is_asked(const Prefixes& prefixes, std::uint32_t name) const {
    const auto* names = prefixes.names(word_at(text_, name));
    if (names == nullptr) return false;
    return std::ranges::any_of(*names, [&](std::string_view one) { return is_named(name, one); });
  }

  [[nodiscard]] bool is_named(std::uint32_t at, std::string_view name) const {
    if (at >= text_.size() || text_.size() - at <= name.size()) return false;
    const std::string_view rest = as_text(text_.subspan(at));
    return rest[name.size()] == '\0' && rest.starts_with(name);
  }

  [[nodiscard]] bool by_id(std::uint32_t id, Type& out) const {
    if (id == 0 || (id - 1) / kIndexStep >= index_.size()) return false;
    std::size_t at = index_[(id - 1) / kIndexStep];
    for (std::uint32_t skip = (id - 1) % kIndexStep; skip > 0; --skip) {
      if (!read(at, out)) return false;
    }
    return read(at, out);
  }

  /// In bits from the beginning of `type`.
  [[nodiscard]] std::optional<std::uint32_t> member(const Type& type, std::string_view wanted,
                                                    unsigned depth) const {
    if (type.kind != kStruct && type.kind != kUnion) return std::nullopt;
    for (std::uint32_t i = 0; i < type.parts; ++i) {
      const std::uint32_t name_at = word_at(type.members, i * kMemberSize);
      const std::uint32_t kind = word_at(type.members, i * kMemberSize + 4);
      std::uint32_t offset = word_at(type.members, i * kMemberSize + 8);
      if (type.bit_fields) offset &= 0xffffff;
      if (name_at != 0) {
        if (is_named(name_at, wanted)) return offset;
        continue;
      }
      Type inner;
      if (depth == 0 || !by_id(kind, inner)) continue;
      if (const auto found = member(inner, wanted, depth - 1)) return offset + *found;
    }
    return std::nullopt;
  }

 private:
  ByteView types_;
  ByteView text_;
  std::vector<std::uint32_t> index_;
};

void answer(const Description& description, std::uint32_t id, const Type& type,
            BtfQuestion& question) {
  if ((type.kind == kFunction) != (question.fact == BtfFact::Function)) return;
  if (question.fact == BtfFact::Function) {
    question.answer = id;
  } else if (question.fact == BtfFact::Size) {
    question.answer = type.size;
  } else if (const auto bits = description.member(type, question.member, kDeepest)) {
    question.answer = question.fact == BtfFact::Bit ? *bits % 8 : *bits / 8;
  }
}

}  // namespace

Result<void> ask_btf(ByteView btf, std::span<BtfQuestion> questions) {
  Description description;
  if (!description.open(btf)) return fail(broken());
  const Prefixes prefixes(questions);
  struct Candidate {
    std::uint32_t id;
    Type type;
  };
  std::vector<Candidate> candidates;
  const bool whole = description.each(prefixes, [&](std::uint32_t id, const Type& type) {
    candidates.push_back({id, type});
  });
  if (!whole) return fail(broken());
  for (const Candidate& candidate : candidates) {
    for (BtfQuestion& question : questions) {
      if (question.answer || !description.is_named(candidate.type.name, question.type)) continue;
      answer(description, candidate.id, candidate.type, question);
    }
  }
  return {};
}

}  // namespace hark::kernel
