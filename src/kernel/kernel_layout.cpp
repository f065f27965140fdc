#include "kernel/kernel_layout.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <vector>

namespace hark::kernel {
namespace {

/// A number of KernelLayout is the sum of up to three offsets.
struct Field {
  std::size_t place = 0;
  std::array<std::string_view, 3> labels{};
};

#define AT(member, ...)               \
  Field {                             \
    offsetof(KernelLayout, member), { \
      __VA_ARGS__                     \
    }                                 \
  }

constexpr std::array kFields = {
    AT(task.files, "task_struct.files"),
    AT(task.signal, "task_struct.signal"),
    AT(task.nsproxy, "task_struct.nsproxy"),
    AT(task.tasks, "task_struct.tasks"),
    AT(task.mm, "task_struct.mm"),
    AT(task.exit_state, "task_struct.exit_state"),
    AT(task.tgid, "task_struct.tgid"),
    AT(task.group_leader, "task_struct.group_leader"),
    AT(task.start_boottime, "task_struct.start_boottime"),
    AT(task.real_cred, "task_struct.real_cred"),
    AT(task.comm, "task_struct.comm"),
    AT(task.state, "task_struct.__state"),
    AT(task.cgroups, "task_struct.cgroups"),
    AT(files.size, "files_struct..size"),
    AT(files.fdt, "files_struct.fdt"),
    AT(files.fdtab, "files_struct.fdtab"),
    AT(files.fd_array, "files_struct.fd_array"),
    AT(fdtable.size, "fdtable..size"),
    AT(fdtable.max_fds, "fdtable.max_fds"),
    AT(fdtable.fd, "fdtable.fd"),
    AT(fdtable.open_fds, "fdtable.open_fds"),
    AT(file.private_data, "file.private_data"),
    AT(file.f_inode, "file.f_inode"),
    AT(file.dentry, "file.f_path", "path.dentry"),
    // Unhashed is how d_path tells " (deleted)" (include/linux/dcache.h, d_unhashed).
    AT(dentry_pprev, "dentry.d_hash", "hlist_bl_node.pprev"),
    AT(dentry_name, "dentry.d_name", "qstr.name"),
    AT(mm_exe_file, "mm_struct.exe_file"),
    AT(cred_euid, "cred.euid"),
    AT(nsproxy_net, "nsproxy.net_ns"),
    AT(nsproxy_mnt, "nsproxy.mnt_ns"),
    AT(mnt_inum, "mnt_namespace.ns", "ns_common.inum"),
    AT(inode_number, "inode.i_ino"),
    AT(net.list, "net.list"),
    AT(net.ops, "net.ns", "ns_common.ops"),
    AT(net.inum, "net.ns", "ns_common.inum"),
    AT(net.ports, "net.ipv4", "netns_ipv4.ip_local_ports", "local_ports.range"),
    AT(net.hashinfo, "net.ipv4", "netns_ipv4.tcp_death_row", "inet_timewait_death_row.hashinfo"),
    AT(net.udp_table, "net.ipv4", "netns_ipv4.udp_table"),
    AT(listeners.lhash2, "inet_hashinfo.lhash2"),
    AT(listeners.lhash2_mask, "inet_hashinfo.lhash2_mask"),
    AT(listeners.bucket_size, "inet_listen_hashbucket..size"),
    AT(listeners.head, "inet_listen_hashbucket.nulls_head"),
    AT(udp.hash, "udp_table.hash"),
    AT(udp.mask, "udp_table.mask"),
    AT(udp.slot_size, "udp_hslot..size"),
    AT(udp.head, "udp_hslot.head"),
    AT(raw_heads, "raw_hashinfo.ht"),
    AT(proto.node, "proto.node"),
    AT(proto.name, "proto.name"),
    AT(proto.table, "proto.h"),
    AT(common.size, "sock_common..size"),
    AT(common.node, "sock_common.skc_node"),
    AT(common.net, "sock_common.skc_net"),
    AT(common.prot, "sock_common.skc_prot"),
    AT(common.family, "sock_common.skc_family"),
    AT(common.state, "sock_common.skc_state"),
    AT(common.port, "sock_common.skc_num"),
    AT(common.peer_port, "sock_common.skc_dport"),
    AT(common.device, "sock_common.skc_bound_dev_if"),
    AT(common.cookie, "sock_common.skc_cookie"),
    AT(common.v4, "sock_common.skc_rcv_saddr"),
    AT(common.v6, "sock_common.skc_v6_rcv_saddr"),
    AT(common.v6only, "sock_common.skc_ipv6only"),
    AT(common.v6only_bit, "sock_common.skc_ipv6only..bit"),
    AT(sock.socket, "sock.sk_socket"),
    AT(sock.uid, "sock.sk_uid"),
    AT(sock.protocol, "sock.sk_protocol"),
    AT(sock.drops, "sock.sk_drops"),
    AT(sock.backlog, "sock.sk_backlog"),
    AT(sock.rcvbuf, "sock.sk_rcvbuf"),
    AT(sock.ack_backlog, "sock.sk_ack_backlog"),
    AT(sock.max_ack_backlog, "sock.sk_max_ack_backlog"),
    AT(sock.forward_deficit, "udp_sock.forward_deficit"),
    AT(sock.drop_counters, "sock.sk_drop_counters..optional"),
    AT(sock.cgroup, "sock.sk_cgrp_data..optional", "sock_cgroup_data.cgroup..optional"),
    AT(counters_drops0, "numa_drop_counters.drops0..optional"),
    AT(counters_drops1, "numa_drop_counters.drops1..optional"),
    AT(cgroup_node, "cgroup.kn..optional"),
    AT(node_id, "kernfs_node.id..optional"),
    AT(socket.sk, "socket.sk"),
    AT(socket.file, "socket.file"),
    AT(socket.inode, "socket_alloc.vfs_inode", "inode.i_ino"),
    AT(bind.hash_mix, "net.hash_mix"),
    AT(bind.bhash, "inet_hashinfo.bhash"),
    AT(bind.bhash_size, "inet_hashinfo.bhash_size"),
    AT(bind.list_size, "inet_bind_hashbucket..size"),
    AT(bind.chain, "inet_bind_hashbucket.chain"),
    AT(bind.bucket_size, "inet_bind_bucket..size"),
    AT(bind.node, "inet_bind_bucket.node"),
    AT(bind.net, "inet_bind_bucket.ib_net"),
    AT(bind.l3mdev, "inet_bind_bucket.l3mdev"),
    AT(bind.port, "inet_bind_bucket.port"),
    AT(bind.fastreuse, "inet_bind_bucket.fastreuse"),
    AT(bind.fastreuseport, "inet_bind_bucket.fastreuseport"),
    AT(bind.fastuid, "inet_bind_bucket.fastuid"),
    AT(bind.fast_family, "inet_bind_bucket.fast_sk_family"),
    AT(bind.fast_v6only, "inet_bind_bucket.fast_ipv6_only"),
    AT(bind.fast_v4, "inet_bind_bucket.fast_rcv_saddr"),
    AT(bind.fast_v6, "inet_bind_bucket.fast_v6_rcv_saddr"),
    AT(bind.bhash2, "inet_bind_bucket.bhash2..optional"),
    AT(bind.bhash_node, "inet_bind2_bucket.bhash_node..optional"),
    AT(bind.owners, "inet_bind2_bucket.owners..optional"),
    AT(bind.deathrow, "inet_bind2_bucket.deathrow..optional"),
    AT(bind.bind_node, "sock_common.skc_bind_node"),
    AT(bind.reuse, "sock_common.skc_reuse"),
    AT(bind.reuse_bit, "sock_common.skc_reuse..bit"),
    AT(bind.reuseport, "sock_common.skc_reuseport"),
    AT(bind.reuseport_bit, "sock_common.skc_reuseport..bit"),
    AT(bind.peer_v4, "sock_common.skc_daddr"),
    AT(bind.peer_v6, "sock_common.skc_v6_daddr"),
};
#undef AT

}  // namespace

std::span<const std::string_view> layout_labels() {
  static const std::vector<std::string_view> kAll = [] {
    std::vector<std::string_view> out;
    for (const Field& field : kFields) {
      for (const std::string_view label : field.labels) {
        if (!label.empty()) out.push_back(label);
      }
    }
    return out;
  }();
  return kAll;
}

Result<KernelLayout> KernelLayout::from(const KernelFacts& facts) {
  KernelLayout out{};
  for (const Field& field : kFields) {
    std::uint32_t place = 0;
    for (const std::string_view label : field.labels) {
      if (label.empty()) continue;
      const auto offset = facts.find(label);
      if (!offset && !label.ends_with("..optional")) {
        return fail(plain_error("BPF", "this kernel has no " + std::string(label)));
      }
      place = offset && place != kNone ? place + *offset : kNone;
    }
    std::memcpy(reinterpret_cast<std::byte*>(&out) + field.place, &place, sizeof place);
  }
  return out;
}

}  // namespace hark::kernel
