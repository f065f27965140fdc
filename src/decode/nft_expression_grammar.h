// The grammar of expressions: a table of attributes for each. The dump functions of
// net/netfilter/nft_*.c say which attributes there are; an expression has no others.
#pragma once

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#include <array>

#include "decode/nft_attributes.h"
#include "decode/nft_expression.h"
#include "decode/nft_expression_wire.h"

namespace hark::decode::nft::grammar {

// Not in the headers of every system that hark is built on.
inline constexpr std::uint16_t kBitwiseSreg2 = 8;  // NFTA_BITWISE_SREG2, Linux 6.13
inline constexpr std::uint16_t kInnerNumber = 1;   // NFTA_INNER_NUM, Linux 6.2
inline constexpr std::uint16_t kInnerType = 2;     // NFTA_INNER_TYPE
inline constexpr std::uint16_t kInnerFlags = 3;    // NFTA_INNER_FLAGS
inline constexpr std::uint16_t kInnerHeader = 4;   // NFTA_INNER_HDRSIZE
inline constexpr std::uint16_t kInnerExpr = 5;     // NFTA_INNER_EXPR

inline constexpr std::array<Field<AnyImmediate>, 2> kImmediate = {{
    {NFTA_IMMEDIATE_DREG, be32<&AnyImmediate::dreg>, kRequired},
    {NFTA_IMMEDIATE_DATA, immediate_data, kRequired},
}};
inline constexpr std::array<Field<Cmp>, 3> kCmp = {{
    {NFTA_CMP_SREG, reg<&Cmp::sreg>, kRequired},
    {NFTA_CMP_OP, be32<&Cmp::op>, kRequired},
    {NFTA_CMP_DATA, data<&Cmp::data>, kRequired},
}};
inline constexpr std::array<Field<Range>, 4> kRange = {{
    {NFTA_RANGE_SREG, reg<&Range::sreg>, kRequired},
    {NFTA_RANGE_OP, only_flag<&Range::negated, NFT_RANGE_NEQ>, kRequired},
    {NFTA_RANGE_FROM_DATA, data<&Range::from>, kRequired},
    {NFTA_RANGE_TO_DATA, data<&Range::to>, kRequired},
}};
inline constexpr std::array<Field<AnyBitwise>, 8> kBitwise = {{
    {NFTA_BITWISE_SREG, within<&AnyBitwise::bitwise, reg<&Bitwise::sreg>>, kRequired},
    {kBitwiseSreg2, within<&AnyBitwise::bitwise, reg<&Bitwise::sreg2>>},
    {NFTA_BITWISE_DREG, within<&AnyBitwise::bitwise, reg<&Bitwise::dreg>>, kRequired},
    {NFTA_BITWISE_LEN, within<&AnyBitwise::bitwise, be32<&Bitwise::length>>, kRequired},
    {NFTA_BITWISE_OP, within<&AnyBitwise::bitwise, be32<&Bitwise::op>>},  // not before Linux 5.7
    {NFTA_BITWISE_MASK, within<&AnyBitwise::bitwise, data<&Bitwise::mask>>},
    {NFTA_BITWISE_XOR, within<&AnyBitwise::bitwise, data<&Bitwise::xored>>},
    {NFTA_BITWISE_DATA, data<&AnyBitwise::data>},
}};
inline constexpr std::array<Field<Byteorder>, 5> kByteorder = {{
    {NFTA_BYTEORDER_SREG, reg<&Byteorder::sreg>, kRequired},
    {NFTA_BYTEORDER_DREG, reg<&Byteorder::dreg>, kRequired},
    {NFTA_BYTEORDER_OP, byteorder_op, kRequired},
    {NFTA_BYTEORDER_LEN, be32<&Byteorder::length>, kRequired},
    {NFTA_BYTEORDER_SIZE, be32<&Byteorder::size>, kRequired},
}};
inline constexpr std::array<Field<AnyPayload>, 8> kPayload = {{
    {NFTA_PAYLOAD_DREG, reg<&AnyPayload::dreg>},
    {NFTA_PAYLOAD_SREG, reg<&AnyPayload::sreg>},
    {NFTA_PAYLOAD_BASE, be32<&AnyPayload::base>, kRequired},
    {NFTA_PAYLOAD_OFFSET, be32<&AnyPayload::offset>, kRequired},
    {NFTA_PAYLOAD_LEN, be32<&AnyPayload::length>, kRequired},
    // How a write mends checksums.
    {NFTA_PAYLOAD_CSUM_TYPE, ignored<AnyPayload>},
    {NFTA_PAYLOAD_CSUM_OFFSET, ignored<AnyPayload>},
    {NFTA_PAYLOAD_CSUM_FLAGS, ignored<AnyPayload>},
}};
inline constexpr std::array<Field<Exthdr>, 7> kExthdr = {{
    {NFTA_EXTHDR_DREG, reg<&Exthdr::dreg>},
    {NFTA_EXTHDR_SREG, reg<&Exthdr::sreg>},
    {NFTA_EXTHDR_TYPE, one_byte<&Exthdr::type>, kRequired},
    {NFTA_EXTHDR_OFFSET, be32<&Exthdr::offset>},
    {NFTA_EXTHDR_LEN, be32<&Exthdr::length>},
    {NFTA_EXTHDR_FLAGS, only_flag<&Exthdr::present, NFT_EXTHDR_F_PRESENT>},
    {NFTA_EXTHDR_OP, be32<&Exthdr::op>},
}};
inline constexpr std::array<Field<Meta>, 3> kMeta = {{
    {NFTA_META_KEY, be32<&Meta::key>, kRequired},
    {NFTA_META_DREG, reg<&Meta::dreg>},
    {NFTA_META_SREG, reg<&Meta::sreg>},
}};
inline constexpr std::array<Field<Ct>, 4> kCt = {{
    {NFTA_CT_KEY, be32<&Ct::key>, kRequired},
    {NFTA_CT_DIRECTION, one_byte<&Ct::direction>},
    {NFTA_CT_DREG, reg<&Ct::dreg>},
    {NFTA_CT_SREG, reg<&Ct::sreg>},
}};
inline constexpr std::array<Field<Notrack>, 0> kNotrack = {};
inline constexpr std::array<Field<AnyLookup>, 4> kLookup = {{
    {NFTA_LOOKUP_SET, within<&AnyLookup::lookup, name<&Lookup::set>>, kRequired},
    {NFTA_LOOKUP_SREG, within<&AnyLookup::lookup, reg<&Lookup::sreg>>, kRequired},
    {NFTA_LOOKUP_DREG, be32<&AnyLookup::dreg>},
    {NFTA_LOOKUP_FLAGS, within<&AnyLookup::lookup, only_flag<&Lookup::inverted, NFT_LOOKUP_F_INV>>},
}};
inline constexpr std::array<Field<Dynset>, 9> kDynset = {{
    {NFTA_DYNSET_SET_NAME, name<&Dynset::set>, kRequired},
    {NFTA_DYNSET_OP, be32<&Dynset::op>, kRequired},
    {NFTA_DYNSET_SREG_KEY, reg<&Dynset::sreg_key>, kRequired},
    {NFTA_DYNSET_SREG_DATA, reg<&Dynset::sreg_data>},
    {NFTA_DYNSET_TIMEOUT, be64<&Dynset::timeout_ms>},
    {NFTA_DYNSET_EXPR, dynset_expression},
    {NFTA_DYNSET_EXPRESSIONS, dynset_expressions},
    {NFTA_DYNSET_FLAGS, dynset_flags},
    {NFTA_DYNSET_PAD, ignored<Dynset>},
}};
inline constexpr std::array<Field<Fib>, 3> kFib = {{
    {NFTA_FIB_DREG, reg<&Fib::dreg>, kRequired},
    {NFTA_FIB_RESULT, be32<&Fib::result>, kRequired},
    {NFTA_FIB_FLAGS, be32<&Fib::flags>, kRequired},
}};
inline constexpr std::array<Field<Rt>, 2> kRt = {{
    {NFTA_RT_DREG, reg<&Rt::dreg>, kRequired},
    {NFTA_RT_KEY, be32<&Rt::key>, kRequired},
}};
inline constexpr std::array<Field<Socket>, 3> kSocket = {{
    {NFTA_SOCKET_DREG, reg<&Socket::dreg>, kRequired},
    {NFTA_SOCKET_KEY, be32<&Socket::key>, kRequired},
    {NFTA_SOCKET_LEVEL, be32<&Socket::level>},
}};
inline constexpr std::array<Field<Nat>, 7> kNat = {{
    {NFTA_NAT_TYPE, only_flag<&Nat::destination, NFT_NAT_DNAT>, kRequired},
    {NFTA_NAT_FAMILY, be32<&Nat::family>, kRequired},
    {NFTA_NAT_REG_ADDR_MIN, reg<&Nat::address_min>},
    {NFTA_NAT_REG_ADDR_MAX, reg<&Nat::address_max>},
    {NFTA_NAT_REG_PROTO_MIN, reg<&Nat::port_min>},
    {NFTA_NAT_REG_PROTO_MAX, reg<&Nat::port_max>},
    {NFTA_NAT_FLAGS, be32<&Nat::flags>},
}};
inline constexpr std::array<Field<Masquerade>, 3> kMasquerade = {{
    {NFTA_MASQ_FLAGS, be32<&Masquerade::flags>},
    {NFTA_MASQ_REG_PROTO_MIN, reg<&Masquerade::port_min>},
    {NFTA_MASQ_REG_PROTO_MAX, reg<&Masquerade::port_max>},
}};
inline constexpr std::array<Field<Redirect>, 3> kRedirect = {{
    {NFTA_REDIR_REG_PROTO_MIN, reg<&Redirect::port_min>},
    {NFTA_REDIR_REG_PROTO_MAX, reg<&Redirect::port_max>},
    {NFTA_REDIR_FLAGS, be32<&Redirect::flags>},
}};
inline constexpr std::array<Field<Reject>, 2> kReject = {{
    {NFTA_REJECT_TYPE, be32<&Reject::type>, kRequired},
    {NFTA_REJECT_ICMP_CODE, one_byte<&Reject::icmp_code>},
}};
inline constexpr std::array<Field<Tproxy>, 3> kTproxy = {{
    {NFTA_TPROXY_FAMILY, be32<&Tproxy::family>, kRequired},
    {NFTA_TPROXY_REG_ADDR, reg<&Tproxy::address>},
    {NFTA_TPROXY_REG_PORT, reg<&Tproxy::port>},
}};
inline constexpr std::array<Field<Synproxy>, 3> kSynproxy = {{
    {NFTA_SYNPROXY_MSS, be16<&Synproxy::mss>, kRequired},
    {NFTA_SYNPROXY_WSCALE, one_byte<&Synproxy::wscale>, kRequired},
    {NFTA_SYNPROXY_FLAGS, be32<&Synproxy::flags>, kRequired},
}};
inline constexpr std::array<Field<Limit>, 6> kLimit = {{
    {NFTA_LIMIT_RATE, be64<&Limit::rate>, kRequired},
    {NFTA_LIMIT_UNIT, be64<&Limit::unit_s>, kRequired},
    {NFTA_LIMIT_BURST, be32<&Limit::burst>},
    {NFTA_LIMIT_TYPE, be32<&Limit::type>},
    {NFTA_LIMIT_FLAGS, only_flag<&Limit::inverted, NFT_LIMIT_F_INV>},
    {NFTA_LIMIT_PAD, ignored<Limit>},
}};
inline constexpr std::array<Field<Quota>, 4> kQuota = {{
    {NFTA_QUOTA_BYTES, be64<&Quota::bytes>, kRequired},
    {NFTA_QUOTA_CONSUMED, be64<&Quota::consumed>},
    {NFTA_QUOTA_FLAGS, quota_flags},
    {NFTA_QUOTA_PAD, ignored<Quota>},
}};
inline constexpr std::array<Field<Connlimit>, 2> kConnlimit = {{
    {NFTA_CONNLIMIT_COUNT, be32<&Connlimit::count>, kRequired},
    {NFTA_CONNLIMIT_FLAGS, only_flag<&Connlimit::inverted, NFT_CONNLIMIT_F_INV>},
}};
inline constexpr std::array<Field<Numgen>, 4> kNumgen = {{
    {NFTA_NG_DREG, reg<&Numgen::dreg>, kRequired},
    {NFTA_NG_MODULUS, be32<&Numgen::modulus>, kRequired},
    {NFTA_NG_TYPE, only_flag<&Numgen::random, NFT_NG_RANDOM>, kRequired},
    {NFTA_NG_OFFSET, be32<&Numgen::offset>},
}};
inline constexpr std::array<Field<Hash>, 7> kHash = {{
    {NFTA_HASH_SREG, reg<&Hash::sreg>},
    {NFTA_HASH_DREG, reg<&Hash::dreg>, kRequired},
    {NFTA_HASH_LEN, be32<&Hash::length>},
    {NFTA_HASH_MODULUS, be32<&Hash::modulus>, kRequired},
    {NFTA_HASH_SEED, be32<&Hash::seed>},
    {NFTA_HASH_OFFSET, be32<&Hash::offset>},
    {NFTA_HASH_TYPE, only_flag<&Hash::symmetric, NFT_HASH_SYM>},
}};
inline constexpr std::array<Field<Queue>, 4> kQueue = {{
    {NFTA_QUEUE_NUM, be16<&Queue::first>},
    {NFTA_QUEUE_TOTAL, be16<&Queue::count>},
    {NFTA_QUEUE_FLAGS, be16<&Queue::flags>},
    {NFTA_QUEUE_SREG_QNUM, reg<&Queue::sreg>},
}};
inline constexpr std::array<Field<ObjectRef>, 4> kObjectRef = {{
    {NFTA_OBJREF_IMM_TYPE, be32<&ObjectRef::type>},
    {NFTA_OBJREF_IMM_NAME, name<&ObjectRef::name>},
    {NFTA_OBJREF_SET_SREG, reg<&ObjectRef::sreg>},
    {NFTA_OBJREF_SET_NAME, name<&ObjectRef::map>},
}};
inline constexpr std::array<Field<Log>, 6> kLog = {{
    {NFTA_LOG_GROUP, be16<&Log::group>},
    {NFTA_LOG_PREFIX, log_prefix},
    {NFTA_LOG_SNAPLEN, be32<&Log::snaplen>},
    {NFTA_LOG_QTHRESHOLD, be16<&Log::qthreshold>},
    {NFTA_LOG_LEVEL, be32<&Log::level>},
    {NFTA_LOG_FLAGS, be32<&Log::flags>},
}};
inline constexpr std::array<Field<Counter>, 3> kCounter = {{
    {NFTA_COUNTER_BYTES, be64<&Counter::bytes>, kRequired},
    {NFTA_COUNTER_PACKETS, be64<&Counter::packets>, kRequired},
    {NFTA_COUNTER_PAD, ignored<Counter>},
}};
inline constexpr std::array<Field<AnyLast>, 3> kLast = {{
    {NFTA_LAST_SET, be32<&AnyLast::used>, kRequired},
    {NFTA_LAST_MSECS, be64<&AnyLast::ms>},
    {NFTA_LAST_PAD, ignored<AnyLast>},
}};
inline constexpr std::array<Field<Dup>, 2> kDup = {{
    {NFTA_DUP_SREG_ADDR, reg<&Dup::address>},
    {NFTA_DUP_SREG_DEV, reg<&Dup::device>},
}};
inline constexpr std::array<Field<Fwd>, 3> kFwd = {{
    {NFTA_FWD_SREG_DEV, reg<&Fwd::device>},
    {NFTA_FWD_SREG_ADDR, reg<&Fwd::address>},
    {NFTA_FWD_NFPROTO, be32<&Fwd::family>},
}};
inline constexpr std::array<Field<FlowOffload>, 1> kFlowOffload = {{
    {NFTA_FLOW_TABLE_NAME, name<&FlowOffload::flowtable>, kRequired},
}};
inline constexpr std::array<Field<Osf>, 3> kOsf = {{
    {NFTA_OSF_DREG, reg<&Osf::dreg>, kRequired},
    {NFTA_OSF_TTL, one_byte<&Osf::ttl>},
    {NFTA_OSF_FLAGS, only_flag<&Osf::version, NFT_OSF_F_VERSION>},
}};
inline constexpr std::array<Field<Xfrm>, 4> kXfrm = {{
    {NFTA_XFRM_DREG, reg<&Xfrm::dreg>, kRequired},
    {NFTA_XFRM_KEY, be32<&Xfrm::key>, kRequired},
    {NFTA_XFRM_DIR, one_byte<&Xfrm::direction>, kRequired},
    {NFTA_XFRM_SPNUM, be32<&Xfrm::number>},
}};
inline constexpr std::array<Field<Tunnel>, 3> kTunnel = {{
    {NFTA_TUNNEL_DREG, reg<&Tunnel::dreg>, kRequired},
    {NFTA_TUNNEL_KEY, be32<&Tunnel::key>, kRequired},
    {NFTA_TUNNEL_MODE, be32<&Tunnel::mode>},
}};
inline constexpr std::array<Field<Inner>, 5> kInner = {{
    {kInnerNumber, ignored<Inner>},
    {kInnerType, be32<&Inner::type>, kRequired},
    {kInnerFlags, ignored<Inner>},
    {kInnerHeader, ignored<Inner>},
    {kInnerExpr, ignored<Inner>, kRequired},
}};
inline constexpr std::array<Field<XtMatch>, 3> kMatch = {{
    {NFTA_MATCH_NAME, name<&XtMatch::name>, kRequired},
    {NFTA_MATCH_REV, be32<&XtMatch::revision>, kRequired},
    {NFTA_MATCH_INFO, raw<&XtMatch::info>, kRequired},
}};
inline constexpr std::array<Field<XtTarget>, 3> kTarget = {{
    {NFTA_TARGET_NAME, name<&XtTarget::name>, kRequired},
    {NFTA_TARGET_REV, be32<&XtTarget::revision>, kRequired},
    {NFTA_TARGET_INFO, raw<&XtTarget::info>, kRequired},
}};

}  // namespace hark::decode::nft::grammar
