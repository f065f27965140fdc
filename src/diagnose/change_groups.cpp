// Matching goes from what is certain to what is likely: by all that makes a listener the same;
// then, of what is left, ports that the kernel chose for the same owner; then the same owner's port
// at another address; and in the end its only port at another number.
#include "diagnose/change_groups.h"

#include <algorithm>
#include <functional>
#include <map>

#include "diagnose/words.h"
#include "host/doors.h"

namespace hark::diagnose {
namespace {

using host::Host;
using host::Listener;

/// Ports that a program gets that asks for none: net.ipv4.ip_local_port_range as it is by default.
bool is_ephemeral(const Group& group) {
  constexpr std::uint16_t kFirst = 32768;
  constexpr std::uint16_t kLast = 60999;
  return group.protocol != Protocol::Raw && group.port >= kFirst && group.port <= kLast;
}

/// Namespaces that /proc/net told of on some side: it knows no bound devices, and of MPTCP only the
/// TCP beneath.
std::set<std::string> without_interfaces(const Snapshot& side,
                                         const std::vector<std::string>& words) {
  std::set<std::string> out;
  for (const std::size_t i : side.listeners) {
    const Listener& one = side.host.listeners[i];
    if (!one.interface_known) out.insert(words[static_cast<std::size_t>(one.netns)]);
  }
  return out;
}

std::vector<Group> groups_of(const Snapshot& side, const std::vector<std::string>& words,
                             const std::set<std::string>& without_interface) {
  std::vector<Group> all;
  for (const std::size_t i : side.listeners) {
    const Listener& one = side.host.listeners[i];
    Group group{.netns = words[static_cast<std::size_t>(one.netns)],
                .protocol = one.protocol,
                .port = one.port,
                .address = one.address,
                .interface = one.interface,
                .listeners = {i}};
    if (without_interface.contains(group.netns)) {
      group.interface.clear();
      if (is_stream(one)) group.protocol = Protocol::Tcp;
    }
    all.push_back(std::move(group));
  }
  std::ranges::stable_sort(all, [](const Group& a, const Group& b) { return a.key() < b.key(); });
  std::vector<Group> out;
  for (Group& group : all) {
    if (!out.empty() && out.back().key() == group.key()) {
      out.back().listeners.push_back(group.listeners.front());
    } else {
      out.push_back(std::move(group));
    }
  }
  for (Group& group : out) group.who = who_of(side.host, group.listeners);
  return out;
}

void take_all(Group& into, Group& from) {
  into.listeners.insert(into.listeners.end(), from.listeners.begin(), from.listeners.end());
}

/// Where owners are not known, a unit has to do.
bool is_likely_same(const Group& a, const Group& b) {
  const Same same = same_who(a.who, b.who);
  if (same == Same::Unknown) return !a.who.unit.empty() && a.who.unit == b.who.unit;
  return same == Same::Yes && !a.who.is_nobody();
}

class Matcher {
 public:
  Matcher(std::vector<Group> before, std::vector<Group> after)
      : before_(std::move(before)), after_(std::move(after)) {}

  void by_key() {
    std::vector<Group> left;
    for (Group& one : before_) {
      const auto found = std::ranges::lower_bound(
          after_, one, [](const Group& a, const Group& b) { return a.key() < b.key(); });
      if (found == after_.end() || found->key() != one.key()) {
        left.push_back(std::move(one));
        continue;
      }
      pairs_.push_back({std::move(one), std::move(*found)});
      after_.erase(found);
    }
    before_ = std::move(left);
  }

  /// However many there are of them on either side.
  void by_chosen_ports() {
    const auto alike = [](const Group& a, const Group& b) {
      return is_ephemeral(a) && is_ephemeral(b) && a.netns == b.netns && a.protocol == b.protocol &&
             a.address == b.address && a.interface == b.interface && is_likely_same(a, b);
    };
    for (std::size_t i = 0; i < before_.size(); ++i) {
      const auto found =
          std::ranges::find_if(after_, [&](const Group& one) { return alike(before_[i], one); });
      if (found == after_.end()) continue;
      Pair pair{before_[i], *found};
      pair.after.listeners.clear();
      std::erase_if(after_, [&](Group& one) {
        if (!alike(before_[i], one)) return false;
        take_all(pair.after, one);
        return true;
      });
      for (std::size_t j = before_.size() - 1; j > i; --j) {
        if (!alike(before_[j], pair.after)) continue;
        take_all(pair.before, before_[j]);
        before_.erase(before_.begin() + static_cast<std::ptrdiff_t>(j));
      }
      before_.erase(before_.begin() + static_cast<std::ptrdiff_t>(i--));
      pairs_.push_back(std::move(pair));
    }
  }

  void by_owner(const std::function<bool(const Group&, const Group&)>& fits) {
    for (std::size_t i = 0; i < before_.size(); ++i) {
      const auto found = std::ranges::find_if(after_, [&](const Group& one) {
        const Group& old = before_[i];
        return old.netns == one.netns && old.protocol == one.protocol && old.port == one.port &&
               fits(old, one) && same_who(old.who, one.who) == Same::Yes && !old.who.is_nobody();
      });
      if (found == after_.end()) continue;
      pairs_.push_back({std::move(before_[i]), std::move(*found)});
      after_.erase(found);
      before_.erase(before_.begin() + static_cast<std::ptrdiff_t>(i--));
    }
  }

