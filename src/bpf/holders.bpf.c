/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Who holds the files that hark looks for, and one process of every set of namespaces: all tasks
 * are visited, and every open slot of their descriptor tables is compared with the addresses of the
 * files looked for (Linux 6.7). No file is touched unless its address is one of them: that is what
 * makes it fast, and what makes 600,000 descriptors a matter of milliseconds.
 *
 * No lock is taken. A table may change while it is read; so what was hit is looked at again through
 * the task, and the file must still be the socket's. What was not there at the time of the walk is
 * missed, as by every reader of /proc. */
#include "bpf/fields.bpf.h"
#include "bpf/shared.h"
#include "bpf/task.bpf.h"

typedef struct hark_holders_state State;
#define STATE AREA(State, holders_state)
#define PROCESSES AREA(struct hark_process, processes)
#define SLOTS AREA(struct hark_slot, slots)
#define HOLDINGS AREA(struct hark_holding, holdings)

/* Of the kernel: kernel/bpf/task_iter.c, kernel/bpf/helpers.c. */
struct task_struct;
struct bpf_iter_task {
  u64 opaque[3];
};
enum { kAllThreads = 1 }; /* BPF_TASK_ITER_ALL_THREADS */
kcall int bpf_iter_task_new(struct bpf_iter_task* it, struct task_struct* task, u32 flags);
kcall struct task_struct* bpf_iter_task_next(struct bpf_iter_task* it);
kcall void bpf_iter_task_destroy(struct bpf_iter_task* it);
kcall void bpf_rcu_read_lock(void);
kcall void bpf_rcu_read_unlock(void);

/* The walk is one flat loop whose place is kept in memory. Each step does the first of these that
 * there is to do: look at one of the eight descriptors among which the filter suspects one; compare
 * the next eight with the filter; copy the next 64 of the table. 0: this task is done. */
STEP int step(void);
/* Begins with a task. 0: there was none. */
STEP int begin(u64 task);

PROGRAM int find_holders(void) {
  struct bpf_iter_task tasks;
  struct bpf_iter_num steps;
  bpf_rcu_read_lock();
  bpf_iter_task_new(&tasks, 0, kAllThreads);
  bpf_iter_num_new(&steps, 0, 1 << 23); /* BPF_MAX_LOOPS of linux/bpf.h */
  while (bpf_iter_num_next(&steps)) {
    if (step()) continue;
    const u64 task = (u64)bpf_iter_task_next(&tasks);
    if (begin(task)) continue;
    break;
  }
  bpf_iter_num_destroy(&steps);
  bpf_iter_task_destroy(&tasks);
  bpf_rcu_read_unlock();
  return 0;
}

/* Whether this is the first process met with these namespaces. Two that meet in one place make more
 * processes first than need be, which does no harm. */
INLINE int is_first(State* s, u64 spaces, u64 task) {
  const u64 hash = spaces * HARK_HASH;
  u64* one = &s->seen[hash >> (64 - HARK_SEEN_BITS)];
  u64* other = &s->seen[hash >> (32 - HARK_SEEN_BITS) & ((1 << HARK_SEEN_BITS) - 1)];
  if (*one == spaces || *other == spaces) return 0;
  if (INT(task, task_struct, flags) & kKernelThread) return 0;
  if (*one == 0) {
    *one = spaces;
  } else {
    *other = spaces;
  }
  return 1;
}

/* Bit 0: the file may be one that is looked for. */
INLINE u64 passes(const State* s, u64 file) {
  const u64 hash = (file * HARK_HASH) >> (64 - HARK_FILTER_BITS);
  return s->filter[hash >> 6] >> (hash & 63);
}

/* All bits if the two are equal, else none. */
INLINE u64 mask_if_equal(u64 a, u64 b) {
  const u64 differ = a ^ b;
  return ((differ | -differ) >> 63) - 1;
}

/* The inode of a file looked for; 0: it is none of them. Each is in one of two places; no branch,
 * as each doubles what the verifier has to walk. */
INLINE u32 inode_if_wanted(u64 file) {
  const u64 hash = file * HARK_HASH;
  const u64 bits = GIVEN(slot_bits);
  const struct hark_slot* one = &SLOTS[hash >> (64 - bits)];
  const struct hark_slot* other = &SLOTS[(hash >> (32 - bits)) & ((1ULL << bits) - 1)];
  return (one->inode & mask_if_equal(one->file, file)) |
         (other->inode & mask_if_equal(other->file, file));
}

