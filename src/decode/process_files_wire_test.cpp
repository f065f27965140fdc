#include <gtest/gtest.h>

#include "decode/process.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

constexpr std::uint32_t kKernelThread = 0x00200000;
constexpr std::string_view kRest =
    " S 1 2 3 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 12345 18616320 2851\n";

Result<StatRecord> stat_of(std::string_view begin, std::string_view rest = kRest) {
  std::string text(begin);
  text += rest;
  return decode_stat(as_bytes(text));
}

TEST(Stat, ANameMayHoldAnything) {
  const auto stat = decode_stat(testdata("stat-odd-name"));
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->name, "a) R 1\n\\(b\t)");
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent_pid, 24396U);
  EXPECT_EQ(stat->flags & kKernelThread, 0U);
  EXPECT_EQ(stat->start_ticks, 218993U);
}

TEST(Stat, KernelThreadsAreToldByTheirFlag) {
  const auto stat = decode_stat(testdata("stat-kernel-thread"));
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->name, "kthreadd");
  EXPECT_EQ(stat->parent_pid, 0U);
  EXPECT_EQ(stat->flags & kKernelThread, kKernelThread);
  EXPECT_EQ(stat->start_ticks, 22U);
}

TEST(Stat, NamesAtTheEdge) {
  for (const std::string_view name : {"", ")", "(", " (", ") (", "))) S 1"}) {
    const auto stat = stat_of("7 (" + std::string(name) + ")");
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->name, name);
    EXPECT_EQ(stat->parent_pid, 1U);
  }
}

TEST(Stat, TheTerminal) {
  EXPECT_EQ(stat_of("7 (sh)")->terminal, 0);
  const auto rest = [](const std::string& tty) {
    return " S 1 2 3 " + tty + " -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 12345 1 2\n";
  };
  EXPECT_EQ(stat_of("7 (sh)", rest("34816"))->terminal, 34816);
  EXPECT_EQ(stat_of("7 (sh)", rest("-2147483648"))->terminal, -2147483648LL) << "printed signed";
  EXPECT_FALSE(stat_of("7 (sh)", rest("x")));
  EXPECT_FALSE(stat_of("7 (sh)", rest("2147483648")));
}

TEST(Stat, MalformedOnesAreErrors) {
  for (const std::string_view begin : {"", "7 name", "7 (name", "7 name)", "x (name)", " (name)",
                                       "-7 (name)", "7(name)", "7 )("}) {
    EXPECT_FALSE(stat_of(begin)) << begin;
  }
  for (const std::string_view rest :
       {"", " S", " SS 1 2 3 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 12345 1\n",
        " S -1 2 3 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 12345 1\n",
        " S 1 2 3 0 -1 x 0 0 0 0 0 0 0 0 20 0 1 0 12345 1\n",
        " S 1 2 3 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 -5 1\n"}) {
    EXPECT_FALSE(stat_of("7 (name)", rest)) << rest;
  }
}

TEST(Stat, ABeginningIsAnErrorOrHasAllThatIsRead) {
  const Bytes whole = testdata("stat-user");
  const auto all = decode_stat(whole);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->name, "worker");
  const std::size_t needed = as_text(whole).find(" 219023 ") + 8;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto some = decode_stat(cut);
    ASSERT_EQ(some.has_value(), size >= needed) << size;
    if (some) {
      EXPECT_EQ(some->start_ticks, all->start_ticks);
    }
  }
}

TEST(Status, TellsTheEffectiveUser) {
  const auto status = decode_status(testdata("status-user"));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->effective_uid, 33U);  // the real one is 1000
  EXPECT_EQ(status->effective_capabilities, 0U);
}

TEST(Status, OfAProcessWithAnOddName) {
  const auto status = decode_status(testdata("status-odd-name"));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->effective_uid, 0U);
  EXPECT_EQ(status->effective_capabilities, 0x1fffeffffffU);
}

TEST(Status, MalformedOnesAreErrors) {
  constexpr std::string_view kUid = "Uid:\t1\t2\t3\t4\n";
  constexpr std::string_view kCapabilities = "CapEff:\t000001ffffffffff\n";
  const auto decode = [](std::string_view a, std::string_view b) {
    std::string text(a);
    text += b;
    return decode_status(as_bytes(text));
  };
  ASSERT_TRUE(decode(kUid, kCapabilities));
  EXPECT_EQ(decode(kUid, kCapabilities)->effective_uid, 2U);
  for (const std::string_view uid : {"", "Uid:\t1\n", "Uid:\t1\tx\t3\t4\n", "Uid: 1 2 3 4\n",
                                     "Uid:\t1\t-2\t3\t4\n", "xUid:\t1\t2\t3\t4\n"}) {
    EXPECT_FALSE(decode(uid, kCapabilities)) << uid;
  }
  for (const std::string_view capabilities :
       {"", "CapEff:\t\n", "CapEff:\t1ff\n", "CapEff:\t000001fffffffffx\n",
        "CapPrm:\t000001ffffffffff\n"}) {
    EXPECT_FALSE(decode(kUid, capabilities)) << capabilities;
  }
}

TEST(Status, ABeginningIsAnErrorOrHasAllThatIsRead) {
  const Bytes whole = testdata("status-odd-name");
  const std::size_t line = as_text(whole).find("CapEff:");
  const std::size_t needed = as_text(whole).find('\n', line);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(decode_status(cut).has_value(), size >= needed) << size;
  }
}

TEST(Cmdline, ArgumentsEndWithNul) {
  EXPECT_EQ(decode_cmdline(testdata("cmdline-empty-arguments")),
            (std::vector<std::string>{"sh", "-c", "read x", "", "a b"}));
}

TEST(Cmdline, TitlesAndTheirRemains) {
  struct Case {
    std::string_view text;
    std::vector<std::string> arguments;
  };
  const Case cases[] = {
      {"", {}},
      {{"\0", 1}, {}},
      {{"\0\0\0", 3}, {}},
      {"nginx: master process", {"nginx: master process"}},
      {{"title\0\0\0\0\0", 10}, {"title"}},
      {{"a\0b", 3}, {"a", "b"}},
      {{"\0b\0", 3}, {"", "b"}},
  };
  for (const Case& c : cases) EXPECT_EQ(decode_cmdline(as_bytes(c.text)), c.arguments) << c.text;
}

}  // namespace
}  // namespace hark::decode
