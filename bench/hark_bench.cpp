// hark_bench --hark PATH --load PATH [-n RUNS] [-w WARMUPS] [SIZE…]: measures hark against what
// people use now, on loads of its own making, and says whether hark's bars are met.
//
// The commands run in turn (A B C A B C …), so that whatever disturbs the machine disturbs all of
// them. Time is the whole process, from spawn to exit, with its output into /dev/null.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

// What is measured. `against` is the row of the command that answers the same question.
struct Command {
  std::string_view label;
  std::string_view words;  ///< HARK stands for the program under test
  std::string_view against;
};
constexpr std::array kCommands = {
    Command{"list", "HARK list --no-reach", "ss -p"},
    Command{"tasks", "HARK list --no-reach --search tasks", "ss -p"},
    Command{"files", "HARK list --no-reach --search files", "ss -p"},
    Command{"proc", "HARK list --no-reach --search proc", "ss -p"},
    Command{"list --json", "HARK list --no-reach --json", "ss -p"},
    Command{"no owners", "HARK list --no-reach --no-owners", "ss"},
    Command{"no owners, self", "HARK list --no-reach --no-owners --netns self", "ss"},
    Command{"reach", "HARK list", "ss -p"},
    Command{"reach, self", "HARK list --netns self", "ss -p"},
    Command{"ss -p", "ss -Htulpn", "ss -p"},
    Command{"ss", "ss -Htuln", "ss"},
    Command{"netstat", "netstat -tulpn", "ss -p"},
    Command{"lsof", "lsof -nP -iTCP -sTCP:LISTEN", "ss -p"},
};

// What hark promises.
struct Bar {
  std::string_view size;
  std::string_view command;
  enum class What { TimeRatio, Ms, PeakKb } what;
  double most;
  std::string_view text;
};
constexpr std::array kBars = {
    Bar{"desktop", "list", Bar::What::TimeRatio, 1.0 / 8, "hark list --no-reach : ss -Htulpn"},
    Bar{"desktop", "proc", Bar::What::TimeRatio, 1 / 2.5,
        "hark list --no-reach --search proc : ss -Htulpn"},
    Bar{"server", "list", Bar::What::TimeRatio, 1.0 / 45, "hark list --no-reach : ss -Htulpn"},
    Bar{"server", "proc", Bar::What::TimeRatio, 1.0 / 3,
        "hark list --no-reach --search proc : ss -Htulpn"},
    Bar{"big", "list", Bar::What::TimeRatio, 1.0 / 120, "hark list --no-reach : ss -Htulpn"},
    Bar{"big", "proc", Bar::What::TimeRatio, 1 / 3.3,
        "hark list --no-reach --search proc : ss -Htulpn"},
    Bar{"spaces", "list", Bar::What::Ms, 10, "hark list --no-reach in 202 namespaces, ms"},
    Bar{"server", "no owners, self", Bar::What::TimeRatio, 0.25,
        "hark list --no-reach --no-owners --netns self : ss -Htuln"},
    Bar{"big", "list", Bar::What::PeakKb, 6'000, "peak memory of hark list --no-reach, kB"},
};

constexpr double kSlowMs = 2000;  ///< a command above this is not run in every round
constexpr unsigned kSlowRuns = 3;

struct Options {
  std::string hark;
  std::string load;
  unsigned runs = 11;
  unsigned warmups = 2;
  std::vector<std::string> sizes;
};

struct Run {
  double wall_ms = 0;
  double cpu_ms = 0;
  long peak_kb = 0;
  int status = 0;
};

struct Row {
  const Command* command = nullptr;
  std::vector<std::string> words;
  std::vector<Run> runs;
  double median_ms = 0;
};

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "bench: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(2);
}

double now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double ms_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

Run run_once(std::vector<std::string>& words) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
  std::vector<char*> pointers = pointers_to(words);
  pid_t pid = 0;
  const double start = now_ms();
  errno = posix_spawnp(&pid, pointers[0], &files, nullptr, pointers.data(), environ);
  if (errno != 0) die(words[0]);
  Run run;
  rusage usage{};
  if (wait4(pid, &run.status, 0, &usage) != pid) die("wait4");
  run.wall_ms = now_ms() - start;
  run.cpu_ms = ms_of(usage.ru_utime) + ms_of(usage.ru_stime);
  run.peak_kb = usage.ru_maxrss;
  posix_spawn_file_actions_destroy(&files);
  return run;
}

