// sock_diag gives whoever has CAP_NET_ADMIN the TCP MD5 keys of a socket (tcp_diag_put_md5sig of
// net/ipv4/tcp_diag.c). hark wants to know for which peers there are keys, not the keys, and a
// recording must never hold one: they are taken out where they come in.
#pragma once

#include "base/bytes.h"

namespace hark::kernel {

/// `answer` is one of NETLINK_SOCK_DIAG. In every attribute INET_DIAG_MD5SIG of a socket the keys
/// are filled with zeros; so is all of one that is not a whole number of entries, and whatever
/// cannot be read as attributes. The lengths stay, so the answer still decodes.
void blank_md5_keys(Bytes& answer);

}  // namespace hark::kernel
