// Programs and filters that see packets beside the rest of the kernel: XDP (which the link dump
// told), traffic control, tcx and netkit on links; those of cgroups and of the namespace.
#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <string_view>

#include "decode/attached_programs.h"
#include "decode/inet_diag.h"
#include "decode/netlink_attributes.h"
#include "decode/tc_messages.h"
#include "host/network_reader.h"

namespace hark::host {
namespace {

using decode::AttachedPrograms;
using decode::TcAction;
using decode::TcFilter;
using decode::TcQdisc;
using kernel::ProgramPlace;

Result<std::vector<AttachedPrograms>> programs_at(const NetworkReading& reading,
                                                  const ProgramPlace& place) {
  const auto parts = reading.source.attached_programs(place);
  if (!parts) return fail(parts.error());
  return decode::decode_attached_programs(*parts);
}

/// EINVAL: the kernel has no such kind of attachment. ENODEV: the link is gone.
bool tells_nothing(int error) {
  return error == EINVAL || error == EOPNOTSUPP || error == ENODEV || error == ENOENT;
}

// TC_ACT_* and TCA_EGRESS_REDIR … of linux/pkt_cls.h and linux/tc_act/tc_mirred.h.
constexpr std::int32_t kShot = 2;
constexpr std::array<std::int32_t, 4> kGoesOn = {-1, 0, 1, 3};  // UNSPEC, OK, RECLASSIFY, PIPE
constexpr std::uint8_t kEgressMirror = 2;
constexpr std::uint8_t kIngressMirror = 4;

bool goes_on(std::int32_t verdict) {
  return std::ranges::find(kGoesOn, verdict) != kGoesOn.end();
}

bool is_harmless(const TcAction& action) {
  if (action.kind == "gact") return goes_on(action.verdict);
  const bool mirrors = action.mirred == kEgressMirror || action.mirred == kIngressMirror;
  return action.kind == "mirred" && mirrors && goes_on(action.verdict);
}

/// A classifier alone only gives packets a class.
bool is_harmless(const TcFilter& filter) {
  return filter.understood && !filter.direct_action && !filter.police &&
         std::ranges::all_of(filter.actions,
                             [](const TcAction& action) { return is_harmless(action); });
}

std::string words_of(const Network& network, const TcAction& action) {
  if (action.kind == "gact") return action.verdict == kShot ? "drop" : "gact";
  if (action.kind != "mirred") return action.kind;
  const bool mirrors = action.mirred == kEgressMirror || action.mirred == kIngressMirror;
  const Link* to = network.link(action.link);
  return std::string(mirrors ? "mirror" : "redirect") + " to " +
         (to != nullptr ? to->name : "link " + std::to_string(action.link));
}

std::string words_of(const Network& network, const TcFilter& filter) {
  std::string out = "pref " + std::to_string(filter.preference);
  if (filter.direct_action) out += ", direct action";
  if (filter.police) out += ", police";
  for (const TcAction& action : filter.actions) out += ", " + words_of(network, action);
  return out;
}

/// The place in `links` of a link; null: it appeared since they were read.
Link* find_link(Network& network, std::uint32_t index) {
  const auto found = std::ranges::lower_bound(network.links, index, {}, &Link::index);
  return found != network.links.end() && found->index == index ? &*found : nullptr;
}

void read_filters(const NetworkReading& reading, Link& link, std::uint32_t parent,
                  const char* where) {
  const auto answer = reading.ask(kNetlinkRoute, decode::tc_filters_request(link.index, parent));
  const auto filters = answer ? decode::decode_tc_filters(*answer)
                              : Result<std::vector<TcFilter>>(fail(answer.error()));
  if (!filters) {
    if (tells_nothing(filters.error().code)) return;
    note_unread(reading, NetworkFact::LinkPrograms, "filters of " + link.name, filters.error());
    return;
  }
  for (const TcFilter& filter : *filters) {
    link.programs.push_back({.where = where,
                             .kind = filter.kind,
                             .id = filter.program,
                             .name = {},
                             .detail = words_of(reading.network, filter),
                             .harmless = is_harmless(filter)});
  }
}

/// Qdiscs that lose packets because somebody wants them to.
bool loses_packets(const TcQdisc& qdisc) {
  return qdisc.kind == "netem" || qdisc.kind == "plug" || qdisc.kind == "blackhole" ||
         qdisc.kind == "bpf";
}

void read_qdisc(const NetworkReading& reading, const TcQdisc& qdisc) {
  Link* link = find_link(reading.network, qdisc.link);
  if (link == nullptr) return;
  if (qdisc.kind == "clsact") {
    read_filters(reading, *link, decode::kClsactIngress, "tc-ingress");
    read_filters(reading, *link, decode::kClsactEgress, "tc-egress");
  } else if (qdisc.kind == "ingress") {
    read_filters(reading, *link, qdisc.handle, "tc-ingress");
  } else {
    if (loses_packets(qdisc)) {
      link->programs.push_back({.where = "tc-egress",
                                .kind = qdisc.kind,
                                .id = 0,
                                .name = {},
                                .detail = "qdisc " + qdisc.kind,
                                .harmless = false});
    }
    if (qdisc.handle != 0) read_filters(reading, *link, qdisc.handle, "tc-egress");
  }
}

void read_traffic_control(const NetworkReading& reading) {
  const auto answer = reading.ask(kNetlinkRoute, decode::qdiscs_request());
  const auto qdiscs =
      answer ? decode::decode_qdiscs(*answer) : Result<std::vector<TcQdisc>>(fail(answer.error()));
  if (!qdiscs) {
    if (tells_nothing(qdiscs.error().code)) return;  // a kernel without traffic control
    note_unread(reading, NetworkFact::LinkPrograms, "qdiscs", qdiscs.error());
    return;
  }
  for (const TcQdisc& qdisc : *qdiscs) read_qdisc(reading, qdisc);
}

const char* where_of(ProgramPart part) {
  switch (part) {
    case ProgramPart::CgroupIngress:
      return "cgroup-ingress";
    case ProgramPart::CgroupEgress:
      return "cgroup-egress";
    case ProgramPart::FlowDissector:
      return "flow-dissector";
    case ProgramPart::SkLookup:
      return "sk-lookup";
    case ProgramPart::Netfilter:
      return "netfilter";
    case ProgramPart::TcxIngress:
      return "tcx-ingress";
    case ProgramPart::TcxEgress:
      return "tcx-egress";
    case ProgramPart::NetkitPrimary:
    case ProgramPart::NetkitPeer:
      return "netkit";
    case ProgramPart::Program:
    case ProgramPart::SkLookupSockets:
      break;
  }
  return "";
}

/// tcx and netkit of one link. False: the kernel refused, and will for the others.
bool read_attached(const NetworkReading& reading, Link& link) {
  const std::string what = "BPF programs of " + link.name;
  const auto lists = programs_at(reading, {.kind = ProgramPlace::Kind::Link,
                                           .netns = reading.netns,
                                           .number = link.index,
                                           .cgroup = {}});
  if (!lists) {
    note_unread(reading, NetworkFact::LinkPrograms, what, lists.error());
    return false;
  }
  for (const AttachedPrograms& list : *lists) {
    if (list.error != 0 && !tells_nothing(list.error)) {
      note_unread(reading, NetworkFact::LinkPrograms, what, kernel_error(list.error, what));
      return false;
    }
    for (const AttachedBpf& program : list.programs) {
      link.programs.push_back({.where = where_of(list.part),
                               .kind = "bpf",
                               .id = program.id,
                               .name = decode::name_of(program),
                               .detail = {},
                               .harmless = false});
    }
  }
  return true;
}

/// Names of the programs that only told a number. Without the right to ask, numbers must do.
void name_programs_of_links(const NetworkReading& reading) {
  for (Link& link : reading.network.links) {
    for (LinkProgram& program : link.programs) {
      if (program.id == 0 || !program.name.empty()) continue;
      const auto lists = programs_at(
          reading,
          {.kind = ProgramPlace::Kind::Program, .netns = {}, .number = program.id, .cgroup = {}});
      if (!lists || lists->empty()) continue;
      const AttachedPrograms& list = lists->front();
      if (list.error == EPERM) return;
      if (!list.programs.empty()) program.name = decode::name_of(list.programs.front());
    }
  }
}

/// The programs of a list are all added to Network::programs; an error of one is noted once.
void add_programs(const NetworkReading& reading, const AttachedPrograms& list,
                  const std::string& cgroup, NetworkFact fact, const std::string& what) {
  if (list.error != 0 && !tells_nothing(list.error)) {
    note_unread(reading, fact, what, kernel_error(list.error, what));
  }
  for (const AttachedBpf& program : list.programs) {
    AttachedProgram one;
    one.where = where_of(list.part);
    one.cgroup = cgroup;
    one.id = program.id;
    one.name = decode::name_of(program);
    one.family = program.family;
    one.hook = program.hook;
    one.priority = program.priority;
    one.flags = program.flags;
    reading.network.programs.push_back(std::move(one));
  }
}

/// "/a/b" → "/", "/a", "/a/b"
std::set<std::string> with_ancestors(const std::vector<std::string>& cgroups) {
  std::set<std::string> out;
  for (const std::string& path : cgroups) {
    out.insert("/");
    for (std::size_t at = 1; at < path.size(); ++at) {
      if (path[at] == '/') out.insert(path.substr(0, at));
    }
    out.insert(path);
  }
  return out;
}

void read_cgroups(const NetworkReading& reading) {
  for (const std::string& path : with_ancestors(reading.request.cgroups)) {
    const std::string what = "BPF programs of cgroup " + path;
    const auto lists = programs_at(
        reading, {.kind = ProgramPlace::Kind::Cgroup, .netns = {}, .number = 0, .cgroup = path});
    if (!lists) {
      // A cgroup that is gone has no programs, and a host without cgroup v2 none at all.
      if (tells_nothing(lists.error().code)) continue;
      note_unread(reading, NetworkFact::CgroupPrograms, what, lists.error());
      continue;
    }
    for (const AttachedPrograms& list : *lists) {
      add_programs(reading, list, path, NetworkFact::CgroupPrograms, what);
    }
  }
}

/// Which inodes cookies are of: sockets that may be handed packets, and these alone.
std::map<std::uint64_t, std::uint32_t> inodes_of_sockets(const NetworkReading& reading) {
  constexpr std::uint32_t kListen = 1U << 10U, kClose = 1U << 7U;  // TCP_LISTEN, TCP_CLOSE
  std::map<std::uint64_t, std::uint32_t> out;
  for (const Family family : {Family::Inet, Family::Inet6}) {
    for (const Protocol protocol : {Protocol::Tcp, Protocol::Udp}) {
      const std::uint32_t states = protocol == Protocol::Tcp ? kListen : kClose;
      const auto answer =
          reading.ask(decode::kNetlinkSockDiag,
                      decode::inet_diag_request(family, protocol, states, decode::Ulp::NotAsked));
      if (!answer) continue;
      const auto dump = decode::decode_inet_diag(*answer, protocol);
      if (!dump) continue;
      for (const decode::SocketRecord& socket : dump->sockets) {
        if (socket.cookie) out.emplace(*socket.cookie, socket.inode);
      }
    }
  }
  return out;
}

/// A program that has more is not told of socket by socket.
constexpr std::size_t kMostSockets = 256;

void add_sockets(const NetworkReading& reading, const AttachedPrograms& list) {
  if (list.error != 0) return;  // then they are not known, and whoever needs them says so
  const auto inodes = inodes_of_sockets(reading);
  for (AttachedProgram& program : reading.network.programs) {
    if (program.where != where_of(ProgramPart::SkLookup)) continue;
    program.sockets.emplace();
    for (const AttachedSocket& socket : list.sockets) {
      if (socket.program != program.id) continue;
      const auto inode = inodes.find(socket.cookie);
      const SteeredSocket one = {socket.cookie, inode == inodes.end() ? 0 : inode->second};
      if (std::ranges::find(*program.sockets, one) != program.sockets->end()) continue;
      program.sockets->push_back(one);
      if (program.sockets->size() <= kMostSockets) continue;
      program.sockets.reset();
      break;
    }
  }
}

void read_namespace(const NetworkReading& reading) {
  const std::string what = "BPF programs of the namespace";
  const auto lists = programs_at(
      reading,
      {.kind = ProgramPlace::Kind::Netns, .netns = reading.netns, .number = 0, .cgroup = {}});
  if (!lists) {
    note_unread(reading, NetworkFact::NamespacePrograms, what, lists.error());
    return;
  }
  for (const AttachedPrograms& list : *lists) {
    if (list.part == ProgramPart::SkLookupSockets) {
      add_sockets(reading, list);
    } else {
      add_programs(reading, list, {}, NetworkFact::NamespacePrograms, what);
    }
  }
}

}  // namespace

void read_programs(const NetworkReading& reading) {
  read_traffic_control(reading);
  for (Link& link : reading.network.links) {
    if (!read_attached(reading, link)) break;
  }
  name_programs_of_links(reading);
  read_cgroups(reading);
  read_namespace(reading);
}

}  // namespace hark::host
