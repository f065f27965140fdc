// The namespaces through which the packets of one question go, and what conntrack keeps of them in
// each. Made as packets come there.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "host/networks.h"
#include "reach/netfilter.h"
#include "reach/service.h"
#include "reach/world.h"

namespace hark::reach {

struct Site {
  World world;
  ConntrackView view = {};
  /// Who has asked for an address of ours told his own by it: the place at which he is.
  std::optional<host::LinkEnd> heard_from = {};
};

class Sites {
 public:
  /// `world` is that of the namespace of the question.
  explicit Sites(const World& world) : home_{.world = world} {}

  [[nodiscard]] Site& home() { return home_; }
  [[nodiscard]] const Site& home() const { return home_; }
  [[nodiscard]] bool is_home(const Site& site) const { return &site == &home_; }
  /// nullptr: it cannot be read.
  [[nodiscard]] Site* at(host::NetnsId id);
  /// What is open from here on is open there.
  static void enter(Site& site) { site.world.choices.enter(site.world.scope, site.world.place); }

 private:
  Site home_;
  std::map<host::NetnsId, std::unique_ptr<Site>> others_;
};

/// A blocker that was met there, in words for whoever asks at home.
void name_place(const Site& site, Blocker& blocker);

}  // namespace hark::reach
