#include "servers.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "listening.h"

namespace hark::differential {

namespace {

bool take_word(ListenSpec& spec, std::string_view word) {
  std::string_view value = word;
  const std::string_view key = next_piece(value, '=');
  const auto is_flag = [&](std::string_view name, bool& flag) {
    if (key != name) return false;
    return flag = true;
  };
  if (is_flag("reuseport", spec.reuseport) || is_flag("transparent", spec.transparent) ||
      is_flag("bound", spec.bound) || is_flag("stopped", spec.stopped) ||
      is_flag("full", spec.full) || is_flag("idle", spec.idle) || is_flag("defer", spec.defer)) {
    return true;
  }
  if (key == "minttl") {
    spec.min_ttl = parse_number<int>(value).value_or(255);
  } else if (key == "filter") {
    spec.filter = value.empty() ? "drop" : value;
  } else if (key == "mark") {
    spec.mark = parse_number<int>(value).value_or(0);
  } else if (key == "nopktinfo") {
    spec.packet_info = false;
  } else if (key == "v6only") {
    spec.v6only = value == "1";
  } else if (key == "in") {
    spec.box = value;
  } else if (key == "dev") {
    spec.device = value;
  } else if (key == "backlog") {
    spec.backlog = parse_number<int>(value).value_or(0);
  } else if (key == "md5") {
    spec.md5 = IpAddress::parse(value);
    return spec.md5.has_value();
  } else if (key == "to") {
    spec.peer = IpAddress::parse(next_piece(value, ','));
    spec.peer_port = parse_number<std::uint16_t>(value).value_or(0);
    return spec.peer.has_value();
  } else {
    return false;
  }
  return true;
}

// In the child: opens, tells the inodes (0: not opened) or the error, and serves.
[[noreturn]] void be_server(int netns, const std::vector<ListenSpec>& specs, int control,
                            bool loose) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "hark-diff-srv");
  setns(netns, CLONE_NEWNET);
  std::vector<ListenSpec> opened;
  std::vector<UniqueFd> sockets;
  std::string told;
  for (const ListenSpec& spec : specs) {
    auto fd = open_listener(spec);
    if (!fd && !loose) {
      told = "! " + fd.error().what + ": " + reason(fd.error());
      break;
    }
    struct stat about {};
    if (fd) fstat(fd->get(), &about);
    told += std::to_string(about.st_ino) + " ";
    if (!fd) continue;
    sockets.push_back(std::move(*fd));
    opened.push_back(spec);
  }
  told += "\n";
  if (write(control, told.data(), told.size()) < 0) _exit(1);
  if (told.find('!') == std::string::npos) serve(opened, sockets, control);
  _exit(0);
}

// Reads up to and without the next empty line, or with `one` the next line.
std::string read_lines(int fd, bool one) {
  std::string text;
  std::array<char, 4096> piece{};
  while (true) {
    const ssize_t got = read(fd, piece.data(), piece.size());
    if (got <= 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(got));
    if (one ? text.ends_with('\n') : text == "\n" || text.ends_with("\n\n")) return text;
  }
}

}  // namespace

Result<ListenSpec> parse_listener(std::string_view line) {
  const std::string whole(line);
  ListenSpec spec;
  spec.name = next_word(line);
  const std::string_view protocol = next_word(line);
  spec.udp = protocol == "udp";
  const auto address = IpAddress::parse(next_word(line));
  const auto port = parse_number<std::uint16_t>(next_word(line));
  bool ok = (spec.udp || protocol == "tcp") && address && port;
  if (ok) {
    spec.address = *address;
    spec.port = *port;
  }
  for (std::string_view word = next_word(line); ok && !word.empty(); word = next_word(line)) {
    ok = take_word(spec, word);
  }
  if (!ok) return fail(plain_error("listen", whole));
  return spec;
}

Result<Servers> Servers::start(const Place& place, const std::vector<std::string>& lines,
                               bool loose) {
  std::map<std::pair<std::string, bool>, std::vector<ListenSpec>> processes;
  for (const std::string& line : lines) {
    auto spec = parse_listener(line);
    if (!spec) return fail(spec.error());
    processes[{spec->box, spec->stopped}].push_back(std::move(*spec));
  }
  Servers servers;
  for (const auto& [where, specs] : processes) {
    const int netns = place.netns_of(where.first);
    if (auto done = servers.start_process(netns, specs, where.second, loose); !done) {
      return fail(done.error());
    }
  }
  return servers;
}

Result<void> Servers::start_process(int netns, const std::vector<ListenSpec>& specs, bool stopped,
                                    bool loose) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(kernel_error(errno, "socketpair"));
  }
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  const pid_t pid = fork();
  if (pid == 0) {
    ours.reset();
    for (Process& process : processes_) process.control.reset();
    be_server(netns, specs, theirs.get(), loose);
  }
  theirs.reset();
  if (pid < 0) return fail(kernel_error(errno, "fork"));
  processes_.push_back({pid, std::move(ours), stopped});
  std::string told = read_lines(processes_.back().control.get(), true);
  if (told.empty() || told.find('!') != std::string::npos)
    return fail(plain_error("servers", told));
  std::string_view words = std::string_view(told).substr(0, told.size() - 1);
  for (const ListenSpec& spec : specs) {
    const auto inode = parse_number<std::uint32_t>(next_word(words)).value_or(0);
    if (inode != 0) by_inode_[inode] = spec.name;
  }
  if (!stopped) return {};
  int status = 0;
  kill(pid, SIGSTOP);
  waitpid(pid, &status, WUNTRACED);
  return {};
}

Servers::~Servers() {
  for (const Process& process : processes_) {
    kill(process.pid, SIGKILL);
    waitpid(process.pid, nullptr, 0);
  }
}

std::vector<Delivery> Servers::settle() {
  std::vector<Delivery> deliveries;
  for (const Process& process : processes_) {
    if (process.stopped) continue;
    if (write(process.control.get(), "?", 1) != 1) continue;
    const std::string told = read_lines(process.control.get(), false);
    for (std::string_view line : split(told, '\n')) {
      Delivery delivery;
      delivery.listener = next_word(line);
      delivery.udp = next_word(line) == "udp";
      const auto peer = IpAddress::parse(next_word(line));
      if (!peer) continue;
      delivery.peer = *peer;
      delivery.port = parse_number<std::uint16_t>(next_word(line)).value_or(0);
      deliveries.push_back(delivery);
    }
  }
  return deliveries;
}

}  // namespace hark::differential
