// Ports that several sockets share, and who shares them with whom.
//
// A specific address wins over the wildcard (compute_score of net/ipv4/inet_hashtables.c, and of
// udp.c): with a socket on 127.0.0.1 beside one on 0.0.0.0, this host itself talks to another
// program than everybody else. Among sockets of one SO_REUSEPORT group the kernel picks by a hash
// of the client (reuseport_select_sock): each gets a share.
#include <algorithm>
#include <array>
#include <set>

#include "diagnose/families.h"
#include "diagnose/port_group.h"
#include "diagnose/words.h"
#include "reach/destinations.h"

namespace hark::diagnose {
namespace {

using host::Listener;
using host::ProcessId;

bool same_place(const Listener& a, const Listener& b) {
  return a.netns == b.netns && is_stream(a) == is_stream(b) &&
         (is_stream(a) || a.protocol == b.protocol) && a.port == b.port;
}

/// Nobody of the one holds the other.
bool are_apart(const host::Host& host, const Listener& a, const Listener& b) {
  const std::vector<ProcessId> left = servers_of(host, a);
  const std::vector<ProcessId> right = servers_of(host, b);
  if (left.empty() || right.empty()) return false;
  return std::ranges::none_of(
      left, [&](ProcessId id) { return std::ranges::find(right, id) != right.end(); });
}

std::set<std::uint32_t> users_of(const host::Host& host, const Listener& listener) {
  std::set<std::uint32_t> out;
  for (const ProcessId id : servers_of(host, listener)) {
    if (host.at(id).uid) out.insert(*host.at(id).uid);
  }
  return out;
}

std::set<std::string> programs_of(const host::Host& host, const Listener& listener) {
  std::set<std::string> out;
  for (const ProcessId id : servers_of(host, listener)) {
    out.insert(host::program_name(host.at(id)));
  }
  return out;
}

template <typename T>
bool have_none_in_common(const std::set<T>& a, const std::set<T>& b) {
  return !a.empty() && !b.empty() &&
         std::ranges::none_of(a, [&](const T& one) { return b.contains(one); });
}

bool are_of_one_unit(const Listener& a, const Listener& b) {
  return !a.unit.empty() && a.unit == b.unit && a.unit.ends_with(".service");
}

/// Workers of one service that have a socket each.
bool are_workers(const host::Host& host, const Listener& a, const Listener& b) {
  if (are_of_one_unit(a, b)) return true;
  const auto parent = [&](const Listener& one) -> std::uint32_t {
    const host::Process& process = host.at(servers_of(host, one).front());
    const bool known = process.started_by && !process.started_by->empty();
    return known ? process.started_by->front().pid : 0;
  };
  const auto name = [&](const Listener& one) {
    return host::program_name(host.at(servers_of(host, one).front()));
  };
  const std::uint32_t left = parent(a);
  return left > 1 && left == parent(b) && name(a) == name(b) &&
         !have_none_in_common(users_of(host, a), users_of(host, b));
}

/// Does this wildcard socket take, of other hosts, what the twin takes of this one?
bool covers(const Listener& wide, const Listener& twin) {
  if (wide.scope == host::Scope::Loopback || !wide.address.is_unspecified()) return false;
  const IpFamily family = twin.address.unmapped().family;
  if (wide.address.family == family) return true;
  return wide.address.family == IpFamily::Inet6 && !wide.v6only.value_or(true);
}

Finding twin_finding(const Facts& facts, std::size_t wide, std::size_t twin) {
  const Listener& here = facts.listener(twin);
  const std::string address = here.address.text();
  return {.code = "loopback-twin",
          .severity = Severity::Risk,
          .listener = wide,
          .text = host::holder_words(facts.host, wide) + " serves every address but " + address +
                  ", where " + host::holder_words(facts.host, twin) +
                  " listens on the same port: this host talks to one program, everybody else to "
                  "another",
          .evidence = {{.fact = "bound to " + facts.listener(wide).address.text() + " and to " +
                                address,
                        .where = "socket",
                        .verify = socket_command(here, "p")}},
          .remedy =
              "find out which of the two is meant to be reached, and end the other or give it "
              "another port"};
}

/// 127.0.0.1 and all of IPv6: one forgot that `[::]` is the world.
Finding other_family_finding(const Facts& facts, std::size_t wide, std::size_t twin) {
  const Listener& here = facts.listener(twin);
  const bool v6 = facts.listener(wide).address.family == IpFamily::Inet6;
  const std::string mine = v6 ? "IPv6" : "IPv4";
  return {.code = "loopback-twin",
          .severity = Severity::Risk,
          .listener = wide,
          .text = host::holder_words(facts.host, wide) + " listens on this host only over " +
                  (v6 ? "IPv4" : "IPv6") + ", and on every address over " + mine,
          .evidence = {{.fact = "bound to " + facts.listener(wide).address.text() + " and to " +
                                here.address.text(),
                        .where = "socket",
                        .verify = socket_command(here, "p")}},
          .remedy = v6 ? "bind it to [::1] instead of [::], if it is meant for this host only"
                       : "bind it to 127.0.0.1 instead of 0.0.0.0, if it is meant for this host "
                         "only"};
}

bool is_reached_from_elsewhere(const Facts& facts, std::size_t i) {
  const reach::Openness openness = facts.reach.reachability({i}).openness;
  return openness == reach::Openness::Some || openness == reach::Openness::Anywhere;
}

class Group {
 public:
  Group(const Facts& facts, std::vector<std::size_t> members)
      : facts_(facts), members_(std::move(members)) {}

