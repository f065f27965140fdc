// How a passage writes down what happened: for the files that walk it.
#pragma once

#include <optional>
#include <string>

#include "reach/netfilter.h"
#include "reach/passage.h"
#include "reach/world.h"

namespace hark::reach {

void add_step(World& world, Stage stage, const char* verdict, std::string detail,
              std::string verify = {});
/// A step that ends the way.
void add_stop(World& world, Stage stage, const Blocker& blocker);

[[nodiscard]] std::string link_name(const World& world, std::uint32_t index);

/// Runs one hook and tells what it did. Nothing: the packet goes on.
[[nodiscard]] std::optional<Arrival> pass_hook(World& world, HookPoint hook, Packet& packet,
                                               ConntrackView& view, Stage stage);
/// The same, and `rerouted` tells whether a chain of type route wants another way looked for.
[[nodiscard]] std::optional<Arrival> pass_hook(World& world, HookPoint hook, Packet& packet,
                                               ConntrackView& view, Stage stage, bool& rerouted);
/// The same in the stage that the hook belongs to.
[[nodiscard]] std::optional<Arrival> pass_hook(World& world, HookPoint hook, Packet& packet,
                                               ConntrackView& view);

/// A question of neighbour discovery for `target`, and the answer to one.
[[nodiscard]] Packet solicitation(const IpAddress& asker, const IpAddress& target);
[[nodiscard]] Packet advertisement(const IpAddress& asker, const IpAddress& target);

/// The address from which this host would ask for the link-layer address of `next`, for a packet
/// from `source` that waits.
[[nodiscard]] IpAddress asking_address(const World& world, std::uint32_t link,
                                       const IpAddress& next, const IpAddress& source);
/// Do rules let our question for `next` out and its answer in? Nothing if so.
[[nodiscard]] std::optional<Blocker> unheard(World& world, std::uint32_t link,
                                             const IpAddress& next, const IpAddress& source);

/// Will the packet that leaves find the link-layer address of the next hop? Nothing if so.
[[nodiscard]] std::optional<Blocker> next_hop_silent(World& world, const FibResult& fib,
                                                     const Packet& packet, Stage stage);

}  // namespace hark::reach
