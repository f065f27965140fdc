#include "host/networks.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/netns_parts.h"
#include "host/collect_network.h"

namespace hark::host {

const Network* Networks::of(NetnsId id) {
  const std::lock_guard turn(turn_);
  if (const auto found = known_.find(id); found != known_.end()) return found->second;
  const Network*& known = known_[id];
  const auto at = static_cast<std::size_t>(id);
  if (at >= ways_.size() || !host_.at(id).entered) return known;
  auto network = std::make_unique<const Network>(
      collect_network(source_, ways_[at], host_, id, network_request(host_, id)));
  if (network->links.empty()) return known;
  known = network.get();
  read_[id] = std::move(network);
  return known;
}

const Network* Networks::outline(NetnsId id) {
  const std::lock_guard turn(turn_);
  if (const auto found = known_.find(id); found != known_.end()) return found->second;
  const auto [outline, fresh] = outlines_.try_emplace(id);
  const auto at = static_cast<std::size_t>(id);
  if (fresh && at < ways_.size() && host_.at(id).entered) {
    const NetworkRequest request = {.firewalls = false,
                                    .programs = false,
                                    .connection = {},
                                    .cgroups = {},
                                    .socket_options = false};
    auto network = std::make_unique<const Network>(read_network(source_, ways_[at], id, request));
    if (!network->links.empty()) outline->second = std::move(network);
  }
  return outline->second.get();
}

const Networks::Numbers& Networks::numbers_in(NetnsId id) {
  const auto [at, fresh] = numbers_.try_emplace(id);
  const auto position = static_cast<std::size_t>(id);
  if (!fresh || position >= ways_.size()) return at->second;
  const auto answer = source_.netns_ids(ways_[position], ways_);
  if (!answer) return at->second;
  ByteReader reader(*answer);
  while (reader.left() >= sizeof(NetnsNumber)) {
    const auto one = reader.value<NetnsNumber>();
    const auto netns = std::ranges::find(ways_, one.inode, &kernel::NetnsRef::inode);
    if (one.inode == 0 || netns == ways_.end()) continue;
    at->second[one.number] = NetnsId{static_cast<std::uint32_t>(netns - ways_.begin())};
  }
  return at->second;
}

std::optional<LinkEnd> Networks::other_end(const Network& in, const Link& link) {
  const std::lock_guard turn(turn_);
  return find_end(in, link);
}

std::optional<LinkEnd> Networks::find_end(const Network& in, const Link& link) {
  if (link.peer == 0) return std::nullopt;
  if (!link.peer_netns) return LinkEnd{.netns = in.netns, .link = link.peer};
  const auto known = ends_.find({in.netns, link.index});
  if (known != ends_.end()) return known->second;
  const Numbers& numbers = numbers_in(in.netns);
  const auto netns = numbers.find(*link.peer_netns);
  if (netns == numbers.end()) return std::nullopt;
  const LinkEnd end{.netns = netns->second, .link = link.peer};
  ends_[{in.netns, link.index}] = end;
  if (link.kind == "veth") {
    ends_[{end.netns, end.link}] = LinkEnd{.netns = in.netns, .link = link.index};
  }
  return end;
}

void Networks::find_standing(const Network& in) {
  static constexpr std::array<std::string_view, 5> kKinds = {"vlan", "macvlan", "macvtap", "ipvlan",
                                                             "ipvtap"};
  for (const Link& link : in.links) {
    if (std::ranges::find(kKinds, link.kind) == kKinds.end()) continue;
    if (const auto lower = find_end(in, link)) {
      standing_->emplace(*lower, LinkEnd{.netns = in.netns, .link = link.index});
    }
  }
}

std::vector<LinkEnd> Networks::standing_on(const LinkEnd& lower) {
  const std::lock_guard turn(turn_);
  if (!standing_) {
    standing_.emplace();
    for (std::size_t i = 0; i < ways_.size(); ++i) {
      const NetnsId id{static_cast<std::uint32_t>(i)};
      if (const auto known = known_.find(id); known != known_.end()) {
        if (known->second != nullptr) find_standing(*known->second);
      } else if (const auto outline = outlines_.find(id); outline != outlines_.end()) {
        if (outline->second != nullptr) find_standing(*outline->second);
      } else if (i < host_.namespaces.size() && host_.at(id).entered) {
        find_standing(read_only_links(source_, ways_[i], id));
      }
    }
  }
  std::vector<LinkEnd> out;
  const auto [first, last] = standing_->equal_range(lower);
  for (auto one = first; one != last; ++one) out.push_back(one->second);
  return out;
}

std::string Networks::command_prefix(NetnsId id) const {
  const auto at = static_cast<std::size_t>(id);
  if (at >= ways_.size() || ways_[at].paths.empty()) return {};
  const std::string& path = ways_[at].paths.front();
  if (path.empty()) return {};
  return "nsenter --net=" + path + " ";
}

}  // namespace hark::host
