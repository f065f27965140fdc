/* What the BPF programs of this folder write and hark reads: plain C, the same on both sides. All
 * of it stays inside one process on one machine, so it is in memory order and may change with every
 * version. Kernel addresses in it (`file`) never leave the kernel folder. */
#pragma once

typedef unsigned char hark_u8;
typedef unsigned short hark_u16;
typedef unsigned int hark_u32;
typedef unsigned long long hark_u64;

/* One socket of any namespace that may be a listener. Fields as sock_diag tells them
 * (net/ipv4/inet_diag.c, inet_sk_diag_fill). */
struct hark_socket {
  hark_u64 file;      /* address of its struct file; 0: it has none, the kernel made it */
  hark_u64 cookie;    /* 0: nobody has asked for it yet */
  hark_u64 cgroup_id; /* of the cgroup of version 2 it was made in; 0: not known */
  hark_u32 netns;     /* inode of its namespace */
  hark_u32 inode;
  hark_u32 uid;
  hark_u32 interface_index;
  hark_u32 queue_length; /* LISTEN: connections waiting; others: bytes */
  hark_u32 queue_limit;  /* LISTEN: backlog; others: receive buffer in bytes */
  hark_u32 drops;
  hark_u16 port; /* raw: the IP protocol number */
  hark_u16 family;
  hark_u16 protocol; /* IPPROTO_*; MPTCP for the subflow listener of an MPTCP one too */
  hark_u8 state;     /* TCP_* of net/tcp_states.h */
  hark_u8 v6only;
  hark_u8 address[16];
  hark_u32 remote_port; /* of a socket that is bound to one peer */
  hark_u32 unused;
};

/* One network namespace. */
struct hark_netns {
  hark_u32 inode;
  hark_u16 first_port; /* net.ipv4.ip_local_port_range */
  hark_u16 last_port;
};

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

/* A descriptor that is a listener's socket. */
struct hark_holding {
  hark_u32 process; /* position of its holder among the processes */
  hark_u32 fd;
  hark_u32 inode;
};

/* What the iterators write: a descriptor and who has it. */
struct hark_found {
  struct hark_process process;
  hark_u32 fd;
  hark_u32 inode;
  hark_u32 is_netns; /* 1: the descriptor is a network namespace; 0: a socket */
  hark_u32 unused;
};
