#include "kernel/btf.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

namespace hark::kernel {
namespace {

/// Puts a description together, type by type.
class Builder {
 public:
  Builder() { text_.push_back('\0'); }

  std::uint32_t name(const std::string& text) {
    if (text.empty()) return 0;
    const auto at = static_cast<std::uint32_t>(text_.size());
    text_ += text + '\0';
    return at;
  }

  /// Returns the type's number.
  std::uint32_t type(const std::string& called, std::uint32_t kind, std::uint32_t parts,
                     std::uint32_t size, bool flag = false) {
    append_value(types_, name(called));
    append_value(types_, kind << 24 | parts | (flag ? 1U << 31 : 0U));
    append_value(types_, size);
    return ++count_;
  }
  void member(const std::string& called, std::uint32_t of, std::uint32_t bits) {
    append_value(types_, name(called));
    append_value(types_, of);
    append_value(types_, bits);
  }
  void raw(std::uint32_t word) { append_value(types_, word); }

  [[nodiscard]] Bytes done() const {
    Bytes out;
    append_value(out, std::uint16_t{0xeb9f});
    append_value(out, std::uint16_t{1});
    append_value(out, std::uint32_t{24});
    append_value(out, std::uint32_t{0});
    append_value(out, static_cast<std::uint32_t>(types_.size()));
    append_value(out, static_cast<std::uint32_t>(types_.size()));
    append_value(out, static_cast<std::uint32_t>(text_.size()));
    append(out, types_);
    append(out, text_);
    return out;
  }

 private:
  Bytes types_;
  std::string text_;
  std::uint32_t count_ = 0;
};

constexpr std::uint32_t kInt = 1;
constexpr std::uint32_t kStruct = 4;
constexpr std::uint32_t kUnion = 5;
constexpr std::uint32_t kFunction = 12;

Bytes example() {
  Builder b;
  b.type("int", kInt, 0, 4);
  b.raw(32);
  b.type("", kUnion, 2, 8);  // 2: anonymous
  b.member("left", 1, 0);
  b.member("right", 1, 32);
  b.type("sock", kStruct, 3, 40);  // 3
  b.member("first", 1, 0);
  b.member("", 2, 64);
  b.member("last", 1, 256);
  b.type("bits", kStruct, 2, 4, true);  // 4: bit fields
  b.member("a", 1, 3U << 24 | 0U);
  b.member("b", 1, 1U << 24 | 13U);
  b.type("sock", kStruct, 1, 8);  // 5: another of that name
  b.member("only_here", 1, 16);
  b.type("do_it", kFunction, 0, 0);  // 6
  b.type("net", kStruct, 0, 128);    // 7
  return b.done();
}

std::optional<std::uint32_t> ask(const Bytes& btf, BtfFact fact, std::string_view type,
                                 std::string_view member = {}) {
  BtfQuestion question{.fact = fact, .type = type, .member = member, .answer = {}};
  EXPECT_TRUE(ask_btf(btf, std::span(&question, 1)));
  return question.answer;
}

TEST(Btf, Answers) {
  const Bytes btf = example();
  EXPECT_EQ(ask(btf, BtfFact::Offset, "sock", "first"), 0U);
  EXPECT_EQ(ask(btf, BtfFact::Offset, "sock", "last"), 32U);
  EXPECT_EQ(ask(btf, BtfFact::Offset, "sock", "right"), 12U) << "inside of an anonymous union";
  EXPECT_EQ(ask(btf, BtfFact::Offset, "sock", "only_here"), 2U) << "in the second of that name";
  EXPECT_EQ(ask(btf, BtfFact::Size, "sock"), 40U);
  EXPECT_EQ(ask(btf, BtfFact::Size, "net"), 128U) << "a name of three letters";
  EXPECT_EQ(ask(btf, BtfFact::Offset, "bits", "b"), 1U);
  EXPECT_EQ(ask(btf, BtfFact::Bit, "bits", "b"), 5U);
  EXPECT_EQ(ask(btf, BtfFact::Function, "do_it"), 6U);
}

TEST(Btf, WhatIsNotThereStaysEmpty) {
  const Bytes btf = example();
  EXPECT_FALSE(ask(btf, BtfFact::Offset, "sock", "nothing"));
  EXPECT_FALSE(ask(btf, BtfFact::Offset, "sock", "fir"));
  EXPECT_FALSE(ask(btf, BtfFact::Size, "soc"));
  EXPECT_FALSE(ask(btf, BtfFact::Size, "do_it")) << "a function has no size";
  EXPECT_FALSE(ask(btf, BtfFact::Function, "sock"));
}

TEST(Btf, WhatContradictsItselfIsAnError) {
  const Bytes whole = example();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(ask_btf(cut, {})) << size;
  }
  Builder unknown;
  unknown.type("x", 31, 0, 0);
  EXPECT_EQ(ask_btf(unknown.done(), {}).error().code, EBADMSG);
  Builder cut;
  cut.type("sock", kStruct, 9, 8);
  EXPECT_EQ(ask_btf(cut.done(), {}).error().code, EBADMSG);
}

// An anonymous structure that contains itself ends.
TEST(Btf, ATypeInsideItself) {
  Builder b;
  b.type("", kStruct, 1, 8);
  b.member("", 1, 0);
  b.type("outer", kStruct, 2, 8);
  b.member("", 1, 0);
  b.member("far", 77, 8);
  EXPECT_FALSE(ask(b.done(), BtfFact::Offset, "outer", "gone"));
  EXPECT_EQ(ask(b.done(), BtfFact::Offset, "outer", "far"), 1U);
}

}  // namespace
}  // namespace hark::kernel
