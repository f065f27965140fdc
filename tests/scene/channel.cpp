#include "channel.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace hark::scene {

Result<void> send_message(int channel, std::string_view text, int descriptor) {
  std::string copy(text);
  iovec piece{.iov_base = copy.data(), .iov_len = copy.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  if (sendmsg(channel, &message, MSG_NOSIGNAL) < 0) return fail(kernel_error(errno, "sendmsg"));
  return {};
}

Result<Message> receive_message(int channel) {
  Message received;
  received.text.resize(kLongestMessage);
  iovec piece{.iov_base = received.text.data(), .iov_len = received.text.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = 0;
  do {
    got = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return fail(kernel_error(errno, "recvmsg"));
  if (got == 0) return fail(plain_error("channel", "the other side is gone"));
  received.text.resize(static_cast<std::size_t>(got));
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    received.descriptor = UniqueFd(descriptor);
  }
  return received;
}

}  // namespace hark::scene
