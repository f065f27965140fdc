// The packets with which this host answers, as its own rules see them: what the kernel writes into
// their headers, and what they inherit from the packet that they answer.
#pragma once

#include "reach/packet.h"
#include "reach/passage.h"
#include "reach/unanswerable.h"
#include "reach/world.h"

namespace hark::reach {

/// A socket's answer to `packet`, without TCP flags.
[[nodiscard]] Packet answer_to(const World& world, const Packet& packet);

/// A TCP reset, or an ICMP error. Of the latter an unspecified source is one that routing is to
/// choose. A reset answers TCP alone: anything else gets the error.
[[nodiscard]] Packet refusal_of(const World& world, const Packet& packet, const Refusal& refusal,
                                Refuser refuser);

}  // namespace hark::reach
