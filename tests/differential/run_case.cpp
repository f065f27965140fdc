#include "run_case.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "base/text.h"
#include "compare.h"
#include "place.h"
#include "prober.h"
#include "servers.h"

namespace hark::differential {

namespace {

// One processor: the order in which packets are dealt with is that in which they were sent.
void stay_on_one_processor() {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(sched_getcpu()), &set);
  sched_setaffinity(0, sizeof set, &set);
}

Tally not_made(const Case& one, const Error& error) {
  std::printf("%s: not made: %s: %s\n", one.name.c_str(), error.what.c_str(),
              reason(error).c_str());
  return {{"not-made", 1}};
}

Tally run_here(const Case& one, const RunOptions& options) {
  stay_on_one_processor();
  auto place = Place::make();
  if (!place) return not_made(one, place.error());
  if (auto done = place->make_boxes(one.boxes); !done) return not_made(one, done.error());
  const bool loose = one.has_tag("loose");
  std::vector<std::string> missed;
  if (auto done = place->apply(one.steps, false, loose, missed); !done) {
    return not_made(one, done.error());
  }
  auto servers = Servers::start(*place, one.listeners, loose);
  if (!servers) return not_made(one, servers.error());
  if (auto done = place->apply(one.steps, true, loose, missed); !done) {
    return not_made(one, done.error());
  }
  place->wait_for_steps();
  for (const std::string& what : missed) {
    if (options.verbose) std::printf("%s: missed: %s\n", one.name.c_str(), what.c_str());
  }
  Tally tally = compare_case(one, options, *place, *servers);
  if (!missed.empty()) tally["missed-steps"] += missed.size();
  return tally;
}

void write_tally(int fd, const Tally& tally) {
  std::string text;
  for (const auto& [name, count] : tally) text += name + " " + std::to_string(count) + "\n";
  if (write(fd, text.data(), text.size()) < 0) _exit(1);
}

Tally read_tally(int fd) {
  std::string text;
  std::array<char, 4096> piece{};
  ssize_t got = 0;
  while ((got = read(fd, piece.data(), piece.size())) > 0) {
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  Tally tally;
  for (std::string_view line : split(text, '\n')) {
    const std::string name(next_word(line));
    if (!name.empty()) tally[name] = parse_number<std::uint64_t>(next_word(line)).value_or(0);
  }
  return tally;
}

}  // namespace

Tally run_case(const Case& one, const RunOptions& options) {
  if (options.one_process) return run_here(one, options);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {{"not-made", 1}};
  std::fflush(stdout);
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ends[0]);
    write_tally(ends[1], run_here(one, options));
    std::fflush(stdout);
    _exit(0);
  }
  close(ends[1]);
  Tally tally = read_tally(ends[0]);
  close(ends[0]);
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return {{"not-made", 1}};
  if (status != 0) {
    std::printf("%s: ended with status %x\n", one.name.c_str(), static_cast<unsigned>(status));
    tally["crashed"]++;
  }
  return tally;
}

}  // namespace hark::differential
