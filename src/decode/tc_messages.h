// Traffic control, as far as it decides whether packets pass: qdiscs, and the filters of those that
// see packets as they come and go, with their actions. linux/rtnetlink.h, linux/pkt_cls.h,
// linux/tc_act/tc_gact.h, tc_mirred.h; net/sched/cls_api.c, act_api.c.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

struct TcQdisc {
  std::uint32_t link = 0;
  std::uint32_t handle = 0;  ///< 0: one of the kernel's own that has no filters
  std::uint32_t parent = 0;
  std::string kind;
  bool operator==(const TcQdisc&) const = default;
};

struct TcAction {
  std::string kind;          ///< "gact", "mirred", "police" …
  std::int32_t verdict = 0;  ///< TC_ACT_*: of gact what it does, of others what comes then
  std::uint8_t mirred = 0;   ///< TCA_EGRESS_REDIR …; 0: no mirred
  std::uint32_t link = 0;    ///< of mirred
  bool operator==(const TcAction&) const = default;
};

struct TcFilter {
  std::uint32_t link = 0;  ///< not told of filters that several links share
  std::uint32_t parent = 0;
  std::uint32_t handle = 0;
  std::uint16_t preference = 0;  ///< lower comes first
  std::uint16_t protocol = 0;    ///< ETH_P_*, host order
  std::uint32_t chain = 0;
  std::string kind;
  std::vector<TcAction> actions = {};
  bool police = false;        ///< it limits rates in the old way, without an action
  bool understood = false;    ///< it is of a kind of which the actions can be read
  std::uint32_t program = 0;  ///< of bpf
  std::string program_name = {};
  bool direct_action = false;  ///< of bpf: the program itself decides
  bool operator==(const TcFilter&) const = default;
};

/// Dumps: all qdiscs of a namespace; the filters of one parent on a link.
[[nodiscard]] Bytes qdiscs_request();
[[nodiscard]] Bytes tc_filters_request(std::uint32_t link, std::uint32_t parent);

/// Parents of filters, by the qdisc: TC_H_MAKE of linux/pkt_sched.h.
constexpr std::uint32_t kClsactIngress = 0xfffffff2;
constexpr std::uint32_t kClsactEgress = 0xfffffff3;

[[nodiscard]] Result<std::vector<TcQdisc>> decode_qdiscs(ByteView messages);
/// Without what only announces filters: the heads of their lists and hash tables.
[[nodiscard]] Result<std::vector<TcFilter>> decode_tc_filters(ByteView messages);

}  // namespace hark::decode
