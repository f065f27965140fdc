#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_synproxy.h>
#include <linux/netfilter/xt_AUDIT.h>
#include <linux/netfilter/xt_CHECKSUM.h>
#include <linux/netfilter/xt_CLASSIFY.h>
#include <linux/netfilter/xt_CONNSECMARK.h>
#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_DSCP.h>
#include <linux/netfilter/xt_HMARK.h>
#include <linux/netfilter/xt_IDLETIMER.h>
#include <linux/netfilter/xt_LED.h>
#include <linux/netfilter/xt_LOG.h>
#include <linux/netfilter/xt_NFLOG.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <linux/netfilter/xt_RATEEST.h>
#include <linux/netfilter/xt_SECMARK.h>
#include <linux/netfilter/xt_TCPMSS.h>
#include <linux/netfilter/xt_TCPOPTSTRIP.h>
#include <linux/netfilter/xt_TEE.h>
#include <linux/netfilter/xt_TPROXY.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_set.h>
#include <linux/netfilter_ipv4/ipt_ECN.h>
#include <linux/netfilter_ipv4/ipt_REJECT.h>
#include <linux/netfilter_ipv4/ipt_TTL.h>
#include <linux/netfilter_ipv6/ip6t_NPT.h>

#include "decode/xt_layout.h"

