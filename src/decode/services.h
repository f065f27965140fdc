// /etc/services: services(5).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/bytes.h"

namespace hark::decode {

/// Ports by the names of services over TCP and UDP, aliases too; of a name that has several ports
/// the first one counts, as it does for getservbyname(3). Lines that are no entries are passed
/// over.
[[nodiscard]] std::map<std::string, std::uint16_t> decode_services(ByteView text);

}  // namespace hark::decode
