// Lines as Linux 6.18 writes them, of cgroup v1 and v2, with and without printk's times.
#include <gtest/gtest.h>

#include "decode/oom_kill.h"

namespace hark::decode {
namespace {

std::vector<OomKillLine> decode(std::string_view log) {
  return decode_oom_kills(as_bytes(log));
}

TEST(OomKill, WhoAndWhereAndWhen) {
  const std::vector<OomKillLine> expected = {
      {.since_boot_ms = 85'520'137,
       .pid = 4121,
       .program = "java",
       .cgroup = "/system.slice/app.service",
       .limited = "/system.slice"},
      {.since_boot_ms = 5'000, .pid = 7, .program = "a,task=b,pid=1", .cgroup = "/x,task=y"},
      {.since_boot_ms = std::nullopt, .pid = 8, .program = "sh", .cgroup = ""}};
  EXPECT_EQ(
      decode("<4>[85520.137626] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,"
             "mems_allowed=0,oom_memcg=/system.slice,task_memcg=/system.slice/app.service,"
             "task=java,pid=4121,uid=1000\n"
             "<6>[85520.2] eth0: renamed\n"
             "[    5.000001][    T9] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),"
             "cpuset=/,mems_allowed=0,global_oom,task_memcg=/x,task=y,task=a,task=b,pid=1,pid=7,"
             "uid=0\n"
             "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=sh,pid=8,uid=0"),
      expected);
}

TEST(OomKill, PiecesAndOthersTellNothing) {
  EXPECT_TRUE(decode("").empty());
  EXPECT_TRUE(decode("oom-kill:\noom-kill:task=x\noom-kill:,task=x,pid=7\n").empty());
  EXPECT_TRUE(decode("oom-kill:,task=x,pid=99999999999,uid=0\n").empty());
  EXPECT_TRUE(decode("oom-kill:,task=much too long a name,pid=7,uid=0\n").empty());
  EXPECT_EQ(decode("[x.y] oom-kill:,task=x,pid=7,uid=0\n").front().since_boot_ms, std::nullopt);
}

}  // namespace
}  // namespace hark::decode
