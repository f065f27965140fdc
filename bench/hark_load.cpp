// hark_load desktop|server|big|spaces: a busy host to measure on, in a network namespace of its
// own.
//
// Processes hold a mixture of descriptors; some of them listen, some listeners are shared by groups
// of workers, and pairs of established connections stand beside them, which is what makes a listing
// expensive if it is made carelessly. Prints "ready PID" when all is up; lasts until standard input
// ends or SIGTERM comes. All processes end with this one. Needs root.
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Size {
  std::string_view name;
  unsigned processes;
  unsigned descriptors;  ///< of each process
  unsigned listeners;    ///< TCP
  unsigned datagrams;    ///< UDP sockets
  unsigned connections;  ///< both ends are held
  unsigned thread_every;
  unsigned spaces;  ///< further network namespaces, with three listeners each
};
constexpr std::array kSizes = {
    Size{"desktop", 300, 30, 40, 20, 200, 5, 0},
    Size{"server", 2000, 50, 300, 100, 20'000, 5, 0},
    Size{"spaces", 2000, 50, 300, 100, 20'000, 5, 200},
    Size{"big", 10'000, 60, 2000, 500, 100'000, 10, 0},
};
constexpr unsigned kThreads = 8;      ///< further ones of every thread_every-th process
constexpr unsigned kWorkers = 4;      ///< processes that share a socket
constexpr unsigned kSharedEvery = 4;  ///< every fourth socket is shared
constexpr std::uint16_t kFirstTcp = 10'000;
constexpr std::uint16_t kFirstUdp = 5'000;
constexpr std::uint16_t kMeetingPort = 9'999;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "hark_load: %s: %s\n", what, std::strerror(errno));
  _exit(1);
}

void must(bool done, const char* what) {
  if (!done) die(what);
}

const sockaddr* plain(const sockaddr_in6& address) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}
const sockaddr* plain(const sockaddr_in& address) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

sockaddr_in inet(std::uint32_t host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(host);
  return address;
}

// Six of ten listen on 0.0.0.0, three on [::], one on 127.0.0.1.
int bound_socket(unsigned n, int type, std::uint16_t port) {
  const bool v6 = n % 10 >= 6 && n % 10 < 9;
  const int fd = socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
  must(fd >= 0, "socket");
  if (v6) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    must(bind(fd, plain(address), sizeof address) == 0, "bind");
  } else {
    const sockaddr_in address = inet(n % 10 == 9 ? INADDR_LOOPBACK : INADDR_ANY, port);
    must(bind(fd, plain(address), sizeof address) == 0, "bind");
  }
  if (type == SOCK_STREAM) must(listen(fd, 128) == 0, "listen");
  return fd;
}

// Sockets of one kind, dealt evenly: shared ones to groups of workers, the others to processes.
struct Deal {
  unsigned total;
  int type;
  std::uint16_t first_port;

  // Makes those that fall to `holder` of `holders`.
  void make(bool shared, unsigned holder, unsigned holders, std::vector<int>& out) const {
    for (unsigned n = shared ? 0 : 1; n < total; n++) {
      if ((n % kSharedEvery == 0) != shared) continue;
      if (static_cast<std::uint64_t>(n) * holders / total != holder) continue;
      out.push_back(bound_socket(n, type, static_cast<std::uint16_t>(first_port + n)));
    }
  }
};

// Both ends of `count` connections. Every process meets itself at an address of its own, so that
// the ports of one address do not run out.
void make_connections(unsigned process, unsigned count) {
  if (count == 0) return;
  const sockaddr_in place = inet(0x7f010000u + process, kMeetingPort);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(bind(listener, plain(place), sizeof place) == 0, "bind");
  must(listen(listener, 128) == 0, "listen");
  for (unsigned i = 0; i < count; i++) {
    const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(connect(client, plain(place), sizeof place) == 0, "connect");
    must(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC) >= 0, "accept");
  }
  close(listener);
}

// Opens things of every kind until the process has `wanted` descriptors. The lowest free number is
// the count, because none was closed but the meeting point.
void fill_descriptors(unsigned wanted) {
  for (unsigned kind = 0;; kind++) {
    int ends[2] = {-1, -1};
    int made = -1;
    switch (kind % 6) {
      case 0:
        made = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        break;
      case 1:
        made = pipe2(ends, O_CLOEXEC) == 0 ? ends[1] : -1;
        break;
      case 2:
        made = eventfd(0, EFD_CLOEXEC);
        break;
      case 3:
        made = epoll_create1(EPOLL_CLOEXEC);
        break;
      case 4:
        made = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        break;
      default:
        made = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 ? ends[1] : -1;
    }
    must(made >= 0, "descriptors");
    if (static_cast<unsigned>(made) + 1 >= wanted) return;
  }
}

