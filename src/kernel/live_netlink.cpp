#include "kernel/live_netlink.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
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

/// Takes the messages of a datagram into `out`.
Progress take_datagram(const char* datagram, int size, std::uint32_t sequence, Bytes& out) {
  Progress progress;
  const auto* message = reinterpret_cast<const nlmsghdr*>(datagram);
  int left = size;
  for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
    if (message->nlmsg_seq != sequence) continue;  // late words of an earlier, broken-off dump
    if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0) progress.interrupted = true;
    if (message->nlmsg_type == NLMSG_ERROR) {
      const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(message));
      if (mnl_nlmsg_get_payload_len(message) < sizeof *error) {
        progress.error = EBADMSG;
      } else {
        progress.error = -error->error;
      }
      progress.done = true;
      return progress;
    }
    if (message->nlmsg_type == NLMSG_DONE) {
      // A dump that failed on the way says so in the payload of its end.
      if (mnl_nlmsg_get_payload_len(message) >= sizeof(int)) {
        const int result = *static_cast<const int*>(mnl_nlmsg_get_payload(message));
        if (result < 0) progress.error = -result;
      }
      progress.done = true;
      return progress;
    }
    const auto* first = reinterpret_cast<const std::byte*>(message);
    append(out, ByteView(first, message->nlmsg_len));
    while (out.size() % NLMSG_ALIGNTO != 0) out.push_back(std::byte{0});
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
      const Progress progress =
          take_datagram(buffer_.get(), static_cast<int>(size), sequence_, out);
      if (progress.error != 0) return fail(kernel_error(progress.error, netlink_what()));
      interrupted = interrupted || progress.interrupted;
      done = progress.done;
    }
    if (!interrupted || attempt == kTriesForInterrupted) return out;
  }
}

}  // namespace hark::kernel
