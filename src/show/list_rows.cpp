// Folding goes in three steps, each of which merges what a person would not tell apart:
//
//   1. sockets of one address and port: a reuseport group (the kernel demands one uid for it, see
//      inet_reuseport_add_sock of net/ipv4/inet_hashtables.c), or workers that each hold their own;
//   2. the IPv4 and the IPv6 socket of one port, if both are bound to everything or to this host;
//   3. the ports of one service that are bound alike.
//
// What must be equal becomes a text, the key of a table, so each step looks at a row once. Who the
// owner is counts loosely in step 1 (same unit or container, same program, same user) and strictly
// in 2 and 3: the very same processes, unless a service manager or a container vouches that
// different processes of one program belong together. Two programs that a person started by hand in
// one session stay apart. Where owners could not be read, nothing vouches for two ports being one
// service, and step 3 merges nothing.
#include "show/list_rows.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "host/doors.h"
#include "show/list_facts.h"
#include "show/published_words.h"
#include "show/reach_words.h"

namespace hark::show {
namespace {

using host::Host;
using host::Listener;

/// A text that is equal if and only if all that was added is.
class Key {
 public:
  Key() { text_.reserve(kUsualSize); }
  template <typename T>
  requires(std::is_integral_v<T> || std::is_enum_v<T>) Key& add(T value) {
    const auto number = static_cast<std::uint64_t>(value);
    text_.append(reinterpret_cast<const char*>(&number), sizeof number);
    return *this;
  }
  Key& add(std::string_view text) {
    add(text.size());
    text_ += text;
    return *this;
  }
  Key& add(const IpAddress& address) {
    text_.append(reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size());
    return add(address.family);
  }
  /// As long as it is: many are kept.
  [[nodiscard]] std::string text() const { return {text_.data(), text_.size()}; }

 private:
  static constexpr std::size_t kUsualSize = 256;
  std::string text_;
};

std::vector<std::uint16_t> ports_of(const Host& host, const std::vector<std::size_t>& listeners) {
  std::vector<std::uint16_t> ports;
  ports.reserve(listeners.size());
  for (const std::size_t i : listeners) ports.push_back(host.listeners[i].port);
  std::sort(ports.begin(), ports.end());
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  return ports;
}

/// Merges groups with the same key into the first that has it; the order stays.
///
/// `bucket_of` is a number that is equal wherever keys are: a group alone in its bucket, as most
/// are, needs no key at all. No number: the group merges with none.
template <typename BucketOf, typename KeyOf>
void merge(const Host& host, std::vector<ListRow>& groups, const BucketOf& bucket_of,
           const KeyOf& key_of) {
  std::vector<std::optional<std::uint64_t>> buckets;
  buckets.reserve(groups.size());
  std::unordered_map<std::uint64_t, unsigned> in_bucket;
  in_bucket.reserve(groups.size());
  for (const ListRow& group : groups) {
    buckets.push_back(bucket_of(group));
    if (buckets.back()) ++in_bucket[*buckets.back()];
  }
  std::unordered_map<std::string, std::size_t> position;
  std::vector<std::size_t> grown;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (buckets[i] && in_bucket[*buckets[i]] > 1) {
      const auto [place, is_new] = position.emplace(key_of(groups[i]), kept);
      if (!is_new) {
        const std::vector<std::size_t> more = std::move(groups[i].listeners);
        auto& listeners = groups[place->second].listeners;
        listeners.insert(listeners.end(), more.begin(), more.end());
        grown.push_back(place->second);
        continue;
      }
    }
    if (kept != i) groups[kept] = std::move(groups[i]);
    ++kept;
  }
  groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(kept), groups.end());
  std::sort(grown.begin(), grown.end());
  grown.erase(std::unique(grown.begin(), grown.end()), grown.end());
  for (const std::size_t at : grown) {
    ListRow& row = groups[at];
    std::sort(row.listeners.begin(), row.listeners.end());
    row.ports = ports_of(host, row.listeners);
  }
}

const Listener& first_of(const Host& host, const ListRow& row) {
  return host.listeners[row.listeners.front()];
}

/// A service or a container: somebody has said that its processes are one thing. The manager of a
/// user's session is none, though its unit ends like one.
bool is_one_thing(const Listener& listener) {
  if (listener.container) return true;
  return listener.unit.ends_with(".service") && !listener.unit.starts_with("user@");
}