  void find(std::vector<Finding>& out) const {
    for (const std::size_t twin : members_) {
      if (auto one = loopback_twin(twin)) out.push_back(std::move(*one));
    }
    if (auto one = strangers()) out.push_back(std::move(*one));
  }

 private:
  [[nodiscard]] const Listener& at(std::size_t i) const { return facts_.listener(i); }

  [[nodiscard]] std::optional<Finding> loopback_twin(std::size_t twin) const {
    if (!is_localhost(at(twin).address)) return std::nullopt;
    for (const std::size_t wide : members_) {
      if (!covers(at(wide), at(twin)) || !are_apart(facts_.host, at(wide), at(twin))) continue;
      if (are_of_one_unit(at(wide), at(twin))) continue;
      return twin_finding(facts_, wide, twin);
    }
    return other_family_twin(twin);
  }

  /// Only where no other address of the twin's family is served.
  [[nodiscard]] std::optional<Finding> other_family_twin(std::size_t twin) const {
    if (!is_stream(at(twin))) return std::nullopt;
    const IpFamily family = at(twin).address.unmapped().family;
    const std::vector<ProcessId> owners = servers_of(facts_.host, at(twin));
    if (owners.empty()) return std::nullopt;
    std::optional<std::size_t> wide;
    for (const std::size_t i : members_) {
      if (covers(at(i), at(twin))) return std::nullopt;
      const Listener& other = at(i);
      if (other.address.unmapped().family == family) {
        if (!other.address.is_loopback()) return std::nullopt;
      } else if (other.address.is_loopback()) {
        return std::nullopt;
      } else if (other.address.is_unspecified() && servers_of(facts_.host, other) == owners) {
        wide = i;
      }
    }
    if (!wide || !is_reached_from_elsewhere(facts_, *wide)) return std::nullopt;
    return other_family_finding(facts_, *wide, twin);
  }

  /// Several receive the same multicast; that is what sharing is for there.
  [[nodiscard]] bool is_of_many(const Listener& listener) const {
    constexpr std::array<std::uint16_t, 6> kOfMulticast = {1900, 3702, 5353, 5355, 319, 320};
    return listener.protocol == Protocol::Udp &&
           (listener.address.is_multicast() ||
            std::ranges::find(kOfMulticast, listener.port) != kOfMulticast.end());
  }

  [[nodiscard]] std::optional<Finding> strangers() const {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      for (std::size_t j = i + 1; j < members_.size(); ++j) {
        if (auto one = strangers(members_[i], members_[j])) return one;
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Finding> strangers(std::size_t first, std::size_t second) const {
    const Listener& a = at(first);
    const Listener& b = at(second);
    if (a.address != b.address || a.interface_index != b.interface_index || a.v6only != b.v6only ||
        a.protocol != b.protocol || is_of_many(a) || !divides_clients(facts_, a) ||
        !divides_clients(facts_, b)) {
      return std::nullopt;
    }
    if (!are_apart(facts_.host, a, b) || are_workers(facts_.host, a, b)) return std::nullopt;
    const bool users = have_none_in_common(users_of(facts_.host, a), users_of(facts_.host, b));
    const bool programs =
        have_none_in_common(programs_of(facts_.host, a), programs_of(facts_.host, b));
    if (!users && !programs) return std::nullopt;
    const std::string what = users ? "of different users" : "which are different programs";
    return Finding{
        .code = "reuseport-strangers",
        .severity = Severity::Risk,
        .listener = first,
        .text = host::holder_words(facts_.host, first) + " and " +
                host::holder_words(facts_.host, second) + ", " + what +
                ", share this port: each gets a part of the clients",
        .evidence = {{.fact = "two sockets bound to " + a.address.text() + " port " +
                              std::to_string(a.port),
                      .where = "socket",
                      .verify = socket_command(a, "pe")}},
        .remedy = "end the one that is not meant to serve, or give it a port of its own"};
  }

  const Facts& facts_;
  std::vector<std::size_t> members_;
};

}  // namespace

std::vector<Finding> shared_ports(const Facts& facts) {
  std::vector<Finding> out;
  std::vector<std::size_t> order;
  for (const std::size_t i : facts.listeners) {
    const Protocol protocol = facts.listener(i).protocol;
    // Raw sockets of one protocol all get a copy.
    if (protocol != Protocol::Raw && protocol != Protocol::Udplite) order.push_back(i);
  }
  const auto before = [&](std::size_t a, std::size_t b) {
    const Listener& x = facts.listener(a);
    const Listener& y = facts.listener(b);
    return std::tuple(x.netns, x.port, is_stream(x), a) <
           std::tuple(y.netns, y.port, is_stream(y), b);
  };
  std::ranges::sort(order, before);
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i + 1;
    while (end < order.size() && same_place(facts.listener(order[i]), facts.listener(order[end]))) {
      ++end;
    }
    const auto first = order.begin() + static_cast<std::ptrdiff_t>(i);
    const auto last = order.begin() + static_cast<std::ptrdiff_t>(end);
    if (end - i > 1) Group(facts, {first, last}).find(out);
    i = end;
  }
  return out;
}

}  // namespace hark::diagnose
