#include "start_actor.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "actor.h"

namespace hark::scene {

namespace {

// In the child. Standard output must not be kept open: its end is what readers wait for.
[[noreturn]] void become_actor(const ActorStart& start, int channel, int parent) {
  die_with_parent(start.own_pid_namespace ? 0 : parent);
  if (start.netns >= 0 && setns(start.netns, CLONE_NEWNET) != 0) _exit(1);
  const int nothing = open("/dev/null", O_RDWR);
  if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0) _exit(1);
  if (nothing > 2) close(nothing);
  fcntl(channel, F_SETFD, 0);
  setenv(kActorVariable, std::to_string(channel).c_str(), 1);
  std::vector<std::string> arguments = start.arguments;
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  execv(start.program.c_str(), pointers.data());
  _exit(127);
}

}  // namespace

Result<StartedActor> start_actor(const ActorStart& start) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(kernel_error(errno, "socketpair"));
  }
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  const int parent = getpid();
  // clone(2) without a stack is fork(2) with flags; the child executes at once.
  const long flags = SIGCHLD | (start.own_pid_namespace ? CLONE_NEWPID : 0);
  const long pid = syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr);
  if (pid < 0) return fail(kernel_error(errno, "clone"));
  if (pid == 0) become_actor(start, theirs.get(), parent);
  return StartedActor{static_cast<pid_t>(pid), std::move(ours)};
}

}  // namespace hark::scene
