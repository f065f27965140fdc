#include "run_in.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/text.h"
#include "base/unique_fd.h"
#include "forbid.h"

namespace hark::netns {

namespace {

constexpr int kNoPlace = 200;

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "place: %s: %s\n", what, std::strerror(errno));
  _exit(kNoPlace);
}

void must(bool done, const char* what) {
  if (!done) give_up(what);
}

void write_file(const char* path, const std::string& text) {
  const UniqueFd file(open(path, O_WRONLY | O_CLOEXEC));
  must(write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()), path);
}

// Removes every cgroup v2 mount of this mount namespace.
void unmount_cgroup2() {
  std::vector<std::string> points;
  std::FILE* file = std::fopen("/proc/self/mountinfo", "re");
  std::array<char, 4096> line{};
  while (file != nullptr && std::fgets(line.data(), line.size(), file) != nullptr) {
    const std::string_view text(line.data());
    const std::vector<std::string_view> words = split(text, ' ');
    if (text.find(" - cgroup2 ") != std::string_view::npos) points.emplace_back(words.at(4));
  }
  if (file != nullptr) std::fclose(file);
  for (const std::string& point : points) {
    must(umount2(point.c_str(), MNT_DETACH) == 0, point.c_str());
  }
}

void make_mounts(const Place& place) {
  const bool new_proc = place.hide_pids || place.own_pids || place.pids_of != 0;
  if (!new_proc && !place.no_proc && !place.no_cgroup2 && place.run.empty() &&
      place.var_lib.empty()) {
    return;
  }
  must(unshare(CLONE_NEWNS) == 0, "unshare mounts");
  must(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "private mounts");
  if (!place.var_lib.empty()) {
    must(mount(place.var_lib.c_str(), "/var/lib", nullptr, MS_BIND, nullptr) == 0, "var_lib");
  }
  if (place.no_cgroup2) unmount_cgroup2();
  if (!place.run.empty()) {
    must(mount(place.run.c_str(), "/run", nullptr, MS_BIND, nullptr) == 0, "cover /run");
  }
  if (new_proc) {
    const char* options = place.hide_pids ? "hidepid=2" : "";
    must(mount("proc", "/proc", "proc", 0, options) == 0, "mount /proc");
  }
  if (place.no_proc) must(mount("none", "/proc", "tmpfs", 0, "size=4k") == 0, "cover /proc");
}

// Goes on in a process of the pid namespace that children are made in; this one waits for it and
// ends as it does.
void go_on_in_child() {
  const pid_t pid = fork();
  must(pid >= 0, "fork");
  if (pid == 0) return;
  int status = 0;
  waitpid(pid, &status, 0);
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : kNoPlace);
}

void enter_own_pids() {
  must(unshare(CLONE_NEWPID) == 0, "unshare pids");
  go_on_in_child();
}

void enter_pids_of(pid_t process) {
  const std::string path = "/proc/" + std::to_string(process) + "/ns/pid";
  const UniqueFd pids(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  must(setns(pids.get(), CLONE_NEWPID) == 0, path.c_str());
  go_on_in_child();
}

void enter_own_users() {
  must(unshare(CLONE_NEWUSER) == 0, "unshare users");
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", "0 0 1\n");
  write_file("/proc/self/gid_map", "0 0 1\n");
}

void become(uid_t uid) {
  if (uid == 0) return;
  must(setgroups(0, nullptr) == 0, "setgroups");
  must(setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0, "setresuid");
}

// In the child. The program and the namespace are opened first: later /proc may be gone, and the
// folder the program is in may be closed to the user.
[[noreturn]] void go(const Place& place, const char* program, char* const* arguments) {
  const UniqueFd file(open(program, O_RDONLY | O_CLOEXEC));
  must(file.valid(), program);
  if (place.netns_of != 0) {
    const std::string path = "/proc/" + std::to_string(place.netns_of) + "/ns/net";
    const UniqueFd netns(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    must(setns(netns.get(), CLONE_NEWNET) == 0, path.c_str());
  }
  if (place.own_pids) enter_own_pids();
  if (place.pids_of != 0) enter_pids_of(place.pids_of);
  make_mounts(place);
  if (place.own_users) enter_own_users();
  must(forbid(place.forbidden), "seccomp");
  become(place.uid);
  fexecve(file.get(), arguments, environ);
  give_up("execute");
}

void read_both(std::array<UniqueFd, 2>& ends, std::array<std::string*, 2> texts) {
  std::array<char, 65536> piece{};
  while (ends[0].valid() || ends[1].valid()) {
    std::array<pollfd, 2> wakers{pollfd{.fd = ends[0].get(), .events = POLLIN, .revents = 0},
                                 pollfd{.fd = ends[1].get(), .events = POLLIN, .revents = 0}};
    if (poll(wakers.data(), wakers.size(), -1) < 0) return;
    for (std::size_t i = 0; i < ends.size(); i++) {
      if (wakers[i].revents == 0) continue;
      const ssize_t got = read(ends[i].get(), piece.data(), piece.size());
      if (got > 0) texts[i]->append(piece.data(), static_cast<std::size_t>(got));
      if (got <= 0) ends[i].reset();
    }
  }
}

}  // namespace

Finished run_in(const Place& place, const std::string& program,
                const std::vector<std::string>& arguments) {
  std::vector<std::string> words = arguments;
  words.insert(words.begin(), program);
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  std::array<std::array<int, 2>, 2> pipes{};
  if (pipe2(pipes[0].data(), O_CLOEXEC) != 0 || pipe2(pipes[1].data(), O_CLOEXEC) != 0) return {};
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(pipes[0][1], 1);
    dup2(pipes[1][1], 2);
    go(place, words[0].c_str(), pointers.data());
  }
  close(pipes[0][1]);
  close(pipes[1][1]);
  std::array<UniqueFd, 2> ends{UniqueFd(pipes[0][0]), UniqueFd(pipes[1][0])};
  Finished finished;
  read_both(ends, {&finished.out, &finished.err});
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return finished;
  finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  if (finished.status == kNoPlace) finished.status = 2000;
  return finished;
}

Finished run_hark(const Place& place, const std::vector<std::string>& arguments) {
  return run_in(place, HARK_PROGRAM, arguments);
}

nlohmann::json list_in(const Place& place, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"list", "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Finished finished = run_hark(place, arguments);
  EXPECT_EQ(finished.status, 0) << finished.err;
  nlohmann::json object = nlohmann::json::parse(finished.out, nullptr, false);
  if (object.is_object() && object.contains("listeners") && object.contains("gaps")) return object;
  ADD_FAILURE() << "no listing: " << finished.out.substr(0, 400) << finished.err;
  return {{"listeners", nlohmann::json::array()}, {"gaps", nlohmann::json::array()}};
}

std::string said_by(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "re");
  std::string out;
  if (pipe == nullptr) return out;
  std::array<char, 4096> part{};
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), pipe)) {
    out.append(part.data(), size);
  }
  pclose(pipe);
  return out;
}

}  // namespace hark::netns