  std::vector<Pair> take() {
    number_moves();
    return std::move(pairs_);
  }

 private:
  /// Ports of one side that are left of an owner.
  static std::set<std::uint16_t> ports_of(const std::vector<Group>& all, const Group& like) {
    std::set<std::uint16_t> out;
    for (const Group& one : all) {
      if (belongs(one, like)) out.insert(one.port);
    }
    return out;
  }
  static bool belongs(const Group& one, const Group& like) {
    return one.netns == like.netns && one.protocol == like.protocol && !like.who.is_nobody() &&
           same_who(one.who, like.who) == Same::Yes;
  }

  void number_moves() {
    std::vector<std::size_t> of_before(before_.size()), of_after(after_.size());
    std::size_t last = 0;
    for (std::size_t i = 0; i < before_.size(); ++i) {
      const Group& like = before_[i];
      if (of_before[i] != 0 || like.protocol == Protocol::Raw) continue;
      if (ports_of(before_, like).size() != 1 || ports_of(after_, like).size() != 1) continue;
      ++last;
      for (std::size_t j = 0; j < before_.size(); ++j) {
        if (belongs(before_[j], like)) of_before[j] = last;
      }
      for (std::size_t j = 0; j < after_.size(); ++j) {
        if (belongs(after_[j], like)) of_after[j] = last;
      }
    }
    for (std::size_t i = 0; i < before_.size(); ++i) {
      pairs_.push_back({std::move(before_[i]), {}, of_before[i]});
    }
    for (std::size_t i = 0; i < after_.size(); ++i) {
      pairs_.push_back({{}, std::move(after_[i]), of_after[i]});
    }
  }

  std::vector<Group> before_, after_;
  std::vector<Pair> pairs_;
};

std::string place_of(const reach::LeadsTo& lead, const reach::PublishedPort& from) {
  const std::string port = std::to_string(lead.port.value_or(from.first_port()));
  if (!lead.service.empty()) return "service " + lead.service;
  if (lead.container) return "container " + lasting_name(*lead.container) + ":" + port;
  std::string out = lead.address ? lead.address->text() : std::string("this host");
  if (lead.last_address) out += "-" + lead.last_address->text();
  return out + " " + port;
}

}  // namespace

std::vector<Pair> match_groups(const Snapshot& before, const Snapshot& after,
                               const NetnsWords& words, bool exact) {
  std::set<std::string> without = without_interfaces(before, words.before);
  without.merge(without_interfaces(after, words.after));
  Matcher matcher(groups_of(before, words.before, without), groups_of(after, words.after, without));
  matcher.by_key();
  if (!exact) matcher.by_chosen_ports();
  matcher.by_owner([](const Group& a, const Group& b) { return a.address == b.address; });
  matcher.by_owner(
      [](const Group& a, const Group& b) { return a.address.family == b.address.family; });
  matcher.by_owner([](const Group&, const Group&) { return true; });
  return matcher.take();
}

bool is_same_socket(const Host& before, const Host& after, const Pair& pair) {
  return std::ranges::all_of(pair.after.listeners, [&](std::size_t i) {
    const host::Socket& now = after.listeners[i].socket;
    return std::ranges::any_of(pair.before.listeners, [&](std::size_t j) {
      const host::Socket& then = before.listeners[j].socket;
      return then.inode == now.inode && then.cookie == now.cookie && then.uid == now.uid;
    });
  });
}

std::set<std::string> leads_of(const Host&, const reach::PublishedPort& port) {
  std::set<std::string> out;
  for (const reach::LeadsTo& lead : port.leads_to) out.insert(place_of(lead, port));
  const auto is_empty = [](const reach::LeadsTo& lead) { return lead.somebody_listens == false; };
  if (!port.leads_to.empty() && std::ranges::all_of(port.leads_to, is_empty)) {
    out.insert("nobody listens there");
  }
  return out;
}

std::set<std::string> leads_of(const Host& host, const Group& group) {
  std::set<std::string> out;
  for (const std::size_t i : group.listeners) {
    const Listener& one = host.listeners[i];
    if (!one.owners) continue;
    for (const host::Owner& owner : *one.owners) {
      const host::Process& process = host.at(owner.process);
      if (!process.door) continue;
      const std::uint16_t port = host::door_port(*process.door, one);
      const auto& container = process.door->container;
      const std::string words = host::door_words(*process.door, one);
      if (container) {
        out.insert("container " + lasting_name(*container) + ":" + std::to_string(port));
      } else {
        out.insert(words.empty() ? host::door_target(*process.door, port) : words);
      }
    }
  }
  return out;
}

std::string published_key(const reach::PublishedPort& port, const std::string& netns) {
  std::string out = netns + " " + std::string(name_of(port.protocol)) +
                    (port.family == hark::Family::Inet ? " inet" : " inet6");
  if (port.addresses) {
    for (const Prefix& one : prefixes_of(*port.addresses)) out += " " + one.text();
  }
  for (const auto& range : port.ports.ranges()) {
    out += " " + std::to_string(range.first) + "-" + std::to_string(range.last);
  }
  return out;
}

}  // namespace hark::diagnose
