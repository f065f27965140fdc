// hark_differential: real packets against `hark why`.
//
//   hark_differential [CASES=N] [SEED=S] [FIRST=I] [FILE…] [--verbose] [--probe-only] [--dump]
//                     [--save FOLDER] [--classes]
//
// Runs the cases of the files, then N random ones, from the I-th of the seed; without a seed, of a
// fresh one that it prints. Exit status 1 if anything differed, 2 for usage.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/text.h"
#include "generate.h"
#include "run_case.h"
#include "script.h"

namespace hark::differential {

namespace {

struct Arguments {
  RunOptions options;
  std::vector<std::string> files;
  std::uint64_t cases = 0, seed = 0, first = 0;
  std::uint64_t agree = 100;  ///< percent of questions that must agree for success
  bool dump = false;          ///< prints the random cases instead of running them
  std::string save = {};      ///< folder for the cases that failed
};

// CASES=N and its like; false: not one of them, or no number.
bool read_number(Arguments& out, std::string_view word) {
  const std::string_view name = next_piece(word, '=');
  const auto number = parse_number<std::uint64_t>(word);
  if (!number) return false;
  if (name == "CASES") out.cases = *number;
  if (name == "SEED") out.seed = *number;
  if (name == "FIRST") out.first = *number;
  if (name == "AGREE") out.agree = *number;
  return name == "CASES" || name == "SEED" || name == "FIRST" ||
         (name == "AGREE" && out.agree <= 100);
}

std::optional<Arguments> read_arguments(const std::vector<std::string>& words) {
  Arguments out;
  for (std::size_t i = 0; i < words.size(); i++) {
    const std::string& word = words[i];
    if (word == "--verbose") {
      out.options.verbose = true;
    } else if (word == "--probe-only") {
      out.options.probe_only = true;
    } else if (word == "--one-process") {
      out.options.one_process = true;
    } else if (word == "--classes") {
      out.options.classes = true;
    } else if (word == "--dump") {
      out.dump = true;
    } else if (word == "--save" && i + 1 < words.size()) {
      out.save = words[++i];
    } else if (word.find('=') != std::string::npos) {
      if (!read_number(out, word)) return std::nullopt;
    } else if (word.starts_with('-')) {
      return std::nullopt;
    } else {
      out.files.push_back(word);
    }
  }
  if (out.seed == 0) out.seed = std::random_device{}();
  return out;
}

bool bad(const Tally& tally, std::uint64_t agree = 100) {
  const auto of = [&tally](const char* what) {
    const auto found = tally.find(what);
    return found == tally.end() ? std::uint64_t{0} : static_cast<std::uint64_t>(found->second);
  };
  if (of("crashed") != 0) return true;
  if (of("class-mismatch") != 0) return true;
  return (of("mismatch") + of("unexpected")) * 100 > (100 - agree) * of("questions");
}

class Run {
 public:
  explicit Run(Arguments arguments) : arguments_(std::move(arguments)) {}

  int all() {
    for (const std::string& file : arguments_.files) {
      if (!run_file(file)) return 2;
    }
    if (arguments_.cases > 0) {
      std::printf("SEED=%llu\n", static_cast<unsigned long long>(arguments_.seed));
    }
    for (std::uint64_t i = 0; i < arguments_.cases; i++) {
      const Case one = generate(arguments_.seed, arguments_.first + i);
      if (arguments_.dump) std::printf("%s", print_case(one).c_str());
      if (!arguments_.dump) (void)run_one(one);
    }
    if (!arguments_.dump) summary();
    return bad(sum_, arguments_.agree) ? 1 : 0;
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
    share("answered as packets were", "agree");
    share("open though no chance decides", "open-though-fixed");
    share("open by nature: chance, time, the packet", "open-by-nature");
  }

  // Of the questions, as a number and in percent.
  void share(const char* words, const char* name) const {
    const auto of = [this](const char* what) {
      const auto found = sum_.find(what);
      return found == sum_.end() ? std::uint64_t{0} : found->second;
    };
    const std::uint64_t all = of("questions");
    if (all == 0) return;
    const double percent = 100.0 * static_cast<double>(of(name)) / static_cast<double>(all);
    std::printf("%s: %llu of %llu (%.3f %%)\n", words, static_cast<unsigned long long>(of(name)),
                static_cast<unsigned long long>(all), percent);
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
                 "[--probe-only] [--save FOLDER] [--classes]\n");
    return 2;
  }
  return hark::differential::Run(std::move(*arguments)).all();
}
