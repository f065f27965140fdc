#include "drill/lab_service.h"

#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "base/unique_fd.h"
#include "drill/lab_endpoint.h"

namespace hark::drill {
namespace {

constexpr int kBacklog = 16;
constexpr int kUsage = 2;

struct Orders {
  std::vector<LabEndpoint> listen;
  std::vector<LabEndpoint> connect;
  std::string device;
  std::string greeting;
  std::string need;
  int backlog = kBacklog;
  unsigned count = 1;
  rlim_t max_files = 0;
  bool background = false, v6only = false, reuseport = false, no_listen = false, no_accept = false;
  bool stop = false, orphan = false, respawn = false, quit = false;
};

struct Flag {
  std::string_view word;
  bool Orders::*member;
};
constexpr std::array kFlags = {
    Flag{"-d", &Orders::background},         Flag{"--v6only", &Orders::v6only},
    Flag{"--reuseport", &Orders::reuseport}, Flag{"--no-listen", &Orders::no_listen},
    Flag{"--no-accept", &Orders::no_accept}, Flag{"--stop", &Orders::stop},
    Flag{"--orphan", &Orders::orphan},       Flag{"--respawn", &Orders::respawn},
    Flag{"--quit", &Orders::quit},
};

bool set_value(Orders& into, std::string_view option, const std::string& value) {
  if (option == "--listen" || option == "--connect") {
    const auto endpoint = parse_lab_endpoint(value);
    if (!endpoint) return false;
    (option == "--listen" ? into.listen : into.connect).push_back(*endpoint);
    return true;
  }
  if (option == "--device") return into.device = value, true;
  if (option == "--greet") return into.greeting = value, true;
  if (option == "--need") return into.need = value, true;
  const auto number = parse_number<unsigned>(value);
  if (!number) return false;
  if (option == "--backlog") return into.backlog = static_cast<int>(*number), true;
  if (option == "--count") return into.count = *number, true;
  if (option == "--max-files") return into.max_files = *number, true;
  return false;
}

/// The first word that is wrong, or nothing.
std::optional<std::string> read_orders(std::span<const std::string> words, Orders& into) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto flag = std::ranges::find(kFlags, words[i], &Flag::word);
    if (flag != kFlags.end()) {
      into.*(flag->member) = true;
      continue;
    }
    if (i + 1 == words.size() || !set_value(into, words[i], words[i + 1])) return words[i];
    ++i;
  }
  return std::nullopt;
}

void say(const std::string& name, const std::string& what, int error = 0) {
  std::string line = name + ": " + what;
  if (error != 0) line += std::string(": ") + std::strerror(error);
  line += "\n";
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}

void switch_on(int fd, int level, int option) {
  const int one = 1;
  (void)::setsockopt(fd, level, option, &one, sizeof one);
}