namespace hark::decode::xt {
namespace {

constexpr FieldPlace kReject[] = {HARK_AT(Type, ipt_reject_info, with)};
constexpr FieldPlace kLog[] = {HARK_AT(LogLevel, xt_log_info, level),
                               HARK_AT(Flags, xt_log_info, logflags),
                               HARK_AT(Prefix, xt_log_info, prefix)};
constexpr FieldPlace kNflog[] = {
    HARK_AT(Length, xt_nflog_info, len), HARK_AT(Group, xt_nflog_info, group),
    HARK_AT(Threshold, xt_nflog_info, threshold), HARK_AT(Flags, xt_nflog_info, flags),
    HARK_AT(Prefix, xt_nflog_info, prefix)};

/// The old structure of IPv4: how many ranges there are (always one), and the range.
constexpr FieldPlace kNatOld[] = {
    HARK_AT(RangeSize, nf_nat_ipv4_multi_range_compat, rangesize),
    HARK_AT(Flags, nf_nat_ipv4_multi_range_compat, range[0].flags),
    HARK_AT(FirstAddress, nf_nat_ipv4_multi_range_compat, range[0].min_ip),
    HARK_AT(LastAddress, nf_nat_ipv4_multi_range_compat, range[0].max_ip),
    HARK_AT_BE(FirstPort, nf_nat_ipv4_multi_range_compat, range[0].min),
    HARK_AT_BE(LastPort, nf_nat_ipv4_multi_range_compat, range[0].max)};
#define HARK_NAT(type)                                                              \
  HARK_AT(Flags, type, flags), HARK_AT(FirstAddress, type, min_addr),               \
      HARK_AT(LastAddress, type, max_addr), HARK_AT_BE(FirstPort, type, min_proto), \
      HARK_AT_BE(LastPort, type, max_proto)
constexpr FieldPlace kNat[] = {HARK_NAT(nf_nat_range)};
constexpr FieldPlace kNat2[] = {HARK_NAT(nf_nat_range2),
                                HARK_AT_BE(BasePort, nf_nat_range2, base_proto)};

constexpr FieldPlace kMark2[] = {HARK_AT(Value, xt_mark_tginfo2, mark),
                                 HARK_AT(Mask, xt_mark_tginfo2, mask)};
#define HARK_CONNMARK(type)                                                                        \
  HARK_AT(CtMark, type, ctmark), HARK_AT(CtMask, type, ctmask), HARK_AT(PacketMask, type, nfmask), \
      HARK_AT(Mode, type, mode)
constexpr FieldPlace kConnmark1[] = {HARK_CONNMARK(xt_connmark_tginfo1)};
constexpr FieldPlace kConnmark2[] = {HARK_CONNMARK(xt_connmark_tginfo2),
                                     HARK_AT(ShiftDirection, xt_connmark_tginfo2, shift_dir),
                                     HARK_AT(ShiftBits, xt_connmark_tginfo2, shift_bits)};
#define HARK_CT(type)                                                                       \
  HARK_AT(Flags, type, flags), HARK_AT(Zone, type, zone), HARK_AT(Events, type, ct_events), \
      HARK_AT(ExpectEvents, type, exp_events), HARK_AT(Helper, type, helper)
constexpr FieldPlace kCt0[] = {HARK_CT(xt_ct_target_info)};
constexpr FieldPlace kCt1[] = {HARK_CT(xt_ct_target_info_v1),
                               HARK_AT(TimeoutPolicy, xt_ct_target_info_v1, timeout)};
#define HARK_TPROXY(type)                                           \
  HARK_AT(Mask, type, mark_mask), HARK_AT(Value, type, mark_value), \
      HARK_AT(FirstAddress, type, laddr), HARK_AT_BE(FirstPort, type, lport)
constexpr FieldPlace kTproxy0[] = {HARK_TPROXY(xt_tproxy_target_info)};
constexpr FieldPlace kTproxy1[] = {HARK_TPROXY(xt_tproxy_target_info_v1)};
constexpr FieldPlace kTcpmss[] = {HARK_AT(Mss, xt_tcpmss_info, mss)};

#define HARK_SETS(type)                                                                  \
  HARK_AT(Index, type, add_set.index), HARK_AT(Dimensions, type, add_set.dim),           \
      HARK_AT(SetFlags, type, add_set.flags), HARK_AT(DeleteIndex, type, del_set.index), \
      HARK_AT(DeleteDimensions, type, del_set.dim), HARK_AT(DeleteSetFlags, type, del_set.flags)
constexpr FieldPlace kSet1[] = {HARK_SETS(xt_set_info_target_v1)};
constexpr FieldPlace kSet2[] = {HARK_SETS(xt_set_info_target_v2),
                                HARK_AT(Flags, xt_set_info_target_v2, flags),
                                HARK_AT(Timeout, xt_set_info_target_v2, timeout)};
constexpr FieldPlace kSet3[] = {HARK_SETS(xt_set_info_target_v3),
                                HARK_AT(MapIndex, xt_set_info_target_v3, map_set.index),
                                HARK_AT(MapDimensions, xt_set_info_target_v3, map_set.dim),
                                HARK_AT(MapSetFlags, xt_set_info_target_v3, map_set.flags),
                                HARK_AT(Flags, xt_set_info_target_v3, flags),
                                HARK_AT(Timeout, xt_set_info_target_v3, timeout)};
constexpr FieldPlace kClassify[] = {HARK_AT(Value, xt_classify_target_info, priority)};
constexpr FieldPlace kDscp[] = {HARK_AT(Value, xt_DSCP_info, dscp)};
constexpr FieldPlace kTos[] = {HARK_AT(Value, xt_tos_target_info, tos_value),
                               HARK_AT(Mask, xt_tos_target_info, tos_mask)};
constexpr FieldPlace kTtl[] = {HARK_AT(Mode, ipt_TTL_info, mode),
                               HARK_AT(Value, ipt_TTL_info, ttl)};
constexpr FieldPlace kEcn[] = {HARK_AT(Mode, ipt_ECN_info, operation),
                               HARK_AT(Value, ipt_ECN_info, ip_ect),
                               HARK_AT(Flags, ipt_ECN_info, proto)};
constexpr FieldPlace kQueue0[] = {HARK_AT(Queue, xt_NFQ_info, queuenum)};
constexpr FieldPlace kQueue1[] = {HARK_AT(Queue, xt_NFQ_info_v1, queuenum),
                                  HARK_AT(Queues, xt_NFQ_info_v1, queues_total)};
constexpr FieldPlace kQueue2[] = {HARK_AT(Queue, xt_NFQ_info_v2, queuenum),
                                  HARK_AT(Queues, xt_NFQ_info_v2, queues_total),
                                  HARK_AT(Flags, xt_NFQ_info_v2, bypass)};
constexpr FieldPlace kQueue3[] = {HARK_AT(Queue, xt_NFQ_info_v3, queuenum),
                                  HARK_AT(Queues, xt_NFQ_info_v3, queues_total),
                                  HARK_AT(Flags, xt_NFQ_info_v3, flags)};
constexpr FieldPlace kSynproxy[] = {HARK_AT(Options, nf_synproxy_info, options),
                                    HARK_AT(WindowScale, nf_synproxy_info, wscale),
                                    HARK_AT(Mss, nf_synproxy_info, mss)};
constexpr FieldPlace kChecksum[] = {HARK_AT(Mode, xt_CHECKSUM_info, operation)};
#define HARK_IDLETIMER(type) HARK_AT(Timeout, type, timeout), HARK_AT(Label, type, label)
constexpr FieldPlace kIdletimer0[] = {HARK_IDLETIMER(idletimer_tg_info)};
constexpr FieldPlace kIdletimer1[] = {HARK_IDLETIMER(idletimer_tg_info_v1),
                                      HARK_AT(Type, idletimer_tg_info_v1, timer_type)};
constexpr FieldPlace kHmark[] = {
    HARK_AT(SourceMask, xt_hmark_info, src_mask), HARK_AT(DestinationMask, xt_hmark_info, dst_mask),
    HARK_AT(PortMask, xt_hmark_info, port_mask),  HARK_AT(PortSet, xt_hmark_info, port_set),
    HARK_AT(Flags, xt_hmark_info, flags),         HARK_AT(Protocol, xt_hmark_info, proto_mask),
    HARK_AT(Seed, xt_hmark_info, hashrnd),        HARK_AT(Modulus, xt_hmark_info, hmodulus),
    HARK_AT(Offset, xt_hmark_info, hoffset)};
constexpr FieldPlace kAudit[] = {HARK_AT(Type, xt_audit_info, type)};
constexpr FieldPlace kTee[] = {HARK_AT(FirstAddress, xt_tee_tginfo, gw),
                               HARK_AT(OutDevice, xt_tee_tginfo, oif)};
constexpr FieldPlace kSecmark0[] = {HARK_AT(Mode, xt_secmark_target_info, mode),
                                    HARK_AT(Text, xt_secmark_target_info, secctx)};
constexpr FieldPlace kSecmark1[] = {HARK_AT(Mode, xt_secmark_target_info_v1, mode),
                                    HARK_AT(Text, xt_secmark_target_info_v1, secctx)};
constexpr FieldPlace kConnsecmark[] = {HARK_AT(Mode, xt_connsecmark_target_info, mode)};
constexpr FieldPlace kRateest[] = {HARK_AT(Name, xt_rateest_target_info, name),
                                   HARK_AT(Interval, xt_rateest_target_info, interval),
                                   HARK_AT(Average, xt_rateest_target_info, ewma_log)};
constexpr FieldPlace kOptstrip[] = {HARK_AT(Options, xt_tcpoptstrip_target_info, strip_bmap)};
constexpr FieldPlace kLed[] = {HARK_AT(Name, xt_led_info, id),
                               HARK_AT(Mode, xt_led_info, always_blink),
                               HARK_AT(Timeout, xt_led_info, delay)};
constexpr FieldPlace kNpt[] = {HARK_AT(SourceAddress, ip6t_npt_tginfo, src_pfx),
                               HARK_AT(DestinationAddress, ip6t_npt_tginfo, dst_pfx),
                               HARK_AT(SourceMask, ip6t_npt_tginfo, src_pfx_len),
                               HARK_AT(DestinationMask, ip6t_npt_tginfo, dst_pfx_len)};

using OldNat = nf_nat_ipv4_multi_range_compat;
constexpr Layout kTargets[] = {
    layout<ipt_reject_info>("REJECT", 0, kReject),
    layout<xt_log_info>("LOG", 0, kLog),
    layout<xt_nflog_info>("NFLOG", 0, kNflog),
    layout<OldNat>("DNAT", 0, kNatOld),
    layout<nf_nat_range>("DNAT", 1, kNat),
    layout<nf_nat_range2>("DNAT", 2, kNat2),
    layout<OldNat>("SNAT", 0, kNatOld),
    layout<nf_nat_range>("SNAT", 1, kNat),
    layout<OldNat>("MASQUERADE", 0, kNatOld),
    layout<nf_nat_range>("MASQUERADE", 0, kNat),
    layout<OldNat>("REDIRECT", 0, kNatOld),
    layout<nf_nat_range>("REDIRECT", 0, kNat),
    layout<OldNat>("NETMAP", 0, kNatOld),
    layout<nf_nat_range>("NETMAP", 0, kNat),
    layout<xt_mark_tginfo2>("MARK", 2, kMark2),
    layout<xt_connmark_tginfo1>("CONNMARK", 1, kConnmark1),
    layout<xt_connmark_tginfo2>("CONNMARK", 2, kConnmark2),
    layout<xt_ct_target_info>("CT", 0, kCt0),
    layout<xt_ct_target_info_v1>("CT", 1, kCt1),
    layout<xt_ct_target_info_v1>("CT", 2, kCt1),
    {"NOTRACK", 0, 0, {}},
    layout<xt_tproxy_target_info>("TPROXY", 0, kTproxy0),
    layout<xt_tproxy_target_info_v1>("TPROXY", 1, kTproxy1),
    layout<xt_tcpmss_info>("TCPMSS", 0, kTcpmss),
    layout<xt_set_info_target_v1>("SET", 1, kSet1),
    layout<xt_set_info_target_v2>("SET", 2, kSet2),
    layout<xt_set_info_target_v3>("SET", 3, kSet3),
    layout<xt_classify_target_info>("CLASSIFY", 0, kClassify),
    layout<xt_DSCP_info>("DSCP", 0, kDscp),
    layout<xt_tos_target_info>("TOS", 1, kTos),
    layout<ipt_TTL_info>("TTL", 0, kTtl),
    layout<ipt_TTL_info>("HL", 0, kTtl),
    layout<ipt_ECN_info>("ECN", 0, kEcn),
    layout<xt_NFQ_info>("NFQUEUE", 0, kQueue0),
    layout<xt_NFQ_info_v1>("NFQUEUE", 1, kQueue1),
    layout<xt_NFQ_info_v2>("NFQUEUE", 2, kQueue2),
    layout<xt_NFQ_info_v3>("NFQUEUE", 3, kQueue3),
    layout<nf_synproxy_info>("SYNPROXY", 0, kSynproxy),
    layout<xt_CHECKSUM_info>("CHECKSUM", 0, kChecksum),
    {"TRACE", 0, 0, {}},
    layout<idletimer_tg_info>("IDLETIMER", 0, kIdletimer0),
    layout<idletimer_tg_info_v1>("IDLETIMER", 1, kIdletimer1),
    layout<xt_hmark_info>("HMARK", 0, kHmark),
    layout<xt_audit_info>("AUDIT", 0, kAudit),
    layout<xt_tee_tginfo>("TEE", 1, kTee),
    layout<xt_secmark_target_info>("SECMARK", 0, kSecmark0),
    layout<xt_secmark_target_info_v1>("SECMARK", 1, kSecmark1),
    layout<xt_connsecmark_target_info>("CONNSECMARK", 0, kConnsecmark),
    layout<xt_rateest_target_info>("RATEEST", 0, kRateest),
    layout<xt_tcpoptstrip_target_info>("TCPOPTSTRIP", 0, kOptstrip),
    layout<xt_led_info>("LED", 0, kLed),
    layout<ip6t_npt_tginfo>("SNPT", 0, kNpt),
    layout<ip6t_npt_tginfo>("DNPT", 0, kNpt),
};

}  // namespace

std::span<const Layout> target_layouts() {
  return kTargets;
}

}  // namespace hark::decode::xt
