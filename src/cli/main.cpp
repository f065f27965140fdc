#include <string>
#include <vector>

#include "cli/commands.h"

int main(int argc, char** argv) {
  // A caller may give no arguments at all, not even a name.
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return hark::cli::run(arguments);
}
