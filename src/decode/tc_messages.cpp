#include "decode/tc_messages.h"

#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>

#include <algorithm>
#include <array>

#include "decode/netlink_attributes.h"

namespace hark::decode {
namespace {

using Fault = std::string_view;  // why a message is malformed; empty: it is not
constexpr Fault kTooShort = "the message is too short";
constexpr Fault kCutOff = "an attribute is cut off or has an impossible length";

/// Where a kind of filter keeps its actions and its limit of rates; 0: it has none. The dump
/// functions of net/sched/cls_*.c.
struct FilterKind {
  std::string_view kind;
  std::uint16_t actions;
  std::uint16_t police;
};
constexpr std::array<FilterKind, 9> kFilterKinds = {{
    {"bpf", TCA_BPF_ACT, TCA_BPF_POLICE},
    {"u32", TCA_U32_ACT, TCA_U32_POLICE},
    {"flower", TCA_FLOWER_ACT, 0},
    {"matchall", TCA_MATCHALL_ACT, 0},
    {"basic", TCA_BASIC_ACT, TCA_BASIC_POLICE},
    {"fw", TCA_FW_ACT, TCA_FW_POLICE},
    {"route", TCA_ROUTE4_ACT, TCA_ROUTE4_POLICE},
    {"flow", TCA_FLOW_ACT, TCA_FLOW_POLICE},
    {"cgroup", TCA_CGROUP_ACT, TCA_CGROUP_POLICE},
}};

/// The structures of all actions begin with these (tc_gen of linux/pkt_cls.h).
struct ActionHead {
  std::uint32_t index;
  std::uint32_t capabilities;
  std::int32_t action;
  std::int32_t references;
  std::int32_t bound;
};
static_assert(sizeof(ActionHead) == sizeof(tc_gact));

void read_gact(ByteView options, TcAction& action) {
  NetlinkAttributes attributes(options);
  while (const auto attribute = attributes.next()) {
    if (attribute->type != TCA_GACT_PARMS) continue;
    if (const auto head = attribute->value<ActionHead>()) action.verdict = head->action;
  }
}

void read_mirred(ByteView options, TcAction& action) {
  NetlinkAttributes attributes(options);
  while (const auto attribute = attributes.next()) {
    if (attribute->type != TCA_MIRRED_PARMS) continue;
    if (const auto told = attribute->value<tc_mirred>()) {
      action.verdict = told->action;
      action.mirred = static_cast<std::uint8_t>(told->eaction);
      action.link = told->ifindex;
    }
  }
}

TcAction read_action(ByteView bytes) {
  TcAction action;
  ByteView options;
  NetlinkAttributes attributes(bytes);
  while (const auto attribute = attributes.next()) {
    if (attribute->type == TCA_ACT_KIND) action.kind = attribute->text();
    if (attribute->type == TCA_ACT_OPTIONS) options = attribute->bytes;
  }
  if (action.kind == "gact") read_gact(options, action);
  if (action.kind == "mirred") read_mirred(options, action);
  return action;
}

void read_bpf(const NetlinkAttribute& attribute, TcFilter& filter) {
  switch (attribute.type) {
    case TCA_BPF_ID:
      filter.program = attribute.value<std::uint32_t>().value_or(0);
      break;
    case TCA_BPF_NAME:
      filter.program_name = attribute.text();
      break;
    case TCA_BPF_FLAGS:
      filter.direct_action =
          (attribute.value<std::uint32_t>().value_or(0) & TCA_BPF_FLAG_ACT_DIRECT) != 0;
      break;
    default:
      break;
  }
}

/// False: these options are not of a filter but of what leads to filters.
bool read_options(ByteView options, TcFilter& filter) {
  const auto kind =
      std::ranges::find(kFilterKinds, std::string_view(filter.kind), &FilterKind::kind);
  filter.understood = kind != kFilterKinds.end();
  if (!filter.understood) return true;
  bool selects = filter.kind != "u32";
  NetlinkAttributes attributes(options);
  while (const auto attribute = attributes.next()) {
    if (filter.kind == "bpf") read_bpf(*attribute, filter);
    if (filter.kind == "u32" && attribute->type == TCA_U32_SEL) selects = true;
    if (kind->police != 0 && attribute->type == kind->police) filter.police = true;
    if (attribute->type != kind->actions) continue;
    NetlinkAttributes actions(attribute->bytes);
    while (const auto action = actions.next()) {
      filter.actions.push_back(read_action(action->bytes));
    }
  }
  return selects;
}

Fault read_filter(ByteView body, TcFilter& filter, bool& wanted) {
  ByteReader reader(body);
  const auto header = reader.value<tcmsg>();
  if (!reader.ok()) return kTooShort;
  const bool shared = static_cast<std::uint32_t>(header.tcm_ifindex) == TCM_IFINDEX_MAGIC_BLOCK;
  filter.link = shared ? 0 : static_cast<std::uint32_t>(header.tcm_ifindex);
  filter.parent = header.tcm_parent;
  filter.handle = header.tcm_handle;
  filter.preference = static_cast<std::uint16_t>(header.tcm_info >> 16U);
  const auto protocol = static_cast<std::uint16_t>(header.tcm_info & 0xffffU);
  filter.protocol = static_cast<std::uint16_t>(protocol >> 8U | protocol << 8U);
  ByteView options;
  NetlinkAttributes attributes(reader.take(reader.left()));
  while (const auto attribute = attributes.next()) {
    if (attribute->type == TCA_KIND) filter.kind = attribute->text();
    if (attribute->type == TCA_CHAIN) filter.chain = attribute->value<std::uint32_t>().value_or(0);
    if (attribute->type == TCA_OPTIONS) options = attribute->bytes;
  }
  if (attributes.broken()) return kCutOff;
  if (filter.kind.empty()) return "a filter without a kind";
  // tcf_chain_dump: each list of filters is told once without a handle.
  wanted = read_options(options, filter) && header.tcm_handle != 0;
  return {};
}

Fault read_qdisc(ByteView body, TcQdisc& qdisc) {
  ByteReader reader(body);
  const auto header = reader.value<tcmsg>();
  if (!reader.ok()) return kTooShort;
  qdisc.link = static_cast<std::uint32_t>(header.tcm_ifindex);
  qdisc.handle = header.tcm_handle;
  qdisc.parent = header.tcm_parent;
  NetlinkAttributes attributes(reader.take(reader.left()));
  while (const auto attribute = attributes.next()) {
    if (attribute->type == TCA_KIND) qdisc.kind = attribute->text();
  }
  if (attributes.broken()) return kCutOff;
  return qdisc.kind.empty() ? "a qdisc without a kind" : Fault{};
}

Bytes dump_request(std::uint16_t type, std::uint32_t link, std::uint32_t parent) {
  tcmsg header{};
  header.tcm_ifindex = static_cast<int>(link);
  header.tcm_parent = parent;
  Bytes body;
  append_value(body, header);
  return netlink_request(type, NLM_F_REQUEST | NLM_F_DUMP, body);
}

}  // namespace

Bytes qdiscs_request() {
  return dump_request(RTM_GETQDISC, 0, 0);
}

Bytes tc_filters_request(std::uint32_t link, std::uint32_t parent) {
  return dump_request(RTM_GETTFILTER, link, parent);
}

Result<std::vector<TcQdisc>> decode_qdiscs(ByteView messages) {
  std::vector<TcQdisc> out;
  NetlinkAnswer answer(messages, RTM_NEWQDISC, "qdisc answer");
  while (const auto body = answer.next()) {
    TcQdisc qdisc;
    const Fault fault = read_qdisc(*body, qdisc);
    if (!fault.empty()) return fail(answer.reject(fault));
    out.push_back(std::move(qdisc));
  }
  if (answer.error()) return fail(*answer.error());
  return out;
}

Result<std::vector<TcFilter>> decode_tc_filters(ByteView messages) {
  std::vector<TcFilter> out;
  NetlinkAnswer answer(messages, RTM_NEWTFILTER, "filter answer");
  while (const auto body = answer.next()) {
    TcFilter filter;
    bool wanted = true;
    const Fault fault = read_filter(*body, filter, wanted);
    if (!fault.empty()) return fail(answer.reject(fault));
    if (wanted) out.push_back(std::move(filter));
  }
  if (answer.error()) return fail(*answer.error());
  return out;
}

}  // namespace hark::decode
