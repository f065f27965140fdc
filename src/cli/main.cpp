#include <malloc.h>

#include <string>
#include <vector>

#include "cli/commands.h"
#include "drill/lab_service.h"

int main(int argc, char** argv) {
  // Buffers of a survey are large and short-lived. Left to itself malloc learns to keep them: on a
  // host of 10,000 processes that is 2 of 11 MB.
  constexpr int kLarge = 1 << 18;
  mallopt(M_MMAP_THRESHOLD, kLarge);
  // A second thread works while this one waits. With a heap of its own, what it gives back could
  // not be used here.
  mallopt(M_ARENA_MAX, 1);
  // A caller may give no arguments at all, not even a name.
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  // In a sandbox of `hark lab` this program is its services as well.
  if (const auto service = hark::drill::lab_service_name()) {
    return hark::drill::run_lab_service(*service, arguments);
  }
  return hark::cli::run(arguments, hark::cli::hand_over_test);
}
