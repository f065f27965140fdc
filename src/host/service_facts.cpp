#include "host/service_facts.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include "base/text.h"
#include "decode/netlink_attributes.h"
#include "decode/socket_details.h"
#include "host/cgroup_folders.h"

namespace hark::host {
namespace {

class Reader {
 public:
  Reader(kernel::Source& source, const kernel::NetnsRef& netns) : source_(source), netns_(netns) {}

  std::vector<decode::SocketDetails> sockets(Protocol protocol, std::uint32_t states) {
    std::vector<decode::SocketDetails> out;
    for (const Family family : {Family::Inet, Family::Inet6}) {
      const auto answer = source_.netlink(netns_, decode::kNetlinkSockDiag,
                                          decode::socket_details_request(family, protocol, states));
      if (!answer) continue;
      auto some = decode::decode_socket_details(*answer);
      if (some) std::ranges::move(*some, std::back_inserter(out));
    }
    return out;
  }

 private:
  kernel::Source& source_;
  const kernel::NetnsRef& netns_;
};

SocketFacts facts_of(const decode::SocketDetails& socket) {
  SocketFacts out;
  out.inode = socket.inode;
  out.queue_length = socket.queue_length;
  out.transparent = socket.transparent;
  out.md5 = socket.md5;
  out.memory_used = socket.memory_used;
  out.memory_limit = socket.memory_limit;
  return out;
}

/// Half-open connections belong to the listener with their local address and port, else to the one
/// of every address. They have no inode of their own.
const Listener* waits_for(const Host& host, NetnsId id, const decode::SocketDetails& half) {
  const Listener* any = nullptr;
  for (const Listener& one : host.listeners) {
    if (one.netns != id || one.port != half.local_port || one.state != State::Listen) continue;
    if (one.address.unmapped() == half.local.unmapped()) return &one;
    if (any == nullptr && one.address.is_unspecified()) any = &one;
  }
  return any;
}

void count_half_open(Reader& reader, const Host& host, NetnsId id,
                     std::vector<SocketFacts>& sockets) {
  constexpr std::uint8_t kSynRecv = 3;
  constexpr std::uint8_t kNewSynRecv = 12;
  for (const auto& half : reader.sockets(Protocol::Tcp, decode::kHalfOpen)) {
    if (half.state != kSynRecv && half.state != kNewSynRecv) continue;
    const Listener* listener = waits_for(host, id, half);
    if (listener == nullptr) continue;
    for (SocketFacts& facts : sockets) {
      if (facts.inode == listener->socket.inode) ++facts.half_open;
    }
  }
}

/// The first number of the line that begins so.
std::optional<std::uint64_t> number_after(std::string_view name, std::string_view lines) {
  while (!lines.empty()) {
    std::string_view line = next_piece(lines, '\n');
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    return parse_number<std::uint64_t>(next_word(line));
  }
  return std::nullopt;
}

/// Sets `file_limit`, and `open_files` where there may be nearly as many: the kernel makes an entry
/// for each descriptor that is listed, and a table that could still grow by half has room.
void read_descriptors(kernel::Source& source, const std::string& proc, HolderFacts& out) {
  if (const auto limits = source.read_file(proc + "/limits")) {
    out.file_limit = number_after("Max open files", as_text(*limits));
  }
  if (const auto status = source.read_file(proc + "/status"); status && out.file_limit) {
    const auto size = number_after("FDSize:", as_text(*status));
    if (size && *size <= *out.file_limit / 3 * 2) return;
  }
  if (const auto names = source.list_folder(proc + "/fd")) out.open_files = names->size();
}

/// "populated 1\nfrozen 0\n"
std::optional<bool> frozen_of(std::string_view events) {
  while (!events.empty()) {
    std::string_view line = next_piece(events, '\n');
    if (next_word(line) == "frozen") return next_word(line) == "1";
  }
  return std::nullopt;
}

/// Sets `frozen` by the first of these that can be read; a frozen ancestor shows in both.
void read_freezer(kernel::Source& source, const Process& process, CgroupFolders& cgroups,
                  HolderFacts& out) {
  // Of v1: "FROZEN", "FREEZING", "THAWED".
  if (const std::string old = cgroups.v1(process, "freezer"); !old.empty()) {
    const std::string file = old + "/freezer.state";
    const auto state = source.read_file(file);
    if (state && as_text(*state).starts_with("FROZEN")) {
      out.frozen = true;
      out.frozen_file = file;
      return;
    }
  }
  const std::string folder = cgroups.v2(process);
  if (folder.empty()) return;
  const std::string file = folder + "/cgroup.events";
  const auto events = source.read_file(file);
  if (!events) return;
  out.frozen = frozen_of(as_text(*events));
  out.frozen_file = file;
}

HolderFacts read_holder(kernel::Source& source, const Process& process, CgroupFolders& cgroups) {
  HolderFacts out;
  out.pid = process.pid;
  const std::string proc = "/proc/" + std::to_string(process.pid);
  read_descriptors(source, proc, out);
  read_freezer(source, process, cgroups, out);
  return out;
}

/// Where one process refuses another may answer, but a crowd of workers is not asked one by one.
constexpr std::size_t kMostHolders = 4;

/// It tells nothing of rights: the holder or the descriptor is gone, or nobody recorded it.
bool is_gone(const Error& error) {
  return error.code == ESRCH || error.code == EBADF || error.code == ESTALE || error.code == 0;
}

/// The socket that listens for MPTCP is not the one of the descriptor, and what they share is the
/// kernel's own business.
bool tells_options(const Listener& listener) {
  const Protocol protocol = listener.protocol;
  return listener.owners &&
         (protocol == Protocol::Tcp || protocol == Protocol::Udp || protocol == Protocol::Udplite);
}

void add_options(kernel::Source& source, const Host& host, const Listener& listener,
                 std::map<std::uint32_t, std::size_t>& places, ServiceFacts& out) {
  std::optional<Error> refused;
  auto options = read_socket_options(source, host, listener, refused);
  if (!options) {
    if (!refused) return;
    ++out.refused.sockets;
    out.refused.error = std::move(*refused);
    return;
  }
  const std::uint32_t inode = listener.socket.inode;
  const auto [place, added] = places.emplace(inode, out.sockets.size());
  if (added) out.sockets.push_back({.inode = inode});
  out.sockets[place->second].options = std::move(*options);
}

}  // namespace

std::optional<decode::SocketOptions> read_socket_options(kernel::Source& source, const Host& host,
                                                         const Listener& listener,
                                                         std::optional<Error>& refused) {
  if (!tells_options(listener)) return std::nullopt;
  std::size_t asked = 0;
  for (const Owner& owner : *listener.owners) {
    if (owner.fds.empty()) continue;
    if (++asked > kMostHolders) break;
    const auto parts = source.socket_options({.pid = host.at(owner.process).pid,
                                              .fd = owner.fds.front(),
                                              .inode = listener.socket.inode});
    if (!parts) {
      if (!is_gone(parts.error())) refused = parts.error();
      continue;
    }
    auto options = decode::decode_socket_options(*parts);
    if (options) return std::move(*options);
    refused = options.error();
  }
  return std::nullopt;
}

const SocketFacts* ServiceFacts::socket(std::uint32_t inode) const {
  const auto found = std::ranges::find(sockets, inode, &SocketFacts::inode);
  return found == sockets.end() ? nullptr : &*found;
}

const HolderFacts* ServiceFacts::holder(std::uint32_t pid) const {
  const auto found = std::ranges::find(holders, pid, &HolderFacts::pid);
  return found == holders.end() ? nullptr : &*found;
}

ServiceFacts read_service_facts(kernel::Source& source, const kernel::NetnsRef& netns,
                                const Host& host, NetnsId id, const ServiceRequest& request) {
  ServiceFacts out;
  Reader reader(source, netns);
  const auto asked = [&request](std::uint16_t port) {
    return !request.port || *request.port == port;
  };
  std::map<std::uint32_t, const Process*> processes;
  bool listens = false;
  std::set<Protocol> protocols;
  for (const Listener& listener : host.listeners) {
    if (listener.netns != id) continue;
    protocols.insert(listener.protocol == Protocol::Mptcp ? Protocol::Tcp : listener.protocol);
    if (!asked(listener.port)) continue;
    listens = listens || listener.state == State::Listen;
    if (!listener.owners) continue;
    for (const Owner& owner : *listener.owners) {
      const Process& process = host.at(owner.process);
      processes.emplace(process.pid, &process);
    }
  }
  for (const Protocol protocol : {Protocol::Tcp, Protocol::Udp, Protocol::Udplite}) {
    if (!protocols.contains(protocol)) continue;
    const std::uint32_t states =
        protocol == Protocol::Tcp ? decode::kListening : decode::kUnconnected;
    for (const auto& socket : reader.sockets(protocol, states)) {
      if (!asked(socket.local_port)) continue;
      out.sockets.push_back(facts_of(socket));
      if (protocol != Protocol::Tcp) out.sockets.back().queue_length = 0;  // bytes, not clients
    }
  }
  std::map<std::uint32_t, std::size_t> places;
  for (std::size_t i = 0; i < out.sockets.size(); ++i) places.emplace(out.sockets[i].inode, i);
  for (const Listener& listener : host.listeners) {
    if (!request.options || listener.netns != id) continue;
    if (!asked(listener.port) || !tells_options(listener)) continue;
    add_options(source, host, listener, places, out);
  }
  if (request.half_open) count_half_open(reader, host, id, out.sockets);
  // Walks a table that may be long: only where nobody listens on the port, or all is wanted.
  if (request.bound && (!listens || !request.port)) {
    for (const auto& socket : reader.sockets(Protocol::Tcp, decode::kBoundInactive)) {
      if (!asked(socket.local_port)) continue;
      out.bound.push_back({.address = socket.local,
                           .port = socket.local_port,
                           .inode = socket.inode,
                           .uid = socket.uid});
    }
  }
  if (processes.empty()) return out;
  std::optional<CgroupFolders> own;
  CgroupFolders& cgroups = request.folders != nullptr ? *request.folders : own.emplace(source);
  for (const auto& [pid, process] : processes) {
    out.holders.push_back(read_holder(source, *process, cgroups));
  }
  return out;
}

bool look_again(kernel::Source& source, const kernel::NetnsRef& netns, ServiceFacts& facts) {
  Reader reader(source, netns);
  const auto now = reader.sockets(Protocol::Tcp, decode::kListening);
  bool settled = true;
  for (SocketFacts& socket : facts.sockets) {
    if (socket.queue_length == 0 || socket.drains == true) continue;
    const auto found = std::ranges::find(now, socket.inode, &decode::SocketDetails::inode);
    if (found == now.end()) continue;  // gone, or no listener
    socket.drains = found->queue_length < socket.queue_length;
    socket.queue_length = found->queue_length;
    settled = settled && *socket.drains;
  }
  return settled;
}

}  // namespace hark::host
