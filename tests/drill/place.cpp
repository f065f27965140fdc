#include "place.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "base/unique_fd.h"

namespace hark::drilltest {
namespace {

constexpr int kSilentMs = 1200;
constexpr int kHangMs = 600;
constexpr int kResetMs = 200;
constexpr uid_t kNobody = 65534;

int check(int result, const char* what) {
  if (result == -1) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
  return result;
}

/// Dies with the test, whatever happens to it.
pid_t fork_mortal() {
  const pid_t parent = ::getpid();
  const pid_t pid = check(::fork(), "fork");
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  return 0;
}

void end(pid_t pid) {
  if (pid <= 0) return;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

/// Somebody who keeps a new network namespace.
pid_t keeper() {
  std::array<int, 2> ready{};
  check(::pipe2(ready.data(), O_CLOEXEC), "pipe");
  const UniqueFd ours(ready[0]);
  UniqueFd theirs(ready[1]);
  const pid_t pid = fork_mortal();
  if (pid == 0) {
    if (::unshare(CLONE_NEWNET) != 0) ::_exit(1);
    (void)!::write(theirs.get(), "x", 1);
    while (true) ::pause();
  }
  theirs.reset();
  char byte = 0;
  if (::read(ours.get(), &byte, 1) != 1) throw std::runtime_error("no network namespace");
  return pid;
}

void must(pid_t netns_of, const std::string& script) {
  const Ran ran = run_in(netns_of, {"sh", "-ec", script});
  if (ran.status != 0) throw std::runtime_error(script + "\n" + ran.out);
}

sockaddr_in endpoint(const std::string& address, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &out.sin_addr);
  return out;
}

template <typename Call>
int with(const sockaddr_in& to, const Call& call) {
  sockaddr_storage storage{};
  std::memcpy(&storage, &to, sizeof to);
  return call(static_cast<const sockaddr*>(static_cast<const void*>(&storage)));
}

int bind_to(int fd, const sockaddr_in& to) {
  return with(to, [&](const sockaddr* at) { return ::bind(fd, at, sizeof to); });
}
int connect_to(int fd, const sockaddr_in& to) {
  return with(to, [&](const sockaddr* at) { return ::connect(fd, at, sizeof to); });
}

void serve_stream(int fd, Manner manner) {
  constexpr std::string_view kHello = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
  while (true) {
    const int client = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    if (manner == Manner::Resets) {
      // A reset that comes before a client has looked is one of connect(2).
      pollfd asked{client, POLLIN, 0};
      (void)::poll(&asked, 1, kResetMs);
      const linger now{.l_onoff = 1, .l_linger = 0};
      ::setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
      ::close(client);
      continue;
    }
    // Whoever asks is read first: to close over what was not read is a reset.
    (void)!::write(client, kHello.data(), kHello.size());
    ::shutdown(client, SHUT_WR);
    std::array<char, 4096> rest{};
    pollfd polled{client, POLLIN, 0};
    while (::poll(&polled, 1, kHangMs) > 0 && ::read(client, rest.data(), rest.size()) > 0) {
    }
    ::close(client);
  }
}

void serve_datagrams(int fd) {
  std::array<char, 4096> text{};
  while (true) {
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    void* const at = &from;
    const ssize_t count =
        ::recvfrom(fd, text.data(), text.size(), 0, static_cast<sockaddr*>(at), &length);
    if (count < 0) continue;
    (void)!::sendto(fd, text.data(), static_cast<std::size_t>(count), 0,
                    static_cast<const sockaddr*>(at), length);
  }
}

/// Clients of its own until no more is let in.
void fill(const std::string& address, std::uint16_t port, std::vector<UniqueFd>& kept) {
  const std::string to = address == "0.0.0.0" ? "127.0.0.1" : address;
  for (int i = 0; i < 8; ++i) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    (void)connect_to(fd.get(), endpoint(to, port));
    pollfd polled{fd.get(), POLLOUT, 0};
    const bool in = ::poll(&polled, 1, 200) > 0;
    kept.push_back(std::move(fd));
    if (!in) return;
  }
}

[[noreturn]] void serve(const Service& service, const std::string& address, int ready) {
  ::prctl(PR_SET_NAME, service.name);
  const int type = service.stream ? SOCK_STREAM : SOCK_DGRAM;
  const int fd = ::socket(AF_INET, type, 0);
  constexpr int kOn = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
  bool fine = bind_to(fd, endpoint(address, service.port)) == 0;
  if (service.stream) fine = ::listen(fd, service.manner == Manner::Full ? 0 : 16) == 0 && fine;
  std::vector<UniqueFd> clients;
  if (service.manner == Manner::Full) fill(address, service.port, clients);
  // Whoever is not root serves, so that a drill has more than one user to ask about.
  if (service.port % 2 == 0) fine = ::setuid(kNobody) == 0 && fine;
  (void)!::write(ready, fine ? "x" : "", fine ? 1 : 0);
  ::close(ready);
  if (!fine) ::_exit(1);
  if (service.manner == Manner::Full) {
    while (true) ::pause();
  }
  if (service.stream) serve_stream(fd, service.manner);
  serve_datagrams(fd);
  ::_exit(1);
}

Seen seen_of(int error, bool no_neighbour) {
  switch (error) {
    case ECONNREFUSED:
      return {"refused"};
    case ETIMEDOUT:
      return {"silent"};
    case ECONNRESET:  // somebody accepted before
      return {"answered"};
    case EHOSTUNREACH:
      return {no_neighbour ? "no-neighbour" : "rejected"};
    case ENETUNREACH:
    case EACCES:
      return {"rejected"};
    default:
      return {std::string("errno ") + std::strerror(error)};
  }
}

/// In the client's namespace: what one connection or datagram comes to.
Seen try_it(bool stream, const sockaddr_in& from, const sockaddr_in& to, bool no_neighbour) {
  const UniqueFd fd(::socket(AF_INET, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0));
  // An ordinary UDP client hears of some ICMP errors only.
  constexpr int kOn = 1;
  ::setsockopt(fd.get(), SOL_IP, IP_RECVERR, &kOn, sizeof kOn);
  if (bind_to(fd.get(), from) != 0) return {"cannot bind"};
  if (connect_to(fd.get(), to) != 0 && errno != EINPROGRESS) return seen_of(errno, no_neighbour);
  if (!stream) (void)!::send(fd.get(), "x", 1, 0);
  pollfd polled{fd.get(), static_cast<short>(stream ? POLLOUT : POLLIN), 0};
  if (::poll(&polled, 1, kSilentMs) == 0) return {"silent"};
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return seen_of(error, no_neighbour);
  polled = {fd.get(), POLLIN, 0};
  if (stream && ::poll(&polled, 1, kHangMs) == 0) return {"hangs"};
  char byte = 0;
  const ssize_t count = ::recv(fd.get(), &byte, 1, 0);
  if (count < 0) return seen_of(errno, no_neighbour);
  return {"answered"};
}

}  // namespace

