#include "diagnose/families.h"

#include <algorithm>
#include <array>

namespace hark::diagnose {
namespace {

using Code = std::string_view;

constexpr std::array<Code, 4> kFullQueues = {"accept-queue-full", "accept-queue-filling",
                                             "accept-queue-overflowed", "syn-queue-full"};
constexpr std::array<Code, 5> kIdleOwners = {"stopped", "frozen", "uninterruptible",
                                             "zombie-holder", "traced"};
constexpr std::array<Code, 1> kDeletedPrograms = {"deleted-binary"};

/// Findings about one listener stand in this order.
constexpr std::array kFamilies = {
    Family{"idle owners", kLooks | kHealth, kIdleOwners, idle_owners},
    Family{"full queues", kLooks, kFullQueues, full_queues},
    Family{"deleted programs", kHealth | kLibraries, kDeletedPrograms, deleted_programs},
};

}  // namespace

std::span<const Family> families() {
  return kFamilies;
}

unsigned needs_of_all() {
  unsigned out = kNothing;
  for (const Family& family : kFamilies) out |= family.needs;
  return out;
}

}  // namespace hark::diagnose
