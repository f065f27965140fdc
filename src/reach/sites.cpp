#include "reach/sites.h"

#include <utility>

#include "reach/spaces.h"

namespace hark::reach {

Site* Sites::at(host::NetnsId id) {
  const World& home = home_.world;
  if (id == home.network.netns) return &home_;
  if (const auto found = others_.find(id); found != others_.end()) return found->second.get();
  Space* space = home.spaces == nullptr ? nullptr : home.spaces->at(id);
  if (space == nullptr) return nullptr;
  std::unique_ptr<Site>& site = others_[id];
  site.reset(new Site{.world = {.host = home.host,
                                .network = space->network,
                                .choices = home.choices,
                                .path = home.path,
                                .assumptions = home.assumptions,
                                .waived = home.waived,
                                .prepared = &space->rules,
                                .routes = &space->routes,
                                .xt = &space->xt,
                                .clients = home.clients,
                                .wanted = nullptr,
                                .spaces = home.spaces,
                                .scope = std::to_string(static_cast<std::uint32_t>(id)) + "/",
                                .place = home.spaces->words_of(id),
                                .command = home.spaces->command_prefix(id)}});
  return site.get();
}

void name_place(const Site& site, Blocker& blocker) {
  const World& world = site.world;
  if (std::exchange(blocker.placed, true) || world.scope.empty()) return;
  blocker.key = world.scope + blocker.key;
  blocker.cause.text = "in " + world.place + ": " + blocker.cause.text;
  for (Evidence& one : blocker.cause.evidence) {
    if (!one.verify.empty()) one.verify = world.command + one.verify;
  }
}

}  // namespace hark::reach
