#include "diagnose/bind_rules.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>

namespace hark::diagnose {
namespace {

using decode::BoundRecord;

/// What the kernel keeps as the IPv4 address of a socket of IPv6 that has none: LOOPBACK4_IPV6.
constexpr IpAddress kNoV4{.bytes = {127, 0, 0, 6}};

enum class Kind : std::uint8_t { Any6, V4, V6 };  ///< V4: mapped ones too

Kind kind_of(const IpAddress& address) {
  if (address.family == Family::Inet || address.is_v4_mapped()) return Kind::V4;
  return address.is_unspecified() ? Kind::Any6 : Kind::V6;
}

/// sk_rcv_saddr
IpAddress v4_of(const IpAddress& address) {
  switch (kind_of(address)) {
    case Kind::V4:
      return address.unmapped();
    case Kind::Any6:
      return {};
    case Kind::V6:
      break;
  }
  return kNoV4;
}

bool same_v4(const IpAddress& a, const IpAddress& b) {
  return a == b || a.is_unspecified() || b.is_unspecified();
}

/// As if the other's v6only were this.
bool overlap_if(const Binder& binder, const BoundRecord& other, bool v6only) {
  const IpAddress& mine = binder.address;
  const IpAddress& its = other.socket.local;
  if (mine.family == Family::Inet) {
    // TCP compares a socket of one address with those of that address, or of any, alone.
    const bool tells_apart = binder.protocol == Protocol::Tcp && !mine.is_unspecified();
    if (tells_apart && kind_of(its) == Kind::V6) return false;
    return !v6only && same_v4(mine, v4_of(its));
  }
  const Kind a = kind_of(mine);
  const Kind b = kind_of(its);
  if (a == Kind::V4 && b == Kind::V4) return !v6only && same_v4(v4_of(mine), v4_of(its));
  if (a == Kind::Any6 && b == Kind::Any6) return true;
  if (b == Kind::Any6) return !(v6only && a == Kind::V4);
  if (a == Kind::Any6) return !(binder.v6only && b == Kind::V4);
  return a == b && mine == its;
}

std::uint32_t device_of(const BoundRecord& one) {
  return one.socket.interface_index.value_or(0);
}

Truth all_of(Truth a, Truth b) {
  return std::min(a, b);
}

Truth truth_of(bool yes) {
  return yes ? Truth::Yes : Truth::No;
}

/// Both have the flag; `mine` is known.
Truth both(bool mine, const std::optional<bool>& its) {
  if (!mine) return Truth::No;
  return its ? truth_of(*its) : Truth::Maybe;
}

Truth opposite(Truth truth) {
  return static_cast<Truth>(2 - static_cast<unsigned>(truth));
}

/// SO_REUSEPORT of one user.
Truth share_port(const Binder& binder, const BoundRecord& other) {
  const bool same_user = other.time_wait || other.socket.uid == binder.uid;
  return all_of(truth_of(same_user), both(binder.reuseport, other.reuseport));
}

bool in_bucket(const Binder& binder, const BoundRecord& other) {
  return !other.l3mdev || *other.l3mdev == binder.l3mdev;
}

const BindBucket* bucket_of(const Binder& binder, const host::BindFacts& facts) {
  for (const BindBucket& one : facts.buckets) {
    if (one.port == binder.port && one.l3mdev == binder.l3mdev) return &one;
  }
  return nullptr;
}

/// ipv6_rcv_saddr_equal(), ipv4_rcv_saddr_equal() with a wildcard on the first side alone: does
/// what the bucket remembers cover the binder?
bool covers(const IpAddress& kept, bool kept_v6only, const Binder& binder) {
  const IpAddress& mine = binder.address;
  const bool v6only = mine.family == Family::Inet6 && binder.v6only;
  const auto covers_v4 = [&] {
    const IpAddress v4 = v4_of(kept);
    return !v6only && (v4 == v4_of(mine) || v4.is_unspecified());
  };
  if (kept.family == Family::Inet) return covers_v4();
  const Kind a = kind_of(kept);
  const Kind b = kind_of(mine);
  if (a == Kind::V4 && b == Kind::V4) return covers_v4();
  if (a == Kind::Any6 && b == Kind::Any6) return true;
  if (a == Kind::Any6) return !(kept_v6only && b == Kind::V4);
  return a == b && kept == mine;
}

/// sk_reuseport_match()
bool reuseport_match(const Binder& binder, const BindBucket& bucket) {
  constexpr std::int8_t kAny = 1;  // FASTREUSEPORT_ANY
  if (bucket.reuseport <= 0 || !binder.reuseport || bucket.uid != binder.uid) return false;
  if (bucket.reuseport == kAny) return true;
  constexpr std::uint16_t kInet6 = 10;  // AF_INET6
  IpAddress kept;
  if (bucket.family == kInet6) {
    kept.family = Family::Inet6;
    std::memcpy(kept.bytes.data(), bucket.v6.data(), bucket.v6.size());
  } else {
    std::memcpy(kept.bytes.data(), bucket.v4.data(), bucket.v4.size());
  }
  return covers(kept, bucket.v6only != 0, binder);
}

/// Could the bucket, which was not read, let it in by what it remembers of a socket of the same
/// user, which may be gone by now? That one had to get past those that are in the way now;
/// connections came later, without being compared.
bool may_match(const Binder& binder, const host::BindFacts& facts,
               const std::vector<std::size_t>& conflicts) {
  if (!binder.reuseport) return false;
  constexpr std::uint32_t kAnother = UINT32_MAX;  // some device that none of them is bound to
  struct Kept {
    IpAddress address;
    bool v6only;
  };
  const IpAddress any6{.family = Family::Inet6};
  const std::array<Kept, 4> kept = {
      {{binder.address, binder.v6only}, {{}, false}, {any6, false}, {any6, true}}};
  for (const Kept& one : kept) {
    if (!covers(one.address, one.v6only, binder)) continue;
    for (const std::uint32_t device : {binder.device, kAnother}) {
      Binder before = binder;
      before.address = one.address;
      before.v6only = one.v6only;
      before.device = device;
      before.reuseaddr = true;
      const bool stopped = std::ranges::any_of(conflicts, [&](std::size_t i) {
        const BoundRecord& other = facts.sockets[i].bound;
        return other.socket.remote_port == 0 && conflicts_tcp(before, other) == Truth::Yes;
      });
      if (!stopped) return true;
    }
  }
  return false;
}

/// Where some are in the way for certain, those that may be are not named.
class Conflicts {
 public:
  void add(std::size_t position, Truth truth) {
    if (truth < most_ || truth == Truth::No) return;
    if (truth > most_) all_.clear();
    most_ = truth;
    all_.push_back(position);
  }
  [[nodiscard]] Truth most() const { return most_; }
  [[nodiscard]] std::vector<std::size_t> take() { return std::move(all_); }