/// A socket as it is ordered. Nothing: errno says why.
UniqueFd open_listener(const Orders& orders, const LabEndpoint& at) {
  const int type = (at.udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  UniqueFd fd(::socket(at.family(), type, 0));
  if (!fd.valid()) return fd;
  if (!at.udp) switch_on(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  if (orders.reuseport) switch_on(fd.get(), SOL_SOCKET, SO_REUSEPORT);
  if (at.family() == AF_INET6) {
    const int v6only = orders.v6only ? 1 : 0;
    (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only);
  }
  if (!orders.device.empty() &&
      ::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, orders.device.c_str(),
                   static_cast<socklen_t>(orders.device.size())) != 0) {
    return {};
  }
  if (::bind(fd.get(), at.get(), at.length) != 0) return {};
  if (!at.udp && !orders.no_listen && ::listen(fd.get(), orders.backlog) != 0) return {};
  return fd;
}

/// Serves whoever comes, one loop for all.
class Server {
 public:
  Server(std::string name, const Orders& orders, std::vector<UniqueFd> listeners)
      : name_(std::move(name)), orders_(orders), listeners_(std::move(listeners)) {}

  [[noreturn]] void run() {
    while (true) {
      std::vector<pollfd> watched;
      for (const UniqueFd& fd : listeners_) watched.push_back({fd.get(), POLLIN, 0});
      for (const UniqueFd& fd : clients_) watched.push_back({fd.get(), POLLIN, 0});
      if (::poll(watched.data(), watched.size(), -1) < 0) continue;
      const std::size_t own = listeners_.size();
      for (std::size_t i = own; i < watched.size(); ++i) {
        if (watched[i].revents != 0) answer(clients_[i - own]);
      }
      std::erase_if(clients_, [](const UniqueFd& fd) { return !fd.valid(); });
      for (std::size_t i = 0; i < own; ++i) {
        if ((watched[i].revents & POLLIN) != 0) welcome(listeners_[i]);
      }
    }
  }

 private:
  static bool is_udp(const UniqueFd& fd) {
    int type = 0;
    socklen_t length = sizeof type;
    (void)::getsockopt(fd.get(), SOL_SOCKET, SO_TYPE, &type, &length);
    return type == SOCK_DGRAM;
  }

  void welcome(const UniqueFd& listener) {
    if (is_udp(listener)) return answer_datagram(listener);
    UniqueFd client(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!client.valid()) {
      // Without a descriptor to spare the client stays in the queue, and poll says so for ever.
      if (errno == EMFILE || errno == ENFILE) (void)::poll(nullptr, 0, 100);
      return;
    }
    if (!orders_.greeting.empty()) send_all(client, orders_.greeting + "\r\n");
    clients_.push_back(std::move(client));
  }

  static void send_all(const UniqueFd& to, const std::string& text) {
    (void)!::send(to.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }

  void answer(UniqueFd& client) {
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(client.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got > 0) {
      const std::string_view said(buffer.data(), static_cast<std::size_t>(got));
      const std::string body = name_ + "\n";
      const bool http = said.find(" HTTP/1.") != std::string_view::npos;
      send_all(client, http ? "HTTP/1.0 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                                  "\r\n\r\n" + body
                            : body);
    }
    client.reset();
  }

  void answer_datagram(const UniqueFd& socket) {
    std::array<char, 4096> buffer{};
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    auto* const who = reinterpret_cast<sockaddr*>(&from);
    if (::recvfrom(socket.get(), buffer.data(), buffer.size(), 0, who, &length) < 0) return;
    const std::string reply = name_ + "\n";
    (void)!::sendto(socket.get(), reply.data(), reply.size(), 0, who, length);
  }

  std::string name_;
  const Orders& orders_;
  std::vector<UniqueFd> listeners_;
  std::vector<UniqueFd> clients_;
};

[[noreturn]] void wait_for_ever() {
  while (true) ::pause();
}

/// Leaves the sockets to a program that serves nobody.
[[noreturn]] void leave_behind(const std::vector<UniqueFd>& listeners) {
  for (const UniqueFd& fd : listeners) (void)::fcntl(fd.get(), F_SETFD, 0);
  ::execlp("sleep", "sleep", "1000000", nullptr);
  ::_exit(1);
}

/// Opens files until no more are allowed; they stay open.
void use_up_files(rlim_t most) {
  const rlimit limit{most, most};
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  while (::open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) {
  }
}

std::vector<UniqueFd> connect_all(const Orders& orders) {
  std::vector<UniqueFd> out;
  for (const LabEndpoint& to : orders.connect) {
    for (unsigned i = 0; i < orders.count; ++i) {
      UniqueFd fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      if (::connect(fd.get(), to.get(), to.length) == 0 || errno == EINPROGRESS) {
        out.push_back(std::move(fd));
      }
    }
  }
  return out;
}

/// From now on it works in the background. What went wrong before was still said where it was
/// started.
void tell_ready(UniqueFd ready) {
  if (!ready.valid()) return;
  const UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing.get(), fd);
  (void)!::write(ready.get(), "x", 1);
}

/// Serves once all is ready. Returns only what went wrong.
int serve(const std::string& name, const Orders& orders, UniqueFd ready) {
  if (!orders.need.empty() && ::access(orders.need.c_str(), R_OK) != 0) {
    say(name, orders.need, errno);
    return 1;
  }
  std::vector<UniqueFd> listeners;
  for (const LabEndpoint& at : orders.listen) {
    UniqueFd fd = open_listener(orders, at);
    if (!fd.valid()) {
      say(name, "cannot listen", errno);
      return 1;
    }
    listeners.push_back(std::move(fd));
  }
  const std::vector<UniqueFd> held = connect_all(orders);
  tell_ready(std::move(ready));
  if (orders.max_files != 0) use_up_files(orders.max_files);
  if (orders.stop) (void)::raise(SIGSTOP);
  if (orders.orphan) leave_behind(listeners);
  if (orders.no_accept || !orders.connect.empty()) wait_for_ever();
  Server(name, orders, std::move(listeners)).run();
}

/// Starts it again whenever it ends.
int keep_running(const std::string& name, const Orders& orders, UniqueFd ready) {
  constexpr int kPauseMs = 200;
  // Whether it comes up is its own affair.
  tell_ready(std::move(ready));
  while (true) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(serve(name, orders, UniqueFd()));
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    (void)::poll(nullptr, 0, kPauseMs);
  }
}