/* Is this descriptor of the task still that file, and the file still that socket? */
INLINE int still_holds(u64 task, u64 files, u32 fd, u64 file, u32 inode) {
  const u64 table = POINTER(files, files_struct, fdt);
  const u64 differ = (POINTER(task, task_struct, files) ^ files) |
                     (read_u64(POINTER(table, fdtable, fd) + 8 * (u64)fd) ^ file) |
                     ((u32)POINTER(POINTER(file, file, f_inode), inode, i_ino) ^ inode);
  return differ == 0 && fd < INT(table, fdtable, max_fds);
}

INLINE void look_at(State* s, u64 task, u64 files, u32 fd, u64 file) {
  const u32 inode = inode_if_wanted(file);
  if (inode == 0 || !still_holds(task, files, fd, file, inode)) return;
  const u32 place = s->holdings;
  if (place >= GIVEN(most_holdings)) {
    s->lost_holdings++;
    return;
  }
  struct hark_holding* out = &HOLDINGS[place];
  out->process = s->processes;
  out->fd = fd;
  out->inode = inode;
  s->holdings = place + 1;
}

INLINE void look_at_one(State* s) {
  const u32 at = s->walk.at & 63;
  look_at(s, s->walk.task, s->walk.files, (s->walk.word - 1) * 64 + at, s->descriptors[at]);
  s->walk.at = at + 1;
  s->walk.suspects--;
}

/* Eight descriptors: that none of them is looked for is what nearly always is. */
INLINE void compare_group(State* s) {
  const u32 first = s->walk.group * 8 & 63;
  u64 any = 0;
#pragma clang loop unroll(full)
  for (int one = 0; one < 8; ++one) {
    any |= passes(s, s->descriptors[first + one]);
    __asm__ volatile("" : "+r"(any)); /* one after the other: there are few registers */
  }
  s->walk.at = first;
  s->walk.suspects = (any & 1) * 8;
  s->walk.group++;
}

INLINE void copy_word(State* s) {
  const u64 word = s->walk.word;
  s->walk.word = word + 1;
  if (read_u64(s->walk.open_words + 8 * word) == 0) return;
  probe_read(s->descriptors, sizeof s->descriptors, (const void*)(s->walk.slots + word * 512));
  s->walk.group = 0;
}

/* What is to be told of the task that was walked. */
INLINE void finish(State* s) {
  if (!s->walk.first && s->holdings == s->walk.holdings_before) return;
  const u32 at = s->processes;
  if (at >= GIVEN(most_processes)) {
    s->lost_processes++;
    return;
  }
  struct hark_process* out = &PROCESSES[at];
  tell_process(out, s->walk.task, s->walk.leader);
  out->first = s->walk.first;
  s->processes = at + 1;
}

STEP int step(void) {
  State* s = STATE;
  if (s->walk.suspects != 0) {
    look_at_one(s);
  } else if (s->walk.group < 8) {
    compare_group(s);
  } else if (s->walk.word < s->walk.words) {
    copy_word(s);
  } else {
    finish(s);
    return 0;
  }
  return 1;
}

STEP int begin(u64 task) {
  State* s = STATE;
  if (task == 0) {
    s->whole = 1;
    return 0;
  }
  s->tasks++;
  s->walk.task = task;
  s->walk.group = 8;
  s->walk.word = 0;
  s->walk.words = 0;
  s->walk.first = 0;
  s->walk.holdings_before = s->holdings;
  /* In an order that touches as little memory as can be: most of the time goes into waiting for it.
   * Most threads share the descriptors of their leader, and then are no concern of ours. */
  const u64 files = POINTER(task, task_struct, files);
  const u64 leader = POINTER(task, task_struct, group_leader);
  const u64 leaders_files = task == leader ? 0 : POINTER(leader, task_struct, files);
  if (files == leaders_files) return 1;
  s->walk.leader = leader;
  s->walk.files = files;
  /* A leader that has exited has neither descriptors nor namespaces; its threads do. */
  if (task == leader || leaders_files == 0) {
    const u64 spaces = POINTER(task, task_struct, nsproxy);
    s->walk.first = spaces != 0 && is_first(s, spaces, task);
  }
  if (files == 0) return 1;
  const u64 table = POINTER(files, files_struct, fdt);
  s->walk.slots = POINTER(table, fdtable, fd);
  s->walk.open_words = POINTER(table, fdtable, open_fds);
  s->walk.words = ((u64)INT(table, fdtable, max_fds) + 63) / 64;
  return 1;
}
