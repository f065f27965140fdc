#include "drill/lab_channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "drill/lab_service.h"

namespace hark::drill {
namespace {

constexpr std::size_t kLongest = 65536;

sockaddr_un address() {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  const std::string path = std::string(kLabFolder) + "/session";
  path.copy(static_cast<char*>(out.sun_path), sizeof out.sun_path - 1);
  return out;
}

const sockaddr* any(const sockaddr_un& from) {
  return reinterpret_cast<const sockaddr*>(&from);
}

/// All that comes until the other side has said all.
std::optional<std::string> read_all(int fd) {
  std::string out;
  std::array<char, 4096> piece{};
  while (out.size() < kLongest) {
    const ssize_t got = ::recv(fd, piece.data(), piece.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return out;
    out.append(piece.data(), static_cast<std::size_t>(got));
  }
  return std::nullopt;
}

bool send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return ::shutdown(fd, SHUT_WR) == 0;
}

}  // namespace

Result<std::optional<LabReply>> ask_lab(const std::vector<std::string>& words) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail(kernel_error(errno, "socket"));
  const sockaddr_un to = address();
  if (::connect(fd.get(), any(to), sizeof to) != 0) return std::nullopt;
  if (!send_all(fd.get(), join(words, std::string_view("\0", 1)))) {
    return fail(plain_error("lab", "the session does not listen"));
  }
  const auto all = read_all(fd.get());
  if (!all || all->empty()) return fail(plain_error("lab", "the session gives no answer"));
  LabReply out;
  out.status = static_cast<std::uint8_t>(all->front());
  out.text = all->substr(1);
  return out;
}

UniqueFd listen_for_lab() {
  constexpr int kBacklog = 8;
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un at = address();
  if (!fd.valid() || ::bind(fd.get(), any(at), sizeof at) != 0) return {};
  if (::listen(fd.get(), kBacklog) != 0) return {};
  return fd;
}

void answer_lab(const UniqueFd& listener,
                const std::function<LabReply(const std::vector<std::string>&)>& answer) {
  const UniqueFd client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!client.valid()) return;
  const timeval patience{1, 0};
  (void)::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  (void)::setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const auto question = read_all(client.get());
  if (!question) return;
  std::vector<std::string> words;
  for (const std::string_view word : split(*question, '\0')) words.emplace_back(word);
  const LabReply reply = answer(words);
  (void)send_all(client.get(), static_cast<char>(reply.status) + reply.text);
}

}  // namespace hark::drill
