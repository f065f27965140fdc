// decode_links: what is accepted is written as an answer again and must come back the same.
#include <linux/rtnetlink.h>

#include <cstdlib>

#include "decode/netlink_attributes.h"
#include "decode/rtnetlink.h"

namespace {

using namespace hark;
using namespace hark::decode;

void require(bool truth) {
  if (!truth) std::abort();
}

Bytes encode(const LinkRecord& record) {
  ifinfomsg link{};
  link.ifi_index = static_cast<int>(record.index);
  link.ifi_flags = record.flags;
  Bytes body;
  append_value(body, link);
  append_attribute(body, IFLA_IFNAME, as_bytes(record.name));
  return netlink_request(RTM_NEWLINK, NLM_F_MULTI, body);
}

/// Messages are aligned; append_attribute has padded the body.
bool aligned(const Bytes& bytes) {
  return bytes.size() % 4 == 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto links = decode_links(std::as_bytes(std::span(data, size)));
  if (!links) {
    require(!links.error().what.empty());
    return 0;
  }
  Bytes again;
  for (LinkRecord& link : *links) {
    require(link.ports.size() <= 2);
    // What a kind of link says of itself is only read, never written.
    link.kind.clear();
    link.ports.clear();
    link.sockets_elsewhere = false;
    require(link.index != 0 && !link.name.empty() && link.name.size() <= 15);
    require(link.name.find_first_of(std::string("/ \n\0", 4)) == std::string::npos);
    append(again, encode(link));
    require(aligned(again));
  }
  require(decode_links(again) == links);
  return 0;
}
