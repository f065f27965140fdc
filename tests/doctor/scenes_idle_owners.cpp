#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenes.h"

namespace hark::doctor {
namespace {

void serving(Stage& stage) {
  stage.server(80);
}

void stopped(Stage& stage) {
  const pid_t pid = stage.server(80);
  check(::kill(pid, SIGSTOP), "kill");
  Stage::wait_for_state(pid, 'T');
}

void went_on(Stage& stage) {
  const pid_t pid = stage.server(80);
  check(::kill(pid, SIGSTOP), "kill");
  Stage::wait_for_state(pid, 'T');
  check(::kill(pid, SIGCONT), "kill");
  Stage::wait_for_state(pid, 'S');
}

/// Two hold the socket, and one of them still serves.
void one_stopped(Stage& stage) {
  const int listener = stage.listen(80);
  const pid_t pid = stage.endless([] {});
  check(::kill(pid, SIGSTOP), "kill");
  Stage::wait_for_state(pid, 'T');
  (void)listener;
}

/// Two sockets share the port, each with a process of its own.
void two_share(Stage& stage, bool one_stops) {
  for (int i = 0; i < 2; ++i) {
    const int listener = stage.listen_shared(80);
    const pid_t pid = stage.endless([listener] {
      while (true) ::close(::accept(listener, nullptr, nullptr));
    });
    stage.give_away(listener);
    if (!one_stops || i != 0) continue;
    check(::kill(pid, SIGSTOP), "kill");
    Stage::wait_for_state(pid, 'T');
  }
}

void one_member_stopped(Stage& stage) {
  two_share(stage, true);
}
void both_members_serve(Stage& stage) {
  two_share(stage, false);
}

void attach(Stage& stage, pid_t pid, bool halt) {
  stage.process([pid, halt] {
    check(static_cast<int>(::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr)), "PTRACE_SEIZE");
    if (!halt) return;
    check(static_cast<int>(::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr)), "PTRACE_INTERRUPT");
    check(::waitpid(pid, nullptr, __WALL), "waitpid");
  });
}

void in_a_debugger(Stage& stage) {
  const pid_t pid = stage.server(80);
  attach(stage, pid, true);
  Stage::wait_for_state(pid, 't');
}

void traced(Stage& stage) {
  attach(stage, stage.server(80), false);
}

void freeze(Stage& stage, const std::string& controller, const char* file, const char* word,
            const char* sign_file, const char* sign) {
  const std::string root = Stage::cgroup_root(controller);
  if (root.empty()) throw Missing{"a mounted cgroup hierarchy: " + controller};
  const pid_t pid = stage.server(80);
  const std::string path = stage.cgroup(root, {pid});
  const std::string switch_file = path + "/" + file;
  Stage::write_file(switch_file, word);
  Stage::wait_for_text(path + "/" + sign_file, sign);
  const std::string thaw = controller == "cgroup2" ? "0" : "THAWED";
  stage.undo([switch_file, thaw] { Stage::write_file(switch_file, thaw); });
}

void frozen_old(Stage& stage) {
  freeze(stage, "freezer", "freezer.state", "FROZEN", "freezer.state", "FROZEN");
}
void thawed_old(Stage& stage) {
  freeze(stage, "freezer", "freezer.state", "THAWED", "freezer.state", "THAWED");
}
void frozen(Stage& stage) {
  freeze(stage, "cgroup2", "cgroup.freeze", "1", "cgroup.events", "frozen 1");
}
void thawed(Stage& stage) {
  freeze(stage, "cgroup2", "cgroup.freeze", "0", "cgroup.events", "frozen 0");
}

/// The parent of vfork(2) waits, and no signal wakes it, until the child is another program.
void in_vfork(Stage& stage) {
  const int listener = stage.listen(80);
  const pid_t pid = stage.endless([listener] {
    // NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork)
    if (::vfork() == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(listener);
      while (true) ::pause();
    }
  });
  Stage::wait_for_state(pid, 'D');
  stage.give_away(listener);
}

void in_fork(Stage& stage) {
  const int listener = stage.listen(80);
  stage.process([] {
    if (fork_mortal() == 0) {
      while (true) ::pause();
    }
  });
  stage.give_away(listener);
}

void* for_ever(void*) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (true) ::pause();
}

void two_threads(Stage& stage, bool leader_ends) {
  const int listener = stage.listen(80);
  const pid_t pid = stage.endless([leader_ends] {
    pthread_t thread{};
    if (::pthread_create(&thread, nullptr, for_ever, nullptr) != 0) ::_exit(1);
    if (leader_ends) ::syscall(SYS_exit, 0);
  });
  Stage::wait_for_text("/proc/" + std::to_string(pid) + "/status", "Threads:\t2");
  Stage::wait_for_state(pid, leader_ends ? 'Z' : 'S');
  stage.give_away(listener);
}

void without_leader(Stage& stage) {
  two_threads(stage, true);
}
void with_leader(Stage& stage) {
  two_threads(stage, false);
}

}  // namespace

std::span<const Scene> idle_owner_scenes() {
  static const std::vector<Scene> scenes = {
      {"Serving", serving, nullptr},
      {"Stopped", stopped, "stopped"},
      {"WentOn", went_on, nullptr},
      {"OneOfTwoStopped", one_stopped, "stopped", 80, "risk"},
      {"OneMemberStopped", one_member_stopped, "reuseport-member-idle", 80, "risk"},
      {"BothMembersServe", both_members_serve, nullptr},
      {"InADebugger", in_a_debugger, "stopped"},
      {"Traced", traced, "traced", 80, "notice"},
      {"FrozenByV1", frozen_old, "frozen"},
      {"ThawedByV1", thawed_old, nullptr},
      {"FrozenByV2", frozen, "frozen"},
      {"ThawedByV2", thawed, nullptr},
      {"Uninterruptible", in_vfork, "uninterruptible"},
      {"Interruptible", in_fork, nullptr},
      {"ZombieHolder", without_leader, "zombie-holder", 80, "notice"},
      {"TwoThreads", with_leader, nullptr},
  };
  return scenes;
}

}  // namespace hark::doctor
