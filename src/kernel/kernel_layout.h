// Where in the kernel's structures the facts lie that a survey reads (survey_sockets.h,
// survey_holders.h): asked of the running kernel's own description of its types.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "kernel/bpf_link.h"

namespace hark::kernel {

/// Offsets in bytes; of a member in a member, from the outer structure.
struct KernelLayout {
  static constexpr std::uint32_t kNone = UINT32_MAX;  ///< this kernel does not have it

  // Tasks (linux/sched.h) and their descriptors (linux/fdtable.h, fs.h).
  struct {
    std::uint32_t files, signal, nsproxy, tasks, mm, exit_state, tgid, group_leader;
    std::uint32_t start_boottime, real_cred, comm, state, cgroups;
  } task;
  struct {
    std::uint32_t size, fdt, fdtab, fd_array;
  } files;
  struct {
    std::uint32_t size, max_fds, fd, open_fds;
  } fdtable;
  struct {
    std::uint32_t private_data, f_inode, dentry;
  } file;
  std::uint32_t dentry_pprev, dentry_name, mm_exe_file, cred_euid;
  std::uint32_t nsproxy_net, nsproxy_mnt, mnt_inum, inode_number;

  // Network namespaces (net/net_namespace.h) and the tables of sockets in them.
  struct {
    std::uint32_t list, ops, inum, ports, hashinfo, udp_table;
  } net;
  struct {
    std::uint32_t lhash2, lhash2_mask, bucket_size, head;
  } listeners;
  struct {
    std::uint32_t hash, mask, slot_size, head;
  } udp;
  std::uint32_t raw_heads;
  struct {
    std::uint32_t node, name, table;
  } proto;

  // Sockets (net/sock.h, linux/net.h).
  struct {
    std::uint32_t size, node, net, prot, family, state, port, peer_port, device, cookie, v4, v6;
    std::uint32_t v6only, v6only_bit;
  } common;
  struct {
    std::uint32_t socket, uid, protocol, drops, backlog, rcvbuf, ack_backlog, max_ack_backlog;
    std::uint32_t forward_deficit, drop_counters, cgroup;
  } sock;
  std::uint32_t counters_drops0, counters_drops1, cgroup_node, node_id;
  struct {
    std::uint32_t sk, file, inode;
  } socket;

  // What bind(2) compares (net/inet_hashtables.h): survey_bound.h.
  struct {
    std::uint32_t hash_mix, bhash, bhash_size, list_size, chain;
    std::uint32_t bucket_size, node, net, l3mdev, port, fastreuse, fastreuseport, fastuid;
    std::uint32_t fast_family, fast_v6only, fast_v4, fast_v6;
    std::uint32_t bhash2, bhash_node, owners, deathrow, bind_node;
    std::uint32_t reuse, reuse_bit, reuseport, reuseport_bit, peer_v4, peer_v6;
  } bind;

  [[nodiscard]] static Result<KernelLayout> from(const KernelFacts& facts);
};

/// All that KernelLayout::from() looks for.
[[nodiscard]] std::span<const std::string_view> layout_labels();

}  // namespace hark::kernel