void* rest(void*) {
  for (;;) pause();
}

void start_threads() {
  constexpr std::size_t kStack = 32 * 1024;
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, kStack);
  for (unsigned i = 0; i < kThreads; i++) {
    pthread_t thread{};
    must(pthread_create(&thread, &small, rest, nullptr) == 0, "thread");
  }
}

unsigned share_of(unsigned total, unsigned process, unsigned processes) {
  const auto up_to = [&](std::uint64_t n) { return static_cast<unsigned>(total * n / processes); };
  return up_to(process + 1) - up_to(process);
}

[[noreturn]] void live(const Size& size, unsigned process, int done, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
  signal(SIGTERM, SIG_DFL);
  prctl(PR_SET_NAME, ("load-" + std::to_string(process)).c_str());
  std::vector<int> own;
  Deal{size.listeners, SOCK_STREAM, kFirstTcp}.make(false, process, size.processes, own);
  Deal{size.datagrams, SOCK_DGRAM, kFirstUdp}.make(false, process, size.processes, own);
  make_connections(process, share_of(size.connections, process, size.processes));
  fill_descriptors(size.descriptors);
  if (process % size.thread_every == 0) start_threads();
  must(write(done, "+", 1) == 1, "done");
  for (;;) pause();
}

void start_all(const Size& size, int done) {
  const unsigned groups = size.processes / kWorkers;
  const pid_t parent = getpid();
  std::vector<int> shared;
  for (unsigned process = 0; process < size.processes; process++) {
    if (process % kWorkers == 0) {
      for (const int fd : shared) close(fd);
      shared.clear();
      const unsigned group = process / kWorkers;
      Deal{size.listeners, SOCK_STREAM, kFirstTcp}.make(true, group, groups, shared);
      Deal{size.datagrams, SOCK_DGRAM, kFirstUdp}.make(true, group, groups, shared);
    }
    const pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) live(size, process, done, parent);
  }
  for (const int fd : shared) close(fd);
}

void wait_for_all(unsigned count, int done) {
  std::array<char, 4096> piece{};
  while (count > 0) {
    const ssize_t got = read(done, piece.data(), piece.size());
    must(got > 0, "a process did not come up");
    count -= static_cast<unsigned>(got);
  }
}

void new_namespace() {
  must(unshare(CLONE_NEWNET) == 0, "a network namespace (root is needed)");
  const int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  must(ioctl(any, SIOCSIFFLAGS, &request) == 0, "lo");
  close(any);
}

// Processes that each live in a namespace of their own, with three listeners.
void start_spaces(unsigned count, int done) {
  const pid_t parent = getpid();
  for (unsigned i = 0; i < count; i++) {
    const pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid != 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(0);
    new_namespace();
    for (std::uint16_t port = 8080; port < 8083; port++) {
      const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      must(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
      must(listen(fd, 5) == 0, "listen");
    }
    must(write(done, "", 1) == 1, "write");
    for (;;) pause();
  }
}

// Lets go of standard input's end as well as of a signal: both come as an end of read(2).
void wait_for_the_end() {
  struct sigaction noted {};
  noted.sa_handler = [](int) {};
  sigaction(SIGTERM, &noted, nullptr);
  sigaction(SIGINT, &noted, nullptr);
  std::array<char, 64> piece{};
  while (read(0, piece.data(), piece.size()) > 0) {
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc == 2 ? argv[1] : "";
  const auto size = std::ranges::find(kSizes, name, &Size::name);
  if (size == kSizes.end()) {
    std::fprintf(stderr, "usage: hark_load desktop|server|big|spaces\n");
    return 2;
  }
  setpgid(0, 0);  // kill(0, …) below must reach the load and nobody else
  new_namespace();
  int done[2];
  must(pipe2(done, O_CLOEXEC) == 0, "pipe");
  start_all(*size, done[1]);
  start_spaces(size->spaces, done[1]);
  close(done[1]);
  wait_for_all(size->processes + size->spaces, done[0]);
  std::printf("ready %d\n", getpid());
  std::fflush(stdout);
  wait_for_the_end();
  signal(SIGTERM, SIG_IGN);
  kill(0, SIGTERM);
  while (wait(nullptr) > 0 || errno == EINTR) {
  }
  return 0;
}
