#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "scenes.h"

namespace hark::doctor {
namespace {

constexpr int kBacklog = 8;

/// Two clients wait at a socket whose holder does that for ever.
void two_wait_for(Stage& stage, const std::function<void(int)>& body, char state = 'S') {
  const int listener = stage.listen(80, kBacklog);
  const pid_t pid = stage.endless([listener, body] { body(listener); });
  stage.give_away(listener);
  Stage::wait_for_state(pid, state);
  stage.connect(80, 2);
}

void sleeps(Stage& stage) {
  two_wait_for(stage, [](int) {});
}

void* for_ever(void*) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (true) ::pause();
}

/// Of two threads one waits, and the other is at work.
void one_thread_works(Stage& stage) {
  two_wait_for(
      stage,
      [](int) {
        pthread_t thread{};
        if (::pthread_create(&thread, nullptr, for_ever, nullptr) != 0) ::_exit(1);
        Stage::work();
      },
      'R');
}

void wait_in_epoll(int watched, std::uint32_t events) {
  const int epoll = check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  epoll_event event{.events = events, .data = {.fd = watched}};
  check(::epoll_ctl(epoll, EPOLL_CTL_ADD, watched, &event), "epoll_ctl");
  while (true) ::epoll_wait(epoll, &event, 1, -1);
}

/// An epoll that holds something else.
void in_another_epoll(Stage& stage) {
  two_wait_for(stage, [](int) {
    int ends[2];
    check(::pipe(ends), "pipe");
    wait_in_epoll(ends[0], EPOLLIN);
  });
}

/// It was told of the first client, has not taken it, and is told again when the next one comes.
void edge_triggered(Stage& stage) {
  two_wait_for(stage, [](int listener) { wait_in_epoll(listener, EPOLLIN | EPOLLET); });
}

/// An event loop that is at something else: the epoll that it will come back to has the listener.
void blocked_event_loop(Stage& stage) {
  two_wait_for(stage, [](int listener) {
    const int epoll = check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    epoll_event event{.events = EPOLLIN, .data = {.fd = listener}};
    check(::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event), "epoll_ctl");
    while (true) ::pause();
  });
}

/// With an io_uring nobody can tell by its threads.
void has_an_io_uring(Stage& stage) {
  two_wait_for(stage, [](int) {
    io_uring_params parameters{};
    if (::syscall(SYS_io_uring_setup, 4, &parameters) < 0) ::_exit(1);
  });
}

/// A signal tells of connections.
void by_signal(Stage& stage) {
  two_wait_for(stage, [](int listener) {
    ::signal(SIGIO, SIG_IGN);
    check(::fcntl(listener, F_SETFL, O_ASYNC), "F_SETFL");
  });
}

/// The server has ended; what it had started is still there, and has its socket.
void left_behind(Stage& stage, const char* program) {
  const int listener = stage.listen(80, kBacklog);
  const pid_t pid = stage.endless([program] { ::execlp(program, program, "1000", nullptr); });
  Stage::wait_for_text("/proc/" + std::to_string(pid) + "/comm", program);
  Stage::wait_for_state(pid, 'S');
  stage.give_away(listener);
  stage.connect(80, 1);
}

void inherited_by_a_child(Stage& stage) {
  left_behind(stage, "sleep");
}

/// The server is there as well, and serves.
void inherited_beside_the_server(Stage& stage) {
  const int listener = stage.listen(80, kBacklog);
  const pid_t pid = stage.endless([] { ::execlp("sleep", "sleep", "1000", nullptr); });
  Stage::wait_for_text("/proc/" + std::to_string(pid) + "/comm", "sleep");
  stage.endless([listener] {
    while (true) ::close(::accept(listener, nullptr, nullptr));
  });
  stage.give_away(listener);
  stage.connect(80, 1);
}

}  // namespace

std::span<const Scene> not_accepting_scenes() {
  static const std::vector<Scene> scenes = {
      {"NobodyAccepts", sleeps, "not-accepting"},
      {"OneThreadWorks", one_thread_works, nullptr},
      {"InAnotherEpoll", in_another_epoll, "not-accepting"},
      {"EdgeTriggered", edge_triggered, nullptr},
      {"BlockedEventLoop", blocked_event_loop, "not-accepting", 80, "risk"},
      {"HasAnIoUring", has_an_io_uring, nullptr},
      {"BySignal", by_signal, nullptr},
      {"InheritedByAChild", inherited_by_a_child, "inherited-listener"},
      {"InheritedBesideTheServer", inherited_beside_the_server, nullptr},
  };
  return scenes;
}

}  // namespace hark::doctor
