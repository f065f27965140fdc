/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Copies what hark asks for out of the kernel's memory. The kernel walks through every branch of a
 * program before it takes it, and that walk is most of the time of a short answer: so this program
 * is small, and what the memory means is worked out by hark (kernel/survey_sockets.cpp,
 * survey_holders.cpp). It does one of three things each time it is run:
 *
 *   copy   so many bytes from each of many addresses. The reads do not depend on each other, so the
 *          processor waits for many of them at once: a walk that follows pointers waits for each;
 *   lists  the nodes of many lists, each followed to its end;
 *   tasks  every task with descriptors of its own, in the order of the kernel's list of them.
 *
 * A list and the tasks are followed in one go under the RCU lock, as the kernel's own readers do
 * (Linux 6.7: net/ipv4/inet_hashtables.c, kernel/bpf/task_iter.c): what is taken off a list in the
 * meantime still leads on. */
#include "bpf/fields.bpf.h"
#include "bpf/shared.h"

typedef struct hark_reader State;
#define OUT(s) ((u8*)((s) + 1)) /* so many bytes as were given */

static u64 (*current_task)(void) = (void*)35;

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

/* One copy or one node. 0: all is done. */
STEP int step(State* s);
/* One task, or 0 after the last. */
STEP int see(State* s, u64 task);

/* Not left to the compiler, which would make a branch of it: the kernel would walk all behind it
 * twice. */
INLINE State* half_of_memory(const struct hark_turn* turn) {
  u64 offset = turn->half & 1;
  const u64 size = GIVEN(half_bytes);
  __asm__ volatile("%0 *= %1" : "+r"(offset) : "r"(size));
  return (State*)((u8*)AREA(State, reader) + offset);
}

PROGRAM int read_kernel(const struct hark_turn* turn) {
  struct bpf_iter_task tasks;
  struct bpf_iter_num steps;
  State* s = half_of_memory(turn);
  s->self = current_task();
  bpf_rcu_read_lock();
  bpf_iter_task_new(&tasks, 0, kAllThreads);
  bpf_iter_num_new(&steps, 0, 1 << 23); /* BPF_MAX_LOOPS of linux/bpf.h */
  while (bpf_iter_num_next(&steps)) {
    if (s->work == HARK_TASKS) {
      if (see(s, (u64)bpf_iter_task_next(&tasks))) continue;
    } else {
      if (step(s)) continue;
    }
    break;
  }
  bpf_iter_num_destroy(&steps);
  bpf_iter_task_destroy(&tasks);
  bpf_rcu_read_unlock();
  return 0;
}

/* Room for so much more in the output; otherwise it is counted. */
INLINE u8* room_for(State* s, u64 size) {
  const u64 at = s->used;
  if (at > GIVEN(out_bytes) - size) {
    s->lost++;
    return 0;
  }
  s->used = at + size;
  return OUT(s) + at;
}

INLINE int copy(State* s, const struct hark_request* request) {
  const u64 to = request->to;
  const u64 size = request->size;
  if (to > GIVEN(out_bytes) - HARK_MOST_COPIED || size > HARK_MOST_COPIED) return 0;
  probe_read(OUT(s) + to, size, (const void*)request->address);
  return 1;
}

/* What a node, or the head of a list, leads to. A list ends with a zero, with an odd number in
 * tables that say in its end which list it was, or with its own head: told as an odd number. */
INLINE u64 next_of(const State* s, u64 node) {
  const u64 next = read_u64(node);
  return next == 0 || next == s->head ? 1 : next;
}

STEP int step(State* s) {
  const u64 node = s->node;
  const u32 at = s->at;
  if (node != 0) {
    u64* out = (u64*)room_for(s, sizeof *out);
    if (!out) return 0;
    *out = node;
    if (node & 1) {
      s->node = 0;
      return 1;
    }
    s->node = next_of(s, node);
    return 1;
  }
  if (at >= s->requests || at >= HARK_MOST_REQUESTS) {
    s->whole = 1;
    return 0;
  }
  const struct hark_request* request = &s->request[at];
  s->at = at + 1;
  if (s->work == HARK_COPY) return copy(s, request);
  s->head = request->address;
  s->node = next_of(s, request->address);
  return 1;
}

STEP int see(State* s, u64 task) {
  if (task == 0) {
    s->whole = 1;
    return 0;
  }
  /* Close to each other in every kernel: one read. */
  probe_read(s->window, GIVEN(window_size), (const void*)(task + GIVEN(window)));
  const u64 files = s->window[GIVEN(files_in_window)];
  const u64 signal = s->window[GIVEN(signal_in_window)];
  if (s->first_task == 0) {
    s->first_task = task;
    s->first_files = files;
  }
  /* Threads come behind their leader and share its signals. Most share its descriptors too, and
   * then are no concern of ours; nor are kernel threads, whose descriptors are the first task's. */
  if (signal != s->signal) {
    s->signal = signal;
    s->leader = task;
    s->leaders_files = files;
  } else if (files == s->leaders_files) {
    return 1;
  }
  if (files == s->first_files || files == 0) return 1;
  struct hark_task* out = (struct hark_task*)room_for(s, sizeof *out);
  if (!out) return 1;
  out->task = task;
  out->files = files;
  out->leaders_files = s->leaders_files;
  out->nsproxy = s->window[GIVEN(nsproxy_in_window)];
  return 1;
}
