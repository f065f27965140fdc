// What cgroup v2 tells of a process's limits, in the kernel's own forms (cgroup-v2.rst). Machines
// that still have their controllers in v1 make no real ones: tests/doctor makes those of v1.
#include "host/process_health.h"

#include <gtest/gtest.h>

#include "host/fake_source.h"

namespace hark::host {
namespace {

TEST(ProcessHealth, LimitsOfCgroup2) {
  FakeSource source;
  source.file("/proc/self/mountinfo",
              "24 18 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n");
  const std::string web = "/sys/fs/cgroup/system.slice/web.service";
  source.file(web + "/cpu.stat",
              "usage_usec 900\nuser_usec 500\nsystem_usec 400\nnr_periods 40\nnr_throttled 31\n"
              "throttled_usec 77\nnr_bursts 0\nburst_usec 0\n");
  source.file(web + "/memory.current", "67108864\n");
  source.file(web + "/memory.max", "67108864\n");
  source.file(web + "/memory.stat", "anon 1000\nfile 60000000\nkernel_stack 20\npagetables 3\n");
  source.file(web + "/memory.events",
              "low 0\nhigh 0\nmax 12\noom 2\noom_kill 1\noom_group_kill 0\n");
  const std::string free = "/sys/fs/cgroup/system.slice/free.service";
  source.file(free + "/memory.current", "4096\n");
  source.file(free + "/memory.max", "max\n");
  Process limited;
  limited.pid = 812;
  limited.cgroup = "/system.slice/web.service";
  Process unlimited;
  unlimited.pid = 813;
  unlimited.cgroup = "/system.slice/free.service";
  const auto health = read_process_health(source, {&limited, &unlimited}, {.cgroups = true});
  ASSERT_EQ(health.size(), 2U);
  const CgroupHealth expected = {.path = web,
                                 .cpu_path = web,
                                 .periods = 40,
                                 .throttled = 31,
                                 .memory_used = 67'108'864,
                                 .memory_limit = 67'108'864,
                                 .memory_held = 1023,
                                 .memory_refused = 12,
                                 .oom_kills = 1};
  EXPECT_EQ(health[0].cgroup, expected);
  EXPECT_EQ(health[1].cgroup->memory_limit, std::nullopt);
  EXPECT_EQ(health[1].cgroup->memory_used, 4096U);
  EXPECT_EQ(health[1].cgroup->periods, std::nullopt);
}

}  // namespace
}  // namespace hark::host
