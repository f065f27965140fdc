/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Every open descriptor of every task, as the kernel's own iterator hands them out
 * (kernel/bpf/task_iter.c, Linux 5.11): it takes a reference to each file, so this is the slowest
 * of the programs, and the one that depends least on how the kernel is made. It passes over threads
 * that share the descriptors of their leader. */
#include "bpf/found.bpf.h"

struct task_struct;
struct file;
struct socket;
struct bpf_iter__task_file {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
  u32 fd __attribute__((aligned(8)));
  struct file* file;
};
static struct socket* (*sock_from_file)(struct file* file) = (void*)162;

PROGRAM int walk_task_file(struct bpf_iter__task_file* ctx) {
  struct seq_file* seq = ctx->meta->seq;
  struct task_struct* task = ctx->task;
  struct file* file = ctx->file;
  if (!task || !file) return 0;
  struct socket* socket = sock_from_file(file);
  if (socket) {
    const u32 inode = listener_inode((u64)socket);
    if (inode != 0) write_found(seq, (u64)task, ctx->fd, inode, 0);
    return 0;
  }
  const u64 node = POINTER(file, file, f_inode);
  const u64 super = POINTER(node, inode, i_sb);
  if (POINTER(super, super_block, s_magic) != 0x6e736673) return 0; /* NSFS_MAGIC */
  const u32 inode = netns_inode(node);
  if (inode != 0) write_found(seq, (u64)task, ctx->fd, inode, 1);
  return 0;
}
