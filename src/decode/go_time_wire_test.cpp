#include <gtest/gtest.h>

#include "decode/go_time.h"

namespace hark::decode {
namespace {

TEST(GoTime, AnyFractionAndZone) {
  EXPECT_EQ(parse_go_time("2026-01-02T03:04:06.789012345Z"), 1'767'323'046'789);
  EXPECT_EQ(parse_go_time("2026-01-02T03:04:06.7Z"), 1'767'323'046'700);
  EXPECT_EQ(parse_go_time("2026-01-02T03:04:06Z"), 1'767'323'046'000);
  EXPECT_EQ(parse_go_time("2026-01-02T04:34:06.5+01:30"), 1'767'323'046'500);
  EXPECT_EQ(parse_go_time("2026-01-01T19:04:06-08:00"), 1'767'323'046'000);
  EXPECT_EQ(parse_go_time("2024-02-29T00:00:00Z"), 1'709'164'800'000);
}

TEST(GoTime, NoTimes) {
  for (const char* text :
       {"", "Z", "0001-01-01T00:00:00Z", "2026-13-02T03:04:05Z", "2026-02-29T00:00:00Z",
        "2026-01-02T24:00:00Z", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z",
        "2026-01-02T03:04:05z", "2026-01-02T03:04:05+0100", "1970-01-01T00:00:00+01:00"}) {
    EXPECT_EQ(parse_go_time(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace hark::decode
