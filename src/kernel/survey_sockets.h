// Every network namespace, and every socket of any of them that may be a listener, from the hash
// tables in which the kernel itself looks for one (Linux 6.7: net/ipv4/inet_hashtables.c, udp.c,
// raw.c).
//
// Of TCP and MPTCP there is a table of listeners alone. UDP and UDP-Lite keep every bound socket by
// its port, raw sockets by their protocol. All are arrays of lists; most lists are empty.
#pragma once

#include <cstdint>
#include <vector>

#include "base/socket_parts.h"
#include "kernel/kernel_layout.h"
#include "kernel/kernel_reader.h"

namespace hark::kernel {

struct FoundSocket {
  SurveyedSocket told;     ///< with SurveyDepth::Files only what SurveyedFile has
  std::uint64_t file = 0;  ///< address of its struct file; 0: it has none, the kernel made it
};

struct FoundSockets {
  std::vector<SurveyedNetns> namespaces;
  std::vector<FoundSocket> sockets;
  SurveyDepth depth = SurveyDepth::Files;  ///< what is told of them
};

/// `own_socket` is a socket of hark's own, of whatever family: it leads to the namespaces and to
/// the protocols. Of sockets in more than kManyNamespaces all is told. What came of it is only
/// valid if reader.state() is.
[[nodiscard]] FoundSockets survey_sockets(KernelReader& reader, const KernelLayout& layout,
                                          int own_socket, SurveyDepth depth);

}  // namespace hark::kernel
