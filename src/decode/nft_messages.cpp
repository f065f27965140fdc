#include "decode/nft_messages.h"

#include <linux/netlink.h>

namespace hark::decode::nft {

Bytes nft_request(int message, std::uint16_t flags, std::uint8_t family, ByteView attributes) {
  nfgenmsg header{};
  header.nfgen_family = family;
  header.version = NFNETLINK_V0;
  Bytes body;
  append_value(body, header);
  append(body, attributes);
  const auto all = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  return netlink_request(message_type(message), all, body);
}

std::optional<TableFamily> family_of(std::uint8_t number) {
  for (const TableFamily family : {TableFamily::Inet, TableFamily::Ip, TableFamily::Arp,
                                   TableFamily::Netdev, TableFamily::Bridge, TableFamily::Ip6}) {
    if (static_cast<std::uint8_t>(family) == number) return family;
  }
  return std::nullopt;
}

std::string words_of(const Found& found) {
  const std::string number = std::to_string(found.attribute);
  switch (found.fault) {
    case Fault::None:
      break;
    case Fault::Cut:
      return "an attribute is cut off or has an impossible length";
    case Fault::Unknown:
      return "attribute " + number + " is not known";
    case Fault::Bad:
      return "attribute " + number + " cannot be read";
    case Fault::Missing:
      return "attribute " + number + " is missing";
  }
  return {};
}

std::string user_text(ByteView data, std::uint8_t type) {
  ByteReader reader(data);
  while (!reader.empty()) {
    const auto found = reader.value<std::uint8_t>();
    const auto length = reader.value<std::uint8_t>();
    const std::string_view text = as_text(reader.take(length));
    if (!reader.ok()) return {};
    if (found == type) return std::string(text.substr(0, text.find('\0')));
  }
  return {};
}

}  // namespace hark::decode::nft
