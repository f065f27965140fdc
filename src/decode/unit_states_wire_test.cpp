#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/parts.h"
#include "base/unit_parts.h"
#include "decode/unit_states.h"

namespace hark::decode {
namespace {

using ::testing::ElementsAre;

void add(Bytes& to, UnitPart part, std::string_view text) {
  append_part(to, static_cast<std::uint16_t>(part), as_bytes(text));
}
template <typename T>
void add_number(Bytes& to, UnitPart part, T value) {
  Bytes bytes;
  append_value(bytes, value);
  append_part(to, static_cast<std::uint16_t>(part), bytes);
}

Bytes two_units() {
  Bytes out;
  add(out, UnitPart::Name, "b.socket");
  add(out, UnitPart::Triggers, std::string_view("b.service\0c.service\0", 20));
  add(out, UnitPart{999}, "later");
  add(out, UnitPart::Name, "a.service");
  add(out, UnitPart::ActiveState, "failed");
  add(out, UnitPart::LoadError, "why");
  add_number(out, UnitPart::Restarts, std::uint32_t{7});
  add_number(out, UnitPart::ExitCode, std::int32_t{2});
  add_number(out, UnitPart::ExitStatus, std::int32_t{9});
  add_number(out, UnitPart::ExitTime, std::uint64_t{1'000'001});
  add_number(out, UnitPart::StateSince, std::uint64_t{2'000'002});
  return out;
}

TEST(UnitStates, FactsOfEachUnit) {
  const auto states = decode_unit_states(two_units());
  ASSERT_TRUE(states);
  ASSERT_EQ(states->size(), 2U);
  const UnitState& service = states->front();
  EXPECT_EQ(service.name, "a.service");
  EXPECT_EQ(service.active_state, "failed");
  EXPECT_EQ(service.load_error, "why");
  EXPECT_EQ(service.restarts, 7U);
  EXPECT_EQ(service.exit_code, 2);
  EXPECT_EQ(service.exit_status, 9);
  EXPECT_EQ(service.exit_us, 1'000'001U);
  EXPECT_EQ(service.since_us, 2'000'002U);
  EXPECT_EQ(states->back().name, "b.socket");
  EXPECT_THAT(states->back().triggers, ElementsAre("b.service", "c.service"));
  EXPECT_FALSE(states->back().restarts);
}

TEST(UnitStates, CutOffAtEveryLength) {
  const Bytes whole = two_units();
  std::size_t taken = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    taken += decode_unit_states(ByteView(whole).first(size)) ? 1U : 0U;
  }
  EXPECT_EQ(taken, 11U) << "nothing at all, and what ends at the end of a part";
}

TEST(UnitStates, WhatMakesNoSense) {
  Bytes first;
  add(first, UnitPart::ActiveState, "active");
  EXPECT_FALSE(decode_unit_states(first));
  Bytes size;
  add(size, UnitPart::Name, "a.service");
  add(size, UnitPart::Restarts, "abc");
  EXPECT_FALSE(decode_unit_states(size));
}

TEST(UnitStates, TheFirstOfANameCounts) {
  Bytes bytes;
  add(bytes, UnitPart::Name, "a.service");
  add(bytes, UnitPart::Name, "a.service");
  add(bytes, UnitPart::ActiveState, "active");
  const auto states = decode_unit_states(bytes);
  ASSERT_TRUE(states);
  ASSERT_EQ(states->size(), 1U);
  EXPECT_EQ(states->front().active_state, "");
}

}  // namespace
}  // namespace hark::decode
