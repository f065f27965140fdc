// Policies of IPsec. linux/xfrm.h; copy_to_user_policy of net/xfrm/xfrm_user.c. Keys are in states,
// not in policies, and are not asked for.
#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"
#include "decode/route_messages.h"

namespace hark::decode {

/// A policy of IPsec that could stop plain packets.
struct XfrmPolicyRecord {
  std::uint8_t direction = 0;  ///< XFRM_POLICY_IN, OUT, FWD
  std::uint8_t action = 0;     ///< XFRM_POLICY_ALLOW, BLOCK
  Family family = Family::Inet;
  Prefix source;
  Prefix destination;
  std::uint8_t protocol = 0;
  PortRange source_ports = {};
  PortRange destination_ports = {};
  std::uint32_t link = 0;
  std::uint32_t priority = 0;
  std::uint32_t index = 0;
  bool templates = false;  ///< wants packets to have been protected
  std::uint32_t mark = 0;
  std::uint32_t mask = 0;          ///< of the mark; 0: the mark does not count
  std::uint32_t interface_id = 0;  ///< XFRMA_IF_ID: only packets of that xfrm interface
  bool operator==(const XfrmPolicyRecord&) const = default;
};

/// Are packets dropped to which no policy applies? By default they are not. Linux 5.14.
struct XfrmDefaults {
  bool blocks_in = false;
  bool blocks_forward = false;
  bool blocks_out = false;
  bool operator==(const XfrmDefaults&) const = default;
};

/// A dump, and a plain request. Both need CAP_NET_ADMIN.
[[nodiscard]] Bytes xfrm_policies_request();
[[nodiscard]] Bytes xfrm_defaults_request();

/// In the kernel's order; lower priorities are asked first, and among equals the first. Policies of
/// single sockets are passed over.
[[nodiscard]] Result<std::vector<XfrmPolicyRecord>> decode_xfrm_policies(ByteView messages);
[[nodiscard]] Result<XfrmDefaults> decode_xfrm_defaults(ByteView messages);

}  // namespace hark::decode
