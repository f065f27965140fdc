#include "host/connection_taken.h"

#include "decode/inet_diag.h"
#include "decode/netlink_attributes.h"

namespace hark::host {

std::optional<bool> connection_taken(kernel::Source& source, const kernel::NetnsRef& netns,
                                     const IpAddress& server, std::uint16_t server_port,
                                     const IpAddress& client, std::uint16_t client_port) {
  const auto answer =
      source.netlink(netns, decode::kNetlinkSockDiag,
                     decode::inet_diag_question(server, server_port, client, client_port));
  if (!answer) return std::nullopt;
  const auto dump = decode::decode_inet_diag(*answer, Protocol::Tcp);
  if (!dump || dump->sockets.size() != 1) return std::nullopt;
  const decode::SocketRecord& socket = dump->sockets.front();
  if (socket.state == kTcpListen || socket.remote_port != client_port) return std::nullopt;
  return socket.inode != 0;
}

}  // namespace hark::host
