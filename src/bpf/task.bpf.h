/* What the programs of this folder tell of a task: include/linux/sched.h, cred.h, nsproxy.h. */
#pragma once

#include "bpf/fields.bpf.h"

enum { kKernelThread = 0x00200000 }; /* PF_KTHREAD */

/* hark itself: the reader. */
static u64 (*current_task)(void) = (void*)35;

/* The file behind a descriptor of hark's own. */
INLINE u64 own_file(u64 fd) {
  const u64 files = POINTER(current_task(), task_struct, files);
  const u64 slots = POINTER(POINTER(files, files_struct, fdt), fdtable, fd);
  return read_u64(slots + 8 * fd);
}

/* The inode of a struct socket, which struct socket_alloc has beside it. */
INLINE u64 inode_of(u64 socket) {
  return read_u64(socket + AT(socket_alloc, vfs_inode) + AT(inode, i_ino));
}

INLINE u32 namespace_inode(u64 space, u64 member) {
  return space == 0 ? 0 : read_u32(space + member + AT(ns_common, inum));
}

/* The letter of proc(5), as task_state_index of include/linux/sched.h finds it. */
INLINE u8 state_of(u64 task) {
  const u32 state = INT(task, task_struct, __state) | INT(task, task_struct, exit_state);
  if ((state & 0x402) == 0x402) return 'I';
  if (state & 0x40) return 'P';
  if (state & 0x20) return 'Z';
  if (state & 0x10) return 'X';
  if (state & 0x8) return 't';
  if (state & 0x4) return 'T';
  if (state & 0x9002) return 'D'; /* also waiting for a lock of PREEMPT_RT, and frozen */
  return state & 0x1 ? 'S' : 'R';
}

/* Fills all but `first`. `task` is a thread that still has what a leader that exited has lost. */
INLINE void tell_process(struct hark_process* out, u64 task, u64 leader) {
  const u64 spaces = POINTER(task, task_struct, nsproxy);
  const u64 cred = POINTER(leader, task_struct, real_cred);
  const u64 memory = POINTER(task, task_struct, mm);
  out->group = POINTER(task, task_struct, cgroups);
  out->start_ns = POINTER(leader, task_struct, start_boottime);
  out->pid = INT(task, task_struct, tgid);
  out->uid = INT(cred, cred, euid);
  out->netns = 0;
  out->mntns = 0;
  if (spaces != 0) {
    out->netns = namespace_inode(POINTER(spaces, nsproxy, net_ns), AT(net, ns));
    out->mntns = namespace_inode(POINTER(spaces, nsproxy, mnt_ns), AT(mnt_namespace, ns));
  }
  out->state = state_of(leader);
  probe_read_text(out->name, sizeof out->name, (const void*)(leader + AT(task_struct, comm)));
  out->exe[0] = 0;
  out->exe_deleted = 0;
  const u64 exe = memory == 0 ? 0 : POINTER(memory, mm_struct, exe_file);
  if (exe == 0) return;
  const u64 entry = read_u64(exe + AT(file, f_path) + AT(path, dentry));
  /* Unhashed is how d_path tells " (deleted)" (include/linux/dcache.h, d_unhashed). */
  out->exe_deleted = read_u64(entry + AT(dentry, d_hash) + AT(hlist_bl_node, pprev)) == 0;
  probe_read_text(out->exe, sizeof out->exe,
                  (const void*)read_u64(entry + AT(dentry, d_name) + AT(qstr, name)));
}
