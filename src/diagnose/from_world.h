// Can the Internet come in? A port that is open to a private network only is open to whom it is
// meant for; what counts here is who comes by an interface that leads to the whole world.
#pragma once

#include <cstdint>

#include "base/intervals.h"
#include "diagnose/words.h"
#include "host/network.h"
#include "reach/reach_table.h"

namespace hark::diagnose {

/// Of the public addresses of a family. A few that are let in were most likely meant.
enum class Share : std::uint8_t { None, Few, Most };

struct FromWorld {
  /// An interface that is up has a default route of the family, so that the world can come at all.
  bool asked = false;
  Share through = Share::None;
  const reach::ReachClass* open = nullptr;    ///< of those who get through, where they are Most
  const reach::ReachClass* closed = nullptr;  ///< of those who do not; the largest class
};

[[nodiscard]] FromWorld from_world(const host::Network& network, const reach::Reachability& one,
                                   IpFamily family);

/// Does this interface have a default route of the family, of whatever table?
[[nodiscard]] bool leads_to_world(const host::Network& network, std::uint32_t link,
                                  IpFamily family);

/// Neither private nor of this link or host, nor of many: RFC 6890.
[[nodiscard]] const AddressSet& public_addresses(IpFamily family);

}  // namespace hark::diagnose
