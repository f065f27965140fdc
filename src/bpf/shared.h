/* Memory that the programs of this folder share with hark besides their records (records.h). */
#pragma once

#include "bpf/records.h"

enum {
  HARK_MOST_TABLES = 64,
  HARK_PIECE = 256, /* heads of a table that are copied at once */
  HARK_PIECE_WORDS = 512,
  HARK_FILTER_BITS = 17, /* the filter has 2^17 bits */
  HARK_SEEN_BITS = 12    /* places for sets of namespaces met so far */
};
#define HARK_HASH 0x9e3779b97f4a7c15ULL

/* A hash table of the kernel. */
struct hark_table {
  hark_u64 base;
  hark_u32 buckets;
  hark_u32 stride;
  hark_u32 protocol;
  hark_u32 unused;
};

/* Where the walk over tables is. */
struct hark_table_walk {
  hark_u64 node; /* the next socket's place in its list */
  hark_u64 base; /* of the next piece */
  hark_u32 head; /* the next head of the piece */
  hark_u32 heads;
  hark_u32 buckets; /* that are left after the piece */
  hark_u32 stride;
  hark_u32 protocol;
  hark_u32 table; /* the next one */
  hark_u64 own_net;
  hark_u64 net; /* the next one; 0: all were seen */
  hark_u64 net_operations;
  hark_u64 shared_udp;
  hark_u64 last_udp;
  hark_u64 own_proto;
  hark_u64 proto; /* the next one; 0: all were seen */
};

struct hark_sockets_state {
  hark_u32 sockets;
  hark_u32 namespaces;
  hark_u32 tables;
  hark_u32 unused;
  hark_u32 lost_sockets;
  hark_u32 lost_namespaces;
  hark_u32 lost_tables;
  hark_u32 whole; /* 1: all tables were gone through */
  struct hark_table_walk walk;
  struct hark_table table[HARK_MOST_TABLES];
  hark_u64 piece[HARK_PIECE_WORDS];
};

/* A file looked for, in a table where it is found by its address. */
struct hark_slot {
  hark_u64 file;
  hark_u32 inode;
  hark_u32 unused;
};

/* Where the walk over tasks and their descriptors is. */
struct hark_walk {
  hark_u64 task;
  hark_u64 leader;
  hark_u64 files;
  hark_u64 slots;      /* of its descriptor table: addresses of files */
  hark_u64 open_words; /* which of them are open, a bit each */
  hark_u64 words;
  hark_u64 word;     /* the next one */
  hark_u32 group;    /* the next eight of the 64 descriptors before it; 8: all were compared */
  hark_u32 suspects; /* descriptors that are left to look at */
  hark_u32 at;       /* the next of them */
  hark_u32 first;
  hark_u32 holdings_before;
};

struct hark_holders_state {
  hark_u32 processes;
  hark_u32 holdings;
  hark_u32 lost_processes;
  hark_u32 lost_holdings;
  hark_u32 tasks;
  hark_u32 whole; /* 1: all tasks were visited */
  struct hark_walk walk;
  hark_u64 filter[1 << (HARK_FILTER_BITS - 6)]; /* a bit for each file looked for */
  hark_u64 seen[1 << HARK_SEEN_BITS];           /* sets of namespaces met so far */
  hark_u64 descriptors[64];
};

/* Where the walk of one task's descriptors is. */
struct hark_task_state {
  hark_u64 socket_operations; /* of hark's own socket */
  hark_u64 netns_operations;  /* of hark's own namespace file */
  hark_u64 task;
  hark_u64 slots;
  hark_u64 open_words;
  hark_u64 words;
  hark_u64 word; /* the next one */
  hark_u64 open; /* what is left of the one before it, a bit each */
  hark_u64 fd;   /* of the first of these */
};