bool is_installed(const std::string& program) {
  if (program.find('/') != std::string::npos) return access(program.c_str(), X_OK) == 0;
  std::string_view path = std::getenv("PATH") != nullptr ? std::getenv("PATH") : "/usr/bin";
  while (!path.empty()) {
    const std::string_view folder = path.substr(0, path.find(':'));
    path.remove_prefix(std::min(path.size(), folder.size() + 1));
    if (access((std::string(folder) + '/' + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::vector<std::string> words_of(std::string_view text, const std::string& hark) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    words.emplace_back(word == "HARK" ? std::string_view(hark) : word);
  }
  return words;
}

// The load while the object lives. Its namespace is the runner's, and so that of every command.
class Load {
 public:
  Load(const std::string& program, const std::string& size)
      : home_(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) {
    int input[2];
    int output[2];
    if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0) die("pipe");
    pid_ = fork();
    if (pid_ == 0) {
      dup2(input[0], 0);
      dup2(output[1], 1);
      execl(program.c_str(), program.c_str(), size.c_str(), nullptr);
      _exit(127);
    }
    close(input[0]);
    close(output[1]);
    input_ = input[1];
    char said[64] = {};
    if (read(output[0], said, sizeof said - 1) <= 0) die("the load " + size + " did not come up");
    close(output[0]);
    const std::string netns = "/proc/" + std::to_string(pid_) + "/ns/net";
    const int inside = open(netns.c_str(), O_RDONLY | O_CLOEXEC);
    if (setns(inside, CLONE_NEWNET) != 0) die(netns);
    close(inside);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() {
    setns(home_, CLONE_NEWNET);
    close(home_);
    close(input_);
    waitpid(pid_, nullptr, 0);
  }

 private:
  int home_ = -1;
  int input_ = -1;
  pid_t pid_ = 0;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<double> each(const Row& row, double Run::*what) {
  std::vector<double> out;
  for (const Run& run : row.runs) out.push_back(run.*what);
  return out;
}

long peak_of(const Row& row) {
  return std::ranges::max(row.runs, {}, &Run::peak_kb).peak_kb;
}

std::vector<Row> measure(const Options& options) {
  std::vector<Row> rows;
  std::vector<bool> slow;
  for (const Command& command : kCommands) {
    Row row{&command, words_of(command.words, options.hark), {}, 0};
    if (is_installed(row.words[0])) rows.push_back(row);
  }
  for (Row& row : rows) {
    double longest = 0;
    for (unsigned i = 0; i < options.warmups && longest < kSlowMs; i++) {
      longest = std::max(longest, run_once(row.words).wall_ms);
    }
    slow.push_back(longest > kSlowMs);
  }
  for (unsigned round = 0; round < options.runs; round++) {
    for (std::size_t i = 0; i < rows.size(); i++) {
      const bool is_judged = rows[i].words[0] == options.hark || rows[i].words[0] == "ss";
      if (slow[i] && !is_judged && round >= kSlowRuns) continue;
      rows[i].runs.push_back(run_once(rows[i].words));
    }
  }
  for (Row& row : rows) row.median_ms = median(each(row, &Run::wall_ms));
  return rows;
}

const Row* row_named(const std::vector<Row>& rows, std::string_view label) {
  const auto found =
      std::ranges::find_if(rows, [&](const Row& row) { return row.command->label == label; });
  return found == rows.end() ? nullptr : &*found;
}

double ratio_of(const std::vector<Row>& rows, const Row& row) {
  const Row* against = row_named(rows, row.command->against);
  return against == nullptr ? 0 : row.median_ms / against->median_ms;
}

void print_table(const std::string& size, const std::vector<Row>& rows) {
  std::printf("\n%s\n%-38s %9s %9s %9s %9s %9s %5s  %s\n", size.c_str(), "command", "median ms",
              "min", "max", "cpu ms", "peak kB", "runs", "of");
  for (const Row& row : rows) {
    const std::vector<double> walls = each(row, &Run::wall_ms);
    std::string label(row.command->words);
    if (label.starts_with("HARK")) label.replace(0, 4, "hark");
    std::printf("%-38s %9.2f %9.2f %9.2f %9.2f %9ld %5zu  %.3f %s%s\n", label.c_str(),
                row.median_ms, std::ranges::min(walls), std::ranges::max(walls),
                median(each(row, &Run::cpu_ms)), peak_of(row), row.runs.size(), ratio_of(rows, row),
                std::string(row_named(rows, row.command->against)->command->words).c_str(),
                row.runs.back().status == 0 ? "" : "  (it failed)");
  }
}

// Whether every bar of this size is met.
bool print_bars(const std::string& size, const std::vector<Row>& rows) {
  bool all_met = true;
  for (const Bar& bar : kBars) {
    if (bar.size != size) continue;
    const Row* row = row_named(rows, bar.command);
    if (row == nullptr) continue;
    double seen = ratio_of(rows, *row);
    if (bar.what == Bar::What::PeakKb) seen = static_cast<double>(peak_of(*row));
    if (bar.what == Bar::What::Ms) seen = row->median_ms;
    const bool met = seen <= bar.most && row->runs.back().status == 0;
    std::printf("%s  %s, %s: %.*f, at most %.*f\n", met ? "pass" : "FAIL", size.c_str(),
                std::string(bar.text).c_str(), bar.what == Bar::What::PeakKb ? 0 : 4, seen,
                bar.what == Bar::What::PeakKb ? 0 : 4, bar.most);
    all_met = all_met && met;
  }
  return all_met;
}

// What the kernel keeps of a look: entries of /proc that were looked up stay in its caches.
long reclaimable_kb() {
  std::FILE* file = std::fopen("/proc/meminfo", "r");
  if (file == nullptr) return 0;
  char line[256];
  long kb = 0;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::sscanf(line, "SReclaimable: %ld", &kb) == 1) break;
  }
  std::fclose(file);
  return kb;
}

// How much that grows with the first look by the quickest search, and then by /proc.
void print_left_behind(const Options& options) {
  for (const std::string_view search : {"survey", "proc"}) {
    std::vector<std::string> words = {options.hark, "list", "--search", std::string(search)};
    const long before = reclaimable_kb();
    run_once(words);
    std::printf("%s: caches of the kernel grew by %ld kB\n",
                search == "survey" ? "first look, survey" : "then the first by proc",
                reclaimable_kb() - before);
  }
}

// Wall times of a program with two threads mean little where others want the processors, too.
void warn_if_busy() {
  double load = 0;
  if (getloadavg(&load, 1) != 1 || load < 0.5) return;
  std::printf("this machine is busy (load average %.1f): repeat this on a quiet one\n", load);
}

unsigned number(const char* text) {
  const unsigned long value = std::strtoul(text, nullptr, 10);
  return value < 1 ? 1 : static_cast<unsigned>(std::min(value, 10'000ul));
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; i++) {
    const std::string_view word = argv[i];
    const bool takes = word == "--hark" || word == "--load" || word == "-n" || word == "-w";
    if (takes && i + 1 == argc) return false;
    if (word == "--hark") {
      options.hark = argv[++i];
    } else if (word == "--load") {
      options.load = argv[++i];
    } else if (word == "-n") {
      options.runs = number(argv[++i]);
    } else if (word == "-w") {
      options.warmups = number(argv[++i]);
    } else if (word == "desktop" || word == "server" || word == "big" || word == "spaces") {
      options.sizes.emplace_back(word);
    } else {
      return false;
    }
  }
  if (options.sizes.empty()) options.sizes = {"desktop", "server", "big", "spaces"};
  return !options.hark.empty() && !options.load.empty();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: bench/run [-n RUNS] [-w WARMUPS] [desktop] [server] [big] [spaces]\n");
    return 2;
  }
  bool all_met = true;
  warn_if_busy();
  for (const std::string& size : options.sizes) {
    const Load load(options.load, size);
    print_left_behind(options);
    const std::vector<Row> rows = measure(options);
    print_table(size, rows);
    all_met = print_bars(size, rows) && all_met;
    std::fflush(stdout);
  }
  return all_met ? 0 : 1;
}
