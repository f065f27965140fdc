#include "host/bind_facts.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "base/text.h"
#include "decode/netlink_attributes.h"
#include "decode/passwd.h"
#include "decode/process.h"
#include "decode/socket_options.h"

namespace hark::host {
namespace {

constexpr std::size_t kMostOwned = 300;
constexpr unsigned kCapNetBindService = 10;  // linux/capability.h

bool not_recorded(const Error& error) {
  return error.code == 0 && error.why == "not recorded";
}

bool of_port(const decode::BoundRecord& one, std::uint16_t port) {
  return port == 0 || one.socket.local_port == port;
}

/// By sock_diag, of both families.
Result<std::vector<decode::BoundRecord>> dump(kernel::Source& source, const kernel::NetnsRef& netns,
                                              Protocol protocol, std::uint16_t first,
                                              std::uint16_t last) {
  std::vector<decode::BoundRecord> out;
  for (const Family family : {Family::Inet, Family::Inet6}) {
    const auto answer = source.netlink(netns, decode::kNetlinkSockDiag,
                                       decode::bound_request(family, protocol, first, last));
    if (!answer) return fail(answer.error());
    auto some = decode::decode_bound_dump(*answer, protocol);
    if (!some) return fail(some.error());
    std::ranges::move(*some, std::back_inserter(out));
  }
  return out;
}

Result<decode::BoundDump> bound(kernel::Source& source, const kernel::NetnsRef& netns,
                                Protocol protocol, std::uint16_t port) {
  const auto parts = source.bound_sockets({.netns = netns, .protocol = protocol, .port = port});
  if (!parts) return fail(parts.error());
  return decode::decode_bound_sockets(*parts, protocol);
}

/// Do the kernel's tables say the same as sock_diag, of sockets that are somebody's? They are read
/// by their place in memory, which is believed where it agrees.
bool agree(const std::vector<decode::BoundRecord>& exact,
           const std::vector<decode::BoundRecord>& told, std::uint16_t port) {
  const auto inodes = [port](const std::vector<decode::BoundRecord>& all) {
    std::set<std::uint32_t> out;
    for (const decode::BoundRecord& one : all) {
      const bool lasting = one.socket.state == kTcpListen || one.socket.state == kTcpClose;
      if (lasting && one.socket.inode != 0 && one.socket.local_port == port) {
        out.insert(one.socket.inode);
      }
    }
    return out;
  };
  return inodes(exact) == inodes(told);
}

/// Of one port from the kernel's tables, of its neighbours from sock_diag.
PortSockets read_one_port(kernel::Source& source, const kernel::NetnsRef& netns, Protocol protocol,
                          std::uint16_t port) {
  constexpr unsigned kLast = 65535;
  constexpr int kTries = 3;
  const auto first = static_cast<std::uint16_t>(port > kPortsAround ? port - kPortsAround : 1);
  const auto last = static_cast<std::uint16_t>(std::min(kLast, unsigned{port} + kPortsAround));
  PortSockets out;
  for (int i = 0; i < kTries; ++i) {  // sockets come and go between the two
    auto exact = bound(source, netns, protocol, port);
    auto told = dump(source, netns, protocol, first, last);
    if (!told) {
      out.error = told.error();
      return out;
    }
    out.sockets = std::move(*told);
    if (!exact) break;
    if (!agree(exact->sockets, out.sockets, port)) continue;
    std::erase_if(out.sockets, [port](const auto& one) { return of_port(one, port); });
    std::ranges::move(exact->sockets, std::back_inserter(out.sockets));
    out.buckets = std::move(exact->buckets);
    out.exact = true;
    break;
  }
  return out;
}

PortSockets read_all_ports(kernel::Source& source, const kernel::NetnsRef& netns,
                           Protocol protocol) {
  PortSockets out;
  if (auto exact = bound(source, netns, protocol, 0)) {
    out.sockets = std::move(exact->sockets);
    out.buckets = std::move(exact->buckets);
    out.exact = true;
    return out;
  }
  auto told = dump(source, netns, protocol, 0, 0);
  if (told) {
    out.sockets = std::move(*told);
  } else {
    out.error = told.error();
  }
  return out;
}

std::optional<std::string> setting(kernel::Source& source, const kernel::NetnsRef& netns,
                                   const char* name) {
  const auto text = source.read_net_file(netns, std::string("/proc/sys/net/") + name);
  if (!text) return std::nullopt;
  std::string_view rest = as_text(*text);
  return std::string(next_piece(rest, '\n'));
}

std::optional<bool> flag(kernel::Source& source, const kernel::NetnsRef& netns, const char* name) {
  const auto text = setting(source, netns, name);
  if (!text) return std::nullopt;
  const auto number = parse_number<int>(*text);
  if (!number) return std::nullopt;
  return *number != 0;
}

/// "8080,9148-9200"
std::vector<decode::PortRange> ranges_of(std::string_view text) {
  std::vector<decode::PortRange> out;
  while (!text.empty()) {
    const std::string_view piece = next_piece(text, ',');
    const std::size_t dash = piece.find('-');
    const auto first = parse_number<std::uint16_t>(piece.substr(0, dash));
    const auto last = dash == std::string_view::npos
                          ? first
                          : parse_number<std::uint16_t>(piece.substr(dash + 1));
    if (first && last) out.push_back({*first, *last});
  }
  return out;
}

/// Are all users of the machine mapped to themselves, as in the first user namespace?
bool in_first_user_namespace(kernel::Source& source) {
  const auto text = source.read_file("/proc/self/uid_map");
  if (!text) return true;  // a kernel without them
  std::string_view rest = as_text(*text);
  std::string_view line = next_piece(rest, '\n');
  const auto inside = parse_number<std::uint32_t>(next_word(line));
  const auto outside = parse_number<std::uint32_t>(next_word(line));
  const auto count = parse_number<std::uint32_t>(next_word(line));
  return inside == 0U && outside == 0U && count == UINT32_MAX;
}

/// Security modules may refuse a bind, each by rules of its own.
void add_security_gaps(kernel::Source& source, std::vector<Gap>& gaps) {
  const auto enforce = source.read_file("/sys/fs/selinux/enforce");
  if (enforce && as_text(*enforce).starts_with("1")) {
    gaps.push_back({.code = "selinux-not-asked",
                    .what = "SELinux is enforcing, and its policy is not read",
                    .hides = "whether it lets the program have this port (name_bind)",
                    .remedy = "semanage port -l"});
    return;
  }
  const auto own = source.read_file("/proc/self/attr/current");
  if (!own) return;
  std::string_view label = as_text(*own);
  label = label.substr(0, label.find_first_of(std::string_view("\n\0", 2)));
  if (!label.ends_with("(enforce)")) return;
  gaps.push_back({.code = "apparmor-not-asked",
                  .what = "hark runs under the AppArmor profile " + std::string(label),
                  .hides = "whether that profile lets a program that runs under it bind",
                  .remedy = "aa-status"});
}

/// Of all ports: a client's connection stands in nobody's way, or hardly ever.
bool may_be_asked(const decode::BoundRecord& one) {
  constexpr std::uint16_t kFirstOfClients = 32768;  // as it is by default
  const bool lasting = one.socket.state == kTcpListen || one.socket.state == kTcpClose;
  return lasting || one.socket.local_port < kFirstOfClients;
}

/// What the holder says of the socket's flags.
void ask_holder(kernel::Source& source, const Host& host, PortSocket& socket,
                RefusedOptions& refused) {
  if (!socket.listener) return;
  std::optional<Error> why;
  const auto options = read_socket_options(source, host, host.listeners[*socket.listener], why);
  if (!options) {
    ++refused.sockets;
    if (why) refused.error = std::move(*why);
    return;
  }
  const auto is_set = [&](OptionPart part) -> std::optional<bool> {
    const auto value = options->value(part);
    if (!value) return std::nullopt;
    return *value != 0;
  };
  socket.bound.reuse = is_set(OptionPart::ReuseAddress);
  socket.bound.reuseport = is_set(OptionPart::ReusePort);
  if (socket.bound.socket.local.family == Family::Inet6 && !socket.bound.socket.v6only) {
    socket.bound.socket.v6only = is_set(OptionPart::V6Only);
  }
}

}  // namespace

PortSockets read_port_sockets(kernel::Source& source, const kernel::NetnsRef& netns,
                              Protocol protocol, std::uint16_t port) {
  if (port == 0) return read_all_ports(source, netns, protocol);
  PortSockets out = read_one_port(source, netns, protocol, port);
  if (out.error && not_recorded(*out.error)) out = read_all_ports(source, netns, protocol);
  return out;
}

std::vector<Listener> more_to_own(const PortSockets& found, std::uint16_t port, NetnsId netns,
                                  const std::vector<Listener>& listed) {
  std::set<std::uint32_t> known;
  for (const Listener& listener : listed) known.insert(listener.socket.inode);
  std::vector<Listener> out;
  for (const decode::BoundRecord& one : found.sockets) {
    const decode::SocketRecord& socket = one.socket;
    if (socket.inode == 0 || !(port == 0 ? may_be_asked(one) : of_port(one, port))) continue;
    if (out.size() == kMostOwned || !known.insert(socket.inode).second) continue;
    Listener more;
    more.protocol = socket.protocol;
    more.address = socket.local;
    more.port = socket.local_port;
    more.v6only = socket.v6only;
    more.interface_index = socket.interface_index.value_or(0);
    more.netns = netns;
    more.state = State::Unconn;
    more.socket.inode = socket.inode;
    more.socket.cookie = socket.cookie;
    more.socket.uid = socket.uid;
    out.push_back(std::move(more));
  }
  return out;
}

BindSettings read_bind_settings(kernel::Source& source, const kernel::NetnsRef& netns) {
  BindSettings out;
  if (const auto text = setting(source, netns, "ipv4/ip_unprivileged_port_start")) {
    out.first_free = parse_number<std::uint16_t>(*text);
  }
  if (const auto text = setting(source, netns, "ipv4/ip_local_port_range")) {
    std::string_view line = *text;
    const auto first = parse_number<std::uint16_t>(next_word(line));
    const auto last = parse_number<std::uint16_t>(next_word(line));
    if (first && last) out.local_ports = {*first, *last};
  }
  if (const auto text = setting(source, netns, "ipv4/ip_local_reserved_ports")) {
    out.reserved = ranges_of(*text);
  }
  out.nonlocal4 = flag(source, netns, "ipv4/ip_nonlocal_bind");
  out.nonlocal6 = flag(source, netns, "ipv6/ip_nonlocal_bind");
  out.l3mdev_accept = flag(source, netns, "ipv4/tcp_l3mdev_accept");
  out.autobind_reuse = flag(source, netns, "ipv4/ip_autobind_reuse").value_or(false);
  out.v6only = flag(source, netns, "ipv6/bindv6only");
  const auto v6only = source.read_net_file(netns, "/proc/sys/net/ipv6/bindv6only");
  out.has_ipv6 = v6only || v6only.error().code != ENOENT;
  return out;
}

Result<BindUser> read_bind_user(kernel::Source& source, const std::string& wanted) {
  std::vector<decode::UserName> users;
  if (const auto text = source.read_file("/etc/passwd")) users = decode::decode_passwd(*text);
  BindUser out;
  std::optional<bool> own_right;
  std::optional<std::uint32_t> own_uid;
  if (const auto text = source.read_file("/proc/self/status")) {
    if (const auto status = decode::decode_status(*text)) {
      own_uid = status->effective_uid;
      const bool has = (status->effective_capabilities >> kCapNetBindService & 1U) != 0;
      // In a user namespace of its own the right may be over other network namespaces alone.
      if (!has || in_first_user_namespace(source)) own_right = has;
    }
  }
  if (wanted.empty()) {
    if (!own_uid) {
      return fail(plain_error("bind", "it is not known who runs hark", "name the user: --user"));
    }
    out.uid = *own_uid;
  } else if (const auto number = parse_number<std::uint32_t>(wanted)) {
    out.uid = *number;
  } else {
    const auto found = std::ranges::find(users, wanted, &decode::UserName::name);
    if (found == users.end()) {
      std::vector<std::string> names;
      for (const decode::UserName& user : users) names.push_back(user.name);
      const auto near = nearest(wanted, names);
      return fail(plain_error("--user " + wanted, "no such user in /etc/passwd",
                              near ? "did you mean " + *near : "a name or a number"));
    }
    out.uid = found->uid;
  }
  const auto named = std::ranges::find(users, out.uid, &decode::UserName::uid);
  if (named != users.end()) out.name = named->name;
  if (own_uid == out.uid) {
    out.low_ports = own_right;
  } else {
    out.low_ports = out.uid == 0;
  }
  return out;
}

BindFacts join_bind_facts(kernel::Source& source, const kernel::NetnsRef& netns, const Host& host,
                          NetnsId id, std::uint16_t port, PortSockets found, BindUser user) {
  BindFacts out;
  out.netns = id;
  out.buckets = std::move(found.buckets);
  out.exact = found.exact;
  out.sockets_error = std::move(found.error);
  out.user = std::move(user);
  out.settings = read_bind_settings(source, netns);
  add_security_gaps(source, out.gaps);
  std::size_t asked = 0;
  out.sockets.reserve(found.sockets.size());
  for (decode::BoundRecord& one : found.sockets) {
    PortSocket socket{.bound = std::move(one)};
    const decode::SocketRecord& record = socket.bound.socket;
    if (port != 0 && record.local_port == port && record.inode != 0) {
      for (std::size_t i = 0; i < host.listeners.size(); ++i) {
        const Listener& listener = host.listeners[i];
        if (listener.netns == id && listener.socket.inode == record.inode) socket.listener = i;
      }
      if (!socket.bound.reuse && ++asked <= kMostOwned) {
        ask_holder(source, host, socket, out.refused);
      }
    }
    out.sockets.push_back(std::move(socket));
  }
  return out;
}

std::vector<Listener> record_port_sockets(kernel::Source& source, const kernel::NetnsRef& netns,
                                          NetnsId id, const std::vector<Listener>& listed) {
  std::vector<Listener> out;
  for (const Protocol protocol : {Protocol::Tcp, Protocol::Udp, Protocol::Udplite}) {
    const PortSockets found = read_port_sockets(source, netns, protocol, 0);
    std::ranges::move(more_to_own(found, 0, id, listed), std::back_inserter(out));
  }
  return out;
}

void record_options(kernel::Source& source, Host& host, const std::set<std::uint32_t>& inodes) {
  const auto is_more = [&](const Listener& one) { return inodes.contains(one.socket.inode); };
  for (const Listener& listener : host.listeners) {
    std::optional<Error> refused;
    if (is_more(listener)) {
      static_cast<void>(read_socket_options(source, host, listener, refused));
    }
  }
  std::erase_if(host.listeners, is_more);
}

void record_bind_facts(kernel::Source& source, const kernel::NetnsRef& netns) {
  static_cast<void>(read_bind_settings(source, netns));
  static_cast<void>(read_bind_user(source, {}));
  std::vector<Gap> gaps;
  add_security_gaps(source, gaps);
}

}  // namespace hark::host
