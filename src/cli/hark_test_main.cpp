// hark-test: `hark test`, in a program that may load more. Its arguments are hark's own.
#include <malloc.h>

#include <string>
#include <vector>

#include "cli/commands.h"

int main(int argc, char** argv) {
  // As in main.cpp.
  constexpr int kLarge = 1 << 18;
  mallopt(M_MMAP_THRESHOLD, kLarge);
  mallopt(M_ARENA_MAX, 1);
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return hark::cli::run(arguments, hark::cli::command_test);
}
