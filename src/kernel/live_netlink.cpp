#include "kernel/live_netlink.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "kernel/request_key.h"

namespace hark::kernel {
namespace {

// A dump never fills more than 32 KiB a datagram, whatever is offered (netlink_dump of
// net/netlink/af_netlink.c), and most messages are far smaller.
constexpr std::size_t kBuffer = std::size_t{64} * 1024;
constexpr int kTriesForInterrupted = 4;

/// What one datagram said, apart from its messages.
struct Progress {
  bool done = false;
  bool interrupted = false;
  int error = 0;
};

/// The number at the front of an NLMSG_ERROR's or NLMSG_DONE's body: 0 or a negative errno.
int result_in(ByteView body) {
  const int result = ByteReader(body).value<int>();
  return result < 0 ? -result : 0;
}

/// Takes the messages of a datagram into `out`. Framing is that of netlink(7): a header whose
/// length counts itself, a body, and padding to four bytes that the last message of a datagram may
/// lack.
Progress take_datagram(ByteView datagram, std::uint32_t sequence, Bytes& out) {
  Progress progress;
  ByteReader reader(datagram);
  while (!reader.empty()) {
    const auto header = reader.value<nlmsghdr>();
    if (!reader.ok() || header.nlmsg_len < sizeof header) return {.done = true, .error = EBADMSG};
    const ByteView body = reader.take(header.nlmsg_len - sizeof header);
    if (!reader.ok()) return {.done = true, .error = EBADMSG};
    const std::size_t padding = (NLMSG_ALIGNTO - body.size() % NLMSG_ALIGNTO) % NLMSG_ALIGNTO;
    reader.take(std::min(padding, reader.left()));
    if (header.nlmsg_seq != sequence) continue;  // late words of an earlier, broken-off dump
    if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) progress.interrupted = true;
    if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) {
      // A dump that failed on the way says so at its end.
      progress.error = result_in(body);
      progress.done = true;
      return progress;
    }
    append_value(out, header);
    append(out, body);
    out.resize(out.size() + padding);
  }
  return progress;
}

}  // namespace

int open_netlink(int protocol) {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd >= 0) {
    // The kernel answers at once; this only keeps a kernel that does not from hanging hark.
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  return fd;
}

Result<Bytes> NetlinkSocket::ask(ByteView request) {
  if (request.size() < sizeof(nlmsghdr)) return fail(kernel_error(EINVAL, netlink_what()));
  Bytes message(request.begin(), request.end());
  // A dump ends with NLMSG_DONE; anything else ends with the acknowledgement that is asked for
  // here. Without it a request that the kernel passes over in silence would never end.
  std::uint16_t flags = 0;
  std::memcpy(&flags, message.data() + offsetof(nlmsghdr, nlmsg_flags), sizeof flags);
  if ((flags & NLM_F_DUMP) != NLM_F_DUMP) flags |= NLM_F_ACK;
  flags |= NLM_F_REQUEST;
  std::memcpy(message.data() + offsetof(nlmsghdr, nlmsg_flags), &flags, sizeof flags);
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(kBuffer);
  for (int attempt = 1;; ++attempt) {
    ++sequence_;
    std::memcpy(message.data() + offsetof(nlmsghdr, nlmsg_seq), &sequence_, sizeof sequence_);
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    if (::sendto(fd_.get(), message.data(), message.size(), 0, reinterpret_cast<sockaddr*>(&kernel),
                 sizeof kernel) < 0) {
      return fail(kernel_error(errno, netlink_what()));
    }
    Bytes out;
    bool interrupted = false;
    for (bool done = false; !done;) {
      const ssize_t size = ::recv(fd_.get(), buffer_.get(), kBuffer, MSG_TRUNC);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return fail(kernel_error(errno, netlink_what()));
      if (static_cast<std::size_t>(size) > kBuffer) {
        return fail(kernel_error(EMSGSIZE, netlink_what()));
      }
      const auto received =
          as_bytes(std::string_view(buffer_.get(), static_cast<std::size_t>(size)));
      const Progress progress = take_datagram(received, sequence_, out);
      if (progress.error != 0) return fail(kernel_error(progress.error, netlink_what()));
      interrupted = interrupted || progress.interrupted;
      done = progress.done;
    }
    if (!interrupted || attempt == kTriesForInterrupted) return out;
  }
}

}  // namespace hark::kernel
