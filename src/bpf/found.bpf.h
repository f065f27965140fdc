/* What the two iterator programs tell of a descriptor: whether it is a socket that may be a
 * listener, or a network namespace. */
#pragma once

#include "bpf/fields.bpf.h"
#include "bpf/task.bpf.h"

/* struct bpf_iter_meta of linux/bpf.h, of which only the first member matters. The verifier knows
 * the real types behind these pointers. */
struct seq_file;
struct bpf_iter_meta {
  struct seq_file* seq;
};
static long (*seq_write)(struct seq_file* seq, const void* data, u32 size) = (void*)127;

enum { kSocketUnconnected = 1 }; /* SS_UNCONNECTED of linux/net.h, socket_state */

/* The inode of a socket that may be a listener: one that is connected to nobody. 0: it is none. */
INLINE u32 listener_inode(u64 socket) {
  if (INT(socket, socket, state) != kSocketUnconnected) return 0;
  const u64 sk = POINTER(socket, socket, sk);
  const u16 family = read_u16(sk + AT(sock_common, skc_family));
  if (family != 2 && family != 10) return 0; /* AF_INET, AF_INET6 */
  return (u32)inode_of(socket);
}

/* The inode of a namespace file if it is of a network namespace: of the kinds of namespaces the one
 * that has the operations of the reader's. 0: it is of another kind. */
INLINE u32 netns_inode(u64 node) {
  const u64 own = POINTER(POINTER(current_task(), task_struct, nsproxy), nsproxy, net_ns);
  const u64 kind = read_u64(own + AT(net, ns) + AT(ns_common, ops));
  if (POINTER(POINTER(node, inode, i_private), ns_common, ops) != kind) return 0;
  return (u32)POINTER(node, inode, i_ino);
}

INLINE void write_found(struct seq_file* seq, u64 task, u32 fd, u32 inode, u32 is_netns) {
  struct hark_found out = {};
  tell_process(&out.process, task, POINTER(task, task_struct, group_leader));
  out.fd = fd;
  out.inode = inode;
  out.is_netns = is_netns;
  seq_write(seq, &out, sizeof out);
}
