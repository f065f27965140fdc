#include "reach/spaces.h"

#include "reach/clients.h"
#include "reach/routing_classes.h"
#include "reach/segment.h"

namespace hark::reach {

const ReachCache::OfFamily& classes_of(ReachCache& cache, const host::Network& network,
                                       Family family) {
  auto& known = cache.families[static_cast<std::size_t>(family)];
  if (!known) {
    known = ReachCache::OfFamily{routing_classes(network, family), routing_ports(network, family)};
  }
  return *known;
}

const host::Network* Spaces::network(host::NetnsId id) {
  if (id == home_.network.netns) return &home_.network;
  return others_ == nullptr ? nullptr : others_->of(id);
}

const host::Network* Spaces::outline(host::NetnsId id) {
  if (id == home_.network.netns) return &home_.network;
  return others_ == nullptr ? nullptr : others_->outline(id);
}

Space* Spaces::at(host::NetnsId id) {
  if (id == home_.network.netns) return &home_;
  const host::Network* network = this->network(id);
  if (network == nullptr) return nullptr;
  std::unique_ptr<Space>& space = spaces_[id];
  if (space == nullptr) space = std::make_unique<Space>(*network);
  return space.get();
}

std::optional<host::LinkEnd> Spaces::other_end(const host::Network& in, const host::Link& link) {
  return others_ == nullptr ? std::nullopt : others_->other_end(in, link);
}

std::vector<host::LinkEnd> Spaces::standing_on(const host::LinkEnd& lower) {
  return others_ == nullptr ? std::vector<host::LinkEnd>() : others_->standing_on(lower);
}

const Segment& Spaces::segment(const host::Network& from, std::uint32_t link) {
  std::shared_ptr<const Segment>& known = segments_[{from.netns, link}];
  if (known == nullptr) known = std::make_shared<const Segment>(segment_behind(*this, from, link));
  return *known;
}

bool Spaces::speaks_for_others(host::NetnsId id) {
  const auto [at, fresh] = speaks_for_others_.try_emplace(id);
  const host::Network* network = fresh ? outline(id) : nullptr;
  if (network != nullptr) at->second = reach::speaks_for_others(*network);
  return at->second;
}

void Spaces::split_by_routes(host::NetnsId id, Clients& clients) {
  Space* space = at(id);
  if (space == nullptr) return;
  const ReachCache::OfFamily& all =
      classes_of(space->cache, space->network, clients.address().family);
  for (const AddressSet& one : all.classes) {
    if (one.contains(clients.address())) clients.split(one);
  }
  for (const PortSet& one : all.ports) {
    if (one.contains(clients.port())) clients.split(one);
  }
}

std::string Spaces::command_prefix(host::NetnsId id) const {
  return others_ == nullptr ? std::string() : others_->command_prefix(id);
}

std::string Spaces::words_of(host::NetnsId id) const {
  const host::Netns& netns = host_.at(id);
  if (netns.name == "host") return "the host";
  if (!netns.name.empty()) return netns.name;
  return netns.inode ? "net:[" + std::to_string(*netns.inode) + "]" : "another namespace";
}

}  // namespace hark::reach
