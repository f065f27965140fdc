// Who reaches a listener, in few words. Not escaped: names in them are hostile text, and only the
// medium knows how to show them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/intervals.h"
#include "host/network.h"
#include "reach/client_view.h"
#include "reach/reach_table.h"

namespace hark::show {

/// `some` of `all` clients, as prefixes or as all but those, whichever is shorter, and no more than
/// `most` of them: "10.0.0.0/8", "10.0.0.9", "anywhere", "anywhere but 10.0.0.0/8, 10.9.0.0/16 and
/// 3 more", "private addresses", "link-local addresses".
[[nodiscard]] std::string addresses_words(const AddressSet& some, const AddressSet& all,
                                          std::size_t most);

/// Some parts of the clients, and those that were told of before.
struct Chosen {
  std::vector<std::size_t> parts;  ///< positions in ClientView::parts
  std::vector<std::size_t> told = {};
};

/// Who they are, one text for those of other hosts that go alike, and one for this host:
/// "10.0.0.0/8 via eth0", "anywhere else via eth0", "anywhere over IPv6", "this host".
[[nodiscard]] std::vector<std::string> clients_words(const host::Network& network,
                                                     const reach::ClientView& clients,
                                                     const Chosen& chosen, std::size_t most);

/// What decides in the fewest words: "dropped by inet filter input handle 7".
[[nodiscard]] std::string short_cause(const reach::Answer& answer);

/// The cell of a row: "anywhere", "this host only", "10.0.0.0/8 via eth0; others dropped",
/// "nobody: dropped by inet filter input handle 7", "unknown: rules unread". Empty: there is
/// nothing to be said of such sockets.
[[nodiscard]] std::string reach_words(const reach::ReachTable& table,
                                      const std::vector<std::size_t>& listeners);

/// The same of a port, but for by what way it is reached.
[[nodiscard]] std::string way_free_reach_words(const host::Network& network,
                                               const reach::Reachability& one);

/// The same of a port.
[[nodiscard]] std::string reach_words(const host::Network& network, const reach::Reachability& one);

/// What the cell says, for who has to choose a colour or to count.
[[nodiscard]] reach::Openness openness_of(const reach::ReachTable& table,
                                          const std::vector<std::size_t>& listeners);

}  // namespace hark::show
