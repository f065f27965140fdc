/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Every task of the kernel's iterator over tasks, its descriptor table walked here: no reference is
 * taken to any file, which is what costs most in task_file.bpf.c (Linux 6.4 for the loops). What a
 * file is shows in its operations: they are those of a socket of hark's own, of a namespace of
 * hark's own, or of no interest. */
#include "bpf/found.bpf.h"
#include "bpf/shared.h"

struct task_struct;
struct bpf_iter__task {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
};
typedef struct hark_task_state State;
#define STATE AREA(State, task_state)

/* Begins with a task. 0: there is nothing to walk. */
STEP int begin(u64 task);
/* The next descriptor. 0: that was the last one. */
STEP int step(struct seq_file* seq);

PROGRAM int walk_task(struct bpf_iter__task* ctx) {
  struct seq_file* seq = ctx->meta->seq;
  struct task_struct* task = ctx->task;
  if (!task || !begin((u64)task)) return 0;
  struct bpf_iter_num steps;
  bpf_iter_num_new(&steps, 0, 1 << 23);
  while (bpf_iter_num_next(&steps)) {
    if (!step(seq)) break;
  }
  bpf_iter_num_destroy(&steps);
  return 0;
}

STEP int begin(u64 task) {
  State* s = STATE;
  const u64 files = POINTER(task, task_struct, files);
  const u64 leader = POINTER(task, task_struct, group_leader);
  if (files == 0 || (task != leader && POINTER(leader, task_struct, files) == files)) return 0;
  if (s->socket_operations == 0) {
    s->socket_operations = POINTER(own_file(GIVEN(own_fd)), file, f_op);
    s->netns_operations = POINTER(own_file(GIVEN(own_netns_fd)), file, f_op);
  }
  const u64 table = POINTER(files, files_struct, fdt);
  s->task = task;
  s->slots = POINTER(table, fdtable, fd);
  s->open_words = POINTER(table, fdtable, open_fds);
  s->words = ((u64)INT(table, fdtable, max_fds) + 63) / 64;
  s->word = 0;
  s->open = 0;
  return 1;
}

STEP int step(struct seq_file* seq) {
  State* s = STATE;
  if (s->open == 0) {
    if (s->word >= s->words) return 0;
    s->open = read_u64(s->open_words + 8 * s->word);
    s->fd = s->word * 64;
    s->word++;
    return 1;
  }
  const u64 is_open = s->open & 1;
  const u32 fd = s->fd;
  s->open >>= 1;
  s->fd = fd + 1;
  if (!is_open) return 1;
  const u64 file = read_u64(s->slots + 8 * (u64)fd);
  const u64 operations = POINTER(file, file, f_op);
  if (operations == s->socket_operations) {
    const u32 inode = listener_inode(POINTER(file, file, private_data));
    if (inode != 0) write_found(seq, s->task, fd, inode, 0);
  } else if (operations == s->netns_operations) {
    const u32 inode = netns_inode(POINTER(file, file, f_inode));
    if (inode != 0) write_found(seq, s->task, fd, inode, 1);
  }
  return 1;
}
