// Who reaches a listener against who should, place by place: at each interface, and each address
// that is asked there, the sources that may, those that must, and those that do.
#include <algorithm>

#include "diagnose/policy.h"
#include "reach/client_view.h"

namespace hark::diagnose {
namespace {

using host::ReachWish;
using host::WishedSource;
using reach::ClientPart;
using reach::ClientPlace;
using reach::Reachability;
using reach::Through;
using Kind = ReachWish::Kind;

AddressSet of_prefix(const Prefix& prefix) {
  return AddressSet(range_of(prefix));
}

const AddressSet& loopback_sources(hark::Family family) {
  static const AddressSet v4 = of_prefix(*Prefix::parse("127.0.0.0/8"));
  static const AddressSet v6 = of_prefix(*Prefix::parse("::1"));
  return family == hark::Family::Inet ? v4 : v6;
}

AddressSet counted(const ClientPlace& place) {
  if (!place.loopback) return place.clients;
  return place.clients.intersect(loopback_sources(place.to.address.family));
}

struct Wanted {
  AddressSet may;
  AddressSet must;
};

bool any_outside(const Reachability& one) {
  return std::ranges::any_of(one.clients.places, [](const ClientPlace& place) {
    return !place.loopback && !place.clients.empty();
  });
}

Wanted of_source(const WishedSource& source, const std::string& interface, const ClientPlace& place,
                 const AddressSet& all) {
  if (!source.interface.empty() && source.interface != interface) return {};
  if (!source.from) return {all, all};
  const hark::Family family = place.to.address.family;
  if (source.from->address.family != family) return {};
  const AddressSet some = of_prefix(*source.from).intersect(all);
  // 0.0.0.0/0 may come from this host as well, but nobody writes it to say so.
  const bool meant = !place.loopback || !source.interface.empty() ||
                     of_prefix(*source.from).minus(loopback_sources(family)).empty();
  return {some, meant ? some : AddressSet()};
}

/// Takes from it what is excluded.
Wanted without(Wanted wanted, const ReachWish& wish, const std::string& interface,
               const ClientPlace& place, const AddressSet& all) {
  for (const WishedSource& source : wish.sources) {
    if (!source.excluded) continue;
    const AddressSet gone = of_source(source, interface, place, all).may;
    wanted.may = wanted.may.minus(gone);
    wanted.must = wanted.must.minus(gone);
  }
  return wanted;
}

Wanted wanted_at(const host::Network& network, const Reachability& one, const ClientPlace& place,
                 const ReachWish& wish) {
  const AddressSet all = counted(place);
  const host::Link* link = network.link(place.interface);
  const std::string interface = link == nullptr ? "" : link->name;
  switch (wish.kind) {
    case Kind::Nobody:
      return {};
    case Kind::Loopback:
      return place.loopback ? Wanted{all, all} : Wanted{};
    case Kind::Anywhere:
      return without({all, place.loopback && any_outside(one) ? AddressSet() : all}, wish,
                     interface, place, all);
    case Kind::NotSaid:
      return {all, {}};
    case Kind::Sources:
      break;
  }
  Wanted out;
  for (const WishedSource& source : wish.sources) {
    if (source.excluded) continue;
    const Wanted more = of_source(source, interface, place, all);
    out.may = out.may.unite(more.may);
    out.must = out.must.unite(more.must);
  }
  return without(std::move(out), wish, interface, place, all);
}

class Judge {
 public:
  Judge(const host::Network& network, const Reachability& one, const ReachWish& wish)
      : one_(one), wish_(wish) {
    out_.clients.places = one.clients.places;
    for (const ClientPlace& place : one.clients.places) {
      wanted_.push_back(wanted_at(network, one, place, wish));
    }
  }

  Deviation judge() {
    for (std::size_t i = 0; i < one_.clients.parts.size(); ++i) judge_part(i);
    const bool somebody = wish_.kind != Kind::Nobody && wish_.kind != Kind::NotSaid;
    out_.nobody_at_all = somebody && std::ranges::all_of(one_.clients.places, [](const auto& p) {
                           return counted(p).empty();
                         });
    return std::move(out_);
  }

 private:
  void judge_part(std::size_t i) {
    const ClientPart& part = one_.clients.parts[i];
    const Wanted& wanted = wanted_[part.place];
    const AddressSet all = part.addresses.intersect(counted(one_.clients.places[part.place]));
    const Through answer = reach::gets_through(part.cls->answer);
    const Through through = one_.through[i];
    // Let in, if only with some source ports: who wants to has them.
    if (through == Through::Yes || (through == Through::Maybe && answer == Through::Yes)) {
      return add(part, all.minus(wanted.may), out_.too_many);
    }
    if (through == Through::Maybe) {
      return add(part, all.minus(wanted.may).unite(all.intersect(wanted.must)), out_.open);
    }
    // Answered, by another socket of the port: that one's own result tells of it.
    if (answer == Through::Yes) return;
    // What `hark list` calls anywhere is anywhere.
    if (wish_.kind == Kind::Anywhere && one_.openness == reach::Openness::Anywhere &&
        reach::has_no_way_back(part.cls->answer)) {
      return;
    }
    add(part, all.intersect(wanted.must), out_.too_few);
  }

  void add(const ClientPart& part, AddressSet some, std::vector<std::size_t>& to) {
    if (some.empty()) return;
    to.push_back(out_.clients.parts.size());
    ClientPart piece = part;
    piece.addresses = std::move(some);
    out_.clients.parts.push_back(std::move(piece));
  }

  const Reachability& one_;
  const ReachWish& wish_;
  std::vector<Wanted> wanted_;
  Deviation out_;
};

}  // namespace

Deviation deviation_of(const host::Network& network, const Reachability& one,
                       const ReachWish& wish) {
  return Judge(network, one, wish).judge();
}

}  // namespace hark::diagnose
