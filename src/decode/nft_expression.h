// An expression of an nf_tables rule: its name and what it does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "decode/nft_operations.h"

namespace hark::decode::nft {

/// An iptables match or target, by its name, revision and the bytes of its own structure
/// (linux/netfilter/xt_*.h): see xt_*.h of this folder.
struct XtMatch {
  std::string name = {};
  std::uint32_t revision = 0;
  Bytes info = {};
  bool operator==(const XtMatch&) const = default;
};
struct XtTarget {
  std::string name = {};
  std::uint32_t revision = 0;
  Bytes info = {};
  bool operator==(const XtTarget&) const = default;
};
/// An expression that this program does not know, or one whose attributes it does not understand.
struct Unknown {
  std::string why = {};  ///< "expression foo", "meta key 99"
  bool operator==(const Unknown&) const = default;
};

struct Expression;
/// Adds to, updates in or deletes from a set, as packets pass.
struct Dynset {
  std::string set = {};
  std::uint32_t op = 0;  ///< NFT_DYNSET_OP_*: 0 add, 1 update, 2 delete
  Reg sreg_key = 0;
  std::optional<Reg> sreg_data = {};
  std::uint64_t timeout_ms = 0;
  bool inverted = false;
  std::vector<Expression> expressions;  ///< of the element
  bool operator==(const Dynset&) const;
};

using Operation = std::variant<Unknown, Immediate, Cmp, Range, Bitwise, Byteorder, Payload,
                               PayloadSet, Exthdr, Meta, Ct, Notrack, Lookup, Dynset, Fib, Rt,
                               Socket, Nat, Masquerade, Redirect, Reject, Tproxy, Synproxy, Limit,
                               Quota, Connlimit, Numgen, Hash, Queue, ObjectRef, Log, Counter, Last,
                               Dup, Fwd, FlowOffload, Osf, Xfrm, Tunnel, Inner, XtMatch, XtTarget>;

struct Expression {
  std::string name;  ///< as the kernel calls it: "cmp"
  Operation operation;
  bool operator==(const Expression&) const = default;
};

}  // namespace hark::decode::nft
