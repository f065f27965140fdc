// The tables of /proc/net: tcp, udp, udplite, raw and their IPv6 twins. proc(5);
// get_tcp4_sock of net/ipv4/tcp_ipv4.c, udp4_format_sock, raw_sock_seq_show, and the IPv6 ones.
#pragma once

#include "base/result.h"
#include "decode/inet_diag.h"

namespace hark::decode {

/// Lines of one table, heading included, as records. Tells no bound device, no v6only flag, no
/// cgroup, no queue limit and no cookie: these stay empty (but v6only of IPv6 raw sockets, see
/// SocketRecord), and so do the drops of TCP. Sockets with a remote address are returned too. A
/// malformed or cut off line is an error naming its number.
[[nodiscard]] Result<SocketDump> decode_proc_net(ByteView text, Protocol protocol, Family family);

/// Is there an MPTCP socket in the namespace whose /proc/net/protocols this is (proto_seq_printf of
/// net/core/sock.c: name, size, sockets, …)? True also if the text does not tell.
[[nodiscard]] bool has_mptcp(ByteView protocols);

}  // namespace hark::decode