/// The status of the one in the foreground: 0 once the other is ready.
int run_in_background(const std::string& name, const Orders& orders) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return 1;
  const UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();
    ::_exit(orders.respawn ? keep_running(name, orders, std::move(to))
                           : serve(name, orders, std::move(to)));
  }
  to.reset();
  char done = 0;
  if (child > 0 && ::read(from.get(), &done, 1) == 1) return 0;
  return 1;
}

/// "17 (postgres) S …" of proc(5); one that has ended and waits for its parent does not count.
bool runs_as(const std::string& name, const std::string& pid) {
  const UniqueFd fd(::open(("/proc/" + pid + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 128> text{};
  const ssize_t got = fd.valid() ? ::read(fd.get(), text.data(), text.size()) : 0;
  const std::string_view all(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::string start = pid + " (" + name + ") ";
  return all.starts_with(start) && !all.substr(start.size()).starts_with('Z');
}

/// Ends all others of that name; returns once they are gone.
int quit_others(const std::string& name) {
  constexpr int kMoments = 200;
  constexpr int kMomentMs = 10;
  for (int i = 0; i < kMoments; ++i) {
    bool any = false;
    DIR* const folder = ::opendir("/proc");
    if (folder == nullptr) return 1;
    while (const dirent* entry = ::readdir(folder)) {
      const auto pid = parse_number<pid_t>(entry->d_name);
      if (!pid || *pid == ::getpid() || !runs_as(name, entry->d_name)) continue;
      any = ::kill(*pid, SIGKILL) == 0 || any;
    }
    ::closedir(folder);
    if (!any) return 0;
    (void)::poll(nullptr, 0, kMomentMs);
  }
  return 1;
}

}  // namespace

std::optional<std::string> lab_service_name() {
  // The kernel's word for the file that was executed, whatever argv[0] says.
  const unsigned long at = ::getauxval(AT_EXECFN);
  if (at == 0) return std::nullopt;
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  const std::string_view path(reinterpret_cast<const char*>(at));
  if (!path.starts_with(kLabPrograms)) return std::nullopt;
  const std::string_view name = path.substr(std::string_view(kLabPrograms).size());
  if (name.empty() || name == "hark") return std::nullopt;
  return std::string(name);
}

int run_lab_service(const std::string& name, std::span<const std::string> arguments) {
  Orders orders;
  if (const auto word = read_orders(arguments, orders)) {
    say(name, *word + ": not understood; see docs/lab.md");
    return kUsage;
  }
  ::signal(SIGPIPE, SIG_IGN);
  if (orders.quit) return quit_others(name);
  if (orders.background) return run_in_background(name, orders);
  if (orders.respawn) return keep_running(name, orders, UniqueFd());
  return serve(name, orders, UniqueFd());
}

}  // namespace hark::drill