/// Ports of a door are one service if they lead to the same place, each as far from its own number.
void add_door(Key& key, const Listener& listener, const host::Process& lead) {
  if (!lead.door) return;
  const host::Door& door = *lead.door;
  const std::uint16_t port = host::door_port(door, listener);
  key.add(door.kind)
      .add(host::door_target(door, 0))
      .add(host::door_words(door, listener))
      .add(door.container ? door.container->id : "")
      .add(door.netns);
  key.add(port != 0).add(port == 0 ? 0 : port - listener.port);
}

enum class Strictness { Loose, Strict };

void add_owner(Key& key, const Host& host, const ListRow& group, Strictness strictness) {
  const Listener& l = first_of(host, group);
  const Holders holders = holders_of(host, group.listeners);
  key.add(holders.known).add(l.socket.uid).add(l.unit);
  for (const host::UnitId id : l.socket_units) key.add(host.at(id).name);
  key.add(l.container ? l.container->runtime : "").add(l.container ? l.container->id : "");
  if (holders.known != Holders::Known::Processes) {
    key.add(l.socket.cgroup.has_value()).add(l.socket.cgroup.value_or(""));
    for (const host::KernelOwner& owner : l.kernel_owners) key.add(owner.words());
    key.add(l.held_by ? l.held_by->words : "");
    return;
  }
  key.add(program_name(host.at(holders.lead)));
  add_door(key, l, host.at(holders.lead));
  if (strictness == Strictness::Loose || is_one_thing(l)) return;
  for (const host::ProcessId id : holders.processes) key.add(id);
}

Key place_key(const Host& host, const ListRow& group) {
  const Listener& l = first_of(host, group);
  Key key;
  key.add(l.netns).add(l.protocol).add(l.probable_client);
  return key;
}

std::string same_socket_key(const Host& host, const ListRow& group) {
  const Listener& l = first_of(host, group);
  Key key = place_key(host, group);
  key.add(l.port).add(l.address).add(l.interface_known).add(device_of(l));
  key.add(l.v6only.has_value()).add(l.v6only.value_or(false));
  add_owner(key, host, group, Strictness::Loose);
  return key.text();
}

/// Twins are bound to everything, or both to this host; any other address is alike only to itself.
std::string twin_key(const Host& host, const ListRow& group) {
  const Listener& l = first_of(host, group);
  Key key = place_key(host, group);
  const bool everything = is_bound_to_everything(l);
  key.add(l.port).add(everything);
  key.add(everything ? device_of(l) : bound_words(host, group));
  add_owner(key, host, group, Strictness::Strict);
  return key.text();
}

std::string service_key(const Host& host, const ListRow& group, const reach::ReachTable* reach) {
  const Listener& l = first_of(host, group);
  Key key = place_key(host, group);
  if (reach != nullptr) key.add(reach_words(*reach, group.listeners));
  if (!l.probable_client) {
    key.add(bound_words(host, group));
  }
  add_owner(key, host, group, Strictness::Strict);
  return key.text();
}

/// Namespace, protocol and port in one number.
std::uint64_t place_number(const Listener& l) {
  constexpr unsigned kPortBits = 16;
  constexpr unsigned kProtocolBits = 8;
  return (static_cast<std::uint64_t>(l.netns) << kProtocolBits |
          static_cast<std::uint64_t>(l.protocol))
             << kPortBits |
         l.port;
}

std::optional<std::uint64_t> port_bucket(const Host& host, const ListRow& group) {
  return place_number(first_of(host, group));
}

/// Ports of one service: without known owners nothing vouches for two of them being one.
std::optional<std::uint64_t> service_bucket(const Host& host, const ListRow& group) {
  constexpr std::uint64_t kClients = 0;
  constexpr std::uint64_t kManaged = 1;
  const Listener& l = first_of(host, group);
  if (l.probable_client) return kClients;
  if (!l.owners || l.owners->empty()) return std::nullopt;
  const Holders holders = holders_of(host, group.listeners);
  if (is_one_thing(l) || holders.processes.empty()) return kManaged;
  return kManaged + 1 + static_cast<std::uint64_t>(holders.processes.front());
}

/// What a row is sorted by. Rows that lack it come last.
struct Rank {
  bool missing = false;
  std::uint64_t number = 0;
  std::string text;

  [[nodiscard]] int compare(const Rank& other) const {
    if (missing != other.missing) return missing ? 2 : -2;  // whatever the direction
    if (number != other.number) return number < other.number ? -1 : 1;
    return text < other.text ? -1 : (text == other.text ? 0 : 1);
  }
};

Rank rank_text(std::string text) {
  return {text.empty(), 0, std::move(text)};
}

