#include "decode/nft_expression_rules.h"

#include <linux/netfilter/nf_tables.h>

#include "decode/nft_attributes.h"
#include "decode/nft_keys.h"

namespace hark::decode::nft {
namespace {

constexpr const char* kRegistersFault = "registers that there are not";
constexpr const char* kLengthFault = "operands of different lengths";

std::string number(const char* what, std::uint32_t value) {
  return std::string(what) + " " + std::to_string(value);
}

// One function an operation. Those without a function have nothing that could be wrong.

template <typename T>
std::string check(const T&) {
  return {};
}
std::string check(const Immediate& it) {
  if (!it.verdict && !fits(it.dreg, it.data.size())) return kRegistersFault;
  return {};
}
std::string check(const Cmp& it) {
  if (it.op > CmpOp::Gte) return number("comparison", static_cast<std::uint32_t>(it.op));
  if (!fits(it.sreg, it.data.size())) return kRegistersFault;
  return {};
}
std::string check(const Range& it) {
  if (it.from.size() != it.to.size()) return kLengthFault;
  if (!fits(it.sreg, it.from.size())) return kRegistersFault;
  return {};
}
std::string check(const Bitwise& it) {
  if (!fits(it.sreg, it.length) || !fits(it.dreg, it.length)) return kRegistersFault;
  if (it.sreg2 && !fits(*it.sreg2, it.length)) return kRegistersFault;
  constexpr std::uint32_t kBits = 32;
  const bool both = it.mask.size() == it.length && it.xored.size() == it.length;
  switch (it.op) {
    case Bitwise::Op::MaskXor:
      if (!both || it.sreg2) return kLengthFault;
      return {};
    case Bitwise::Op::ShiftLeft:
    case Bitwise::Op::ShiftRight:
      if (it.shift == 0 || it.shift >= kBits || it.sreg2) return number("shift by", it.shift);
      return {};
    case Bitwise::Op::And:
    case Bitwise::Op::Or:
    case Bitwise::Op::Xor:
      if (it.sreg2.has_value() != it.mask.empty()) return "a bitwise operation with two operands";
      if (!it.sreg2 && it.mask.size() != it.length) return kLengthFault;
      return {};
  }
  return number("bitwise operation", static_cast<std::uint32_t>(it.op));
}
std::string check(const Byteorder& it) {
  const bool known = it.size == 2 || it.size == 4 || it.size == 8;
  if (!known) return number("byte order of size", it.size);
  if (!fits(it.sreg, it.length) || !fits(it.dreg, it.length)) return kRegistersFault;
  return {};
}
std::string check(const Payload& it) {
  if (it.base > PayloadBase::Tunnel) {
    return number("payload base", static_cast<std::uint32_t>(it.base));
  }
  if (!fits(it.dreg, it.length)) return kRegistersFault;
  return {};
}
std::string check(const PayloadSet& it) {
  if (it.base > PayloadBase::Tunnel) {
    return number("payload base", static_cast<std::uint32_t>(it.base));
  }
  if (!fits(it.sreg, it.length)) return kRegistersFault;
  return {};
}
/// Asking whether a header is there has a length as well, that of what it would read.
std::string check(const Exthdr& it) {
  if (it.op > static_cast<std::uint32_t>(ExthdrOp::Dccp)) return number("exthdr operation", it.op);
  if (it.dreg && it.sreg) return "exthdr that reads and writes";
  const auto register_used = it.dreg ? it.dreg : it.sreg;
  const std::size_t length = it.present ? 1 : it.length;
  if (register_used && !fits(*register_used, length)) return kRegistersFault;
  return {};
}
std::string check(const Meta& it) {
  if (meta_key_name(it.key) == nullptr) return number("meta key", it.key);
  if (it.dreg.has_value() == it.sreg.has_value()) return "meta without a register";
  return {};
}
std::string check(const Ct& it) {
  if (ct_key_name(it.key) == nullptr) return number("ct key", it.key);
  if (it.dreg.has_value() == it.sreg.has_value()) return "ct without a register";
  if (it.direction.value_or(0) > 1) return number("ct direction", *it.direction);
  return {};
}
std::string check(const Dynset& it) {
  if (it.op > static_cast<std::uint32_t>(DynsetOp::Delete))
    return number("dynset operation", it.op);
  return {};
}
std::string check(const Fib& it) {
  if (fib_result_name(it.result) == nullptr) return number("fib result", it.result);
  constexpr std::uint32_t kAll =
      kFibSource | kFibDestination | kFibMark | kFibIif | kFibOif | kFibPresent;
  if ((it.flags & ~kAll) != 0) return number("fib flags", it.flags);
  const bool name = it.result == static_cast<std::uint32_t>(FibResult::Oifname);
  constexpr std::size_t kLongestName = 16;
  if (name && (it.flags & kFibPresent) == 0 && !fits(it.dreg, kLongestName)) {
    return kRegistersFault;
  }
  return {};
}
std::string check(const Rt& it) {
  if (rt_key_name(it.key) == nullptr) return number("rt key", it.key);
  return {};
}
std::string check(const Socket& it) {
  if (socket_key_name(it.key) == nullptr) return number("socket key", it.key);
  return {};
}
std::string check(const Reject& it) {
  if (it.type > static_cast<std::uint32_t>(RejectType::Icmpx))
    return number("reject type", it.type);
  return {};
}
std::string check(const Limit& it) {
  if (it.type > NFT_LIMIT_PKT_BYTES) return number("limit of type", it.type);
  if (it.rate == 0 || it.unit_s == 0) return "a limit of nothing";
  return {};
}
std::string check(const Numgen& it) {
  if (it.modulus == 0) return "numgen without a modulus";
  return {};
}
std::string check(const Hash& it) {
  if (it.modulus == 0) return "hash without a modulus";
  if (!it.symmetric && !fits(it.sreg, it.length)) return kRegistersFault;
  return {};
}
std::string check(const Queue& it) {
  if ((it.flags & ~unsigned{kQueueBypass | kQueueFanout}) != 0) {
    return number("queue flags", it.flags);
  }
  if (!it.sreg && it.count == 0) return "a queue to nowhere";
  return {};
}
std::string check(const ObjectRef& it) {
  if (it.name.empty() == it.map.empty()) return "objref without an object";
  if (!it.name.empty() && object_type_name(it.type) == nullptr) {
    return number("object type", it.type);
  }
  return {};
}
std::string check(const Xfrm& it) {
  const bool known = it.key >= NFT_XFRM_KEY_DADDR_IP4 && it.key <= NFT_XFRM_KEY_SPI;
  if (!known) return number("ipsec key", it.key);
  return {};
}
std::string check(const Tunnel& it) {
  if (it.key > NFT_TUNNEL_ID) return number("tunnel key", it.key);
  return {};
}

}  // namespace

std::string broken_rule(const Operation& operation) {
  return std::visit([](const auto& it) { return check(it); }, operation);
}

}  // namespace hark::decode::nft
