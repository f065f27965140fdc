#include <linux/netfilter/nfnetlink_acct.h>
#include <linux/netfilter/nfnetlink_osf.h>
#include <linux/netfilter/xt_bpf.h>
#include <linux/netfilter/xt_cgroup.h>
#include <linux/netfilter/xt_cluster.h>
#include <linux/netfilter/xt_cpu.h>
#include <linux/netfilter/xt_dccp.h>
#include <linux/netfilter/xt_ecn.h>
#include <linux/netfilter/xt_esp.h>
#include <linux/netfilter/xt_ipcomp.h>
#include <linux/netfilter/xt_nfacct.h>
#include <linux/netfilter/xt_policy.h>
#include <linux/netfilter/xt_quota.h>
#include <linux/netfilter/xt_rateest.h>
#include <linux/netfilter/xt_realm.h>
#include <linux/netfilter/xt_statistic.h>
#include <linux/netfilter/xt_string.h>
#include <linux/netfilter/xt_tcpmss.h>
#include <linux/netfilter/xt_time.h>
#include <linux/netfilter/xt_u32.h>
#include <linux/netfilter_ipv4/ipt_ah.h>
#include <linux/netfilter_ipv6/ip6t_ah.h>
#include <linux/netfilter_ipv6/ip6t_frag.h>
#include <linux/netfilter_ipv6/ip6t_ipv6header.h>
#include <linux/netfilter_ipv6/ip6t_mh.h>
#include <linux/netfilter_ipv6/ip6t_opts.h>
#include <linux/netfilter_ipv6/ip6t_rt.h>

#include "decode/xt_layout.h"

