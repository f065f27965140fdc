#include "actor.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "base/text.h"
#include "channel.h"
#include "line.h"
#include "sockets.h"

namespace hark::scene {

namespace {

using Answer = Result<std::string>;

// What an actor holds on to. Clients of a full queue and namespaces are never let go.
struct Actor {
  int channel = -1;
  std::vector<UniqueFd> held;
  UniqueFd to_give;
};

Result<int> descriptor_named(const Line& line, std::size_t n) {
  const auto fd = parse_number<int>(line.word(n));
  if (!fd) return fail(plain_error(line.word(n), "not a descriptor"));
  return *fd;
}

Answer hold(Actor& actor, UniqueFd fd, std::string more = {}) {
  const std::string number = std::to_string(fd.get());
  actor.held.push_back(std::move(fd));
  return "fd=" + number + (more.empty() ? "" : " " + more);
}

// A socket belongs for ever to the namespace its maker was in: enter, make it, leave.
Answer make(Actor& actor, const Line& line, const UniqueFd& netns) {
  UniqueFd home;
  if (netns.valid()) {
    home = UniqueFd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (setns(netns.get(), CLONE_NEWNET) != 0) return fail(kernel_error(errno, "setns"));
  }
  Result<UniqueFd> made = make_socket(line, 1);
  if (home.valid() && setns(home.get(), CLONE_NEWNET) != 0) {
    return fail(kernel_error(errno, "setns back"));
  }
  if (!made) return fail(made.error());
  const Answer described = describe_socket(made->get());
  if (!described) return described;
  return hold(actor, std::move(*made), *described);
}

// A client of our own listener. The handshake over loopback is over when connect(2) returns, and
// where the queue is full it hangs: therefore it does not block.
Result<UniqueFd> client_of(int listener) {
  SocketAddress to{};
  socklen_t length = sizeof to;
  if (getsockname(listener, &to.any, &length) != 0) {
    return fail(kernel_error(errno, "getsockname"));
  }
  UniqueFd client(socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (connect(client.get(), &to.any, length) != 0 && errno != EINPROGRESS) {
    return fail(kernel_error(errno, "connect"));
  }
  return client;
}

Answer fill(Actor& actor, const Line& line) {
  const Result<int> listener = descriptor_named(line, 1);
  if (!listener) return fail(listener.error());
  const int clients = parse_number<int>(line.word(2)).value_or(0);
  for (int i = 0; i < clients; i++) {
    Result<UniqueFd> client = client_of(*listener);
    if (!client) return fail(client.error());
    actor.held.push_back(std::move(*client));
  }
  return std::string();
}

Answer pair(Actor& actor, const Line& line) {
  const Result<int> listener = descriptor_named(line, 1);
  if (!listener) return fail(listener.error());
  Result<UniqueFd> client = client_of(*listener);
  if (!client) return fail(client.error());
  UniqueFd served(accept4(*listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!served.valid()) return fail(kernel_error(errno, "accept"));
  const std::string inodes = "client=" + std::to_string(inode_of(client->get())) +
                             " served=" + std::to_string(inode_of(served.get()));
  actor.held.push_back(std::move(*client));
  return hold(actor, std::move(served), inodes);
}

[[noreturn]] void wait_for_the_end() {
  for (;;) pause();
}

Answer fork_workers(const Actor& actor, const Line& line) {
  std::string pids;
  const int parent = getpid();
  const int workers = parse_number<int>(line.word(1)).value_or(0);
  for (int i = 0; i < workers; i++) {
    const pid_t pid = fork();
    if (pid < 0) return fail(kernel_error(errno, "fork"));
    if (pid == 0) {
      die_with_parent(parent);
      close(actor.channel);
      wait_for_the_end();
    }
    pids += " pid=" + std::to_string(pid);
  }
  return pids.empty() ? pids : pids.substr(1);
}

Answer let_go(Actor& actor, int fd) {
  std::erase_if(actor.held, [&](const UniqueFd& held) { return held.get() == fd; });
  return std::string();
}

Answer on_descriptor(Actor& actor, const Line& line) {
  const Result<int> fd = descriptor_named(line, 1);
  if (!fd) return fail(fd.error());
  if (line.word(0) == "close") return let_go(actor, *fd);
  UniqueFd copy(fcntl(*fd, F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return fail(kernel_error(errno, "dup"));
  if (line.word(0) == "dup") return hold(actor, std::move(copy));
  actor.to_give = std::move(copy);
  return std::string();
}

// Sent through a UNIX socket of ours, and not received.
bool put_in_flight(Actor& actor, int fd) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return false;
  actor.held.emplace_back(ends[0]);
  actor.held.emplace_back(ends[1]);
  return send_message(ends[0], "x", fd).has_value();
}

bool register_with_io_uring(Actor& actor, int fd) {
  io_uring_params how{};
  UniqueFd ring(static_cast<int>(syscall(SYS_io_uring_setup, 4, &how)));
  if (!ring.valid()) return false;
  const int number = ring.get();
  actor.held.push_back(std::move(ring));
  return syscall(SYS_io_uring_register, number, IORING_REGISTER_FILES, &fd, 1) == 0;
}

Answer lose(Actor& actor, const Line& line) {
  const Result<int> fd = descriptor_named(line, 2);
  if (!fd) return fail(fd.error());
  const bool done =
      line.word(1) == "io-uring" ? register_with_io_uring(actor, *fd) : put_in_flight(actor, *fd);
  if (!done) return fail(kernel_error(errno, line.word(1)));
  return let_go(actor, *fd);
}

Answer obey(Actor& actor, const Line& line, UniqueFd brought) {
  const std::string verb = line.word(0);
  if (verb == "socket") return make(actor, line, brought);
  if (verb == "keep") return hold(actor, std::move(brought));
  if (verb == "fill") return fill(actor, line);
  if (verb == "pair") return pair(actor, line);
  if (verb == "lose") return lose(actor, line);
  if (verb == "fork") return fork_workers(actor, line);
  if (verb == "dup" || verb == "close" || verb == "give") return on_descriptor(actor, line);
  return fail(plain_error(verb, "not a verb of an actor"));
}

void answer(Actor& actor, const Answer& said) {
  const std::string text =
      said ? "ok " + *said : "error " + quote_word(said.error().what + ": " + reason(said.error()));
  if (!send_message(actor.channel, text, actor.to_give.get())) _exit(1);
  actor.to_give.reset();
}

[[noreturn]] void serve(Actor& actor) {
  for (;;) {
    Result<Message> message = receive_message(actor.channel);
    if (!message) _exit(0);
    const Result<Line> line = parse_line(message->text, "");
    answer(actor, line ? obey(actor, *line, std::move(message->descriptor)) : fail(line.error()));
  }
}

// Whether /proc says that the main thread has ended while others live on. Its name, which may hold
// parentheses, is skipped from behind.
bool leader_is_zombie() {
  const std::string path = "/proc/" + std::to_string(getpid()) + "/stat";
  std::array<char, 1024> text{};
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const ssize_t got = read(file.get(), text.data(), text.size());
  if (got <= 0) return false;
  const std::string_view stat(text.data(), static_cast<std::size_t>(got));
  const std::size_t end = stat.rfind(')');
  return end != std::string_view::npos && stat.substr(end).starts_with(") Z");
}

void* serve_without_leader(void* actor) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (!leader_is_zombie()) sched_yield();
  Actor& self = *static_cast<Actor*>(actor);
  answer(self, std::string());
  serve(self);
}

Answer settle(const Line& line) {
  const uid_t uid = parse_number<uid_t>(line.value("uid", "0")).value_or(0);
  if (uid != 0) {
    if (setgroups(0, nullptr) != 0 || setresgid(uid, uid, uid) != 0 ||
        setresuid(uid, uid, uid) != 0) {
      return fail(kernel_error(errno, "setresuid"));
    }
    // A change of user hides /proc/PID/fd from that very user, and takes the death signal away.
    prctl(PR_SET_DUMPABLE, 1);
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, line.value("name").c_str());
  return std::string();
}

}  // namespace

void die_with_parent(int parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (parent != 0 && getppid() != parent) _exit(0);
}

void run_actor(int channel) {
  // Lives as long as the process, also where the thread that runs this ends.
  static Actor actor;
  actor.channel = channel;
  fcntl(channel, F_SETFD, FD_CLOEXEC);
  unsetenv(kActorVariable);
  Result<Message> message = receive_message(channel);
  const Result<Line> line = message ? parse_line(message->text, "") : fail(message.error());
  if (!line || line->word(0) != "settle") _exit(1);
  const Answer settled = settle(*line);
  pthread_t thread{};
  if (settled && line->has("zombie-leader") &&
      pthread_create(&thread, nullptr, serve_without_leader, &actor) == 0) {
    syscall(SYS_exit, 0);
  }
  answer(actor, settled);
  serve(actor);
}

}  // namespace hark::scene
