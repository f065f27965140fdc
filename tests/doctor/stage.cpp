#include "stage.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace hark::doctor {
namespace {

struct Place {
  sockaddr_storage storage{};
  socklen_t length = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Place place(const std::string& address, std::uint16_t port) {
  Place out;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    out.length = sizeof v4;
    std::memcpy(&out.storage, &v4, sizeof v4);
  } else if (::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    out.length = sizeof v6;
    std::memcpy(&out.storage, &v6, sizeof v6);
  } else {
    throw std::runtime_error("no address: " + address);
  }
  return out;
}

std::string text_of(const std::string& path) {
  const std::ifstream file(path);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

[[noreturn]] void wait_for_the_end() {
  while (true) ::pause();
}

/// Exceptions must not leave a forked child.
void run_safely(const std::function<void()>& body) {
  try {
    body();
  } catch (const std::exception& error) {
    (void)!::write(STDERR_FILENO, error.what(), std::strlen(error.what()));
    ::_exit(1);
  }
}

}  // namespace

int check(int result, const char* what) {
  if (result == -1) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
  return result;
}

pid_t fork_mortal() {
  const pid_t parent = ::getpid();
  const pid_t child = check(::fork(), "fork");
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  return 0;
}

Stage::~Stage() {
  while (!undo_.empty()) {
    undo_.back()();
    undo_.pop_back();
  }
  for (const pid_t pid : processes_) ::kill(pid, SIGKILL);
  for (const pid_t pid : processes_) ::waitpid(pid, nullptr, 0);
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

int Stage::bound(int type, const std::string& address, std::uint16_t port) {
  const Place at = place(address, port);
  UniqueFd fd(check(::socket(at.storage.ss_family, type, 0), "socket"));
  const int one = 1;
  if (type == SOCK_STREAM) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  check(::bind(fd.get(), at.get(), at.length), "bind");
  const int out = fd.get();
  keep(std::move(fd));
  return out;
}

int Stage::listen(std::uint16_t port, int backlog, const std::string& address) {
  const int fd = bound(SOCK_STREAM, address, port);
  check(::listen(fd, backlog), "listen");
  return fd;
}

int Stage::listen_shared(std::uint16_t port) {
  constexpr int kBacklog = 16;
  const Place at = place("127.0.0.1", port);
  UniqueFd fd(check(::socket(AF_INET, SOCK_STREAM, 0), "socket"));
  const int one = 1;
  check(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &one, sizeof one), "SO_REUSEPORT");
  check(::bind(fd.get(), at.get(), at.length), "bind");
  check(::listen(fd.get(), kBacklog), "listen");
  const int out = fd.get();
  keep(std::move(fd));
  return out;
}

void Stage::give_away(int fd) {
  std::erase_if(held_, [fd](const UniqueFd& held) { return held.get() == fd; });
}

void Stage::connect(std::uint16_t port, int clients) {
  const Place to = place("127.0.0.1", port);
  for (int i = 0; i < clients; ++i) {
    UniqueFd fd(check(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket"));
    if (::connect(fd.get(), to.get(), to.length) != 0 && errno != EINPROGRESS) {
      throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
    }
    keep(std::move(fd));
  }
}

pid_t Stage::process(const std::function<void()>& body) {
  std::array<int, 2> ends{};
  check(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  const pid_t pid = fork_mortal();
  if (pid == 0) {
    run_safely(body);
    (void)!::write(to.get(), "x", 1);
    to.reset();
    wait_for_the_end();
  }
  processes_.push_back(pid);
  to.reset();
  char done = 0;
  if (::read(from.get(), &done, 1) != 1) throw std::runtime_error("a process of the scene failed");
  return pid;
}

pid_t Stage::endless(const std::function<void()>& body) {
  const pid_t pid = fork_mortal();
  if (pid == 0) {
    run_safely(body);
    wait_for_the_end();
  }
  processes_.push_back(pid);
  return pid;
}

pid_t Stage::server(std::uint16_t port, int backlog, const std::string& address) {
  const int listener = listen(port, backlog, address);
  const pid_t pid = endless([listener] {
    while (true) ::close(::accept(listener, nullptr, nullptr));
  });
  give_away(listener);
  return pid;
}

pid_t Stage::neighbour(const std::string& link, const std::string& own, const std::string& theirs) {
  const pid_t pid = process([] { check(::unshare(CLONE_NEWNET), "unshare"); });
  run({"ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns",
       std::to_string(pid)});
  run({"ip", "addr", "add", own, "dev", link});
  run({"ip", "link", "set", link, "up"});
  run_in(pid, {"ip", "addr", "add", theirs, "dev", "eth0"});
  run_in(pid, {"ip", "link", "set", "eth0", "up"});
  return pid;
}

void Stage::work() {
  while (true) (void)::getppid();
}

void Stage::wait_for_state(pid_t pid, char state) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  while (true) {
    const std::string text = text_of(path);
    const std::size_t end = text.rfind(')');
    if (end == std::string::npos) throw std::runtime_error("process " + path + " is gone");
    if (text[end + 2] == state) return;
    ::sched_yield();
  }
}

void Stage::wait_for_text(const std::string& path, const std::string& text) {
  while (text_of(path).find(text) == std::string::npos) ::sched_yield();
}

void Stage::run(const std::vector<std::string>& words) {
  run_in(0, words);
}

void Stage::run_in(pid_t place, const std::vector<std::string>& words) {
  const pid_t pid = fork_mortal();
  if (pid == 0) {
    if (place != 0) {
      const std::string path = "/proc/" + std::to_string(place) + "/ns/net";
      const UniqueFd netns(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      if (::setns(netns.get(), CLONE_NEWNET) != 0) ::_exit(126);
    }
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments.front(), arguments.data());
    ::_exit(127);
  }
  int status = 0;
  check(::waitpid(pid, &status, 0), "waitpid");
  if (status == 0) return;
  std::string all;
  for (const std::string& word : words) all += word + " ";
  throw std::runtime_error(all + "ended with " + std::to_string(WEXITSTATUS(status)));
}

void Stage::write_file(const std::string& path, const std::string& text) {
  const UniqueFd fd(
      check(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0700), path.c_str()));
  check(static_cast<int>(::write(fd.get(), text.data(), text.size())), path.c_str());
}

void Stage::sysctl(const std::string& name, const std::string& value) {
  write_file("/proc/sys/net/" + name, value);
}

const std::string& Stage::folder() {
  if (folder_.empty()) {
    std::string name = "/tmp/hark-doctor-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = name;
  }
  return folder_;
}

std::string Stage::cgroup_root(const std::string& controller) {
  std::ifstream mounts("/proc/self/mounts");
  std::string source, point, type, options, rest;
  while (mounts >> source >> point >> type >> options && std::getline(mounts, rest)) {
    if (controller == "cgroup2" && type == "cgroup2") return point;
    if (type != "cgroup") continue;
    std::istringstream words(options);
    for (std::string word; std::getline(words, word, ',');) {
      if (word == controller) return point;
    }
  }
  return {};
}

std::string Stage::cgroup(const std::string& root, const std::vector<pid_t>& members) {
  const std::string path = root + "/hark-doctor-" + std::to_string(::getpid());
  check(::mkdir(path.c_str(), 0755), path.c_str());
  undo([path, root, members] {
    for (const pid_t pid : members) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    while (::rmdir(path.c_str()) != 0 && errno == EBUSY) ::sched_yield();
  });
  for (const pid_t pid : members) write_file(path + "/cgroup.procs", std::to_string(pid));
  return path;
}

}  // namespace hark::doctor