pid_t fork_in(pid_t netns_of, uid_t uid) {
  const pid_t pid = fork_mortal();
  if (pid != 0) return pid;
  const UniqueFd netns(
      ::open(("/proc/" + std::to_string(netns_of) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
  if (::setns(netns.get(), CLONE_NEWNET) != 0) ::_exit(126);
  if (uid != 0 && (::setgid(uid) != 0 || ::setuid(uid) != 0)) ::_exit(126);
  return 0;
}

Ran run_in(pid_t netns_of, const std::vector<std::string>& words,
           const std::vector<std::string>& variables, const std::string& input, uid_t uid) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  check(::pipe2(in.data(), O_CLOEXEC), "pipe");
  check(::pipe2(out.data(), O_CLOEXEC), "pipe");
  const pid_t pid = fork_in(netns_of, uid);
  if (pid == 0) {
    ::dup2(in[0], STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(out[1], STDERR_FILENO);
    for (const std::string& one : variables) ::putenv(const_cast<char*>(one.c_str()));
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (const std::string& one : words) argv.push_back(const_cast<char*>(one.c_str()));
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  (void)!::write(in[1], input.data(), input.size());
  ::close(in[1]);
  Ran ran;
  std::array<char, 65536> piece{};
  for (ssize_t count = 1; count > 0;) {
    count = ::read(out[0], piece.data(), piece.size());
    if (count > 0) ran.out.append(piece.data(), static_cast<std::size_t>(count));
  }
  ::close(out[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ran;
}

namespace {

Seen probe_from(pid_t netns_of, bool stream, const std::string& source,
                const std::string& destination, std::uint16_t port) {
  std::array<int, 2> result{};
  check(::pipe2(result.data(), O_CLOEXEC), "pipe");
  const pid_t pid = fork_in(netns_of);
  if (pid == 0) {
    // Nobody answers ARP at eth1, and nobody else sends such an error.
    const bool no_neighbour = destination.starts_with("10.8.");
    const Seen seen =
        try_it(stream, endpoint(source, 0), endpoint(destination, port), no_neighbour);
    (void)!::write(result[1], seen.outcome.data(), seen.outcome.size());
    ::_exit(0);
  }
  ::close(result[1]);
  std::array<char, 128> text{};
  const ssize_t count = ::read(result[0], text.data(), text.size());
  ::close(result[0]);
  ::waitpid(pid, nullptr, 0);
  return {std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(0, count)))};
}

}  // namespace

const std::vector<Service>& Place::services() {
  static const std::vector<Service> kAll = {
      {.name = "web", .port = 8080},
      {.name = "db", .port = 5432, .address = "127.0.0.1"},
      {.name = "admin", .port = 9001, .address = "10.9.0.5"},
      {.name = "metrics", .port = 9100},
      {.name = "backup", .port = 9200},
      {.name = "api", .port = 9300, .manner = Manner::Stopped},
      {.name = "queue", .port = 9400, .manner = Manner::Full},
      {.name = "moody", .port = 9500, .manner = Manner::Resets},
      {.name = "names", .stream = false, .port = 5353, .address = "10.9.0.5"},
      {.name = "logs", .stream = false, .port = 5514, .address = "127.0.0.1"}};
  return kAll;
}

Place::Place() : host_(keeper()), client_(keeper()) {
  ::signal(SIGPIPE, SIG_IGN);
  const std::string other = std::to_string(client_);
  must(host_,
       "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo up\n"
       "for i in 0 1; do ip link add eth$i type veth peer name eth$i netns " +
           other +
           "; ip addr add 10.$((9 - i)).0.5/24 dev eth$i; ip link set eth$i up; done\n"
           "echo 8 > /proc/sys/net/ipv4/conf/eth1/arp_ignore\n"
           "nft -f - <<'N'\n"
           "table inet firewall {\n"
           "  chain input {\n"
           "    type filter hook input priority 0; policy accept;\n"
           "    tcp dport 9100 ip saddr 10.9.0.0/25 drop\n"
           "    tcp dport 9200 reject with icmpx host-unreachable\n"
           "  }\n"
           "}\n"
           "N\n");
  must(client_,
       "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo up\n"
       "for i in 0 1; do ip link set eth$i up\n"
       "  for n in 9 23 40 77 130 200; do ip addr add 10.$((9 - i)).0.$n/24 dev eth$i; done\n"
       "  echo 100 > /proc/sys/net/ipv4/neigh/eth$i/retrans_time_ms; done\n");
  for (const Service& one : services()) start(one, one.address);
}

Place::~Place() {
  for (const auto& [port, pid] : servers_) end(pid);
  end(client_);
  end(host_);
}

void Place::start(const Service& service, const std::string& address) {
  pid_t& server = servers_[service.port];
  end(server);
  std::array<int, 2> ready{};
  check(::pipe2(ready.data(), O_CLOEXEC), "pipe");
  server = fork_in(host_);
  if (server == 0) serve(service, address, ready[1]);
  ::close(ready[1]);
  const UniqueFd ours(ready[0]);
  char byte = 0;
  if (::read(ours.get(), &byte, 1) != 1) {
    throw std::runtime_error(std::string(service.name) + " cannot be started on " + address);
  }
  if (service.manner != Manner::Stopped) return;
  ::kill(server, SIGSTOP);
  int status = 0;
  ::waitpid(server, &status, WUNTRACED);
}

Seen Place::probe(bool stream, const std::string& source, const std::string& destination,
                  std::uint16_t port) const {
  return probe_from(client_, stream, source, destination, port);
}

Seen Place::probe_here(bool stream, const std::string& destination, std::uint16_t port) const {
  return probe_from(host_, stream, "0.0.0.0", destination, port);
}

}  // namespace hark::drilltest
