// What the expressions of nf_tables rules do, as the kernel keeps them: linux/netfilter/nf_tables.h
// and the dump functions of net/netfilter/nft_*.c.
//
// A rule is a program over sixteen registers of 32 bits. The old names of registers (NFT_REG_1 to
// NFT_REG_4, 128 bits each) are given here as the first of their four: `Reg` is always 0 to 15, and
// the bytes of a value stand in registers as they stand in memory. Numbers of `key`, `op`, `flags`
// and the like are the kernel's (NFT_META_*, NFT_CT_* …): nft_keys.h has names for them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace hark::decode::nft {

/// Number of a 32-bit register.
using Reg = std::uint8_t;
constexpr Reg kRegisters = 16;

/// What ends a rule or a chain. Values are the kernel's: NF_DROP, NF_ACCEPT, NFT_CONTINUE …
enum class Verdict : std::int32_t {
  Drop = 0,
  Accept = 1,
  Stolen = 2,
  Queue = 3,
  Continue = -1,
  Break = -2,
  Jump = -3,
  Goto = -4,
  Return = -5,
};
struct VerdictTo {
  Verdict verdict = Verdict::Continue;
  std::string chain = {};  ///< of jump and goto
  bool operator==(const VerdictTo&) const = default;
};

/// Puts a value into a register, or ends the rule.
struct Immediate {
  Reg dreg = 0;
  Bytes data = {};
  std::optional<VerdictTo> verdict = {};  ///< set: `dreg` and `data` do not count
  bool operator==(const Immediate&) const = default;
};
enum class CmpOp : std::uint8_t { Eq = 0, Neq, Lt, Lte, Gt, Gte };
struct Cmp {
  Reg sreg = 0;
  CmpOp op = CmpOp::Eq;
  Bytes data = {};
  bool operator==(const Cmp&) const = default;
};
struct Range {
  Reg sreg = 0;
  bool negated = false;
  Bytes from = {};
  Bytes to = {};
  bool operator==(const Range&) const = default;
};
struct Bitwise {
  enum class Op : std::uint8_t { MaskXor = 0, ShiftLeft, ShiftRight, And, Or, Xor };
  Reg sreg = 0;
  std::optional<Reg> sreg2 = {};  ///< of And, Or, Xor: the other operand
  Reg dreg = 0;
  std::uint32_t length = 0;  ///< bytes
  Op op = Op::MaskXor;
  Bytes mask = {};  ///< of And, Or, Xor without `sreg2`: the other operand
  Bytes xored = {};
  std::uint32_t shift = 0;  ///< bits; numbers of 32 bits in host order, first word first
  bool operator==(const Bitwise&) const = default;
};
struct Byteorder {
  Reg sreg = 0;
  Reg dreg = 0;
  bool to_host = false;
  std::uint32_t length = 0;  ///< bytes in all
  std::uint32_t size = 0;    ///< bytes of each number: 2, 4 or 8
  bool operator==(const Byteorder&) const = default;
};
enum class PayloadBase : std::uint8_t { Link = 0, Network, Transport, Inner, Tunnel };
struct Payload {
  Reg dreg = 0;
  PayloadBase base = PayloadBase::Network;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  bool operator==(const Payload&) const = default;
};
struct PayloadSet {
  Reg sreg = 0;
  PayloadBase base = PayloadBase::Network;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  bool operator==(const PayloadSet&) const = default;
};
/// Reads, writes (`sreg`) or strips (neither register) an extension header or option.
struct Exthdr {
  std::optional<Reg> dreg = {};
  std::optional<Reg> sreg = {};
  std::uint8_t type = 0;  ///< number of the header or option
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  std::uint32_t op = 0;  ///< NFT_EXTHDR_OP_*
  bool present = false;  ///< asks only whether it is there: gives 1 or 0
  bool operator==(const Exthdr&) const = default;
};
struct Meta {
  std::uint32_t key = 0;         ///< NFT_META_*
  std::optional<Reg> dreg = {};  ///< reads
  std::optional<Reg> sreg = {};  ///< writes
  bool operator==(const Meta&) const = default;
};
struct Ct {
  std::uint32_t key = 0;                       ///< NFT_CT_*
  std::optional<std::uint8_t> direction = {};  ///< 0 original, 1 reply
  std::optional<Reg> dreg = {};
  std::optional<Reg> sreg = {};
  bool operator==(const Ct&) const = default;
};
struct Notrack {
  bool operator==(const Notrack&) const = default;
};
struct Lookup {
  std::string set = {};
  Reg sreg = 0;
  std::optional<Reg> dreg = {};  ///< of maps; a verdict map has `verdict` instead
  bool verdict = false;          ///< the element's verdict ends the rule
  bool inverted = false;
  bool operator==(const Lookup&) const = default;
};
struct Fib {
  Reg dreg = 0;
  std::uint32_t result = 0;  ///< NFT_FIB_RESULT_*: 1 oif, 2 oifname, 3 addrtype
  std::uint32_t flags = 0;   ///< NFTA_FIB_F_*
  bool operator==(const Fib&) const = default;
};
struct Rt {
  Reg dreg = 0;
  std::uint32_t key = 0;  ///< NFT_RT_*
  bool operator==(const Rt&) const = default;
};
struct Socket {
  Reg dreg = 0;
  std::uint32_t key = 0;  ///< NFT_SOCKET_*
  std::uint32_t level = 0;
  bool operator==(const Socket&) const = default;
};
struct Nat {
  bool destination = false;  ///< dnat
  std::uint8_t family = 0;   ///< NFPROTO_*
  std::optional<Reg> address_min = {};
  std::optional<Reg> address_max = {};
  std::optional<Reg> port_min = {};
  std::optional<Reg> port_max = {};
  std::uint32_t flags = 0;  ///< NF_NAT_RANGE_*
  bool operator==(const Nat&) const = default;
};
struct Masquerade {
  std::optional<Reg> port_min = {};
  std::optional<Reg> port_max = {};
  std::uint32_t flags = 0;
  bool operator==(const Masquerade&) const = default;
};
struct Redirect {
  std::optional<Reg> port_min = {};
  std::optional<Reg> port_max = {};
  std::uint32_t flags = 0;
  bool operator==(const Redirect&) const = default;
};
struct Reject {
  std::uint32_t type = 0;  ///< NFT_REJECT_*: 0 icmp unreachable, 1 tcp reset, 2 icmpx
  std::uint8_t icmp_code = 0;
  bool operator==(const Reject&) const = default;
};
struct Tproxy {
  std::uint8_t family = 0;
  std::optional<Reg> address = {};
  std::optional<Reg> port = {};
  bool operator==(const Tproxy&) const = default;
};
struct Synproxy {
  std::uint16_t mss = 0;
  std::uint8_t wscale = 0;
  std::uint32_t flags = 0;
  bool operator==(const Synproxy&) const = default;
};
struct Limit {
  std::uint64_t rate = 0;
  std::uint64_t unit_s = 0;
  std::uint32_t burst = 0;
  std::uint32_t type = 0;  ///< 0 packets, 1 bytes
  bool inverted = false;
  bool operator==(const Limit&) const = default;
};
struct Quota {
  std::uint64_t bytes = 0;
  std::uint64_t consumed = 0;
  bool inverted = false;
  bool operator==(const Quota&) const = default;
};
struct Connlimit {
  std::uint32_t count = 0;
  bool inverted = false;
  bool operator==(const Connlimit&) const = default;
};
struct Numgen {
  Reg dreg = 0;
  std::uint32_t modulus = 0;
  bool random = false;
  std::uint32_t offset = 0;
  bool operator==(const Numgen&) const = default;
};
struct Hash {
  bool symmetric = false;  ///< NFT_HASH_SYM: no source register
  Reg sreg = 0;
  Reg dreg = 0;
  std::uint32_t length = 0;
  std::uint32_t modulus = 0;
  std::optional<std::uint32_t> seed = {};  ///< empty: chosen by the kernel, not told
  std::uint32_t offset = 0;
  bool operator==(const Hash&) const = default;
};
struct Queue {
  std::uint16_t first = 0;
  std::uint16_t count = 1;
  std::uint16_t flags = 0;  ///< NFT_QUEUE_FLAG_*: 1 bypass, 2 fanout
  std::optional<Reg> sreg = {};
  bool operator==(const Queue&) const = default;
};
/// Uses an object of the table, by its name or by a map from keys to objects.
struct ObjectRef {
  std::uint32_t type = 0;  ///< NFT_OBJECT_*; 0 where a map decides
  std::string name = {};
  std::string map = {};
  Reg sreg = 0;
  bool operator==(const ObjectRef&) const = default;
};
struct Log {
  std::string prefix = {};
  std::optional<std::uint16_t> group = {};
  std::optional<std::uint32_t> level = {};
  std::uint32_t snaplen = 0;     ///< of a group: bytes of a packet; 0: all
  std::uint16_t qthreshold = 0;  ///< of a group
  std::uint32_t flags = 0;       ///< NF_LOG_*
  bool operator==(const Log&) const = default;
};
struct Counter {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  bool operator==(const Counter&) const = default;
};
struct Last {
  std::optional<std::uint64_t> used_ms_ago = {};  ///< empty: never
  bool operator==(const Last&) const = default;
};
struct Dup {
  std::optional<Reg> address = {};
  std::optional<Reg> device = {};
  bool operator==(const Dup&) const = default;
};
struct Fwd {
  std::optional<Reg> device = {};
  std::optional<Reg> address = {};
  std::uint8_t family = 0;
  bool operator==(const Fwd&) const = default;
};
struct FlowOffload {
  std::string flowtable = {};
  bool operator==(const FlowOffload&) const = default;
};
struct Osf {
  Reg dreg = 0;
  std::uint8_t ttl = 0;  ///< NF_OSF_TTL_*
  bool version = false;  ///< the version as well as the name
  bool operator==(const Osf&) const = default;
};
struct Xfrm {
  Reg dreg = 0;
  std::uint32_t key = 0;
  std::uint8_t direction = 0;
  std::uint32_t number = 0;
  bool operator==(const Xfrm&) const = default;
};
struct Tunnel {
  Reg dreg = 0;
  std::uint32_t key = 0;
  std::uint32_t mode = 0;  ///< NFT_TUNNEL_MODE_*
  bool operator==(const Tunnel&) const = default;
};
/// Matches inside a tunnel's packets. What it asks there is not read.
struct Inner {
  std::uint32_t type = 0;
  bool operator==(const Inner&) const = default;
};

}  // namespace hark::decode::nft
