/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Every network namespace, and every socket of any of them that may be a listener, from the hash
 * tables in which the kernel itself looks for one (Linux 6.7: net/ipv4/inet_hashtables.c, udp.c,
 * raw.c). It runs once, when hark asks.
 *
 * Of TCP and MPTCP there is a table of listeners alone. UDP and UDP-Lite keep every bound socket by
 * its port, raw sockets by their protocol. All are lists: arrays of heads that are copied piece by
 * piece, so that empty ones cost next to nothing. */
#include "bpf/fields.bpf.h"
#include "bpf/shared.h"
#include "bpf/task.bpf.h"

typedef struct hark_sockets_state State;
#define STATE AREA(State, sockets_state)
#define SOCKETS AREA(struct hark_socket, sockets)
#define NAMESPACES AREA(struct hark_netns, namespaces)

/* Where all begins: a socket of hark's own, of whatever family. */
STEP void begin(void);
/* One flat loop whose place is kept in memory. Each step does the first of these that there is to
 * do: the next socket of a list; the next head of the piece; the next piece of the table; the next
 * namespace; the next protocol; the next table. 0: all is done. */
STEP int step(void);

PROGRAM int list_sockets(void) {
  begin();
  struct bpf_iter_num steps;
  bpf_iter_num_new(&steps, 0, 1 << 23);
  while (bpf_iter_num_next(&steps)) {
    if (!step()) break;
  }
  bpf_iter_num_destroy(&steps);
  return 0;
}

enum { kTcp = 6, kUdp = 17, kUdplite = 136, kRaw = 255, kMptcp = 262 };
enum { kInet = 2, kInet6 = 10 };
enum { kListen = 10, kUnconnected = 7 };
enum { kMostProtocols = 256 }; /* MAX_INET_PROTOS of net/protocol.h: lists of raw sockets */

/* The first eight bytes of a protocol's name in its struct proto. */
#define NAME_UDPLITE 0x6574694c2d504455ULL /* "UDP-Lite" */
#define NAME_RAW 0x574152ULL               /* "RAW" */
#define NAME_RAW6 0x3676574152ULL          /* "RAWv6" */

INLINE void add_table(State* s, u64 base, u32 buckets, u64 stride, u64 head, u32 protocol) {
  const u32 at = s->tables;
  if (base == 0) return;
  if (at >= HARK_MOST_TABLES) {
    s->lost_tables++;
    return;
  }
  struct hark_table* table = &s->table[at];
  table->base = base + head;
  table->buckets = buckets;
  table->stride = stride;
  table->protocol = protocol;
  s->tables = at + 1;
}

INLINE void add_udp_table(State* s, u64 udp, u32 protocol) {
  if (udp == 0) return;
  add_table(s, POINTER(udp, udp_table, hash), INT(udp, udp_table, mask) + 1, SIZE_OF(udp_hslot),
            AT(udp_hslot, head), protocol);
}

/* Namespaces are a ring, with the ring's own head among them: what is no namespace is passed over.
 * Each may have a UDP table of its own (net.ipv4.udp_child_hash_entries). */
INLINE void next_namespace(State* s) {
  const u64 net = s->walk.net;
  if (read_u64(net + AT(net, ns) + AT(ns_common, ops)) == s->walk.net_operations) {
    const u64 ipv4 = net + AT(net, ipv4);
    const u32 at = s->namespaces;
    if (at < GIVEN(most_namespaces)) {
      const u32 range = read_u32(ipv4 + AT(netns_ipv4, ip_local_ports) + AT(local_ports, range));
      struct hark_netns* out = &NAMESPACES[at];
      out->inode = read_u32(net + AT(net, ns) + AT(ns_common, inum));
      out->first_port = range & 0xffff;
      out->last_port = range >> 16;
      s->namespaces = at + 1;
    } else {
      s->lost_namespaces++;
    }
    const u64 udp = read_u64(ipv4 + AT(netns_ipv4, udp_table));
    if (udp != s->walk.shared_udp && udp != s->walk.last_udp) add_udp_table(s, udp, kUdp);
    s->walk.last_udp = udp;
  }
  const u64 next = POINTER(net, net, list) - AT(net, list);
  s->walk.net = next == s->walk.own_net ? 0 : next;
}

/* The protocols' ring leads to the tables of those that have one for the whole machine. */
INLINE void next_protocol(State* s) {
  const u64 protocol = s->walk.proto;
  const u64 name = read_u64(protocol + AT(proto, name));
  const u64 table = POINTER(protocol, proto, h);
  if (name == NAME_UDPLITE) add_udp_table(s, table, kUdplite);
  if (name == NAME_RAW || name == NAME_RAW6) {
    add_table(s, table, kMostProtocols, 8, AT(raw_hashinfo, ht), kRaw);
  }
  const u64 next = POINTER(protocol, proto, node) - AT(proto, node);
  s->walk.proto = next == s->walk.own_proto ? 0 : next;
}

STEP void begin(void) {
  State* s = STATE;
  const u64 own = POINTER(POINTER(own_file(GIVEN(own_fd)), file, private_data), socket, sk);
  const u64 net = POINTER(own, sock_common, skc_net);
  const u64 ipv4 = net + AT(net, ipv4);
  const u64 listeners =
      read_u64(ipv4 + AT(netns_ipv4, tcp_death_row) + AT(inet_timewait_death_row, hashinfo));
  const u64 udp = read_u64(ipv4 + AT(netns_ipv4, udp_table));
  add_table(s, POINTER(listeners, inet_hashinfo, lhash2),
            INT(listeners, inet_hashinfo, lhash2_mask) + 1, SIZE_OF(inet_listen_hashbucket),
            AT(inet_listen_hashbucket, nulls_head), kTcp);
  add_udp_table(s, udp, kUdp);
  s->walk.own_net = net;
  s->walk.net = net;
  s->walk.net_operations = read_u64(net + AT(net, ns) + AT(ns_common, ops));
  s->walk.shared_udp = udp;
  s->walk.last_udp = udp;
  s->walk.own_proto = POINTER(own, sock_common, skc_prot);
  s->walk.proto = s->walk.own_proto;
}

