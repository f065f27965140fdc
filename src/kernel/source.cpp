#include "kernel/source.h"

namespace hark::kernel {

const char* file_name(NetTable table) {
  constexpr const char* kNames[] = {"tcp",          "tcp6",
                                    "udp",          "udp6",
                                    "udplite",      "udplite6",
                                    "raw",          "raw6",
                                    "protocols",    "sys/net/ipv4/ip_local_port_range",
                                    "rxrpc/locals", "sys/net/sctp/udp_port"};
  return kNames[static_cast<std::size_t>(table)];
}

}  // namespace hark::kernel
