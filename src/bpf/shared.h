/* Memory that the programs of this folder share with hark besides their records (records.h). */
#pragma once

#include "bpf/records.h"

enum {
  HARK_MOST_REQUESTS = 2048,
  HARK_MOST_COPIED = 4096, /* bytes by one request */
  HARK_WINDOW_WORDS = 64   /* of a task that are looked at */
};

/* What the reader is to do (reader.bpf.c). */
enum { HARK_COPY = 0, HARK_LISTS = 1, HARK_TASKS = 2 };

struct hark_request {
  hark_u64 address; /* lists: of the head */
  hark_u32 to;      /* copy: place in the output */
  hark_u32 size;    /* copy: bytes, at most HARK_MOST_COPIED */
};

/* A task with descriptors that are not those of its leader, or the leader itself. */
struct hark_task {
  hark_u64 task;
  hark_u64 files;
  hark_u64 leaders_files; /* 0: the leader has exited */
  hark_u64 nsproxy;
};

/* What a run of the reader is told: which half of the memory is its own, as two may run at
 * once. */
struct hark_turn {
  hark_u64 half; /* 0 or 1 */
};

/* What is before the output, in each half. All but the requests and the work to do is zero when the
 * program begins. */
struct hark_reader {
  hark_u32 work;
  hark_u32 requests;
  hark_u32 whole;      /* 1: all was done */
  hark_u32 lost;       /* nodes or tasks without room */
  hark_u64 self;       /* hark's own task */
  hark_u64 first_task; /* the kernel's first, by which all others hang */
  hark_u64 used;       /* bytes of output, lists and tasks */
  /* Where the walk is. */
  hark_u64 at;
  hark_u64 node;
  hark_u64 head;
  hark_u64 first_files; /* of the first task: those of kernel threads too */
  hark_u64 signal;      /* what the threads of one process have in common */
  hark_u64 leader;      /* after the walk over tasks: of the last process */
  hark_u64 leaders_files;
  hark_u64 window[HARK_WINDOW_WORDS];
  struct hark_request request[HARK_MOST_REQUESTS];
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
