// Who may ask WireGuard for a device's port is given its private key as well, and each peer's
// preshared key (wg_get_device_dump of drivers/net/wireguard/netlink.c). hark has no use for keys,
// and a recording must never hold one: they are taken out where they come in.
#pragma once

#include "base/bytes.h"

namespace hark::kernel {

/// `request` is one of generic netlink. Does nothing to the answer of any other command than
/// WG_CMD_GET_DEVICE, whose number no other request of hark has; there, every attribute but the
/// device's index, name and listen port is filled with zeros, and so is whatever cannot be read as
/// attributes. The lengths stay, so the answer still decodes.
void blank_wireguard_keys(ByteView request, Bytes& answer);

}  // namespace hark::kernel
