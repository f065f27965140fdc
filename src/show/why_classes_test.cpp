#include "show/why_classes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reach/test_classes.h"
#include "show/test_host.h"
#include "show/why_view.h"

namespace hark::show {
namespace {

using reach::Outcome;
using reach::ReachClass;
using reach::testing::joined;
using reach::testing::kEth0;
using reach::testing::kLo;
using reach::testing::Place;
using reach::testing::set_of;
using reach::testing::two_links;
using ::testing::HasSubstr;
using testing::HostBuilder;
using ::testing::Not;
using ::testing::StartsWith;

/// redis (699) on port 80 of every IPv4 address, behind a rule and a policy.
class WhyClasses : public ::testing::Test {
 protected:
  WhyClasses() : target_(host::parse_target("80").value()) {
    const auto redis = builder_.process(699, "redis");
    builder_.owned(Protocol::Tcp, "0.0.0.0", 80, {redis});
    Place eth0(kEth0, "10.0.0.5");
    ReachClass& let_in = eth0.of(set_of({"10.0.0.0/8"}), Outcome::Answered, "listener-answers");
    let_in.answer.delivers_to = 0;
    let_in.answer.path = {{reach::Stage::Input, "pass", "accepted by inet f in handle 12", "",
                           "ip saddr 10.0.0.0/8 tcp dport 80 accept"}};
    eth0.others(Outcome::Silent, "input-policy-drop", "dropped by the policy of inet f in");
    Place lo(kLo, "127.0.0.1");
    lo.others(Outcome::Answered, "listener-answers").answer.delivers_to = 0;
    classes_ = joined({lo, eth0});
  }
  [[nodiscard]] std::string text(const TableStyle& style) const {
    return why_classes_text({builder_.host(), network_, target_, plan_, {}, {}, {}, classes_},
                            style);
  }

  HostBuilder builder_;
  host::Network network_ = two_links();
  host::Target target_;
  reach::Plan plan_;
  std::vector<ReachClass> classes_;
};

TEST_F(WhyClasses, first_line_answers_and_who_gets_through_stands_first) {
  EXPECT_EQ(text({}),
            "tcp/80 is reachable from 10.0.0.0/8 via eth0; others dropped.\n"
            "\n"
            "  10.0.0.0/8 via eth0     answered   redis (699); accepted by inet f in handle 12: "
            "ip saddr 10.0.0.0/8 tcp dport 80 accept\n"
            "  anywhere else via eth0  no answer  dropped by the policy of inet f in\n"
            "  this host               answered   redis (699)\n"
            "\n"
            "Not known: what stands before this host, such as a cloud firewall or a router. To "
            "find out, try it from elsewhere: nc -vz 10.0.0.5 80\n");
}

TEST_F(WhyClasses, reasons_are_wrapped_where_they_have_room_else_below) {
  EXPECT_THAT(
      text({.width = 76}),
      HasSubstr("answered   redis (699); accepted by inet f in\n"
                "                                     handle 12: ip saddr 10.0.0.0/8 tcp\n"));
  const std::string narrow = text({.width = 50});
  EXPECT_THAT(narrow, HasSubstr("\n  anywhere else via eth0  no answer\n"
                                "      dropped by the policy of inet f in\n"));
  for (std::size_t at = 0; at < narrow.size();) {
    const std::size_t end = narrow.find('\n', at);
    EXPECT_LE(end - at, 50U) << narrow.substr(at, end - at);
    at = end + 1;
  }
}

TEST_F(WhyClasses, colour_repeats_what_the_words_say) {
  std::string coloured = text({.colour = true});
  EXPECT_THAT(coloured, HasSubstr("\x1b[31mno answer\x1b[0m"));
  for (std::size_t at = 0; (at = coloured.find("\x1b[")) != std::string::npos;) {
    coloured.erase(at, coloured.find('m', at) + 1 - at);
  }
  EXPECT_EQ(coloured, text({}));
}

TEST_F(WhyClasses, nobody) {
  for (ReachClass& one : classes_) {
    one.answer.outcome = Outcome::Silent;
    one.answer.delivers_to.reset();
    one.answer.cause = {
        .code = "input-policy-drop", .text = "dropped by the policy of inet f in", .evidence = {}};
  }
  const std::string out = text({});
  EXPECT_THAT(out, StartsWith("Nobody reaches tcp/80: dropped by the policy of inet f in.\n"));
  EXPECT_THAT(out, HasSubstr("\n  anywhere   no answer  dropped"));
  EXPECT_THAT(out, Not(HasSubstr("Not known")));
}

TEST_F(WhyClasses, hostile_text_is_escaped) {
  const std::string evil = "\x1b[31m\nall is well";
  builder_.host().processes[0].program = evil;
  network_.links[1].name = evil;
  classes_[1].answer.path[0].rule = evil;
  classes_[2].answer.cause.text = evil;
  const std::string out = text({});
  EXPECT_THAT(out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(out, Not(HasSubstr("\nall is well")));
}

TEST_F(WhyClasses, verbose_shows_one_of_each_in_full) {
  const WhyReport report{builder_.host(), network_, target_, plan_, {}, {}, {}, classes_};
  const std::string out = why_text(report, {}, true);
  EXPECT_THAT(out, HasSubstr("\n10.0.0.0 reaches redis (699) on tcp/80.\n"));
  EXPECT_THAT(why_text(report, {}, false), Not(HasSubstr("10.0.0.0 reaches")));
}

}  // namespace
}  // namespace hark::show