Rank process_rank(const Host& host, const ListRow& row, SortKey key) {
  const Holders holders = holders_of(host, row.listeners);
  if (holders.known != Holders::Known::Processes) return {.missing = true, .text = {}};
  const host::Process& lead = host.at(holders.lead);
  if (key == SortKey::Name) return rank_text(program_name(lead));
  if (key == SortKey::Pid) return {false, lead.pid, {}};
  if (!lead.started_at_ms) return {.missing = true, .text = {}};
  return {false, static_cast<std::uint64_t>(std::max<std::int64_t>(*lead.started_at_ms, 0)), {}};
}

std::uint64_t drops_of(const Host& host, const ListRow& row) {
  std::uint64_t sum = 0;
  for (const std::size_t i : row.listeners) sum += host.listeners[i].queue.drops.value_or(0);
  return sum;
}

std::uint64_t widest_scope(const Host& host, const ListRow& row) {
  std::uint64_t widest = 0;
  for (const std::size_t i : row.listeners) {
    widest = std::max(widest, static_cast<std::uint64_t>(host.listeners[i].scope));
  }
  return widest;
}

Rank rank_of(const Host& host, const ListRow& row, SortKey key, const reach::ReachTable* reach);

/// Of a published port: by itself, or by who stands behind it.
Rank rank_published(const Host& host, const ListRow& row, SortKey key,
                    const reach::ReachTable& reach) {
  const reach::PublishedPort& port = reach.published()[row.published.front()];
  switch (key) {
    case SortKey::Port:
    case SortKey::Address:
      return {};
    case SortKey::Protocol:
      return {false, static_cast<std::uint64_t>(port.protocol), {}};
    case SortKey::Netns:
      return {false, static_cast<std::uint64_t>(port.netns), {}};
    case SortKey::Reach:
      return {false, static_cast<std::uint64_t>(port.reach.openness), {}};
    case SortKey::Scope:
    case SortKey::Queue:
    case SortKey::Drops:
      return {true, 0, {}};
    case SortKey::Name:
    case SortKey::Pid:
    case SortKey::User:
    case SortKey::Unit:
    case SortKey::Container:
    case SortKey::Started:
      break;
  }
  const std::vector<std::size_t> owners = published_owners(port);
  if (owners.empty()) return {true, 0, {}};
  return rank_of(host, {owners, row.ports}, key, nullptr);
}

Rank rank_of(const Host& host, const ListRow& row, SortKey key, const reach::ReachTable* reach) {
  if (!row.published.empty()) return rank_published(host, row, key, *reach);
  const Listener& l = first_of(host, row);
  switch (key) {
    case SortKey::Port:
    case SortKey::Address:
      return {};  // decided by what breaks ties
    case SortKey::Protocol:
      return {false, static_cast<std::uint64_t>(l.protocol), {}};
    case SortKey::Name:
    case SortKey::Pid:
    case SortKey::Started:
      return process_rank(host, row, key);
    case SortKey::User:
      return {l.socket.user.empty(), l.socket.user.empty() ? l.socket.uid : 0, l.socket.user};
    case SortKey::Unit:
      return rank_text(l.unit);
    case SortKey::Container:
      return l.container ? rank_text(container_words(*l.container)) : Rank{true, 0, {}};
    case SortKey::Netns:
      return {false, static_cast<std::uint64_t>(l.netns), {}};
    case SortKey::Scope:
      return {false, widest_scope(host, row), {}};
    case SortKey::Queue: {
      const auto& length = fullest(host, row).queue.length;
      return {!length, length.value_or(0), {}};
    }
    case SortKey::Drops:
      return {false, drops_of(host, row), {}};
    case SortKey::Reach: {
      const auto open =
          reach == nullptr ? reach::Openness::NotAsked : openness_of(*reach, row.listeners);
      return {open == reach::Openness::NotAsked, static_cast<std::uint64_t>(open), {}};
    }
  }
  return {};
}

/// A row with what it is compared by, worked out once.
struct Ranked {
  ListRow row;
  Rank rank;
  IpAddress address;
  std::uint64_t by_port = 0;  ///< lowest port, then protocol
  std::size_t position = 0;   ///< of listeners, then of published ports
};

/// The number of a raw socket is no port: those stand behind all ports.
std::uint64_t port_number(Protocol protocol, const ListRow& row) {
  const std::uint64_t raw = protocol == Protocol::Raw ? 1 : 0;
  return (raw << 16U | row.ports.front()) << 8U | static_cast<std::uint64_t>(protocol);
}

