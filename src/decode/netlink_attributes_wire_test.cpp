#include <gtest/gtest.h>
#include <linux/netlink.h>

#include <cerrno>

#include "decode/netlink_attributes.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

constexpr std::uint16_t kType = 20;

Bytes message(std::uint16_t type, std::uint16_t flags, std::string_view body) {
  Bytes out = netlink_request(type, flags, as_bytes(body));
  out.resize((out.size() + 3) / 4 * 4);
  return out;
}

Bytes with_status(std::uint16_t type, std::int32_t status) {
  Bytes body;
  append_value(body, status);
  return netlink_request(type, NLM_F_MULTI, body);
}

std::vector<std::string> bodies(NetlinkAnswer& answer) {
  std::vector<std::string> out;
  while (const auto body = answer.next()) out.emplace_back(as_text(*body));
  return out;
}

TEST(NetlinkMessages, ARequestIsAHeaderAndABody) {
  EXPECT_EQ(netlink_request(0x14, 0x301, as_bytes("abcd")),
            from_hex("14000000 1400 0103 00000000 00000000 61626364"));
}

TEST(NetlinkMessages, AreWalkedWithTheirPadding) {
  Bytes bytes = message(kType, NLM_F_MULTI, "one");
  append(bytes, message(kType + 1, 0, "four"));
  append(bytes, netlink_request(kType, 0, as_bytes("x")));  // no padding behind the last
  NetlinkMessages messages(bytes);
  const auto first = messages.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(as_text(first->body), "one");
  EXPECT_EQ(first->flags, NLM_F_MULTI);
  EXPECT_EQ(messages.offset(), 0U);
  const auto second = messages.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->type, kType + 1);
  EXPECT_EQ(messages.offset(), 20U);
  ASSERT_TRUE(messages.next());
  EXPECT_FALSE(messages.next());
  EXPECT_FALSE(messages.broken());
}

TEST(NetlinkMessages, ImpossibleLengthsAreBroken) {
  for (const std::string_view hex : {
           "00000000 1400 0000 00000000 00000000",  // nothing: would never end
           "0f000000 1400 0000 00000000 00000000",  // shorter than its header
           "11000000 1400 0000 00000000 00000000",  // longer than what is there
           "ffffffff 1400 0000 00000000 00000000",
           "10000000 1400 0000 00000000 000000",
       }) {
    const Bytes bytes = from_hex(hex);
    NetlinkMessages messages(bytes);
    EXPECT_FALSE(messages.next()) << hex;
    EXPECT_TRUE(messages.broken()) << hex;
    EXPECT_FALSE(messages.next()) << hex;
  }
}

TEST(NetlinkAttributes, AreWalkedWithoutTheirFlagBits) {
  const Bytes bytes = from_hex("0500 0380 41 000000 0800 0240 78563412 0400 0900 0600 0100 6100");
  NetlinkAttributes attributes(bytes);
  const auto nested = attributes.next();
  ASSERT_TRUE(nested);
  EXPECT_EQ(nested->type, 3);
  EXPECT_EQ(nested->value<std::uint8_t>(), 0x41);
  EXPECT_FALSE(nested->value<std::uint16_t>());
  const auto number = attributes.next();
  ASSERT_TRUE(number);
  EXPECT_EQ(number->type, 2);
  EXPECT_EQ(number->value<std::uint32_t>(), 0x12345678U);
  EXPECT_FALSE(number->value<std::uint16_t>());
  const auto empty = attributes.next();
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->bytes.empty());
  EXPECT_EQ(empty->text(), "");
  const auto text = attributes.next();
  ASSERT_TRUE(text);
  EXPECT_EQ(text->text(), "a");
  EXPECT_FALSE(attributes.next());
  EXPECT_FALSE(attributes.broken());
}

TEST(NetlinkAttributes, ImpossibleLengthsAreBroken) {
  for (const std::string_view hex : {"0000 0100", "0300 0100", "0500 0100", "ffff 0100 0000", "04",
                                     "0400 01", "0500 0100 41000000 0800 0100 4142"}) {
    const Bytes bytes = from_hex(hex);
    NetlinkAttributes attributes(bytes);
    while (attributes.next()) {
    }
    EXPECT_TRUE(attributes.broken()) << hex;
    EXPECT_FALSE(attributes.next()) << hex;
  }
}

TEST(NetlinkAttributes, AreAppendedWithTheirPadding) {
  Bytes bytes;
  append_attribute(bytes, 7, as_bytes("ab"));
  append_attribute(bytes, 8, as_bytes("abcd"));
  EXPECT_EQ(bytes, from_hex("0600 0700 6162 0000 0800 0800 61626364"));
}

TEST(NetlinkAnswer, GivesBodiesAndPassesOverNoopAndDone) {
  Bytes bytes = message(NLMSG_NOOP, 0, "");
  append(bytes, message(kType, 0, "abcd"));
  append(bytes, with_status(NLMSG_DONE, 0));
  append(bytes, message(kType, 0, "efgh"));
  append(bytes, message(NLMSG_DONE, 0, ""));
  NetlinkAnswer answer(bytes, kType, "answer");
  EXPECT_EQ(bodies(answer), (std::vector<std::string>{"abcd", "efgh"}));
  EXPECT_FALSE(answer.error());
  EXPECT_FALSE(answer.interrupted());
}

TEST(NetlinkAnswer, SeesAnInterruptionInAnyMessage) {
  for (const std::uint16_t type : {kType, std::uint16_t{NLMSG_DONE}}) {
    Bytes bytes = message(kType, 0, "abcd");
    append(bytes, message(type, NLM_F_DUMP_INTR, ""));
    append(bytes, message(kType, 0, "efgh"));
    NetlinkAnswer answer(bytes, kType, "answer");
    EXPECT_GE(bodies(answer).size(), 2U);
    EXPECT_TRUE(answer.interrupted());
  }
}

TEST(NetlinkAnswer, AnErrnoInDoneOrErrorIsTheError) {
  for (const std::uint16_t type : std::initializer_list<std::uint16_t>{NLMSG_DONE, NLMSG_ERROR}) {
    Bytes bytes = message(kType, 0, "abcd");
    append(bytes, with_status(type, -ENOENT));
    append(bytes, message(kType, 0, "efgh"));
    NetlinkAnswer answer(bytes, kType, "answer");
    EXPECT_EQ(bodies(answer).size(), 1U);
    ASSERT_TRUE(answer.error());
    EXPECT_EQ(*answer.error(), kernel_error(ENOENT, "answer"));
  }
}

TEST(NetlinkAnswer, OtherMessagesAreErrorsWithTheirPlace) {
  for (const Bytes& other :
       {message(kType + 1, 0, ""), message(NLMSG_OVERRUN, 0, ""), with_status(NLMSG_ERROR, 0),
        with_status(NLMSG_DONE, 1), with_status(NLMSG_DONE, INT32_MIN), from_hex("10000000")}) {
    Bytes bytes = message(kType, 0, "abcd");
    append(bytes, other);
    NetlinkAnswer answer(bytes, kType, "answer");
    EXPECT_EQ(bodies(answer).size(), 1U);
    ASSERT_TRUE(answer.error());
    EXPECT_EQ(answer.error()->code, 0);
    EXPECT_EQ(answer.error()->what, "answer");
    EXPECT_TRUE(answer.error()->why.starts_with("byte 20: ")) << answer.error()->why;
  }
}

}  // namespace
}  // namespace hark::decode
