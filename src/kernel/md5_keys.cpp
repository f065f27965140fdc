#include "kernel/md5_keys.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>

#include <algorithm>
#include <cstddef>

namespace hark::kernel {
namespace {

constexpr std::size_t kSocketHead = sizeof(nlmsghdr) + sizeof(inet_diag_msg);
constexpr std::size_t kEntry = sizeof(tcp_diag_md5sig);
constexpr std::size_t kKey = offsetof(tcp_diag_md5sig, tcpm_key);

std::size_t aligned(std::size_t length) {
  return (length + NLMSG_ALIGNTO - 1) / NLMSG_ALIGNTO * NLMSG_ALIGNTO;
}

template <typename T>
T value_at(ByteView bytes, std::size_t at) {
  return ByteReader(bytes.subspan(at)).value<T>();
}

void blank(Bytes& bytes, std::size_t begin, std::size_t end) {
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
            bytes.begin() + static_cast<std::ptrdiff_t>(end), std::byte{0});
}

void blank_entries(Bytes& answer, std::size_t at, std::size_t end) {
  if ((end - at) % kEntry != 0) return blank(answer, at, end);
  for (; at < end; at += kEntry) blank(answer, at + kKey, at + kEntry);
}

void blank_attributes(Bytes& answer, std::size_t at, std::size_t end) {
  while (at < end) {
    if (end - at < sizeof(nlattr)) return blank(answer, at, end);
    const auto head = value_at<nlattr>(answer, at);
    if (head.nla_len < sizeof(nlattr) || head.nla_len > end - at) return blank(answer, at, end);
    if ((head.nla_type & NLA_TYPE_MASK) == INET_DIAG_MD5SIG) {
      blank_entries(answer, at + sizeof(nlattr), at + head.nla_len);
    }
    at = std::min(end, at + aligned(head.nla_len));
  }
}

}  // namespace

void blank_md5_keys(Bytes& answer) {
  for (std::size_t at = 0; answer.size() - at >= sizeof(nlmsghdr);) {
    const auto head = value_at<nlmsghdr>(answer, at);
    if (head.nlmsg_len < sizeof(nlmsghdr) || head.nlmsg_len > answer.size() - at) {
      return blank(answer, at, answer.size());
    }
    if (head.nlmsg_type == SOCK_DIAG_BY_FAMILY && head.nlmsg_len > kSocketHead) {
      blank_attributes(answer, at + kSocketHead, at + head.nlmsg_len);
    }
    at = std::min(answer.size(), at + aligned(head.nlmsg_len));
  }
}

}  // namespace hark::kernel
