#include "decode/rtnetlink.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "decode/netlink_attributes.h"

namespace hark::decode {
namespace {

constexpr std::size_t kLongestName = 15;  // IFNAMSIZ without its NUL

/// dev_valid_name of net/core/dev.c, so that a name is safe in a path and a word of a line. It is
/// not safe to print: it may hold control characters and bytes above 127.
bool valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/ \t\n\v\f\r")) == std::string_view::npos;
}

/// Why the message is malformed; empty: it is not, and `record` is filled.
std::string_view read_link_message(ByteView body, LinkRecord& record) {
  ByteReader reader(body);
  const auto link = reader.value<ifinfomsg>();
  if (!reader.ok()) return "the message is too short for a link";
  if (link.ifi_index <= 0) return "a link without an index";
  record.index = static_cast<std::uint32_t>(link.ifi_index);
  record.flags = link.ifi_flags;
  NetlinkAttributes attributes(reader.take(reader.left()));
  while (const auto attribute = attributes.next()) {
    if (attribute->type == IFLA_IFNAME) record.name = attribute->text();
  }
  if (attributes.broken()) return "an attribute is cut off or has an impossible length";
  if (!valid_name(record.name)) return "a link without a valid name";
  return {};
}

}  // namespace

Bytes link_request(std::uint32_t index) {
  ifinfomsg link{};
  link.ifi_index = static_cast<int>(index);
  Bytes body;
  append_value(body, link);
  Bytes mask;
  append_value(mask, std::uint32_t{RTEXT_FILTER_SKIP_STATS});
  append_attribute(body, IFLA_EXT_MASK, mask);
  return netlink_request(RTM_GETLINK, NLM_F_REQUEST, body);
}

Result<std::vector<LinkRecord>> decode_links(ByteView messages) {
  std::vector<LinkRecord> links;
  NetlinkAnswer answer(messages, RTM_NEWLINK, "link answer");
  while (const auto body = answer.next()) {
    LinkRecord record;
    const std::string_view fault = read_link_message(*body, record);
    if (!fault.empty()) return fail(answer.reject(fault));
    links.push_back(std::move(record));
  }
  if (answer.error()) return fail(*answer.error());
  return links;
}

}  // namespace hark::decode
