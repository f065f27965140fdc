#include "kernel/wireguard_keys.h"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/wireguard.h>

#include <algorithm>

namespace hark::kernel {
namespace {

constexpr std::size_t kMessageHead = sizeof(nlmsghdr);
constexpr std::size_t kCommandHead = kMessageHead + sizeof(genlmsghdr);

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

/// The attributes between `at` and `end`.
void blank_attributes(Bytes& answer, std::size_t at, std::size_t end) {
  while (at < end) {
    if (end - at < sizeof(nlattr)) return blank(answer, at, end);
    const auto head = value_at<nlattr>(answer, at);
    if (head.nla_len < sizeof(nlattr) || head.nla_len > end - at) return blank(answer, at, end);
    const int type = head.nla_type & NLA_TYPE_MASK;
    if (type != WGDEVICE_A_IFINDEX && type != WGDEVICE_A_IFNAME && type != WGDEVICE_A_LISTEN_PORT) {
      blank(answer, at + sizeof(nlattr), at + head.nla_len);
    }
    at = std::min(end, at + aligned(head.nla_len));
  }
}

}  // namespace

void blank_wireguard_keys(ByteView request, Bytes& answer) {
  if (request.size() < kCommandHead ||
      value_at<genlmsghdr>(request, kMessageHead).cmd != WG_CMD_GET_DEVICE) {
    return;
  }
  for (std::size_t at = 0; at < answer.size();) {
    const std::size_t left = answer.size() - at;
    const std::size_t length = left < kMessageHead ? 0 : value_at<nlmsghdr>(answer, at).nlmsg_len;
    if (length < kMessageHead || length > left) return blank(answer, at, answer.size());
    if (length > kCommandHead) blank_attributes(answer, at + kCommandHead, at + length);
    at = std::min(answer.size(), at + aligned(length));
  }
}

}  // namespace hark::kernel
