// Names of services and hosts, as the files of this host have them: services(5), hosts(5).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"

namespace hark::decode {

/// Ports by the names of services over TCP and UDP, aliases too; of a name that has several ports
/// the first one counts, as it does for getservbyname(3). Lines that are no entries are passed
/// over.
[[nodiscard]] std::map<std::string, std::uint16_t> decode_services(ByteView text);

/// The addresses of a host in the order of the file, each once; lines that begin with none are
/// passed over.
[[nodiscard]] std::vector<IpAddress> decode_hosts(ByteView text, std::string_view name);

}  // namespace hark::decode
