// Names for the numbers in nf_tables' operations: linux/netfilter/nf_tables.h. The words are those
// of nft(8).
#pragma once

#include <cstdint>
#include <string>

namespace hark::decode::nft {

/// NFT_META_*
enum class MetaKey : std::uint32_t {
  Length = 0,
  Protocol,
  Priority,
  Mark,
  Iif,
  Oif,
  Iifname,
  Oifname,
  Iiftype,
  Oiftype,
  Skuid,
  Skgid,
  Nftrace,
  Rtclassid,
  Secmark,
  Nfproto,
  L4proto,
  BridgeIifname,
  BridgeOifname,
  Pkttype,
  Cpu,
  Iifgroup,
  Oifgroup,
  Cgroup,
  Prandom,
  Secpath,
  Iifkind,
  Oifkind,
  BridgePvid,
  BridgeVlanProtocol,
  Time,
  Day,
  Hour,
  Sdif,
  Sdifname,
  Broute,
  BridgeMac = 37,
};
/// NFT_CT_*
enum class CtKey : std::uint32_t {
  State = 0,
  Direction,
  Status,
  Mark,
  Secmark,
  Expiration,
  Helper,
  L3protocol,
  Source,
  Destination,
  Protocol,
  SourcePort,
  DestinationPort,
  Labels,
  Packets,
  Bytes,
  AveragePacket,
  Zone,
  EventMask,
  SourceIp,
  DestinationIp,
  SourceIp6,
  DestinationIp6,
  Id,
};
/// NFT_RT_*
enum class RtKey : std::uint32_t { Classid = 0, Nexthop4, Nexthop6, TcpMss, Xfrm };
/// NFT_SOCKET_*
enum class SocketKey : std::uint32_t { Transparent = 0, Mark, Wildcard, CgroupV2 };
/// NFT_FIB_RESULT_*
enum class FibResult : std::uint32_t { Oif = 1, Oifname, AddressType };
/// NFTA_FIB_F_*
constexpr std::uint32_t kFibSource = 0x01;
constexpr std::uint32_t kFibDestination = 0x02;
constexpr std::uint32_t kFibMark = 0x04;
constexpr std::uint32_t kFibIif = 0x08;
constexpr std::uint32_t kFibOif = 0x10;
constexpr std::uint32_t kFibPresent = 0x20;
/// NFT_EXTHDR_OP_*
enum class ExthdrOp : std::uint32_t { Ipv6 = 0, TcpOption, Ipv4, Sctp, Dccp };
/// NFT_REJECT_*
enum class RejectType : std::uint32_t { Icmp = 0, TcpReset, Icmpx };
/// NFT_DYNSET_OP_*
enum class DynsetOp : std::uint32_t { Add = 0, Update, Delete };
/// NFT_XFRM_KEY_*
enum class XfrmKey : std::uint32_t { Daddr4 = 1, Daddr6, Saddr4, Saddr6, Reqid, Spi };
/// NFT_TUNNEL_*
enum class TunnelKey : std::uint32_t { Path = 0, Id };
/// NFT_OBJECT_*
enum class ObjectType : std::uint32_t {
  Counter = 1,
  Quota,
  CtHelper,
  Limit,
  Connlimit,
  Tunnel,
  CtTimeout,
  Secmark,
  CtExpect,
  Synproxy,
};
/// NFT_SET_*
constexpr std::uint32_t kSetAnonymous = 0x01;
constexpr std::uint32_t kSetConstant = 0x02;
constexpr std::uint32_t kSetInterval = 0x04;
constexpr std::uint32_t kSetMap = 0x08;
constexpr std::uint32_t kSetTimeout = 0x10;
constexpr std::uint32_t kSetEval = 0x20;
constexpr std::uint32_t kSetObject = 0x40;
constexpr std::uint32_t kSetConcat = 0x80;
constexpr std::uint32_t kSetExpr = 0x100;
/// NFT_DATA_VERDICT: Set::data_type of a verdict map.
constexpr std::uint32_t kDataVerdict = 0xffffff00;
/// NF_NAT_RANGE_* of linux/netfilter/nf_nat.h, in flags of Nat, Masquerade and Redirect.
constexpr std::uint32_t kNatMapIps = 0x01;
constexpr std::uint32_t kNatProtoSpecified = 0x02;
constexpr std::uint32_t kNatRandom = 0x04;
constexpr std::uint32_t kNatPersistent = 0x08;
constexpr std::uint32_t kNatFullyRandom = 0x10;
constexpr std::uint32_t kNatNetmap = 0x40;
/// NFT_QUEUE_FLAG_*
constexpr std::uint16_t kQueueBypass = 0x01;
constexpr std::uint16_t kQueueFanout = 0x02;

/// Numbers that nft itself has for the types of keys and data of sets (enum datatypes of
/// include/datatype.h there); a concatenation has six bits for each of its fields, the last one in
/// the lowest bits. The kernel keeps the number and does not look at it.
enum class DataType : std::uint32_t {
  Invalid = 0,
  Verdict,
  Nfproto,
  Bitmask,
  Integer,
  String,
  LinkAddress,
  Ipv4Address,
  Ipv6Address,
  EtherAddress,
  EtherType,
  ArpOp,
  InetProtocol,
  InetService,
  IcmpType,
  TcpFlag,
  DccpPacketType,
  MhType,
  Time,
  Mark,
  Ifindex,
  IfaceType,
  Realm,
  Classid,
  Uid,
  Gid,
  CtState,
  CtDirection,
  CtStatus,
  Icmpv6Type,
  CtLabel,
  PacketType,
  IcmpCode,
  Icmpv6Code,
  IcmpxCode,
  DeviceGroup,
  Dscp,
  Ecn,
  FibAddressType,
  Boolean,
  CtEvent,
  Ifname,
  IgmpType,
  TimeDate,
  TimeHour,
  TimeDay,
  CgroupV2,
};

/// "iifname"; nullptr: no such key. "meta" stands before it but where nft leaves that out.
[[nodiscard]] const char* meta_key_name(std::uint32_t key);
[[nodiscard]] const char* ct_key_name(std::uint32_t key);
[[nodiscard]] const char* rt_key_name(std::uint32_t key);
[[nodiscard]] const char* socket_key_name(std::uint32_t key);
/// "oif", "oifname", "type"
[[nodiscard]] const char* fib_result_name(std::uint32_t result);
/// "counter", "ct helper" …
[[nodiscard]] const char* object_type_name(std::uint32_t type);
/// "ipv4_addr"; nullptr: no such type.
[[nodiscard]] const char* data_type_name(std::uint32_t type);
/// "ipv4_addr . inet_service" of a set's key_type or data_type; "?" for what has no name.
[[nodiscard]] std::string set_type_name(std::uint32_t type);

}  // namespace hark::decode::nft
