#include "show/why_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "show/escape.h"
#include "show/test_host.h"
#include "show/why_words.h"

namespace hark::show {
namespace {

using reach::Answer;
using reach::Outcome;
using reach::Stage;
using ::testing::HasSubstr;

using ::testing::StartsWith;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

/// postgres (733) on 127.0.0.1 and ::1, and nginx on every address; asked by 10.0.0.9 over eth0.
class WhyView : public ::testing::Test {
 protected:
  WhyView() : target_(host::parse_target("5432").value()) {
    const auto postgres = builder_.process(733, "postgres");
    const auto nginx = builder_.process(901, "nginx");
    builder_.owned(Protocol::Tcp, "127.0.0.1", 5432, {postgres});
    builder_.owned(Protocol::Tcp, "::1", 5432, {postgres});
    builder_.owned(Protocol::Tcp, "0.0.0.0", 80, {nginx});
    host::Link lo;
    lo.index = 1;
    lo.name = "lo";
    lo.flags = 9;
    host::Link eth;
    eth.index = 2;
    eth.name = "eth0";
    eth.flags = 1;
    network_.links = {lo, eth};
    answer_.question = {.protocol = Protocol::Tcp,
                        .source = ip("10.0.0.9"),
                        .destination = ip("10.0.0.5"),
                        .port = 5432,
                        .interface = 2};
    answer_.outcome = Outcome::Refused;
    answer_.cause = {.code = "bound-other-addr",
                     .text = "nobody listens on 10.0.0.5:5432",
                     .evidence = {{"no tcp socket", "sockets", "ss -Htlnp sport = :5432"}}};
    answer_.path = {
        {Stage::Link, "pass", "eth0 is up", ""},
        {Stage::Route, "pass", "10.0.0.5 is this host's address",
         "ip route get 10.0.0.5 from 10.0.0.9 iif eth0"},
        {Stage::Socket, "stop", "no listener for 10.0.0.5:5432", "ss -Htlnp sport = :5432"},
        {Stage::Reply, "pass", "RST leaves by eth0", ""}};
  }
  [[nodiscard]] std::string text(const TableStyle& style, bool verbose = false) const {
    return why_text({builder_.host(), network_, target_, plan_, answers(), near_, gaps_}, style,
                    verbose);
  }
  [[nodiscard]] std::vector<Answer> answers() const {
    return more_.empty() ? std::vector{answer_} : more_;
  }
  [[nodiscard]] std::string verdict() const {
    return verdict_words({builder_.host(), network_}, answer_);
  }
  testing::HostBuilder builder_;
  host::Network network_;
  host::Target target_;
  reach::Plan plan_;
  Answer answer_;
  std::vector<Answer> more_;
  std::vector<host::Near> near_;
  std::vector<host::Gap> gaps_;
};

TEST_F(WhyView, wide_enough_the_commands_stand_at_the_right) {
  EXPECT_EQ(text({.width = 100}),
            "10.0.0.9 is refused: postgres (733) listens on 127.0.0.1 and ::1 only.\n"
            "\n"
            "  \u2713 link        eth0 is up\n"
            "  \u2713 route       10.0.0.5 is this host's address   "
            "ip route get 10.0.0.5 from 10.0.0.9 iif eth0\n"
            "  \u2717 socket      no listener for 10.0.0.5:5432     ss -Htlnp sport = :5432\n"
            "  \u00b7 reply       RST leaves by eth0\n"
            "\n"
            "The client sees \"Connection refused\" (ECONNREFUSED).\n");
}

TEST_F(WhyView, in_80_columns_and_ascii_they_have_lines_of_their_own) {
  EXPECT_EQ(text({.width = 80, .ascii = true}),
            "10.0.0.9 is refused: postgres (733) listens on 127.0.0.1 and ::1 only.\n"
            "\n"
            "  ok link        eth0 is up\n"
            "  ok route       10.0.0.5 is this host's address\n"
            "                 see: ip route get 10.0.0.5 from 10.0.0.9 iif eth0\n"
            "  !! socket      no listener for 10.0.0.5:5432\n"
            "                 see: ss -Htlnp sport = :5432\n"
            "  -  reply       RST leaves by eth0\n"
            "\n"
            "The client sees \"Connection refused\" (ECONNREFUSED).\n");
}

TEST_F(WhyView, commands_are_never_broken_and_words_fit_the_width) {
  answer_.path[0].detail = std::string("a long story that has to be told in many words because ") +
                           "eth0 is up and nothing at all is wrong with it";
  for (const std::size_t width : {40U, 60U, 72U}) {
    const std::string out = text({.width = width});
    EXPECT_THAT(out, HasSubstr("ip route get 10.0.0.5 from 10.0.0.9 iif eth0\n"));
    std::size_t begin = 0;
    while (begin < out.size()) {
      const std::size_t end = out.find('\n', begin);
      const std::string line = out.substr(begin, end - begin);
      if (line.find("see: ") == std::string::npos) {
        EXPECT_LE(display_width(line), width) << line;
      }
      begin = end + 1;
    }
  }
}

TEST_F(WhyView, colour_repeats_what_the_words_say) {
  std::string coloured = text({.colour = true});
  EXPECT_THAT(coloured, StartsWith("\x1b[31m10.0.0.9 is refused"));
  for (std::size_t at = 0; (at = coloured.find("\x1b[")) != std::string::npos;) {
    coloured.erase(at, coloured.find('m', at) + 1 - at);
  }
  EXPECT_EQ(coloured, text({}));
}

TEST_F(WhyView, hostile_text_is_escaped_everywhere) {
  const std::string evil = "\x1b[31m\nall is well";
  answer_.path[2].detail = answer_.cause.text = answer_.cause.evidence[0].fact = evil;
  answer_.cause.code = "input-drop";
  answer_.cause.tool = evil;
  answer_.path[2].verify = evil;
  answer_.next = {{.code = "x", .text = evil, .evidence = {{evil, evil, evil}}, .tool = evil}};
  answer_.assumptions = {evil};
  plan_.notes = {evil};
  gaps_ = {{"unread", evil, evil, evil}};
  network_.unread = {{host::NetworkFact::Xfrm, gaps_.front()}};
  const std::string out = text({}, true);
  EXPECT_THAT(out, ::testing::Not(HasSubstr("\x1b")));
  EXPECT_THAT(out, ::testing::Not(HasSubstr("\nall is well")));
  EXPECT_THAT(out, HasSubstr("\\e[31m\\nall is well"));
}

TEST_F(WhyView, what_else_is_in_the_way_and_who_put_it_there) {
  answer_.cause.tool = "ufw";
  answer_.next = {{.code = "input-policy-drop",
                   .text = "dropped by the policy of ip filter INPUT",
                   .evidence = {{"policy drop", "ip filter INPUT", "iptables -S INPUT"}},
                   .tool = "firewalld"}};
  const std::string out = text({});
  EXPECT_THAT(out, HasSubstr("This rule was put there by ufw.\n"));
  EXPECT_THAT(out,
              HasSubstr("\nAlso in the way:\n  \u2717 dropped by the policy of ip filter INPUT "
                        "(firewalld)   iptables -S INPUT\n"));
}

TEST_F(WhyView, evidence_that_the_ladder_does_not_show_follows_the_stop) {
  answer_.cause.evidence.push_back({"net.ipv4.conf.eth0.x = 1", "sysctl", "sysctl net.x"});
  EXPECT_THAT(text({}), HasSubstr("\n                net.ipv4.conf.eth0.x = 1          "
                                  "sysctl net.x\n  \u00b7 reply"));
}

TEST_F(WhyView, assumptions_are_told_to_who_asks_for_them) {
  answer_.assumptions = {"no entry of conntrack for this tuple"};
  EXPECT_THAT(text({}), ::testing::Not(HasSubstr("conntrack")));
  EXPECT_THAT(text({}, true), HasSubstr("True as long as:\n  - no entry of conntrack"));
}

TEST_F(WhyView, several_answers_have_a_line_each) {
  Answer other = answer_;
  other.question.source = ip("127.0.0.1");
  other.question.destination = ip("127.0.0.1");
  other.question.interface = 1;
  other.outcome = Outcome::Answered;
  other.delivers_to = 0;
  more_ = {other, answer_};
  const std::string out = text({.width = 80});
  EXPECT_THAT(out, StartsWith("tcp/5432 answers 1 of the 2 sources that were asked.\n\nFROM"));
  EXPECT_THAT(out, HasSubstr("127.0.0.1 by lo   tcp 127.0.0.1:5432  answered  postgres (733)\n"));
  EXPECT_THAT(out, HasSubstr("10.0.0.9 by eth0  tcp 10.0.0.5:5432   refused   nobody listens"));
  EXPECT_THAT(text({}, true), HasSubstr("\nThis host reaches postgres (733) on tcp/5432.\n"));
}

TEST_F(WhyView, a_gap_is_told_where_it_could_have_decided) {
  const host::Gap gap{"nftables", "nf_tables: not permitted", "rules", "run as root"};
  network_.unread = {{host::NetworkFact::Nftables, gap}};
  gaps_ = {gap};
  EXPECT_THAT(text({}), ::testing::Not(HasSubstr("not permitted")));
  answer_.outcome = Outcome::Unknown;
  answer_.possible = {Outcome::Answered, Outcome::Silent};
  EXPECT_THAT(text({}), HasSubstr("Not seen: nf_tables: not permitted (run as root).\n"));
}

TEST_F(WhyView, nothing_found_says_so) {
  const std::vector<Answer> none;
  const std::string out =
      why_text({builder_.host(), network_, target_, plan_, none, near_, gaps_}, {}, false);
  EXPECT_EQ(out, "Nothing listens here that matches 5432.\n");
}

TEST_F(WhyView, each_outcome_has_a_sentence) {
  answer_.cause = {.code = "input-drop", .text = "dropped by ip filter INPUT", .evidence = {}};
  const auto sentence = [&](Outcome outcome) {
    answer_.outcome = outcome;
    return verdict();
  };
  EXPECT_EQ(sentence(Outcome::Answered), "10.0.0.9 is answered on tcp/5432.");
  EXPECT_EQ(sentence(Outcome::Refused), "10.0.0.9 is refused: dropped by ip filter INPUT.");
  EXPECT_EQ(sentence(Outcome::Silent), "10.0.0.9 gets no answer: dropped by ip filter INPUT.");
  EXPECT_EQ(sentence(Outcome::Hangs),
            "10.0.0.9 is connected, and then nothing comes: dropped by ip filter INPUT.");
  EXPECT_EQ(sentence(Outcome::NoNeighbour),
            "10.0.0.9 finds nobody at 10.0.0.5: dropped by ip filter INPUT.");
  EXPECT_EQ(sentence(Outcome::Rejected), "10.0.0.9 cannot even send: dropped by ip filter INPUT.");
  answer_.icmp = "host-unreachable";
  EXPECT_EQ(sentence(Outcome::Rejected),
            "10.0.0.9 is rejected (host unreachable): dropped by ip filter INPUT.");
  answer_.possible = {Outcome::Answered, Outcome::Silent};
  answer_.conditions = {{"rate-limit", "limit rate 5/second of ip filter INPUT", "k"}};
  EXPECT_EQ(sentence(Outcome::Depends),
            "10.0.0.9: answered or no answer, depending on limit rate 5/second of ip filter "
            "INPUT.");
  answer_.delivers_to = 2;
  EXPECT_EQ(sentence(Outcome::Answered), "10.0.0.9 reaches nginx (901) on tcp/5432.");
}

TEST_F(WhyView, nobody_listens_in_the_words_of_the_socket_table) {
  answer_.cause.code = "no-socket";
  answer_.question.port = 9999;
  EXPECT_EQ(verdict(), "10.0.0.9 is refused: nobody listens on tcp/9999.");
  answer_.question.port = 5432;
  answer_.question.protocol = Protocol::Udp;
  EXPECT_EQ(verdict(), "10.0.0.9 is refused: nobody listens on udp/5432.");
  // What a rule has rewritten is another port than the one that was asked for.
  answer_.question.protocol = Protocol::Tcp;
  answer_.path[1].verdict = "rewrite";
  EXPECT_EQ(verdict(), "10.0.0.9 is refused: nobody listens on 10.0.0.5:5432.");
}

TEST_F(WhyView, what_the_client_sees) {
  const auto sees = [&](Outcome outcome, Protocol protocol, int error) {
    answer_.outcome = outcome;
    answer_.question.protocol = protocol;
    answer_.error = error;
    return client_words(answer_);
  };
  EXPECT_EQ(sees(Outcome::Silent, Protocol::Tcp, 0),
            "The client waits, and sees \"Connection timed out\" (ETIMEDOUT) in the end");
  EXPECT_EQ(sees(Outcome::Silent, Protocol::Udp, 0),
            "The client hears nothing, however long it waits");
  EXPECT_EQ(sees(Outcome::Silent, Protocol::Udp, EPERM),
            "The client sees \"Operation not permitted\" (EPERM)");
  EXPECT_EQ(sees(Outcome::Rejected, Protocol::Tcp, EHOSTUNREACH),
            "The client sees \"No route to host\" (EHOSTUNREACH)");
  EXPECT_EQ(sees(Outcome::NoNeighbour, Protocol::Tcp, 0),
            "The client sees \"No route to host\" (EHOSTUNREACH) after some seconds");
  EXPECT_EQ(sees(Outcome::Hangs, Protocol::Tcp, 0), "The client is connected and waits");
  EXPECT_EQ(sees(Outcome::Answered, Protocol::Tcp, 0), "");
  EXPECT_EQ(errno_name(9999), "errno 9999");
}

}  // namespace
}  // namespace hark::show
