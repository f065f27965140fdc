#include "kernel/live_netns_ids.h"

#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

namespace hark::kernel {
namespace {

/// struct rtgenmsg and the padding behind it.
constexpr std::size_t kBody = 4;
static_assert(sizeof(rtgenmsg) <= kBody);

}  // namespace

Bytes netns_id_request(int fd) {
  Bytes out;
  const nlattr attribute{.nla_len = sizeof(nlattr) + sizeof(std::uint32_t), .nla_type = NETNSA_FD};
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof(nlmsghdr) + kBody + attribute.nla_len);
  header.nlmsg_type = RTM_GETNSID;
  header.nlmsg_flags = NLM_F_REQUEST;
  append_value(out, header);
  out.resize(out.size() + kBody);  // AF_UNSPEC
  append_value(out, attribute);
  append_value(out, static_cast<std::uint32_t>(fd));
  return out;
}

std::optional<std::int32_t> netns_id_in(ByteView answer) {
  ByteReader reader(answer);
  const auto header = reader.value<nlmsghdr>();
  reader.take(kBody);
  if (!reader.ok() || header.nlmsg_type != RTM_NEWNSID) return std::nullopt;
  while (reader.ok() && reader.left() >= sizeof(nlattr)) {
    const auto attribute = reader.value<nlattr>();
    if (attribute.nla_len < sizeof attribute) return std::nullopt;
    ByteReader value(reader.take(attribute.nla_len - sizeof attribute));
    if (attribute.nla_type != NETNSA_NSID) continue;
    const auto number = value.value<std::int32_t>();
    if (!value.ok() || number < 0) return std::nullopt;  // NETNSA_NSID_NOT_ASSIGNED
    return number;
  }
  return std::nullopt;
}

}  // namespace hark::kernel
