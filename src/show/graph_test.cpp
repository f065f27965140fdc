#include "show/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reach/test_classes.h"
#include "show/test_host.h"

namespace hark::show {
namespace {

using reach::Answer;
using reach::Outcome;
using reach::Stage;
using reach::testing::kEth0;
using reach::testing::Place;
using reach::testing::set_of;
using reach::testing::two_links;
using ::testing::HasSubstr;
using testing::HostBuilder;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

/// 10.0.0.9 asks for port 80 and is dropped by a rule of the second chain of input.
class Graph : public ::testing::Test {
 protected:
  Graph() : target_(host::parse_target("80").value()) {
    using decode::nft::Chain;
    using decode::nft::TableFamily;
    network_.nft.tables.push_back({.family = TableFamily::Inet, .name = "filter", .handle = 1});
    const auto chain = [this](const char* name, std::int32_t priority, std::uint64_t handle) {
      Chain one;
      one.family = TableFamily::Inet;
      one.table = "filter";
      one.name = name;
      one.handle = handle;
      one.hook = decode::nft::Hook{.number = 1, .priority = priority, .devices = {}};
      one.type = "filter";
      network_.nft.chains.push_back(one);
    };
    chain("late", 10, 1);
    chain("early", -10, 2);
    answer_.question = {.protocol = Protocol::Tcp,
                        .source = IpAddress::parse("10.0.0.9").value(),
                        .destination = IpAddress::parse("10.0.0.5").value(),
                        .port = 80,
                        .interface = kEth0};
    answer_.outcome = Outcome::Silent;
    answer_.cause = {.code = "input-drop",
                     .text = "dropped by inet filter late handle 7: tcp dport 80 drop",
                     .evidence = {}};
    answer_.path = {
        {Stage::Link, "pass", "eth0 is up", ""},
        {Stage::Route, "pass", "10.0.0.5 is this host's address", ""},
        {Stage::Input, "stop", "dropped by inet filter late handle 7: tcp dport 80 drop", ""}};
  }
  [[nodiscard]] WhyReport report() const {
    return {builder_.host(), network_, target_, plan_, {answer_}, {}, {}};
  }
  [[nodiscard]] std::vector<GraphLane> lanes() const { return graph_lanes(report()); }

  HostBuilder builder_;
  host::Network network_ = two_links();
  host::Target target_;
  reach::Plan plan_;
  Answer answer_;
};

TEST_F(Graph, chains_stand_in_the_order_in_which_they_run_and_the_end_is_marked) {
  const auto stages = reach::picture_of(network_, answer_);
  ASSERT_THAT(stages, SizeIs(3));
  EXPECT_FALSE(stages[1].decided);
  EXPECT_TRUE(stages[2].decided);
  ASSERT_THAT(stages[2].chains, SizeIs(2));
  EXPECT_EQ(stages[2].chains[0].name, "inet filter early");
  EXPECT_FALSE(stages[2].chains[0].decided);
  EXPECT_EQ(stages[2].chains[1].name, "inet filter late");
  EXPECT_EQ(stages[2].chains[1].priority, 10);
  EXPECT_TRUE(stages[2].chains[1].decided);
}

TEST_F(Graph, who_is_answered_is_decided_at_the_socket) {
  answer_.outcome = Outcome::Answered;
  answer_.path[2] = {Stage::Input, "pass", "accepted by inet filter early handle 3", ""};
  answer_.path.push_back({Stage::Socket, "pass", "tcp 80: nginx", ""});
  const auto stages = reach::picture_of(network_, answer_);
  EXPECT_FALSE(stages[2].decided);
  EXPECT_TRUE(stages[2].chains[0].acted);
  EXPECT_FALSE(stages[2].chains[1].acted);
  EXPECT_TRUE(stages[3].decided);
}

TEST_F(Graph, text) {
  EXPECT_EQ(graph_text(lanes(), {.ascii = true}),
            "10.0.0.9 via eth0 to tcp 10.0.0.5:80\n"
            "  |\n"
            "  o link        eth0 is up\n"
            "  |\n"
            "  o route       10.0.0.5 is this host's address\n"
            "  |\n"
            "  # input       dropped by inet filter late handle 7: tcp dport 80 drop <- decides\n"
            "  +- inet filter early (priority -10)\n"
            "  +- inet filter late (priority 10) <- decides\n"
            "  v\n"
            "10.0.0.9 gets no answer: dropped by inet filter late handle 7: tcp dport 80 drop.\n");
}

TEST_F(Graph, without_a_source_there_is_a_lane_for_each_kind_of_clients) {
  Place eth0(kEth0, "10.0.0.5");
  eth0.of(set_of({"10.0.0.0/8"}), Outcome::Answered, "listener-answers");
  eth0.others(Outcome::Silent, "input-drop");
  WhyReport all = report();
  all.answers.clear();
  all.classes = eth0.classes();
  const auto out = graph_lanes(all);
  ASSERT_THAT(out, SizeIs(2));
  EXPECT_EQ(out[0].title, "10.0.0.0/8 via eth0 to tcp 10.0.0.5:80");
  EXPECT_EQ(out[1].title, "anywhere else via eth0 to tcp 10.0.0.5:80");
}

TEST_F(Graph, svg_and_dot_begin_as_they_must) {
  EXPECT_THAT(graph_svg(lanes(), "hark why 80"), StartsWith("<?xml version=\"1.0\""));
  EXPECT_THAT(graph_svg(lanes(), "hark why 80"), HasSubstr("input: decides</text>"));
  const std::string dot = graph_dot(lanes(), "hark why 80");
  EXPECT_THAT(dot, StartsWith("digraph hark {\n  label=\"hark why 80\";\n"));
  EXPECT_THAT(dot, HasSubstr("> inet filter late (priority 10)\\l"));
  EXPECT_THAT(dot, HasSubstr("  n0_0 -> n0_1;\n"));
}

TEST_F(Graph, hostile_names_are_text_in_every_format) {
  const std::string evil = "\x1b[31m</text><script>\"];\n&\xff\\N";
  network_.nft.chains[0].name = evil;
  answer_.path[0].detail = evil;
  const std::string text = graph_text(lanes(), {});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  const std::string svg = graph_svg(lanes(), evil);
  EXPECT_THAT(svg, Not(HasSubstr("\x1b")));
  EXPECT_THAT(svg, Not(HasSubstr("\xff")));
  EXPECT_THAT(svg, Not(HasSubstr("<script>")));
  EXPECT_THAT(svg, HasSubstr("&lt;/text&gt;&lt;script&gt;&quot;];\\n&amp;\\xff"));
  const std::string dot = graph_dot(lanes(), evil);
  EXPECT_THAT(dot, Not(HasSubstr("\x1b")));
  EXPECT_THAT(dot, HasSubstr("<script>\\\"];\\\\n&\\\\xff\\\\"));
  // No quote ends a label early: all but those of the file itself are escaped.
  EXPECT_THAT(dot, Not(HasSubstr("<script>\"")));
}

}  // namespace
}  // namespace hark::show
