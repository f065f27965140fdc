#include "kernel/live_programs.h"

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/parts.h"
#include "base/program_parts.h"
#include "base/unique_fd.h"

namespace hark::kernel {
namespace {

// Not in the headers of every system that hark is built on; enum bpf_attach_type, bpf_link_type.
constexpr std::uint32_t kTcxIngress = 46;
constexpr std::uint32_t kTcxEgress = 47;
constexpr std::uint32_t kNetkitPrimary = 54;
constexpr std::uint32_t kNetkitPeer = 55;
constexpr std::uint32_t kLinkTypeNetfilter = 10;

/// BPF_CGROUP_MAX_PROGS of kernel/bpf/cgroup.c and BPF_MPROG_MAX of linux/bpf_mprog.h are 64.
constexpr std::size_t kMostPrograms = 64;
constexpr std::size_t kMostLinks = 100'000;
constexpr std::size_t kMostMaps = 64;  // MAX_USED_MAPS of linux/bpf_verifier.h
/// Of one map: whoever steers by a thousand sockets is not told of in a line.
constexpr std::size_t kMostEntries = 1024;
constexpr std::size_t kLongestKey = 512;

long call(int command, bpf_attr& attributes) {
  return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

std::uint64_t address(const void* of) {
  return reinterpret_cast<std::uintptr_t>(of);
}

/// 0 or errno.
int get_info(int fd, void* info, std::uint32_t size) {
  bpf_attr attributes{};
  attributes.info.bpf_fd = static_cast<std::uint32_t>(fd);
  attributes.info.info_len = size;
  attributes.info.info = address(info);
  return call(BPF_OBJ_GET_INFO_BY_FD, attributes) == 0 ? 0 : errno;
}

/// Type, tag and name of a program. 0 or errno.
int describe(AttachedBpf& program) {
  bpf_attr attributes{};
  attributes.prog_id = program.id;
  const UniqueFd fd(static_cast<int>(call(BPF_PROG_GET_FD_BY_ID, attributes)));
  if (!fd.valid()) return errno;
  bpf_prog_info info{};
  if (const int error = get_info(fd.get(), &info, sizeof info); error != 0) return error;
  program.type = info.type;
  static_assert(sizeof info.tag == sizeof program.tag && sizeof info.name == sizeof program.name);
  std::memcpy(program.tag.data(), info.tag, sizeof info.tag);
  std::memcpy(program.name.data(), info.name, sizeof info.name);
  return 0;
}

void append_programs(ProgramPart part, const std::vector<AttachedBpf>& programs, Bytes& out) {
  append_part(out, static_cast<std::uint16_t>(part), std::as_bytes(std::span(programs)));
}

void append_error(ProgramPart part, int error, Bytes& out) {
  append_failed_part(out, static_cast<std::uint16_t>(part), error);
}

/// `target` is a descriptor, or the index of a link: the kernel has both in one place.
void query(ProgramPart part, std::uint32_t target, std::uint32_t type, Bytes& out) {
  std::array<std::uint32_t, kMostPrograms> ids{};
  bpf_attr attributes{};
  attributes.query.target_fd = target;
  attributes.query.attach_type = type;
  attributes.query.prog_ids = address(ids.data());
  attributes.query.prog_cnt = kMostPrograms;
  if (call(BPF_PROG_QUERY, attributes) != 0) {
    append_error(part, errno, out);
    return;
  }
  std::vector<AttachedBpf> programs;
  for (std::size_t i = 0; i < attributes.query.prog_cnt && i < ids.size(); ++i) {
    AttachedBpf one;
    one.id = ids[i];
    one.flags = attributes.query.attach_flags;
    // Its name needs more rights than its number: what is missing stays empty.
    static_cast<void>(describe(one));
    programs.push_back(one);
  }
  append_programs(part, programs, out);
}

/// The maps that a program uses. 0 or errno.
int maps_of(std::uint32_t program, std::vector<std::uint32_t>& out) {
  bpf_attr attributes{};
  attributes.prog_id = program;
  const UniqueFd fd(static_cast<int>(call(BPF_PROG_GET_FD_BY_ID, attributes)));
  if (!fd.valid()) return errno;
  out.assign(kMostMaps, 0);
  bpf_prog_info info{};
  info.nr_map_ids = kMostMaps;
  info.map_ids = address(out.data());
  const int error = get_info(fd.get(), &info, sizeof info);
  out.resize(error != 0 ? 0 : std::min<std::size_t>(info.nr_map_ids, kMostMaps));
  return error;
}

/// The sockets of a map, by the cookie that a lookup from outside gives (sock_map_lookup_sys,
/// bpf_fd_reuseport_array_lookup_elem). 0 or errno; of maps without sockets nothing.
int sockets_of(AttachedSocket place, std::vector<AttachedSocket>& out) {
  bpf_attr open{};
  open.map_id = place.map;
  const UniqueFd fd(static_cast<int>(call(BPF_MAP_GET_FD_BY_ID, open)));
  if (!fd.valid()) return errno;
  bpf_map_info info{};
  if (const int error = get_info(fd.get(), &info, sizeof info); error != 0) return error;
  const bool sockets = info.type == BPF_MAP_TYPE_SOCKMAP || info.type == BPF_MAP_TYPE_SOCKHASH ||
                       info.type == BPF_MAP_TYPE_REUSEPORT_SOCKARRAY;
  if (!sockets) return 0;
  if (info.value_size != sizeof place.cookie || info.key_size > kLongestKey) return ENOSPC;
  std::vector<std::byte> key(info.key_size);
  std::vector<std::byte> next(info.key_size);
  bool first = true;
  for (std::size_t i = 0; i < kMostEntries; ++i) {
    bpf_attr walk{};
    walk.map_fd = static_cast<std::uint32_t>(fd.get());
    walk.key = first ? 0 : address(key.data());
    walk.next_key = address(next.data());
    if (call(BPF_MAP_GET_NEXT_KEY, walk) != 0) return errno == ENOENT ? 0 : errno;
    key.swap(next);
    first = false;
    bpf_attr look{};
    look.map_fd = walk.map_fd;
    look.key = address(key.data());
    look.value = address(&place.cookie);
    if (call(BPF_MAP_LOOKUP_ELEM, look) == 0) {
      out.push_back(place);
    } else if (errno != ENOENT) {
      return errno;
    }
  }
  return E2BIG;
}

/// Of the programs of SkLookup; only where there are some.
void append_sockets(int netns, Bytes& out) {
  std::array<std::uint32_t, kMostPrograms> ids{};
  bpf_attr attributes{};
  attributes.query.target_fd = static_cast<std::uint32_t>(netns);
  attributes.query.attach_type = BPF_SK_LOOKUP;
  attributes.query.prog_ids = address(ids.data());
  attributes.query.prog_cnt = kMostPrograms;
  if (call(BPF_PROG_QUERY, attributes) != 0 || attributes.query.prog_cnt == 0) return;
  std::vector<AttachedSocket> sockets;
  for (std::size_t i = 0; i < attributes.query.prog_cnt && i < ids.size(); ++i) {
    std::vector<std::uint32_t> maps;
    int error = maps_of(ids[i], maps);
    for (const std::uint32_t map : maps) {
      if (error == 0) error = sockets_of({.program = ids[i], .map = map}, sockets);
    }
    if (error != 0) return append_error(ProgramPart::SkLookupSockets, error, out);
  }
  append_part(out, static_cast<std::uint16_t>(ProgramPart::SkLookupSockets),
              std::as_bytes(std::span(sockets)));
}

/// struct bpf_link_info as far as it is of a netfilter link; linux/bpf.h of Linux 6.4.
struct NetfilterLink {
  std::uint32_t type = 0;
  std::uint32_t id = 0;
  std::uint32_t program = 0;
  std::uint32_t unused = 0;
  std::uint32_t family = 0;
  std::uint32_t hook = 0;
  std::int32_t priority = 0;
  std::uint32_t flags = 0;
};

/// 0 or errno of the walk; links that vanish on the way are passed over.
int netfilter_links(std::vector<AttachedBpf>& out) {
  bpf_attr walk{};
  for (std::size_t i = 0; i < kMostLinks; ++i) {
    if (call(BPF_LINK_GET_NEXT_ID, walk) != 0) return errno == ENOENT ? 0 : errno;
    walk.start_id = walk.next_id;
    bpf_attr open{};
    open.link_id = walk.next_id;
    const UniqueFd fd(static_cast<int>(call(BPF_LINK_GET_FD_BY_ID, open)));
    if (!fd.valid() && errno == ENOENT) continue;
    if (!fd.valid()) return errno;
    NetfilterLink link;
    const int error = get_info(fd.get(), &link, sizeof link);
    if (error != 0) return error;
    if (link.type != kLinkTypeNetfilter) continue;
    AttachedBpf one;
    one.id = link.program;
    one.family = link.family;
    one.hook = link.hook;
    one.priority = link.priority;
    static_cast<void>(describe(one));
    out.push_back(one);
  }
  return 0;
}

}  // namespace

void append_cgroup_programs(int cgroup, Bytes& out) {
  const auto target = static_cast<std::uint32_t>(cgroup);
  query(ProgramPart::CgroupIngress, target, BPF_CGROUP_INET_INGRESS, out);
  query(ProgramPart::CgroupEgress, target, BPF_CGROUP_INET_EGRESS, out);
}

void append_netns_programs(int netns, Bytes& out) {
  const auto target = static_cast<std::uint32_t>(netns);
  query(ProgramPart::FlowDissector, target, BPF_FLOW_DISSECTOR, out);
  query(ProgramPart::SkLookup, target, BPF_SK_LOOKUP, out);
  append_sockets(netns, out);
  std::vector<AttachedBpf> links;
  const int error = netfilter_links(links);
  if (error != 0) {
    append_error(ProgramPart::Netfilter, error, out);
  } else {
    append_programs(ProgramPart::Netfilter, links, out);
  }
}

void append_link_programs(std::uint32_t link, Bytes& out) {
  query(ProgramPart::TcxIngress, link, kTcxIngress, out);
  query(ProgramPart::TcxEgress, link, kTcxEgress, out);
  query(ProgramPart::NetkitPrimary, link, kNetkitPrimary, out);
  query(ProgramPart::NetkitPeer, link, kNetkitPeer, out);
}

void append_program(std::uint32_t id, Bytes& out) {
  AttachedBpf one;
  one.id = id;
  const int error = describe(one);
  if (error != 0) {
    append_error(ProgramPart::Program, error, out);
  } else {
    append_programs(ProgramPart::Program, {one}, out);
  }
}

}  // namespace hark::kernel
