// hark_differential: real packets against `hark why`.
//
//   hark_differential [CASES=N] [SEED=S] [FILE…] [--verbose] [--probe-only] [--save FOLDER]
//
// Runs the cases of the files, then N random ones. Exit status 1 if anything differed, 2 for usage.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "run_case.h"
#include "script.h"

namespace hark::differential {

namespace {

struct Arguments {
  RunOptions options;
  std::vector<std::string> files;
  std::uint64_t cases = 0, seed = 1;
  std::string save = {};  ///< folder for the cases that failed
};

std::optional<Arguments> read_arguments(const std::vector<std::string>& words) {
  Arguments out;
  for (std::size_t i = 0; i < words.size(); i++) {
    const std::string& word = words[i];
    std::optional<std::uint64_t> number;
    if (word == "--verbose") {
      out.options.verbose = true;
    } else if (word == "--probe-only") {
      out.options.probe_only = true;
    } else if (word == "--save" && i + 1 < words.size()) {
      out.save = words[++i];
    } else if (word.starts_with("CASES=")) {
      number = parse_number<std::uint64_t>(std::string_view(word).substr(6));
      if (!number) return std::nullopt;
      out.cases = *number;
    } else if (word.starts_with("SEED=")) {
      number = parse_number<std::uint64_t>(std::string_view(word).substr(5));
      if (!number) return std::nullopt;
      out.seed = *number;
    } else if (word.starts_with('-')) {
      return std::nullopt;
    } else {
      out.files.push_back(word);
    }
  }
  return out;
}

bool bad(const Tally& tally) {
  return tally.contains("mismatch") || tally.contains("unexpected") || tally.contains("crashed");
}

class Run {
 public:
  explicit Run(Arguments arguments) : arguments_(std::move(arguments)) {}

  int all() {
    for (const std::string& file : arguments_.files) {
      if (!run_file(file)) return 2;
    }
    summary();
    return bad(sum_) ? 1 : 0;
  }

 private:
  bool run_file(const std::string& path) {
    std::ifstream in(path);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const auto cases = parse_script(text);
    if (!in || !cases) {
      const std::string why =
          cases ? "cannot be read" : cases.error().what + ": " + cases.error().why;
      std::fprintf(stderr, "%s: %s\n", path.c_str(), why.c_str());
      return false;
    }
    for (const Case& one : *cases) {
      const Tally tally = run_one(one);
      // What was written by hand has to work.
      if (tally.contains("not-made")) sum_["unexpected"]++;
    }
    return true;
  }

  Tally run_one(const Case& one) {
    Tally tally = run_case(one, arguments_.options);
    for (const auto& [name, count] : tally) sum_[name] += count;
    sum_["cases"]++;
    if (bad(tally) && !arguments_.save.empty()) {
      std::ofstream(arguments_.save + "/" + one.name + ".case") << print_case(one);
    }
    return tally;
  }

  void summary() const {
    for (const auto& [name, count] : sum_) {
      std::printf("%-40s %llu\n", name.c_str(), static_cast<unsigned long long>(count));
    }
  }

  Arguments arguments_;
  Tally sum_;
};

}  // namespace

}  // namespace hark::differential

int main(int argc, char** argv) {
  using hark::differential::read_arguments;
  auto arguments = read_arguments(std::vector<std::string>(argv + 1, argv + argc));
  if (!arguments) {
    std::fprintf(stderr,
                 "usage: hark_differential [CASES=N] [SEED=S] [FILE...] [--verbose] "
                 "[--probe-only] [--save FOLDER]\n");
    return 2;
  }
  return hark::differential::Run(std::move(*arguments)).all();
}
