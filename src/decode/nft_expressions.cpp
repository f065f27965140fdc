#include "decode/nft_expressions.h"

#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <array>
#include <type_traits>

#include "decode/nft_attributes.h"
#include "decode/nft_expression_grammar.h"
#include "decode/nft_expression_rules.h"

namespace hark::decode::nft {
namespace grammar {
namespace {

/// Expressions stand in an expression (dynset) and no deeper.
constexpr unsigned kDeepest = 1;

void decode_operation_at(std::string_view name, ByteView data, unsigned depth, Operation& out);
bool decode_expression_at(ByteView attributes, unsigned depth, Expression& out);
std::optional<std::vector<Expression>> decode_expressions_at(ByteView list, unsigned depth);

// From the wire's form to the operation, where that is not the same.

Operation finish(AnyImmediate&& wire) {
  const bool ends = wire.dreg == NFT_REG_VERDICT;
  if (ends != wire.verdict.has_value()) return Unknown{"an immediate value in the wrong register"};
  if (ends) return Immediate{.verdict = std::move(wire.verdict)};
  const auto dreg = register_of(wire.dreg);
  if (!dreg) return Unknown{"register " + std::to_string(wire.dreg)};
  return Immediate{.dreg = *dreg, .data = std::move(*wire.data)};
}
Operation finish(AnyPayload&& wire) {
  if (wire.dreg.has_value() == wire.sreg.has_value()) return Unknown{"payload without a register"};
  if (wire.sreg) return PayloadSet{*wire.sreg, wire.base, wire.offset, wire.length};
  return Payload{*wire.dreg, wire.base, wire.offset, wire.length};
}
Operation finish(AnyLookup&& wire) {
  Lookup out = std::move(wire.lookup);
  out.verdict = wire.dreg == std::uint32_t{NFT_REG_VERDICT};
  if (wire.dreg && !out.verdict) {
    out.dreg = register_of(*wire.dreg);
    if (!out.dreg) return Unknown{"register " + std::to_string(*wire.dreg)};
  }
  return out;
}
Operation finish(AnyLast&& wire) {
  if (wire.used == 0) return Last{};
  return Last{.used_ms_ago = wire.ms};
}
/// nft_bitwise_dump_bool, _shift and _data; the bits of a shift are in this machine's order.
Operation finish(AnyBitwise&& wire) {
  Bitwise out = std::move(wire.bitwise);
  if (out.op == Bitwise::Op::MaskXor) {
    if (!wire.data.empty()) return Unknown{"a bitwise mask with an operand"};
    return out;
  }
  if (!out.mask.empty() || !out.xored.empty()) return Unknown{"a bitwise operation with a mask"};
  if (out.op != Bitwise::Op::ShiftLeft && out.op != Bitwise::Op::ShiftRight) {
    out.mask = std::move(wire.data);
    return out;
  }
  if (wire.data.size() != sizeof out.shift) return Unknown{"a shift without its number of bits"};
  out.shift = ByteReader(wire.data).value<std::uint32_t>();
  return out;
}

std::string why(const Found& found, std::string_view name) {
  const std::string number = std::to_string(found.attribute);
  switch (found.fault) {
    case Fault::None:
      break;
    case Fault::Cut:
      return std::string(name) + " is cut off";
    case Fault::Unknown:
      return "attribute " + number + " of " + std::string(name);
    case Fault::Bad:
      return "content of attribute " + number + " of " + std::string(name);
    case Fault::Missing:
      return std::string(name) + " without attribute " + number;
  }
  return {};
}

template <typename T, typename Variant>
constexpr bool kIsAlternative = false;
template <typename T, typename... All>
constexpr bool kIsAlternative<T, std::variant<All...>> = (std::is_same_v<T, All> || ...);

/// Made where it stays: hosts have a hundred thousand of them, and an operation is large.
template <typename Wire, const auto& fields>
void decode_as(std::string_view name, ByteView data, Operation& out) {
  Found found;
  if constexpr (kIsAlternative<Wire, Operation>) {
    found = read_fields<Wire>(data, fields, out.emplace<Wire>());
  } else {
    Wire wire;
    found = read_fields<Wire>(data, fields, wire);
    if (found.fault == Fault::None) out = finish(std::move(wire));
  }
  std::string broken = found.fault != Fault::None ? why(found, name) : broken_rule(out);
  if (!broken.empty()) out = Unknown{std::move(broken)};
}

struct Grammar {
  std::string_view name;
  void (*decode)(std::string_view name, ByteView data, Operation& out);
};
/// Those that most rules have come first.
constexpr std::array<Grammar, 40> kGrammars = {{
    {"cmp", decode_as<Cmp, kCmp>},
    {"payload", decode_as<AnyPayload, kPayload>},
    {"meta", decode_as<Meta, kMeta>},
    {"immediate", decode_as<AnyImmediate, kImmediate>},
    {"counter", decode_as<Counter, kCounter>},
    {"lookup", decode_as<AnyLookup, kLookup>},
    {"bitwise", decode_as<AnyBitwise, kBitwise>},
    {"match", decode_as<XtMatch, kMatch>},
    {"target", decode_as<XtTarget, kTarget>},
    {"ct", decode_as<Ct, kCt>},
    {"byteorder", decode_as<Byteorder, kByteorder>},
    {"connlimit", decode_as<Connlimit, kConnlimit>},
    {"dup", decode_as<Dup, kDup>},
    {"dynset", decode_as<Dynset, kDynset>},
    {"exthdr", decode_as<Exthdr, kExthdr>},
    {"fib", decode_as<Fib, kFib>},
    {"flow_offload", decode_as<FlowOffload, kFlowOffload>},
    {"fwd", decode_as<Fwd, kFwd>},
    {"hash", decode_as<Hash, kHash>},
    {"inner", decode_as<Inner, kInner>},
    {"last", decode_as<AnyLast, kLast>},
    {"limit", decode_as<Limit, kLimit>},
    {"log", decode_as<Log, kLog>},
    {"masq", decode_as<Masquerade, kMasquerade>},
    {"nat", decode_as<Nat, kNat>},
    {"notrack", decode_as<Notrack, kNotrack>},
    {"numgen", decode_as<Numgen, kNumgen>},
    {"objref", decode_as<ObjectRef, kObjectRef>},
    {"osf", decode_as<Osf, kOsf>},
    {"queue", decode_as<Queue, kQueue>},
    {"quota", decode_as<Quota, kQuota>},
    {"range", decode_as<Range, kRange>},
    {"redir", decode_as<Redirect, kRedirect>},
    {"reject", decode_as<Reject, kReject>},
    {"rt", decode_as<Rt, kRt>},
    {"socket", decode_as<Socket, kSocket>},
    {"synproxy", decode_as<Synproxy, kSynproxy>},
    {"tproxy", decode_as<Tproxy, kTproxy>},
    {"tunnel", decode_as<Tunnel, kTunnel>},
    {"xfrm", decode_as<Xfrm, kXfrm>},
}};

void decode_operation_at(std::string_view name, ByteView data, unsigned depth, Operation& out) {
  const auto* grammar = std::ranges::find(kGrammars, name, &Grammar::name);
  if (grammar == kGrammars.end()) {
    out = Unknown{"expression " + std::string(name)};
  } else if (depth >= kDeepest && name == "dynset") {
    out = Unknown{"dynset inside of an expression"};
  } else {
    grammar->decode(name, data, out);
  }
}

struct WireExpression {
  std::string_view name = {};
  ByteView data = {};
};
bool expression_data(const NetlinkAttribute& attribute, WireExpression& out) {
  out.data = attribute.bytes;
  return true;
}
constexpr std::array<Field<WireExpression>, 2> kExpression = {{
    {NFTA_EXPR_NAME, name<&WireExpression::name>, kRequired},
    {NFTA_EXPR_DATA, expression_data},  // notrack has none
}};

bool decode_expression_at(ByteView attributes, unsigned depth, Expression& out) {
  WireExpression wire;
  const Found found = read_fields<WireExpression>(attributes, kExpression, wire);
  if (found.fault != Fault::None && found.fault != Fault::Unknown) return false;
  out.name = wire.name;
  if (found.fault == Fault::Unknown) {
    out.operation = Unknown{why(found, "an expression")};
  } else {
    decode_operation_at(wire.name, wire.data, depth, out.operation);
  }
  return true;
}

std::optional<std::vector<Expression>> decode_expressions_at(ByteView list, unsigned depth) {
  std::vector<Expression> out;
  // There are many rules, and an expression is large: room for as many as there are.
  std::size_t count = 0;
  for (NetlinkAttributes counted(list); counted.next();) ++count;
  out.reserve(count);
  NetlinkAttributes elements(list);
  while (const auto element = elements.next()) {
    if (element->type != NFTA_LIST_ELEM) return std::nullopt;
    if (!decode_expression_at(element->bytes, depth, out.emplace_back())) return std::nullopt;
  }
  if (elements.broken()) return std::nullopt;
  return out;
}

}  // namespace

bool dynset_expression(const NetlinkAttribute& attribute, Dynset& out) {
  out.expressions.assign(1, {});
  return decode_expression_at(attribute.bytes, kDeepest, out.expressions.front());
}

bool dynset_expressions(const NetlinkAttribute& attribute, Dynset& out) {
  auto expressions = decode_expressions_at(attribute.bytes, kDeepest);
  if (!expressions) return false;
  out.expressions = std::move(*expressions);
  return true;
}

}  // namespace grammar

std::optional<Expression> decode_expression(ByteView attributes) {
  Expression out;
  if (!grammar::decode_expression_at(attributes, 0, out)) return std::nullopt;
  return out;
}

std::optional<std::vector<Expression>> decode_expressions(ByteView list) {
  return grammar::decode_expressions_at(list, 0);
}

Operation decode_operation(std::string_view name, ByteView data) {
  Operation out;
  grammar::decode_operation_at(name, data, 0, out);
  return out;
}

}  // namespace hark::decode::nft