INLINE u32 drops_of(u64 sk) {
  u32 drops = INT(sk, sock, sk_drops);
  if (AT_OR(sock, sk_drop_counters) != MISSING) {
    const u64 counters = read_u64(sk + AT_OR(sock, sk_drop_counters));
    if (counters != 0) {
      drops = read_u32(counters + AT_OR(numa_drop_counters, drops0)) +
              read_u32(counters + AT_OR(numa_drop_counters, drops1));
    }
  }
  return drops;
}

INLINE void add_socket(State* s, u64 sk, u32 protocol) {
  const u8 state = read_u8(sk + AT(sock_common, skc_state));
  if (state != (protocol == kTcp ? kListen : kUnconnected)) return;
  const u16 family = read_u16(sk + AT(sock_common, skc_family));
  if (family != kInet && family != kInet6) return;
  const u32 at = s->sockets;
  if (at >= GIVEN(most_sockets)) {
    s->lost_sockets++;
    return;
  }
  struct hark_socket* out = &SOCKETS[at];
  const u64 socket = POINTER(sk, sock, sk_socket);
  const u64 net = POINTER(sk, sock_common, skc_net);
  s->sockets = at + 1;
  out->state = state;
  out->family = family;
  out->protocol = protocol;
  out->inode = socket == 0 ? 0 : inode_of(socket);
  out->file = socket == 0 ? 0 : POINTER(socket, socket, file);
  out->netns = read_u32(net + AT(net, ns) + AT(ns_common, inum));
  /* Known when the program is loaded: what is not wanted costs nothing, not even to verify. */
  if (!GIVEN(in_full)) return;
  out->port = read_u16(sk + AT(sock_common, skc_num));
  out->remote_port = read_u16(sk + AT(sock_common, skc_dport));
  out->uid = INT(sk, sock, sk_uid);
  out->interface_index = INT(sk, sock_common, skc_bound_dev_if);
  out->v6only =
      read_u8(sk + AT(sock_common, skc_ipv6only)) >> BIT_AT(sock_common, skc_ipv6only) & 1;
  out->cookie = read_u64(sk + AT(sock_common, skc_cookie));
  out->drops = drops_of(sk);
  const u64 address =
      sk + (family == kInet ? AT(sock_common, skc_rcv_saddr) : AT(sock_common, skc_v6_rcv_saddr));
  probe_read(out->address, family == kInet ? 4 : 16, (const void*)address);
  if (protocol == kTcp) {
    out->queue_length = INT(sk, sock, sk_ack_backlog);
    out->queue_limit = INT(sk, sock, sk_max_ack_backlog);
  } else {
    /* The length counts what was read and not given back yet (udp_rqueue_get of net/udp.h). */
    out->queue_length = INT(sk, sock, sk_backlog);
    if (protocol != kRaw) out->queue_length -= INT(sk, udp_sock, forward_deficit);
    out->queue_limit = INT(sk, sock, sk_rcvbuf);
  }
  if (socket != 0) {
    /* The socket below an MPTCP one is its subflow's. */
    const u64 top = POINTER(socket, socket, sk);
    if (protocol == kTcp && read_u16(top + AT(sock, sk_protocol)) == kMptcp) {
      out->protocol = kMptcp;
    }
  }
  out->cgroup_id = 0;
  if (AT_OR(sock, sk_cgrp_data) != MISSING) {
    const u64 cgroup = read_u64(sk + AT_OR(sock, sk_cgrp_data) + AT(sock_cgroup_data, cgroup));
    const u64 node = cgroup == 0 ? 0 : POINTER(cgroup, cgroup, kn);
    if (node != 0) out->cgroup_id = POINTER(node, kernfs_node, id);
  }
}

/* A list ends with a zero or, in tables that say in its end which list it was, an odd number. */
INLINE int is_end(u64 node) {
  return node == 0 || (node & 1) != 0;
}

STEP int step(void) {
  State* s = STATE;
  const u64 node = s->walk.node;
  if (!is_end(node)) {
    add_socket(s, node - AT(sock_common, skc_node), s->walk.protocol);
    s->walk.node = read_u64(node);
    return 1;
  }
  if (s->walk.head < s->walk.heads) {
    s->walk.node = s->piece[(s->walk.head * s->walk.stride / 8) & (HARK_PIECE_WORDS - 1)];
    s->walk.head++;
    return 1;
  }
  if (s->walk.buckets > 0) {
    const u32 heads = s->walk.buckets > HARK_PIECE ? HARK_PIECE : s->walk.buckets;
    probe_read(s->piece, sizeof s->piece, (const void*)s->walk.base);
    s->walk.heads = heads;
    s->walk.head = 0;
    s->walk.buckets -= heads;
    s->walk.base += (u64)heads * s->walk.stride;
    return 1;
  }
  if (s->walk.net != 0) {
    next_namespace(s);
    return 1;
  }
  if (s->walk.proto != 0) {
    next_protocol(s);
    return 1;
  }
  const u32 next = s->walk.table;
  if (next >= HARK_MOST_TABLES || next >= s->tables) {
    s->whole = 1;
    return 0;
  }
  s->walk.base = s->table[next].base;
  s->walk.buckets = s->table[next].buckets;
  s->walk.stride = s->table[next].stride;
  s->walk.protocol = s->table[next].protocol;
  s->walk.table = next + 1;
  return 1;
}
