#include <unistd.h>

#include <cerrno>
#include <vector>

#include "cli/commands.h"
#include "drill/lab_service.h"
#include "kernel/live_units.h"

namespace hark::cli {

Outcome hand_over_test(std::span<const std::string> arguments, const Invocation&, Output&) {
  constexpr const char* kName = "hark-test";
  Error error = plain_error("test", "the program hark-test is not installed",
                            "it belongs beside hark, or into libexec/hark");
  for (const std::string& place : kernel::program_places(kName)) {
    const bool of_lab = place.starts_with(drill::kLabHark);
    if (!of_lab && !kernel::is_trusted_program(place)) {
      if (::access(place.c_str(), F_OK) == 0) {
        error = plain_error(place, "other users could have changed it", "hark does not start it");
      }
      continue;
    }
    std::vector<std::string> words = {kName};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    ::execv(place.c_str(), pointers.data());
    error = kernel_error(errno, place);
  }
  return fail_with(ExitStatus::CannotTell, std::move(error));
}

}  // namespace hark::cli
