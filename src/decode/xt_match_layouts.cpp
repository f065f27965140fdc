#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_connbytes.h>
#include <linux/netfilter/xt_connlabel.h>
#include <linux/netfilter/xt_connlimit.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_devgroup.h>
#include <linux/netfilter/xt_dscp.h>
#include <linux/netfilter/xt_hashlimit.h>
#include <linux/netfilter/xt_helper.h>
#include <linux/netfilter/xt_iprange.h>
#include <linux/netfilter/xt_length.h>
#include <linux/netfilter/xt_limit.h>
#include <linux/netfilter/xt_mac.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_owner.h>
#include <linux/netfilter/xt_physdev.h>
#include <linux/netfilter/xt_pkttype.h>
#include <linux/netfilter/xt_recent.h>
#include <linux/netfilter/xt_rpfilter.h>
#include <linux/netfilter/xt_set.h>
#include <linux/netfilter/xt_socket.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv4/ipt_ttl.h>

#include "decode/xt_layout.h"

namespace hark::decode::xt {
namespace {

constexpr FieldPlace kTcp[] = {
    HARK_AT(SourcePorts, xt_tcp, spts),  HARK_AT(DestinationPorts, xt_tcp, dpts),
    HARK_AT(Option, xt_tcp, option),     HARK_AT(FlagMask, xt_tcp, flg_mask),
    HARK_AT(FlagValue, xt_tcp, flg_cmp), HARK_AT(InvertFlags, xt_tcp, invflags)};
constexpr FieldPlace kUdp[] = {HARK_AT(SourcePorts, xt_udp, spts),
                               HARK_AT(DestinationPorts, xt_udp, dpts),
                               HARK_AT(InvertFlags, xt_udp, invflags)};
constexpr FieldPlace kIcmp[] = {HARK_AT(Type, ipt_icmp, type), HARK_AT(Code, ipt_icmp, code),
                                HARK_AT(InvertFlags, ipt_icmp, invflags)};
constexpr FieldPlace kMultiport0[] = {HARK_AT(Flags, xt_multiport, flags),
                                      HARK_AT(Count, xt_multiport, count),
                                      HARK_AT(Ports, xt_multiport, ports)};
constexpr FieldPlace kMultiport1[] = {
    HARK_AT(Flags, xt_multiport_v1, flags), HARK_AT(Count, xt_multiport_v1, count),
    HARK_AT(Ports, xt_multiport_v1, ports), HARK_AT(PortFlags, xt_multiport_v1, pflags),
    HARK_AT(Invert, xt_multiport_v1, invert)};

/// What the three revisions of conntrack share.
#define HARK_CONNTRACK(type)                                                                       \
  HARK_AT(SourceAddress, type, origsrc_addr), HARK_AT(SourceMask, type, origsrc_mask),             \
      HARK_AT(DestinationAddress, type, origdst_addr),                                             \
      HARK_AT(DestinationMask, type, origdst_mask), HARK_AT(ReplySource, type, replsrc_addr),      \
      HARK_AT(ReplySourceMask, type, replsrc_mask), HARK_AT(ReplyDestination, type, repldst_addr), \
      HARK_AT(ReplyDestinationMask, type, repldst_mask), HARK_AT(ExpiresMin, type, expires_min),   \
      HARK_AT(ExpiresMax, type, expires_max), HARK_AT(Protocol, type, l4proto),                    \
      HARK_AT(MatchFlags, type, match_flags), HARK_AT(InvertFlags, type, invert_flags),            \
      HARK_AT(State, type, state_mask), HARK_AT(Status, type, status_mask)
/// Up to revision 2 there is one port each, in network order.
#define HARK_CONNTRACK_PORTS(type)                                                            \
  HARK_AT_BE(SourcePort, type, origsrc_port), HARK_AT_BE(SourcePortHigh, type, origsrc_port), \
      HARK_AT_BE(DestinationPort, type, origdst_port),                                        \
      HARK_AT_BE(DestinationPortHigh, type, origdst_port),                                    \
      HARK_AT_BE(ReplySourcePort, type, replsrc_port),                                        \
      HARK_AT_BE(ReplySourcePortHigh, type, replsrc_port),                                    \
      HARK_AT_BE(ReplyDestinationPort, type, repldst_port),                                   \
      HARK_AT_BE(ReplyDestinationPortHigh, type, repldst_port)
constexpr FieldPlace kConntrack1[] = {HARK_CONNTRACK(xt_conntrack_mtinfo1),
                                      HARK_CONNTRACK_PORTS(xt_conntrack_mtinfo1)};
constexpr FieldPlace kConntrack2[] = {HARK_CONNTRACK(xt_conntrack_mtinfo2),
                                      HARK_CONNTRACK_PORTS(xt_conntrack_mtinfo2)};
constexpr FieldPlace kConntrack3[] = {
    HARK_CONNTRACK(xt_conntrack_mtinfo3),
    HARK_AT(SourcePort, xt_conntrack_mtinfo3, origsrc_port),
    HARK_AT(SourcePortHigh, xt_conntrack_mtinfo3, origsrc_port_high),
    HARK_AT(DestinationPort, xt_conntrack_mtinfo3, origdst_port),
    HARK_AT(DestinationPortHigh, xt_conntrack_mtinfo3, origdst_port_high),
    HARK_AT(ReplySourcePort, xt_conntrack_mtinfo3, replsrc_port),
    HARK_AT(ReplySourcePortHigh, xt_conntrack_mtinfo3, replsrc_port_high),
    HARK_AT(ReplyDestinationPort, xt_conntrack_mtinfo3, repldst_port),
    HARK_AT(ReplyDestinationPortHigh, xt_conntrack_mtinfo3, repldst_port_high)};

constexpr FieldPlace kState[] = {HARK_AT(State, xt_state_info, statemask)};
constexpr FieldPlace kAddrtype0[] = {HARK_AT(SourceMask, xt_addrtype_info, source),
                                     HARK_AT(DestinationMask, xt_addrtype_info, dest),
                                     HARK_AT(InvertSource, xt_addrtype_info, invert_source),
                                     HARK_AT(InvertDestination, xt_addrtype_info, invert_dest)};
constexpr FieldPlace kAddrtype1[] = {HARK_AT(SourceMask, xt_addrtype_info_v1, source),
                                     HARK_AT(DestinationMask, xt_addrtype_info_v1, dest),
                                     HARK_AT(Flags, xt_addrtype_info_v1, flags)};
constexpr FieldPlace kComment[] = {HARK_AT(Text, xt_comment_info, comment)};
constexpr FieldPlace kMark[] = {HARK_AT(Value, xt_mark_mtinfo1, mark),
                                HARK_AT(Mask, xt_mark_mtinfo1, mask),
                                HARK_AT(Invert, xt_mark_mtinfo1, invert)};
constexpr FieldPlace kConnmark[] = {HARK_AT(Value, xt_connmark_mtinfo1, mark),
                                    HARK_AT(Mask, xt_connmark_mtinfo1, mask),
                                    HARK_AT(Invert, xt_connmark_mtinfo1, invert)};
constexpr FieldPlace kLimit[] = {HARK_AT(Average, xt_rateinfo, avg),
                                 HARK_AT(Burst, xt_rateinfo, burst)};

#define HARK_HASHLIMIT(type)                                                                 \
  HARK_AT(Name, type, name), HARK_AT(Mode, type, cfg.mode), HARK_AT(Average, type, cfg.avg), \
      HARK_AT(Burst, type, cfg.burst), HARK_AT(Size, type, cfg.size),                        \
      HARK_AT(Most, type, cfg.max), HARK_AT(Interval, type, cfg.gc_interval),                \
      HARK_AT(Expire, type, cfg.expire), HARK_AT(SourceMask, type, cfg.srcmask),             \
      HARK_AT(DestinationMask, type, cfg.dstmask)
constexpr FieldPlace kHashlimit1[] = {HARK_HASHLIMIT(xt_hashlimit_mtinfo1)};
constexpr FieldPlace kHashlimit2[] = {HARK_HASHLIMIT(xt_hashlimit_mtinfo2)};
constexpr FieldPlace kHashlimit3[] = {HARK_HASHLIMIT(xt_hashlimit_mtinfo3),
                                      HARK_AT(Window, xt_hashlimit_mtinfo3, cfg.interval)};

#define HARK_RECENT(type)                                                                        \
  HARK_AT(Seconds, type, seconds), HARK_AT(Hits, type, hit_count),                               \
      HARK_AT(Flags, type, check_set), HARK_AT(Invert, type, invert), HARK_AT(Name, type, name), \
      HARK_AT(Side, type, side)
constexpr FieldPlace kRecent0[] = {HARK_RECENT(xt_recent_mtinfo)};
constexpr FieldPlace kRecent1[] = {HARK_RECENT(xt_recent_mtinfo_v1),
                                   HARK_AT(Mask, xt_recent_mtinfo_v1, mask)};

constexpr FieldPlace kSet0[] = {HARK_AT(Index, xt_set_info_match_v0, match_set.index),
                                HARK_AT(Dimensions, xt_set_info_match_v0, match_set.u.compat.dim),
                                HARK_AT(SetFlags, xt_set_info_match_v0, match_set.u.compat.flags)};
#define HARK_SET(type)                                                             \
  HARK_AT(Index, type, match_set.index), HARK_AT(Dimensions, type, match_set.dim), \
      HARK_AT(SetFlags, type, match_set.flags)
constexpr FieldPlace kSet1[] = {HARK_SET(xt_set_info_match_v1)};
constexpr FieldPlace kSet3[] = {HARK_SET(xt_set_info_match_v3),
                                HARK_AT(Packets, xt_set_info_match_v3, packets.value),
                                HARK_AT(PacketsOp, xt_set_info_match_v3, packets.op),
                                HARK_AT(Bytes, xt_set_info_match_v3, bytes.value),
                                HARK_AT(BytesOp, xt_set_info_match_v3, bytes.op),
                                HARK_AT(Flags, xt_set_info_match_v3, flags)};
constexpr FieldPlace kSet4[] = {HARK_SET(xt_set_info_match_v4),
                                HARK_AT(Packets, xt_set_info_match_v4, packets.value),
                                HARK_AT(PacketsOp, xt_set_info_match_v4, packets.op),
                                HARK_AT(Bytes, xt_set_info_match_v4, bytes.value),
                                HARK_AT(BytesOp, xt_set_info_match_v4, bytes.op),
                                HARK_AT(Flags, xt_set_info_match_v4, flags)};

constexpr FieldPlace kIprange[] = {HARK_AT(SourceAddress, xt_iprange_mtinfo, src_min),
                                   HARK_AT(SourceMask, xt_iprange_mtinfo, src_max),
                                   HARK_AT(DestinationAddress, xt_iprange_mtinfo, dst_min),
                                   HARK_AT(DestinationMask, xt_iprange_mtinfo, dst_max),
                                   HARK_AT(Flags, xt_iprange_mtinfo, flags)};
constexpr FieldPlace kMac[] = {HARK_AT(Value, xt_mac_info, srcaddr),
                               HARK_AT(Invert, xt_mac_info, invert)};
constexpr FieldPlace kOwner[] = {
    HARK_AT(UidMin, xt_owner_match_info, uid_min),   HARK_AT(UidMax, xt_owner_match_info, uid_max),
    HARK_AT(GidMin, xt_owner_match_info, gid_min),   HARK_AT(GidMax, xt_owner_match_info, gid_max),
    HARK_AT(MatchFlags, xt_owner_match_info, match), HARK_AT(Invert, xt_owner_match_info, invert)};
constexpr FieldPlace kPkttype[] = {HARK_AT(Type, xt_pkttype_info, pkttype),
                                   HARK_AT(Invert, xt_pkttype_info, invert)};
constexpr FieldPlace kPhysdev[] = {HARK_AT(InDevice, xt_physdev_info, physindev),
                                   HARK_AT(InDeviceMask, xt_physdev_info, in_mask),
                                   HARK_AT(OutDevice, xt_physdev_info, physoutdev),
                                   HARK_AT(OutDeviceMask, xt_physdev_info, out_mask),
                                   HARK_AT(Invert, xt_physdev_info, invert),
                                   HARK_AT(Flags, xt_physdev_info, bitmask)};
constexpr FieldPlace kDscp[] = {HARK_AT(Value, xt_dscp_info, dscp),
                                HARK_AT(Invert, xt_dscp_info, invert)};
constexpr FieldPlace kTos[] = {HARK_AT(Value, xt_tos_match_info, tos_value),
                               HARK_AT(Mask, xt_tos_match_info, tos_mask),
                               HARK_AT(Invert, xt_tos_match_info, invert)};
constexpr FieldPlace kTtl[] = {HARK_AT(Mode, ipt_ttl_info, mode),
                               HARK_AT(Value, ipt_ttl_info, ttl)};
constexpr FieldPlace kLength[] = {HARK_AT(Min, xt_length_info, min),
                                  HARK_AT(Max, xt_length_info, max),
                                  HARK_AT(Invert, xt_length_info, invert)};
constexpr FieldPlace kConnlimit[] = {HARK_AT(Mask, xt_connlimit_info, mask),
                                     HARK_AT(Most, xt_connlimit_info, limit),
                                     HARK_AT(Flags, xt_connlimit_info, flags)};
constexpr FieldPlace kConnbytes[] = {
    HARK_AT(From, xt_connbytes_info, count.from), HARK_AT(To, xt_connbytes_info, count.to),
    HARK_AT(What, xt_connbytes_info, what), HARK_AT(Direction, xt_connbytes_info, direction)};
constexpr FieldPlace kConnlabel[] = {HARK_AT(Value, xt_connlabel_mtinfo, bit),
                                     HARK_AT(Flags, xt_connlabel_mtinfo, options)};
constexpr FieldPlace kHelper[] = {HARK_AT(Invert, xt_helper_info, invert),
                                  HARK_AT(Name, xt_helper_info, name)};
constexpr FieldPlace kDevgroup[] = {HARK_AT(Flags, xt_devgroup_info, flags),
                                    HARK_AT(SourceAddress, xt_devgroup_info, src_group),
                                    HARK_AT(SourceMask, xt_devgroup_info, src_mask),
                                    HARK_AT(DestinationAddress, xt_devgroup_info, dst_group),
                                    HARK_AT(DestinationMask, xt_devgroup_info, dst_mask)};
constexpr FieldPlace kRpfilter[] = {HARK_AT(Flags, xt_rpfilter_info, flags)};
constexpr FieldPlace kSocket[] = {HARK_AT(Flags, xt_socket_mtinfo1, flags)};

constexpr Layout kCommon[] = {
    layout<xt_tcp>("tcp", 0, kTcp),
    layout<xt_udp>("udp", 0, kUdp),
    layout<xt_udp>("udplite", 0, kUdp),
    layout<ipt_icmp>("icmp", 0, kIcmp),
    layout<ipt_icmp>("icmp6", 0, kIcmp),
    layout<xt_multiport>("multiport", 0, kMultiport0),
    layout<xt_multiport_v1>("multiport", 1, kMultiport1),
    layout<xt_conntrack_mtinfo1>("conntrack", 1, kConntrack1),
    layout<xt_conntrack_mtinfo2>("conntrack", 2, kConntrack2),
    layout<xt_conntrack_mtinfo3>("conntrack", 3, kConntrack3),
    layout<xt_state_info>("state", 0, kState),
    layout<xt_addrtype_info>("addrtype", 0, kAddrtype0),
    layout<xt_addrtype_info_v1>("addrtype", 1, kAddrtype1),
    layout<xt_comment_info>("comment", 0, kComment),
    layout<xt_mark_mtinfo1>("mark", 1, kMark),
    layout<xt_connmark_mtinfo1>("connmark", 1, kConnmark),
    layout<xt_rateinfo>("limit", 0, kLimit),
    layout<xt_hashlimit_mtinfo1>("hashlimit", 1, kHashlimit1),
    layout<xt_hashlimit_mtinfo2>("hashlimit", 2, kHashlimit2),
    layout<xt_hashlimit_mtinfo3>("hashlimit", 3, kHashlimit3),
    layout<xt_recent_mtinfo>("recent", 0, kRecent0),
    layout<xt_recent_mtinfo_v1>("recent", 1, kRecent1),
    layout<xt_set_info_match_v0>("set", 0, kSet0),
    layout<xt_set_info_match_v1>("set", 1, kSet1),
    layout<xt_set_info_match_v1>("set", 2, kSet1),
    layout<xt_set_info_match_v3>("set", 3, kSet3),
    layout<xt_set_info_match_v4>("set", 4, kSet4),
    layout<xt_iprange_mtinfo>("iprange", 1, kIprange),
    layout<xt_mac_info>("mac", 0, kMac),
    layout<xt_owner_match_info>("owner", 1, kOwner),
    layout<xt_pkttype_info>("pkttype", 0, kPkttype),
    layout<xt_physdev_info>("physdev", 0, kPhysdev),
    layout<xt_dscp_info>("dscp", 0, kDscp),
    layout<xt_tos_match_info>("tos", 1, kTos),
    layout<ipt_ttl_info>("ttl", 0, kTtl),
    layout<ipt_ttl_info>("hl", 0, kTtl),
    layout<xt_length_info>("length", 0, kLength),
    layout<xt_connlimit_info>("connlimit", 1, kConnlimit),
    layout<xt_connbytes_info>("connbytes", 0, kConnbytes),
    layout<xt_connlabel_mtinfo>("connlabel", 0, kConnlabel),
    layout<xt_helper_info>("helper", 0, kHelper),
    layout<xt_devgroup_info>("devgroup", 0, kDevgroup),
    layout<xt_rpfilter_info>("rpfilter", 0, kRpfilter),
    layout<xt_socket_mtinfo1>("socket", 1, kSocket),
    layout<xt_socket_mtinfo1>("socket", 2, kSocket),
    layout<xt_socket_mtinfo1>("socket", 3, kSocket),
};

}  // namespace

std::span<const Layout> common_match_layouts() {
  return kCommon;
}

}  // namespace hark::decode::xt