namespace hark::decode::xt {
namespace {

constexpr FieldPlace kTcpmss[] = {HARK_AT(Min, xt_tcpmss_match_info, mss_min),
                                  HARK_AT(Max, xt_tcpmss_match_info, mss_max),
                                  HARK_AT(Invert, xt_tcpmss_match_info, invert)};
constexpr FieldPlace kTime[] = {HARK_AT(DateStart, xt_time_info, date_start),
                                HARK_AT(DateStop, xt_time_info, date_stop),
                                HARK_AT(DayStart, xt_time_info, daytime_start),
                                HARK_AT(DayStop, xt_time_info, daytime_stop),
                                HARK_AT(MonthDays, xt_time_info, monthdays_match),
                                HARK_AT(WeekDays, xt_time_info, weekdays_match),
                                HARK_AT(Flags, xt_time_info, flags)};
constexpr FieldPlace kStatistic[] = {HARK_AT(Mode, xt_statistic_info, mode),
                                     HARK_AT(Flags, xt_statistic_info, flags),
                                     HARK_AT(Value, xt_statistic_info, u.random.probability),
                                     HARK_AT(Every, xt_statistic_info, u.nth.every),
                                     HARK_AT(Phase, xt_statistic_info, u.nth.packet)};
constexpr FieldPlace kString[] = {
    HARK_AT(From, xt_string_info, from_offset), HARK_AT(To, xt_string_info, to_offset),
    HARK_AT(Algorithm, xt_string_info, algo),   HARK_AT(Text, xt_string_info, pattern),
    HARK_AT(Length, xt_string_info, patlen),    HARK_AT(Flags, xt_string_info, u)};
constexpr FieldPlace kU32[] = {HARK_AT(Program, xt_u32, tests), HARK_AT(Count, xt_u32, ntests),
                               HARK_AT(Invert, xt_u32, invert)};
constexpr FieldPlace kBpf0[] = {HARK_AT(Count, xt_bpf_info, bpf_program_num_elem),
                                HARK_AT(Program, xt_bpf_info, bpf_program)};
constexpr FieldPlace kBpf1[] = {
    HARK_AT(Mode, xt_bpf_info_v1, mode), HARK_AT(Count, xt_bpf_info_v1, bpf_program_num_elem),
    HARK_AT(Program, xt_bpf_info_v1, bpf_program), HARK_AT(Path, xt_bpf_info_v1, path)};
constexpr FieldPlace kCluster[] = {HARK_AT(Count, xt_cluster_match_info, total_nodes),
                                   HARK_AT(Mask, xt_cluster_match_info, node_mask),
                                   HARK_AT(Seed, xt_cluster_match_info, hash_seed),
                                   HARK_AT(Flags, xt_cluster_match_info, flags)};
constexpr FieldPlace kCgroup0[] = {HARK_AT(ClassId, xt_cgroup_info_v0, id),
                                   HARK_AT(InvertClass, xt_cgroup_info_v0, invert)};
#define HARK_CGROUP(type)                                                                 \
  HARK_AT(HasPath, type, has_path), HARK_AT(HasClass, type, has_classid),                 \
      HARK_AT(InvertPath, type, invert_path), HARK_AT(InvertClass, type, invert_classid), \
      HARK_AT(Path, type, path), HARK_AT(ClassId, type, classid)
constexpr FieldPlace kCgroup1[] = {HARK_CGROUP(xt_cgroup_info_v1)};
constexpr FieldPlace kCgroup2[] = {HARK_CGROUP(xt_cgroup_info_v2)};
constexpr FieldPlace kPolicy[] = {HARK_AT(Program, xt_policy_info, pol),
                                  HARK_AT(Flags, xt_policy_info, flags),
                                  HARK_AT(Length, xt_policy_info, len)};
constexpr FieldPlace kRealm[] = {HARK_AT(Value, xt_realm_info, id),
                                 HARK_AT(Mask, xt_realm_info, mask),
                                 HARK_AT(Invert, xt_realm_info, invert)};
/// struct xt_sctp_info by hand: xt_sctp.h does not compile as C++.
constexpr FieldPlace kSctp[] = {{Field::DestinationPorts, 0, 4}, {Field::SourcePorts, 4, 4},
                                {Field::Chunks, 8, 256},         {Field::ChunkMatch, 264, 4},
                                {Field::ChunkFlags, 268, 12},    {Field::ChunkFlagCount, 280, 4},
                                {Field::Flags, 284, 4},          {Field::InvertFlags, 288, 4}};
constexpr FieldPlace kDccp[] = {
    HARK_AT(DestinationPorts, xt_dccp_info, dpts), HARK_AT(SourcePorts, xt_dccp_info, spts),
    HARK_AT(Flags, xt_dccp_info, flags),           HARK_AT(InvertFlags, xt_dccp_info, invflags),
    HARK_AT(Type, xt_dccp_info, typemask),         HARK_AT(Option, xt_dccp_info, option)};
constexpr FieldPlace kEsp[] = {HARK_AT(Value, xt_esp, spis),
                               HARK_AT(InvertFlags, xt_esp, invflags)};
constexpr FieldPlace kIpcomp[] = {HARK_AT(Value, xt_ipcomp, spis),
                                  HARK_AT(InvertFlags, xt_ipcomp, invflags),
                                  HARK_AT(Reserved, xt_ipcomp, hdrres)};
/// ipt_ah and ip6t_ah are of one size and differ behind their first field.
static_assert((sizeof(ipt_ah) + 7) / 8 == (sizeof(ip6t_ah) + 7) / 8);
constexpr FieldPlace kAh[] = {HARK_AT(Value, ip6t_ah, spis), HARK_AT(Flags, ipt_ah, invflags),
                              HARK_AT(Length, ip6t_ah, hdrlen), HARK_AT(Reserved, ip6t_ah, hdrres),
                              HARK_AT(InvertFlags, ip6t_ah, invflags)};
constexpr FieldPlace kEcn[] = {HARK_AT(Mode, xt_ecn_info, operation),
                               HARK_AT(Invert, xt_ecn_info, invert),
                               HARK_AT(Value, xt_ecn_info, ip_ect)};
constexpr FieldPlace kCpu[] = {HARK_AT(Value, xt_cpu_info, cpu),
                               HARK_AT(Invert, xt_cpu_info, invert)};
constexpr FieldPlace kQuota[] = {HARK_AT(Flags, xt_quota_info, flags),
                                 HARK_AT(Value, xt_quota_info, quota)};
constexpr FieldPlace kNfacct[] = {HARK_AT(Name, xt_nfacct_match_info, name)};
constexpr FieldPlace kRateest[] = {HARK_AT(Name, xt_rateest_match_info, name1),
                                   HARK_AT(Name2, xt_rateest_match_info, name2),
                                   HARK_AT(Flags, xt_rateest_match_info, flags),
                                   HARK_AT(Mode, xt_rateest_match_info, mode),
                                   HARK_AT(Rate1, xt_rateest_match_info, bps1),
                                   HARK_AT(Rate2, xt_rateest_match_info, bps2),
                                   HARK_AT(PacketRate1, xt_rateest_match_info, pps1),
                                   HARK_AT(PacketRate2, xt_rateest_match_info, pps2)};
constexpr FieldPlace kOsf[] = {HARK_AT(Name, nf_osf_info, genre), HARK_AT(Length, nf_osf_info, len),
                               HARK_AT(Flags, nf_osf_info, flags),
                               HARK_AT(LogLevel, nf_osf_info, loglevel),
                               HARK_AT(Ttl, nf_osf_info, ttl)};
constexpr FieldPlace kFrag[] = {HARK_AT(Value, ip6t_frag, ids), HARK_AT(Length, ip6t_frag, hdrlen),
                                HARK_AT(Flags, ip6t_frag, flags),
                                HARK_AT(InvertFlags, ip6t_frag, invflags)};
constexpr FieldPlace kOpts[] = {
    HARK_AT(Length, ip6t_opts, hdrlen), HARK_AT(Flags, ip6t_opts, flags),
    HARK_AT(InvertFlags, ip6t_opts, invflags), HARK_AT(Options, ip6t_opts, opts),
    HARK_AT(OptionCount, ip6t_opts, optsnr)};
constexpr FieldPlace kRt[] = {
    HARK_AT(Type, ip6t_rt, rt_type),         HARK_AT(Value, ip6t_rt, segsleft),
    HARK_AT(Length, ip6t_rt, hdrlen),        HARK_AT(Flags, ip6t_rt, flags),
    HARK_AT(InvertFlags, ip6t_rt, invflags), HARK_AT(Addresses, ip6t_rt, addrs),
    HARK_AT(AddressCount, ip6t_rt, addrnr)};
constexpr FieldPlace kMh[] = {HARK_AT(Value, ip6t_mh, types),
                              HARK_AT(InvertFlags, ip6t_mh, invflags)};
constexpr FieldPlace kIpv6header[] = {HARK_AT(MatchFlags, ip6t_ipv6header_info, matchflags),
                                      HARK_AT(InvertFlags, ip6t_ipv6header_info, invflags),
                                      HARK_AT(Mode, ip6t_ipv6header_info, modeflag)};

constexpr Layout kRare[] = {
    layout<xt_tcpmss_match_info>("tcpmss", 0, kTcpmss),
    layout<xt_time_info>("time", 0, kTime),
    layout<xt_statistic_info>("statistic", 0, kStatistic),
    layout<xt_string_info>("string", 1, kString),
    layout<xt_u32>("u32", 0, kU32),
    layout<xt_bpf_info>("bpf", 0, kBpf0),
    layout<xt_bpf_info_v1>("bpf", 1, kBpf1),
    layout<xt_cluster_match_info>("cluster", 0, kCluster),
    layout<xt_cgroup_info_v0>("cgroup", 0, kCgroup0),
    layout<xt_cgroup_info_v1>("cgroup", 1, kCgroup1),
    layout<xt_cgroup_info_v2>("cgroup", 2, kCgroup2),
    layout<xt_policy_info>("policy", 0, kPolicy),
    layout<xt_realm_info>("realm", 0, kRealm),
    {"sctp", 0, 296, kSctp},
    layout<xt_dccp_info>("dccp", 0, kDccp),
    layout<xt_esp>("esp", 0, kEsp),
    layout<xt_ipcomp>("ipcomp", 0, kIpcomp),
    layout<ip6t_ah>("ah", 0, kAh),
    layout<xt_ecn_info>("ecn", 0, kEcn),
    layout<xt_cpu_info>("cpu", 0, kCpu),
    layout<xt_quota_info>("quota", 0, kQuota),
    layout<xt_nfacct_match_info>("nfacct", 0, kNfacct),
    layout<xt_nfacct_match_info_v1>("nfacct", 1, kNfacct),
    layout<xt_rateest_match_info>("rateest", 0, kRateest),
    layout<nf_osf_info>("osf", 0, kOsf),
    {"eui64", 0, 8, {}},
    layout<ip6t_frag>("frag", 0, kFrag),
    layout<ip6t_opts>("hbh", 0, kOpts),
    layout<ip6t_opts>("dst", 0, kOpts),
    layout<ip6t_rt>("rt", 0, kRt),
    layout<ip6t_mh>("mh", 0, kMh),
    layout<ip6t_ipv6header_info>("ipv6header", 0, kIpv6header),
};

}  // namespace

std::span<const Layout> rare_match_layouts() {
  return kRare;
}

}  // namespace hark::decode::xt
