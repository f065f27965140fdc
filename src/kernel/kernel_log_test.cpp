#include "kernel/kernel_log.h"

#include <gtest/gtest.h>

namespace hark::kernel {
namespace {

TEST(kill_lines, nothing_else_of_the_log_is_kept) {
  const std::string kill =
      "<6>[ 9.1] oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/a,task=x,pid=7,uid=0\n";
  EXPECT_EQ(kill_lines("<6>[ 9.0] eth0: link becomes ready\n" + kill +
                       "<3>[ 9.2] Memory cgroup out of memory: Killed process 7 (x)\n"),
            kill);
  std::string many;
  for (std::size_t i = 0; i < 2 * kMostKillLines; ++i)
    many += "oom-kill:" + std::to_string(i) + "\n";
  const std::string last = kill_lines(many);
  EXPECT_TRUE(last.starts_with("oom-kill:64\n")) << last;
  EXPECT_TRUE(last.ends_with("oom-kill:127\n")) << last;
  EXPECT_EQ(kill_lines(""), "");
}

}  // namespace
}  // namespace hark::kernel
