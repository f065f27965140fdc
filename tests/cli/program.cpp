#include "program.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/unique_fd.h"

namespace hark::test {
namespace {

struct Channel {
  UniqueFd ours;
  UniqueFd theirs;
};

Channel make_pipe(bool we_read) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  Channel out{.ours = UniqueFd(ends[we_read ? 0 : 1]), .theirs = UniqueFd(ends[we_read ? 1 : 0])};
  return out;
}

Channel make_terminal(unsigned width) {
  int ours = -1;
  int theirs = -1;
  winsize size{};
  size.ws_row = 24;
  size.ws_col = static_cast<unsigned short>(width);
  termios raw{};
  EXPECT_EQ(::openpty(&ours, &theirs, nullptr, nullptr, &size), 0);
  EXPECT_EQ(::tcgetattr(theirs, &raw), 0);
  ::cfmakeraw(&raw);
  EXPECT_EQ(::tcsetattr(theirs, TCSANOW, &raw), 0);
  ::fcntl(ours, F_SETFD, FD_CLOEXEC);
  ::fcntl(theirs, F_SETFD, FD_CLOEXEC);
  return {.ours = UniqueFd(ours), .theirs = UniqueFd(theirs)};
}

Channel make_output(const Setting& setting) {
  if (setting.out_closed) return {};
  if (setting.out_width) return make_terminal(*setting.out_width);
  if (!setting.out_file.empty()) {
    return {.ours = {}, .theirs = UniqueFd(::open(setting.out_file.c_str(), O_WRONLY | O_CLOEXEC))};
  }
  Channel out = make_pipe(true);
  if (setting.out_pipe_closed) out.ours.reset();
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

[[noreturn]] void become_hark(const Setting& setting, int in, int out, int err, char** arguments,
                              char** environment) {
  ::signal(SIGPIPE, setting.sigpipe_ignored ? SIG_IGN : SIG_DFL);
  ::dup2(in, STDIN_FILENO);
  ::dup2(err, STDERR_FILENO);
  if (setting.out_closed) {
    ::close(STDOUT_FILENO);
  } else {
    ::dup2(out, STDOUT_FILENO);
  }
  ::execve(HARK_PROGRAM, arguments, environment);
  ::_exit(127);
}

/// Feeds and reads at once, so that no side waits for the other for ever.
void exchange(std::string_view input, UniqueFd in, UniqueFd out, UniqueFd err, Ran& into) {
  while (out.valid() || err.valid()) {
    if (in.valid() && input.empty()) in.reset();
    std::array<pollfd, 3> polled = {pollfd{in.get(), POLLOUT, 0}, pollfd{out.get(), POLLIN, 0},
                                    pollfd{err.get(), POLLIN, 0}};
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[0].revents != 0) {
      const ssize_t count =
          ::write(in.get(), input.data(), std::min<std::size_t>(input.size(), 4096));
      if (count < 0) in.reset();
      if (count > 0) input.remove_prefix(static_cast<std::size_t>(count));
    }
    std::array<char, 65536> piece{};
    const auto drain = [&piece](const pollfd& from, UniqueFd& fd, std::string& text) {
      if (from.revents == 0) return;
      const ssize_t count = ::read(fd.get(), piece.data(), piece.size());
      // A terminal that the last process has left gives EIO where a pipe gives its end.
      if (count <= 0) return fd.reset();
      text.append(piece.data(), static_cast<std::size_t>(count));
    };
    drain(polled[1], out, into.out);
    drain(polled[2], err, into.err);
  }
}

}  // namespace

Ran run_hark(const std::vector<std::string>& arguments, const Setting& setting) {
  ::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string> all = {"hark"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = setting.environment;
  const std::vector<char*> argv = pointers(all);
  const std::vector<char*> envp = pointers(environment);
  Channel in = make_pipe(false);
  Channel out = make_output(setting);
  Channel err = make_pipe(true);
  const pid_t child = ::fork();
  if (child == 0) {
    become_hark(setting, in.theirs.get(), out.theirs.get(), err.theirs.get(),
                const_cast<char**>(argv.data()), const_cast<char**>(envp.data()));
  }
  EXPECT_GT(child, 0);
  in.theirs.reset();
  out.theirs.reset();
  err.theirs.reset();
  Ran ran;
  exchange(setting.input, std::move(in.ours), std::move(out.ours), std::move(err.ours), ran);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  ran.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return ran;
}

Listening::Listening() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(fd_, plain, size), 0);
  EXPECT_EQ(::listen(fd_, 16), 0);
  EXPECT_EQ(::getsockname(fd_, plain, &size), 0);
  port_ = ntohs(address.sin_port);
}

Listening::~Listening() {
  ::close(fd_);
}

Folder::Folder() : path_(testing::TempDir() + "hark-cli-XXXXXX") {
  EXPECT_NE(::mkdtemp(path_.data()), nullptr);
}

Folder::~Folder() {
  std::filesystem::remove_all(path_);
}

std::vector<std::string> Folder::names() const {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    out.push_back(entry.path().filename());
  }
  return out;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  EXPECT_TRUE(file.flush()) << path;
}

std::string read_source(const std::string& path) {
  return read_text(std::string(HARK_SOURCE_DIR) + "/" + path);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

}  // namespace hark::test
