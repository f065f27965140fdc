#include "base/bytes.h"

#include <gtest/gtest.h>

namespace hark {
namespace {

TEST(Bytes, TextAndBytesAreTheSameMemory) {
  const std::string text("a\0b", 3);
  EXPECT_EQ(as_text(as_bytes(text)), text);
  EXPECT_EQ(as_bytes(text).size(), 3U);
  EXPECT_EQ(as_text(to_bytes(text)), text);
  EXPECT_TRUE(as_text({}).empty());
}

TEST(Bytes, AppendsTextBytesAndValues) {
  Bytes out;
  append(out, std::string_view("ab"));
  append(out, to_bytes("c"));
  append_value(out, std::uint16_t{0x3231});
  EXPECT_EQ(as_text(out), "abc12");
}

TEST(ByteReader, ReadsValuesAndPieces) {
  const Bytes bytes = to_bytes("\x01\x02rest!");
  ByteReader reader(bytes);
  EXPECT_EQ(reader.value<std::uint16_t>(), 0x0201);
  EXPECT_EQ(reader.left(), 5U);
  EXPECT_EQ(as_text(reader.take(4)), "rest");
  EXPECT_EQ(as_text(reader.take(0)), "");
  EXPECT_FALSE(reader.empty());
  EXPECT_EQ(reader.value<char>(), '!');
  EXPECT_TRUE(reader.empty());
  EXPECT_TRUE(reader.ok());
}

TEST(ByteReader, StaysBrokenPastTheEnd) {
  const Bytes bytes = to_bytes("abc");
  ByteReader reader(bytes);
  EXPECT_EQ(reader.value<std::uint32_t>(), 0U);
  EXPECT_FALSE(reader.ok());
  // What was left is not given out either: it would be taken for the next field.
  EXPECT_EQ(reader.value<char>(), '\0');
  EXPECT_TRUE(reader.take(1).empty());
  EXPECT_TRUE(reader.empty());
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, HugeCountsDoNotWrapAround) {
  const Bytes bytes = to_bytes("abc");
  ByteReader reader(bytes);
  EXPECT_TRUE(reader.take(static_cast<std::size_t>(-1)).empty());
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace hark
