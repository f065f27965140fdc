#include "host/looks.h"

#include <array>

#include "decode/netlink_attributes.h"
#include "decode/process_health.h"
#include "decode/socket_details.h"

namespace hark::host {
namespace {

void look_at_sockets(kernel::Source& source, const kernel::NetnsRef& way, Look& into) {
  for (const Protocol protocol : {Protocol::Tcp, Protocol::Udp, Protocol::Udplite}) {
    const bool tcp = protocol == Protocol::Tcp;
    for (const Family family : {Family::Inet, Family::Inet6}) {
      const auto answer =
          source.netlink(way, decode::kNetlinkSockDiag,
                         decode::socket_details_request(
                             family, protocol, tcp ? decode::kListening : decode::kUnconnected));
      if (!answer) continue;
      const auto sockets = decode::decode_socket_details(*answer);
      if (!sockets) continue;
      for (const decode::SocketDetails& one : *sockets) {
        SocketLook look{.length = one.queue_length, .limit = one.queue_limit, .drops = one.drops};
        if (!tcp) {
          look.length = one.memory_used.value_or(one.queue_length);
          look.limit = one.memory_limit.value_or(0);
        }
        into.sockets.emplace(one.inode, look);
      }
    }
  }
}

Counters counters_of(kernel::Source& source, const kernel::NetnsRef& way) {
  Counters out;
  for (const char* file : {"/proc/net/netstat", "/proc/net/snmp"}) {
    if (const auto text = source.read_net_file(way, file))
      out.merge(decode::decode_counters(*text));
  }
  if (const auto text = source.read_net_file(way, "/proc/net/snmp6")) {
    out.merge(decode::decode_flat_numbers(*text));
  }
  return out;
}

template <typename Map, typename Key>
const typename Map::mapped_type* find_in(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

const SocketLook* Look::socket(std::uint32_t inode) const {
  return find_in(sockets, inode);
}

const ProcessLook* Look::process(std::uint32_t pid) const {
  return find_in(processes, pid);
}

std::optional<std::uint64_t> Look::counter(NetnsId id, std::string_view name) const {
  const Counters* of = find_in(counters, id);
  const std::uint64_t* value = of == nullptr ? nullptr : find_in(*of, std::string(name));
  return value == nullptr ? std::nullopt : std::optional(*value);
}

Look take_look(kernel::Source& source, const std::vector<kernel::NetnsRef>& ways,
               const std::vector<NetnsId>& namespaces, const std::vector<std::uint32_t>& pids) {
  Look out;
  if (const auto clock = source.clock()) out.at_ms = clock->boottime_ms;
  for (const NetnsId id : namespaces) {
    const kernel::NetnsRef& way = ways[static_cast<std::size_t>(id)];
    look_at_sockets(source, way, out);
    out.counters[id] = counters_of(source, way);
  }
  for (const std::uint32_t pid : pids) {
    const auto text = source.read_file("/proc/" + std::to_string(pid) + "/status");
    if (!text) continue;
    const decode::TaskStatus status = decode::decode_task_status(*text);
    out.processes[pid] = {.state = status.state, .switches = status.switches};
  }
  return out;
}

}  // namespace hark::host
