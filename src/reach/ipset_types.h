// What the dimensions of each type of ipset are about: the `kadt` functions of
// net/netfilter/ipset/ip_set_*.c.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "decode/ipset.h"

namespace hark::reach {

enum class SetPart : std::uint8_t { Address, Net, Port, Mark, Mac, Interface, Address2, Net2 };

struct SetType {
  std::string_view name;
  std::array<SetPart, 3> parts;
  std::size_t dimensions;
};
constexpr std::array<SetType, 16> kSetTypes = {{
    {"hash:ip", {SetPart::Address}, 1},
    {"hash:net", {SetPart::Net}, 1},
    {"hash:mac", {SetPart::Mac}, 1},
    {"hash:ip,mac", {SetPart::Address, SetPart::Mac}, 2},
    {"hash:ip,mark", {SetPart::Address, SetPart::Mark}, 2},
    {"hash:ip,port", {SetPart::Address, SetPart::Port}, 2},
    {"hash:ip,port,ip", {SetPart::Address, SetPart::Port, SetPart::Address2}, 3},
    {"hash:ip,port,net", {SetPart::Address, SetPart::Port, SetPart::Net2}, 3},
    {"hash:net,port", {SetPart::Net, SetPart::Port}, 2},
    {"hash:net,net", {SetPart::Net, SetPart::Net2}, 2},
    {"hash:net,port,net", {SetPart::Net, SetPart::Port, SetPart::Net2}, 3},
    {"hash:net,iface", {SetPart::Net, SetPart::Interface}, 2},
    {"bitmap:ip", {SetPart::Address}, 1},
    {"bitmap:ip,mac", {SetPart::Address, SetPart::Mac}, 2},
    {"bitmap:port", {SetPart::Port}, 1},
    {"list:set", {}, 1},
}};

/// nullptr: none that is known here.
[[nodiscard]] inline const SetType* set_type(const decode::IpSetContents& set) {
  const auto found = std::ranges::find(kSetTypes, set.header.type, &SetType::name);
  return found == kSetTypes.end() ? nullptr : &*found;
}

}  // namespace hark::reach
