#include "cli/invocation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands.h"
#include "show/list_view.h"

namespace hark::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<Invocation> asked(const std::vector<std::string>& arguments) {
  const Result<Arguments> parsed = parse_arguments(arguments);
  if (!parsed) return fail(parsed.error());
  return interpret(*parsed);
}

TEST(interpret, list_is_meant_where_no_command_is_named) {
  EXPECT_EQ(asked({})->command, Command::List);
  const auto words = asked({"--json", "nginx", "list"});
  EXPECT_EQ(words->command, Command::List);
  EXPECT_TRUE(words->implied);
  EXPECT_TRUE(words->json);
  EXPECT_THAT(words->words, ElementsAre("nginx", "list"));
  const auto named = asked({"--json", "list", "nginx"});
  EXPECT_FALSE(named->implied);
  EXPECT_THAT(named->words, ElementsAre("nginx"));
}

TEST(interpret, a_word_after_two_dashes_is_no_command) {
  const auto out = asked({"--", "save"});
  ASSERT_TRUE(out);
  EXPECT_EQ(out->command, Command::List);
  EXPECT_THAT(out->words, ElementsAre("save"));
}

TEST(interpret, every_option_arrives) {
  const std::string column = show::list_columns().front().word;
  const auto list = asked({"-r", "f", "--netns=web", "--json", "--color=always", "-v", "-a",
                           "--sort=-queue", "--columns", column + "," + column, "--no-header",
                           "--width=77", "--no-owners", "--ascii"});
  ASSERT_TRUE(list) << list.error().what;
  EXPECT_EQ(list->recording, "f");
  EXPECT_EQ(list->netns, "web");
  EXPECT_TRUE(list->json && list->verbose && list->unfolded && list->ascii);
  EXPECT_EQ(list->color, ColorWhen::Always);
  EXPECT_EQ(list->order.key, show::SortKey::Queue);
  EXPECT_TRUE(list->order.descending);
  EXPECT_THAT(list->columns, ElementsAre(column));
  EXPECT_FALSE(list->heading || list->owners || list->wide);
  EXPECT_EQ(list->width, 77U);
  EXPECT_TRUE(asked({"-w"})->wide);
  const auto save = asked({"save", "x", "--no-redact", "--force"});
  ASSERT_TRUE(save);
  EXPECT_TRUE(save->force);
  EXPECT_FALSE(save->redact);
  EXPECT_TRUE(asked({"save", "x", "--redact"})->redact);
}

TEST(interpret, sort_words) {
  for (const SortWord& word : sort_words()) {
    const auto up = asked({"--sort", std::string(word.word)});
    const auto down = asked({"--sort", std::string(word.word) + ":desc"});
    ASSERT_TRUE(up && down) << word.word;
    EXPECT_EQ(up->order.key, word.key);
    EXPECT_FALSE(up->order.descending);
    EXPECT_TRUE(down->order.descending);
    EXPECT_FALSE(asked({"--sort", std::string(word.word) + ":asc"})->order.descending);
  }
}

TEST(interpret, every_column_is_taken) {
  for (const show::ListColumn& column : show::list_columns()) {
    EXPECT_TRUE(asked({"--columns", column.word})) << column.word;
  }
}

TEST(interpret, why_asks_of_this_namespace_unless_told_otherwise) {
  const auto why = asked({"why", "5432", "--from", "10.0.0.9", "--in=eth0", "--to", "10.0.0.5"});
  ASSERT_TRUE(why) << why.error().what;
  EXPECT_EQ(why->command, Command::Why);
  EXPECT_THAT(why->words, ElementsAre("5432"));
  EXPECT_EQ(why->from, "10.0.0.9");
  EXPECT_EQ(why->interface, "eth0");
  EXPECT_EQ(why->to, "10.0.0.5");
  EXPECT_EQ(why->netns, "self");
  EXPECT_EQ(asked({"why", "5432", "--netns", "web"})->netns, "web");
  EXPECT_EQ(asked({"list", "5432"})->netns, "all");
}

