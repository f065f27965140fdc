// What is remembered of drills, and what is made of typed answers.
#include <gtest/gtest.h>

#include <array>

#include "drill/drill_grade.h"
#include "drill/drill_history.h"

namespace hark::drill {
namespace {

History some_history() {
  History out;
  out.streak = 3;
  out.streak_day = 20780;
  note(out, "owner:here:tcp:22", 100, 20779);
  note(out, "reach:a%20b:udp:53", 50, 20780);
  out.session = Session{.day = 20780,
                        .seed = 18446744073709551615U,
                        .fixed = true,
                        .elapsed_ms = 61'000,
                        .items = {{.key = "why:here:tcp:22"}, {.key = "x:y:z:1", .credit = 25}}};
  return out;
}

TEST(DrillHistory, is_what_was_written) {
  for (const History& one : {History{}, some_history()}) {
    const Result<History> read = parse_history(text_of(one));
    ASSERT_TRUE(read) << reason(read.error());
    EXPECT_EQ(*read, one);
  }
}

TEST(DrillHistory, anything_else_is_an_error_with_its_line) {
  struct Row {
    const char* text;
    const char* line;
  };
  for (const Row& row :
       std::initializer_list<Row>{{"", "line 1"},
                                  {"hark-drill 2\nend\n", "line 1"},
                                  {"hark-drill 1\n", "line 2"},
                                  {"hark-drill 1\nend\nend\n", "line 3"},
                                  {"hark-drill 1\nasked a 1 1\nend\n", "line 2"},
                                  {"hark-drill 1\nasked a\x1b 1 1 1\nend\n", "line 2"},
                                  {"hark-drill 1\nasked a 1 7 1\nend\n", "line 2"},
                                  {"hark-drill 1\nasked a 1 1 101\nend\n", "line 2"},
                                  {"hark-drill 1\nasked a -1 1 1\nend\n", "line 2"},
                                  {"hark-drill 1\nasked a 1 1 1\nasked a 1 1 1\nend\n", "line 3"},
                                  {"hark-drill 1\nitem a -\nend\n", "line 2"},
                                  {"hark-drill 1\nsession 1 1 2 0\nend\n", "line 2"},
                                  {"hark-drill 1\nsession 1 1 0 300001\nend\n", "line 2"},
                                  {"hark-drill 1\nstreak 99999999999 1\nend\n", "line 2"}}) {
    const Result<History> read = parse_history(row.text);
    ASSERT_FALSE(read) << row.text;
    EXPECT_EQ(read.error().what, row.line) << row.text;
  }
  // Whatever is cut off, what is left is no state.
  const std::string whole = text_of(some_history());
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
    EXPECT_FALSE(parse_history(whole.substr(0, size))) << size;
  }
}

TEST(DrillHistory, is_bounded) {
  History history;
  for (int i = 0; i < 5000; ++i) note(history, "owner:here:tcp:" + std::to_string(i), 100, 10 + i);
  EXPECT_EQ(history.asked.size(), 4096U);
  EXPECT_TRUE(history.asked.contains("owner:here:tcp:4999"));
  EXPECT_FALSE(history.asked.contains("owner:here:tcp:0"));
  EXPECT_TRUE(parse_history(text_of(history)));
}

TEST(DrillHistory, a_right_answer_comes_back_later_each_time_and_a_wrong_one_tomorrow) {
  History history;
  std::int64_t day = 100;
  for (const std::int64_t wait : {2, 4, 8, 16, 32, 64, 64}) {
    note(history, "k", 100, day);
    // The same day counts once.
    note(history, "k", 100, day);
    EXPECT_EQ(due_day(history.asked.at("k")), day + wait);
    day += wait;
  }
  note(history, "k", 75, day);
  EXPECT_EQ(due_day(history.asked.at("k")), day + 1);
}

TEST(DrillHistory, a_streak_counts_days_with_a_passed_drill) {
  History history;
  const auto drilled = [&](std::int64_t day, unsigned credit) {
    history.session = Session{.day = day, .items = {{.key = "a", .credit = credit}}};
    return finish(history, day);
  };
  EXPECT_TRUE(drilled(10, 70).passed);
  EXPECT_TRUE(drilled(10, 100).passed);
  EXPECT_EQ(streak_on(history, 10), 1U);
  EXPECT_TRUE(drilled(11, 100).passed);
  EXPECT_EQ(streak_on(history, 11), 2U);
  EXPECT_FALSE(drilled(12, 69).passed);
  EXPECT_EQ(streak_on(history, 12), 2U);
  EXPECT_EQ(streak_on(history, 13), 0U);
  EXPECT_TRUE(drilled(13, 100).passed);
  EXPECT_EQ(streak_on(history, 13), 1U);
  EXPECT_FALSE(history.session);
}

TEST(DrillHistory, what_was_not_answered_counts_as_wrong) {
  const Score score =
      score_of({{.key = "a", .credit = 100}, {.key = "b", .credit = 50}, {.key = "c"}});
  EXPECT_EQ(score.points, 50U);
  EXPECT_EQ(score.right, 1U);
  EXPECT_EQ(score.asked, 2U);
  EXPECT_FALSE(score.passed);
  EXPECT_FALSE(score_of({}).passed);
}

TEST(DrillGrade, takes_letters_numbers_and_words) {
  Question question;
  question.choices = {{.text = "\"Connection refused\": an answer says no", .also = {"refused"}},
                      {.text = "nothing comes back", .also = {"silent"}},
                      {.text = "it connects, and is served"},
                      {.text = "quit"}};
  struct Row {
    const char* typed;
    Typed meant;
    std::size_t choice;
  };
  constexpr std::array kRows = {Row{"a", Typed::Answer, 0},
                                Row{" B) ", Typed::Answer, 1},
                                Row{"3", Typed::Answer, 2},
                                Row{"Refused.", Typed::Answer, 0},
                                Row{"connection  REFUSED", Typed::Answer, 0},
                                Row{"is served", Typed::Answer, 2},
                                Row{"silent", Typed::Answer, 1},
                                Row{"quit", Typed::Answer, 3},
                                Row{"q", Typed::Quit, 0},
                                Row{"exit", Typed::Quit, 0},
                                Row{"skip", Typed::Skip, 0},
                                Row{"?", Typed::Skip, 0},
                                Row{"don't know", Typed::Skip, 0},
                                Row{"", Typed::Unclear, 0},
                                Row{"e", Typed::Unclear, 0},
                                Row{"0", Typed::Unclear, 0},
                                Row{"5", Typed::Unclear, 0},
                                Row{"99999999999999999999", Typed::Unclear, 0},
                                Row{"co", Typed::Unclear, 0},  // of two
                                Row{"se", Typed::Unclear, 0},  // too short to be meant
                                Row{"something else", Typed::Unclear, 0}};
  for (const Row& row : kRows) {
    const Reply reply = reply_of(question, row.typed);
    EXPECT_EQ(reply.typed, row.meant) << row.typed;
    if (row.meant == Typed::Answer) {
      EXPECT_EQ(reply.choice, row.choice) << row.typed;
    }
  }
}

}  // namespace
}  // namespace hark::drill
