// The survey of all sockets of a machine: the buffer of base/socket_parts.h.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/socket_parts.h"
#include "decode/inet_diag.h"

namespace hark::decode {

/// One socket of a survey.
struct SurveyRecord {
  std::uint32_t netns_inode = 0;
  SocketRecord socket;  ///< as a dump of sock_diag would tell it
  bool operator==(const SurveyRecord&) const = default;
};

struct SocketSurvey {
  std::vector<SurveyedNetns> namespaces;  ///< ascending by inode
  std::vector<SurveyedFile> files;        ///< ascending by inode
  bool full = false;                      ///< `sockets` was told
  std::vector<SurveyRecord> sockets;      ///< by namespace, each inode and protocol once
};

/// The protocol of SurveyedFile and SurveyedSocket; empty: there is none with that number.
[[nodiscard]] std::optional<Protocol> surveyed_protocol(std::uint16_t number);

/// A buffer that is cut off, or a socket of a family or protocol that there cannot be, is an error
/// as a whole.
[[nodiscard]] Result<SocketSurvey> decode_socket_survey(ByteView parts);

}  // namespace hark::decode