TEST(interpret, refuses_what_does_not_fit) {
  struct Case {
    std::vector<std::string> arguments;
    std::string what, why, hint;
  };
  for (const Case& c : {
           Case{{"--color=purple"}, "--color purple", "no such word", "there are: auto"},
           Case{{"--color=alway"}, "--color alway", "no such word", "did you mean always"},
           Case{{"--sort=prot"}, "--sort prot", "no such sort key", "did you mean p"},
           Case{{"--sort="}, "--sort=", "needs a value", ""},
           Case{{"--columns=qqqqqq"}, "--columns qqqqqq", "no column qqqqqq", "there are: "},
           Case{{"--columns", ","}, "--columns ,", "a column's name is missing", "there are: "},
           Case{{"--width=0"}, "--width 0", "no number of columns", "from 1"},
           Case{{"--width=-5"}, "--width -5", "no number of columns", "from 1"},
           Case{{"--wide", "--width=9"}, "--width", "cannot go with --wide", ""},
           Case{{"--netns", ""}, "--netns", "the name is empty", "all, self"},
           Case{{"test"}, "test", "needs a TARGET", "hark test 8080"},
           Case{{"test", "80", "-r", "a"}, "--recording", "hark test does not take it", "why"},
           Case{{"test", "80", "--netns", "all"}, "--netns all", "in one namespace", "self"},
           Case{{"test", "80", "--timeout", "x"}, "--timeout x", "no number of seconds", "0.001"},
           Case{{"test", "80", "--every", "0.0"}, "--every 0.0", "no number of seconds", "0.001"},
           Case{{"test", "80", "--count", "0"}, "--count 0", "no number of times", "from 1"},
           Case{{"test", "80", "--watch", "--json"}, "--watch", "has an end", "--count"},
           Case{{"why", "80", "--verify"}, "--verify", "hark why does not take it", "hark test"},
           Case{{"why"}, "why", "needs a TARGET", "hark why 5432 --from"},
           Case{{"why", "80", "443"}, "443", "why takes one TARGET", "hark why 80"},
           Case{{"why", "80", "--sort", "port"}, "--sort", "hark why does not take it", "list"},
           Case{{"why", "80", "--from", ""}, "--from", "needs a value: ADDRESS", ""},
           Case{{"80", "--from", "::1"}, "--from", "hark list does not take it", "hark why"},
           Case{{"doctor", "80", "443"}, "443", "doctor takes one TARGET", "hark doctor 80"},
           Case{{"doctor", "--for", "0"}, "--for 0", "no number of seconds", "from 1"},
           Case{{"doctor", "--for", "1.5"}, "--for 1.5", "no number of seconds", "from 1"},
           Case{{"doctor", "-r", "a", "--for", "2"}, "--for", "a recording cannot be watched", ""},
           Case{{"why", "80", "--for", "2"}, "--for", "hark why does not take it", "hark doctor"},
           Case{{"drill", "80"}, "80", "drill takes no word", ""},
           Case{{"drill", "--count", "51"}, "--count 51", "too many questions", "from 1 to 50"},
           Case{{"drill", "--seed", "x"}, "--seed x", "no such number", ""},
           Case{{"lab", "hint", "now"}, "now", "hark lab takes one NAME", ""},
           Case{{"check"}, "check", "needs a POLICY", "--learn > policy.toml"},
           Case{{"check", "a", "b"}, "b", "check takes one POLICY", ""},
           Case{{"check", ""}, "check", "the file's name is empty", ""},
           Case{{"check", "--learn", "a"}, "a", "reads none", "--learn > a"},
           Case{{"check", "a", "--format", "sarf"}, "--format sarf", "no such format", "sarif"},
           Case{{"check", "a", "--json", "--format=junit"}, "--format", "cannot go with", ""},
           Case{{"check", "--json", "--learn"}, "--learn", "cannot go with --json", ""},
           Case{{"check", "-", "-r", "-"}, "check -", "is the recording already", ""},
           Case{{"list", "--learn"}, "--learn", "hark list does not take it", "hark check"},
           Case{{"help", "lst"}, "lst", "no such command", "did you mean hark help list"},
           Case{{"help", "list", "save"}, "save", "help takes one COMMAND", ""},
           Case{{"save"}, "save", "needs a FILE", "hark save host.hark"},
           Case{{"save", ""}, "save", "the file's name is empty", ""},
           Case{{"save", "a", "tcp"}, "tcp", "save takes one FILE", ""},
           Case{{"save", "-", "--json"}, "--json", "standard output takes the recording", ""},
           Case{{"save", "a", "-r", "b"}, "--recording", "hark save does not take it", "hark list"},
           Case{{"save", "a", "--all"}, "--all", "hark save does not take it", "hark list"},
           Case{{"--redact"}, "--redact", "hark list does not take it", "hark save"},
           Case{{"save", "a", "--redact", "--no-redact"},
                "--no-redact",
                "cannot go with --redact",
                ""},
       }) {
    const auto out = asked(c.arguments);
    ASSERT_FALSE(out) << testing::PrintToString(c.arguments);
    EXPECT_EQ(out.error().what, c.what);
    EXPECT_THAT(out.error().why, HasSubstr(c.why));
    EXPECT_THAT(out.error().hint, HasSubstr(c.hint));
  }
}

TEST(interpret, doctor_asks_everywhere_and_looks_for_a_moment) {
  const auto plain = asked({"doctor"});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->netns, "all");
  EXPECT_EQ(plain->watch_seconds, 0U);
  EXPECT_EQ(asked({"doctor", "nginx", "--for=30"})->watch_seconds, 30U);
}

TEST(interpret, help_wins_over_wrong_values) {
  EXPECT_TRUE(asked({"list", "--help", "--color=purple"})->help);
  EXPECT_TRUE(asked({"save", "--help"})->help);
  EXPECT_TRUE(asked({"--version", "--redact"})->version);
}

TEST(needs_owners, only_where_the_answer_shows_or_asks_them) {
  struct Case {
    std::vector<std::string> arguments;
    bool needed;
  };
  for (const Case& c : {
           Case{{}, true},
           Case{{"--json"}, true},
           Case{{"--json", "--no-owners"}, false},
           Case{{"--no-owners"}, false},
           Case{{"--columns=port"}, false},
           Case{{"--columns=port", "tcp", "80", "loopback"}, false},
           Case{{"--columns=port", "nginx"}, true},
           Case{{"--columns=port", "not", "user:root"}, true},
           Case{{"--columns=port,pid"}, true},
           Case{{"--columns=port", "--sort=-started"}, true},
           Case{{"--columns=port", "--sort=queue"}, false},
       }) {
    const auto out = asked(c.arguments);
    ASSERT_TRUE(out) << out.error().what << ": " << out.error().why;
    const auto filter = host::parse_filter(out->words);
    ASSERT_TRUE(filter);
    EXPECT_EQ(needs_owners(*out, *filter), c.needed) << testing::PrintToString(c.arguments);
  }
}

}  // namespace
}  // namespace hark::cli