 private:
  Truth most_ = Truth::No;
  std::vector<std::size_t> all_;
};

PortVerdict judge_tcp(const Binder& binder, const host::BindFacts& facts) {
  Conflicts conflicts;
  for (std::size_t i = 0; i < facts.sockets.size(); ++i) {
    const BoundRecord& other = facts.sockets[i].bound;
    if (other.socket.local_port != binder.port) continue;
    conflicts.add(i, conflicts_tcp(binder, other));
  }
  PortVerdict out;
  out.taken = conflicts.most();
  out.conflicts = conflicts.take();
  if (out.taken == Truth::No) return out;
  if (!facts.exact) {
    out.flags_unread = out.taken == Truth::Maybe;
    // Told to be in the way by a comparison that the kernel may not have made.
    if (out.taken == Truth::Yes && may_match(binder, facts, out.conflicts)) {
      out.taken = Truth::Maybe;
      out.history_unread = true;
    }
    return out;
  }
  const BindBucket* bucket = bucket_of(binder, facts);
  if (bucket == nullptr) return out;
  // With SO_REUSEPORT the bucket remembers this very socket when it comes to listen(2).
  const bool fast = bucket->reuse > 0 && binder.reuseaddr;
  if (reuseport_match(binder, *bucket) || (fast && binder.reuseport)) {
    return {};
  }
  out.at_listen = fast;
  return out;
}

PortVerdict judge_udp(const Binder& binder, const host::BindFacts& facts) {
  Conflicts conflicts;
  Truth shared = Truth::No;                   // by any of those that overlap
  std::array<std::optional<Truth>, 2> first;  // of each family: is the one bound last in the way?
  std::optional<Truth> very_first;
  for (std::size_t i = 0; i < facts.sockets.size(); ++i) {
    const BoundRecord& other = facts.sockets[i].bound;
    if (other.socket.local_port != binder.port) continue;
    const Truth reuse = both(binder.reuseaddr, other.reuse);
    const Truth meets = all_of(overlaps(binder, other), opposite(reuse));
    if (meets == Truth::No) continue;
    const Truth shares = share_port(binder, other);
    const Truth conflict = all_of(meets, opposite(shares));
    shared = std::max(shared, all_of(meets, shares));
    std::optional<Truth>& of_family = first[static_cast<std::size_t>(other.socket.local.family)];
    // One that may not even meet it leaves open what the next ones say.
    if (!of_family) of_family = meets == Truth::Yes ? conflict : Truth::Maybe;
    if (!very_first) very_first = meets == Truth::Yes ? conflict : Truth::Maybe;
    conflicts.add(i, conflict);
  }
  PortVerdict out;
  out.taken = conflicts.most();
  out.conflicts = conflicts.take();
  if (out.taken == Truth::No) return out;
  if (shared != Truth::No) {
    const bool alike = !first[0] || !first[1] || *first[0] == *first[1];
    const Truth last_bound = first[0] ? *first[0] : *first[1];
    const Truth decides = facts.exact ? *very_first : alike ? last_bound : Truth::Maybe;
    if (decides == Truth::No) return {};
    out.history_unread = !facts.exact && !alike;
    out.taken = decides;
  }
  out.flags_unread = out.taken == Truth::Maybe && !out.history_unread;
  return out;
}

/// inet_csk_find_open_port() and the search of udp_lib_get_port(): is this port passed over?
Truth passed_over(const Binder& binder, const BoundRecord& other, bool relaxed) {
  const Truth meets = overlaps(binder, other);
  if (binder.protocol != Protocol::Tcp) {
    const Truth free = std::max(both(binder.reuseaddr, other.reuse), share_port(binder, other));
    return all_of(meets, opposite(free));
  }
  if (!in_bucket(binder, other)) return Truth::No;
  if (!relaxed || other.socket.state == kTcpListen) return meets;
  const Truth free =
      all_of(both(binder.reuseaddr, other.reuse), opposite(share_port(binder, other)));
  return all_of(meets, opposite(free));
}

}  // namespace

Truth addresses_overlap(const Binder& binder, const BoundRecord& other) {
  if (other.socket.v6only || other.socket.local.family == Family::Inet) {
    return truth_of(overlap_if(binder, other, other.socket.v6only.value_or(false)));
  }
  const bool without = overlap_if(binder, other, false);
  const bool with = overlap_if(binder, other, true);
  return without == with ? truth_of(with) : Truth::Maybe;
}

Truth overlaps(const Binder& binder, const BoundRecord& other) {
  const std::uint32_t device = device_of(other);
  const bool devices = binder.device == 0 || device == 0 || binder.device == device;
  return all_of(truth_of(devices), addresses_overlap(binder, other));
}

Truth conflicts_tcp(const Binder& binder, const BoundRecord& other) {
  if (!in_bucket(binder, other)) return Truth::No;
  const Truth reuse = all_of(truth_of(other.time_wait || other.socket.state != kTcpListen),
                             both(binder.reuseaddr, other.reuse));
  const Truth lets_in = std::max(reuse, share_port(binder, other));
  return all_of(overlaps(binder, other), opposite(lets_in));
}

PortVerdict judge_port(const Binder& binder, const host::BindFacts& facts) {
  return binder.protocol == Protocol::Tcp ? judge_tcp(binder, facts) : judge_udp(binder, facts);
}

PortVerdict judge_any_port(const Binder& binder, const host::BindFacts& facts) {
  const host::BindSettings& settings = facts.settings;
  PortVerdict out;
  out.taken = Truth::Yes;
  const bool relaxes = binder.protocol == Protocol::Tcp && settings.autobind_reuse;
  for (const bool relaxed : {false, true}) {
    if (relaxed && !relaxes) break;
    std::map<std::uint16_t, Truth> passed;
    for (const host::PortSocket& one : facts.sockets) {
      Truth& port = passed[one.bound.socket.local_port];
      port = std::max(port, passed_over(binder, one.bound, relaxed));
    }
    for (unsigned port = settings.local_ports.first; port <= settings.local_ports.last; ++port) {
      const bool reserved = std::ranges::any_of(settings.reserved, [port](const auto& range) {
        return range.first <= port && port <= range.last;
      });
      if (reserved) continue;
      const auto found = passed.find(static_cast<std::uint16_t>(port));
      const Truth taken = found == passed.end() ? Truth::No : found->second;
      out.taken = std::min(out.taken, taken);
      if (taken == Truth::No) return out;
    }
  }
  out.flags_unread = out.taken == Truth::Maybe;
  return out;
}

}  // namespace hark::diagnose