Ranked ranked_of(const Host& host, ListRow row, SortKey key, const reach::ReachTable* reach) {
  Ranked out{.row = {}, .rank = rank_of(host, row, key, reach), .address = {}};
  if (row.published.empty()) {
    const Listener& first = first_of(host, row);
    out.address = first.address;
    out.by_port = port_number(first.protocol, row);
    out.position = row.listeners.front();
  } else {
    const reach::PublishedPort& port = reach->published()[row.published.front()];
    out.address.family = port.family;
    if (port.addresses) out.address = port.addresses->ranges().front().first;
    out.by_port = port_number(port.protocol, row);
    out.position = host.listeners.size() + row.published.front();
  }
  out.row = std::move(row);
  return out;
}

/// Do the IPv4 and the IPv6 side of a port come to the same?
bool are_twins(const host::Network& network, const reach::PublishedPort& a,
               const reach::PublishedPort& b) {
  const bool alike = a.netns == b.netns && a.protocol == b.protocol && a.ports == b.ports &&
                     a.family != b.family && !a.addresses && !b.addresses;
  return alike && !published_owners(a).empty() && published_owners(a) == published_owners(b) &&
         published_reach(network, a) == published_reach(network, b);
}

void add_published(std::vector<ListRow>& rows, const std::vector<std::size_t>& published,
                   bool unfolded, const reach::ReachTable& reach) {
  const std::size_t listeners = rows.size();
  for (const std::size_t i : published) {
    const reach::PublishedPort& port = reach.published()[i];
    ListRow* const last = rows.size() > listeners ? &rows.back() : nullptr;
    if (!unfolded && last != nullptr && last->published.size() == 1 &&
        are_twins(*reach.network(port.netns), reach.published()[last->published.front()], port)) {
      last->published.push_back(i);
      continue;
    }
    rows.push_back({.listeners = {}, .ports = {port.first_port()}, .published = {i}});
  }
}

bool stands_before(const Ranked& a, const Ranked& b, SortOrder order) {
  if (a.row.probable_clients != b.row.probable_clients) return b.row.probable_clients;
  int compared = a.rank.compare(b.rank);
  const auto ties = [](const Ranked& r) { return std::tie(r.by_port, r.address, r.position); };
  if (compared == 0 && order.key == SortKey::Port && a.by_port != b.by_port) {
    compared = a.by_port < b.by_port ? -1 : 1;
  }
  if (compared == 0 && order.key == SortKey::Address && a.address != b.address) {
    compared = a.address < b.address ? -1 : 1;
  }
  if (compared == 2 || compared == -2) return compared < 0;
  if (compared != 0) return order.descending ? compared > 0 : compared < 0;
  return ties(a) < ties(b);
}

}  // namespace

host::NetnsId netns_of(const Host& host, const ListRow& row, const reach::ReachTable* reach) {
  if (row.published.empty()) return first_of(host, row).netns;
  return reach->published()[row.published.front()].netns;
}

std::vector<ListRow> fold(const Host& host, const std::vector<std::size_t>& selected,
                          SortOrder order, bool unfolded, const reach::ReachTable* reach,
                          const std::vector<std::size_t>& published) {
  std::vector<ListRow> rows;
  rows.reserve(selected.size());
  for (const std::size_t i : selected) {
    const Listener& l = host.listeners[i];
    rows.push_back({{i}, {l.port}, l.probable_client});
  }
  if (!unfolded) {
    const auto step = [&](const auto& bucket_of, const auto& key_of) {
      merge(
          host, rows, [&](const ListRow& r) { return bucket_of(host, r); }, key_of);
    };
    step(port_bucket, [&](const ListRow& r) { return same_socket_key(host, r); });
    step(port_bucket, [&](const ListRow& r) { return twin_key(host, r); });
    step(service_bucket, [&](const ListRow& r) { return service_key(host, r, reach); });
  }
  if (reach != nullptr) add_published(rows, published, unfolded, *reach);
  std::vector<Ranked> ranked;
  ranked.reserve(rows.size());
  for (ListRow& row : rows) ranked.push_back(ranked_of(host, std::move(row), order.key, reach));
  std::vector<Ranked*> sorted;
  sorted.reserve(ranked.size());
  for (Ranked& r : ranked) sorted.push_back(&r);
  std::sort(sorted.begin(), sorted.end(),
            [&](const Ranked* a, const Ranked* b) { return stands_before(*a, *b, order); });
  rows.clear();
  for (Ranked* r : sorted) rows.push_back(std::move(r->row));
  return rows;
}

}  // namespace hark::show
