#include "drill/lab_probe.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"
#include "drill/lab_endpoint.h"

namespace hark::drill {
namespace {

/// What came of one conversation: the answer, or why there is none.
struct Heard {
  bool answered = false;
  std::string text;
};

Heard nothing(std::string why) {
  return {false, std::move(why)};
}

/// A neighbour is asked for once a second, and a SYN comes again after one: an answer that had to
/// wait for either takes longer. Where there should be none, that is not waited for.
constexpr int kAnswerMs = 2000;
constexpr int kSilenceMs = 1000;

int wait_ms(const LabProbe& probe) {
  return probe.blocked ? kSilenceMs : kAnswerMs;
}

Heard no_answer(const LabProbe& probe) {
  return nothing("no answer within " + std::to_string(wait_ms(probe) / 1000) + " s");
}

bool ready(const UniqueFd& fd, short what, const LabProbe& probe) {
  pollfd one{fd.get(), what, 0};
  return ::poll(&one, 1, wait_ms(probe)) > 0;
}

int pending_error(const UniqueFd& fd) {
  int error = 0;
  socklen_t length = sizeof error;
  (void)::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

Heard converse(const LabProbe& probe) {
  const LabEndpoint to = lab_endpoint(probe.address, probe.port, probe.udp);
  const int type = (probe.udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const UniqueFd fd(::socket(to.family(), type, 0));
  if (!fd.valid()) return nothing(std::strerror(errno));
  if (::connect(fd.get(), to.get(), to.length) != 0 && errno != EINPROGRESS) {
    return nothing(std::strerror(errno));
  }
  if (!ready(fd, POLLOUT, probe)) return no_answer(probe);
  if (const int error = pending_error(fd); error != 0) return nothing(std::strerror(error));
  constexpr std::string_view kHello = "hello\n";
  if (::send(fd.get(), kHello.data(), kHello.size(), MSG_NOSIGNAL) < 0) {
    return nothing(std::strerror(errno));
  }
  if (!ready(fd, POLLIN, probe)) {
    return probe.udp ? no_answer(probe) : nothing("connected, and then no byte");
  }
  std::array<char, 512> buffer{};
  const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
  if (got < 0) return nothing(std::strerror(errno));
  if (got == 0) return nothing("connected, and closed without a byte");
  return {true, std::string(buffer.data(), static_cast<std::size_t>(got))};
}

/// Goes where the probe starts; errno's words if that fails.
bool go_to(const std::string& place) {
  if (place == "host") return true;
  const UniqueFd fd(::open(("/run/netns/" + place).c_str(), O_RDONLY | O_CLOEXEC));
  return fd.valid() && ::setns(fd.get(), CLONE_NEWNET) == 0;
}

Heard converse_there(const LabProbe& probe) {
  if (!go_to(probe.from)) return nothing(probe.from + ": " + std::strerror(errno));
  Heard last;
  for (unsigned i = 0; i < probe.times; ++i) {
    last = converse(probe);
    // Whoever asked for the neighbour while it did not answer has spoilt the first try after that.
    if (last.text == std::strerror(EHOSTUNREACH)) last = converse(probe);
    if (!last.answered) return last;
    // Another service answers, or only a part of them does.
    if (last.text.find(probe.reply) == std::string::npos) return last;
  }
  return last;
}

/// In a child, as its namespace is not ours.
Heard converse_apart(const LabProbe& probe) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return nothing(std::strerror(errno));
  const UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    const Heard heard = converse_there(probe);
    const std::string all = (heard.answered ? "+" : "-") + heard.text;
    (void)!::write(to.get(), all.data(), all.size());
    ::_exit(0);
  }
  to.reset();
  std::string all;
  std::array<char, 1024> piece{};
  while (true) {
    const ssize_t got = ::read(from.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    all.append(piece.data(), static_cast<std::size_t>(got));
  }
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (all.empty()) return nothing("the probe could not be made");
  return {all.front() == '+', all.substr(1)};
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

}  // namespace

LabProof run_lab_probe(const LabProbe& probe) {
  const Heard heard = converse_apart(probe);
  LabProof out;
  const bool right = heard.answered && heard.text.find(probe.reply) != std::string::npos;
  out.passed = probe.blocked ? !heard.answered : right;
  out.text = probe.from + " -> " + probe.text + ": ";
  if (heard.answered) {
    out.text += "answered by " + first_line(heard.text);
  } else {
    out.text += heard.text;
  }
  if (probe.blocked) out.text += out.passed ? " (as it should be)" : " (nobody should be)";
  if (!probe.blocked && heard.answered && !right) out.text += ", not by " + probe.reply;
  return out;
}

}  // namespace hark::drill
