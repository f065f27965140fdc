/* What the BPF programs of this folder write and hark reads: plain C, the same on both sides. All
 * of it stays inside one process on one machine, so it is in memory order and may change with every
 * version. Kernel addresses in it never leave the kernel folder. */
#pragma once

typedef unsigned char hark_u8;
typedef unsigned short hark_u16;
typedef unsigned int hark_u32;
typedef unsigned long long hark_u64;

/* A process that holds something that was looked for, or is the first one seen in its namespaces.
 */
struct hark_process {
  hark_u64 group;    /* equal for all that are in the same cgroups (struct css_set) */
  hark_u64 start_ns; /* since boot */
  hark_u32 pid;      /* in the first pid namespace */
  hark_u32 uid;      /* effective */
  hark_u32 netns;    /* inode of its network namespace; 0: it has none any more */
  hark_u32 mntns;    /* inode of its mount namespace */
  hark_u32 unused;
  hark_u8 state;       /* a letter of proc(5) */
  hark_u8 exe_deleted; /* its program's file has been removed */
  hark_u8 first;       /* nobody before it was in these namespaces */
  hark_u8 padding;
  char name[16];
  char exe[32]; /* last part of its program's path, cut */
};

/* What the iterators write: a descriptor and who has it. */
struct hark_found {
  struct hark_process process;
  hark_u32 fd;
  hark_u32 inode;
  hark_u32 is_netns; /* 1: the descriptor is a network namespace; 0: a socket */
  hark_u32 unused;
};
