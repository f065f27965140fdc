#include "cli/test_via.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hark::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(TestVia, PlacesAreParsed) {
  EXPECT_EQ(parse_place("ssh:root@web2")->name, "root@web2");
  EXPECT_EQ(parse_place("ssh:root@web2")->kind, PlaceKind::Ssh);
  EXPECT_EQ(parse_place("container:db")->kind, PlaceKind::Netns);
  EXPECT_EQ(parse_place("container:db")->name, "container:db");
  // To ssh, or to hark, a word that begins with a dash would be an option.
  for (const char* const word : {"", "web2", "ssh:", "ssh:-oProxyCommand=x", "netns:--json"}) {
    EXPECT_FALSE(parse_place(word)) << word;
  }
}

/// The script is run by another host's shell: no word of it may become a command there.
TEST(TestVia, WordsOfTheScriptAreQuoted) {
  const std::string script = place_script({"http://a.lan:8080/$(reboot)'x", "[fd00::5]:22"}, 1500);
  EXPECT_THAT(script, HasSubstr("each 'http://a.lan:8080/$(reboot)'\\''x' a.lan 8080\n"));
  EXPECT_THAT(script, HasSubstr("each '[fd00::5]:22' fd00::5 22\n"));
  EXPECT_THAT(script, HasSubstr("\nT=2\n"));
  // A bare shell has no polite question for UDP, and knows no process names.
  EXPECT_THAT(place_script({"udp/10.0.0.5:53", "nginx"}, 1000), Not(HasSubstr("\neach ")));
}

}  // namespace
}  // namespace hark::cli
