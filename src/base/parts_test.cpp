#include "base/parts.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace hark {
namespace {

Bytes two_parts() {
  Bytes out;
  append_part(out, 5, to_bytes("hello"));
  append_failed_part(out, 0x1234, EACCES);
  return out;
}

TEST(Parts, AreWrittenAsTheRecordingFormatSays) {
  const std::string_view expected(
      "\x05\x00\x00\x00\x05\x00\x00\x00hello"
      "\x34\x12\x0d\x00\x00\x00\x00\x00",
      21);
  EXPECT_EQ(as_text(two_parts()), expected);
}

TEST(Parts, ComeBackAsTheyWere) {
  const Bytes bytes = two_parts();
  PartReader reader(bytes);
  const auto first = reader.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->tag, 5);
  EXPECT_EQ(first->error, 0);
  EXPECT_EQ(as_text(first->bytes), "hello");
  const auto second = reader.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->tag, 0x1234);
  EXPECT_EQ(second->error, EACCES);
  EXPECT_TRUE(second->bytes.empty());
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.broken());
}

TEST(Parts, AnEmptyBufferHasNone) {
  PartReader reader(ByteView{});
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.broken());
}

TEST(Parts, CutOffAnywhereButBetweenPartsIsBroken) {
  const Bytes bytes = two_parts();
  constexpr std::size_t kFirst = 13;
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    PartReader reader(ByteView(bytes).first(size));
    while (reader.next()) {
    }
    const bool whole = size == 0 || size == kFirst || size == bytes.size();
    EXPECT_EQ(reader.broken(), !whole) << size;
  }
}

TEST(Parts, AnImpossibleLengthIsBroken) {
  Bytes bytes;
  append_value(bytes, std::uint32_t{1});
  append_value(bytes, ~std::uint32_t{0});
  append(bytes, std::string_view("abc"));
  PartReader reader(bytes);
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.broken());
  EXPECT_FALSE(reader.next());
}

}  // namespace
}  // namespace hark
