// Who makes the kernel attach conntrack to a namespace: the callers of nf_ct_netns_get(); and when
// that was, which decides whether chains of conntrack's own priority run before it.

#include <algorithm>
#include <array>
#include <cstring>

#include "reach/prepared_ruleset.h"

namespace hark::reach {

namespace nft = decode::nft;

namespace {

/// Matches and targets of iptables whose check function asks for conntrack: xt_*.c. NOTRACK does
/// not, nor does CT where it says the same.
constexpr std::array<std::string_view, 17> kTrackingExtensions = {
    "conntrack", "state",      "connmark", "connbytes", "connlabel",   "helper",
    "cluster",   "connlimit",  "CT",       "CONNMARK",  "CONNSECMARK", "SNAT",
    "DNAT",      "MASQUERADE", "REDIRECT", "NETMAP",    "SYNPROXY"};
/// XT_CT_NOTRACK, in the flags (16 bits) with which struct xt_ct_target_info begins.
constexpr std::byte kCtNotrack{1};

bool tracks(std::string_view extension, ByteView info) {
  if (extension == "CT" && !info.empty() && (info[0] & kCtNotrack) != std::byte{0}) return false;
  return std::ranges::find(kTrackingExtensions, extension) != kTrackingExtensions.end();
}

constexpr std::uint32_t kObjectCtHelper = 3;
constexpr std::uint32_t kObjectConnlimit = 5;
constexpr std::uint32_t kObjectCtTimeout = 7;
constexpr std::uint32_t kObjectCtExpect = 9;
constexpr std::uint32_t kObjectSynproxy = 10;

bool object_tracks(std::uint32_t type) {
  return type == kObjectCtHelper || type == kObjectConnlimit || type == kObjectCtTimeout ||
         type == kObjectCtExpect || type == kObjectSynproxy;
}

}  // namespace

bool needs_conntrack(const nft::Expression& expression) {
  const nft::Operation& operation = expression.operation;
  if (const auto* match = std::get_if<nft::XtMatch>(&operation)) return tracks(match->name, {});
  if (const auto* target = std::get_if<nft::XtTarget>(&operation)) {
    return tracks(target->name, target->info);
  }
  if (const auto* dynset = std::get_if<nft::Dynset>(&operation)) {
    return std::ranges::any_of(dynset->expressions,
                               [](const nft::Expression& inner) { return needs_conntrack(inner); });
  }
  return std::holds_alternative<nft::Ct>(operation) ||
         std::holds_alternative<nft::Nat>(operation) ||
         std::holds_alternative<nft::Masquerade>(operation) ||
         std::holds_alternative<nft::Redirect>(operation) ||
         std::holds_alternative<nft::Connlimit>(operation) ||
         std::holds_alternative<nft::Synproxy>(operation) ||
         std::holds_alternative<nft::FlowOffload>(operation);
}

bool needs_conntrack(const nft::Object& object) {
  return object_tracks(object.type);
}

bool needs_conntrack(const host::LegacyTable& table) {
  // Every match and target begins with its size (16 bits), its name (29 bytes) and its revision, at
  // a multiple of 8: struct xt_entry_match.
  constexpr std::size_t kNameLength = 29;
  constexpr std::size_t kHeader = 32;
  const ByteView entries = table.entries;
  for (std::size_t at = 0; at + kHeader <= entries.size(); at += 8) {
    const std::string_view field = as_text(entries.subspan(at + 2, kNameLength));
    const std::string_view name = field.substr(0, field.find('\0'));
    if (name.empty() || name.size() == field.size()) continue;
    std::uint16_t size = 0;
    std::memcpy(&size, entries.data() + at, sizeof size);
    if (size < kHeader || at + size > entries.size()) continue;
    if (tracks(name, entries.subspan(at + kHeader, size - kHeader))) return true;
  }
  return false;
}

void PreparedRuleset::add_tracker(nft::TableFamily family, Registered since) {
  const bool both = family == nft::TableFamily::Inet || family == nft::TableFamily::Bridge;
  const auto add = [&since](bool& tracks, std::optional<Registered>& first) {
    tracks = true;
    const bool earlier =
        !first || !since.known ||
        std::pair(since.table, since.handle) < std::pair(first->table, first->handle);
    if (earlier && (!first || first->known)) first = since;
  };
  if (both || family == nft::TableFamily::Ip) add(tracks4_, tracker4_);
  if (both || family == nft::TableFamily::Ip6) add(tracks6_, tracker6_);
}

Registered PreparedRuleset::made(nft::TableFamily family, std::string_view table,
                                 std::uint64_t handle) const {
  const auto found = by_name_.find({family, table});
  if (found == by_name_.end()) return {.known = false};
  return {.table = found->second->table->handle, .handle = handle};
}

void PreparedRuleset::find_trackers() {
  const bool order_counts = has_rivals();
  for (const nft::Rule& rule : network_.nft.rules) {
    if (tracks4_ && tracks6_ && !order_counts) return;
    for (const nft::Expression& expression : rule.expressions) {
      if (!needs_conntrack(expression)) continue;
      Registered since = made(rule.family, rule.table, rule.handle);
      // iptables adds its rules one by one to tables that stand for long.
      since.original = !std::holds_alternative<nft::XtMatch>(expression.operation) &&
                       !std::holds_alternative<nft::XtTarget>(expression.operation);
      // "dnat ip to" in a table of inet is for that family alone.
      const auto* nat = std::get_if<nft::Nat>(&expression.operation);
      add_tracker(nat != nullptr && nat->family != 0 ? static_cast<nft::TableFamily>(nat->family)
                                                     : rule.family,
                  since);
    }
  }
  for (const nft::Object& object : network_.nft.objects) {
    if (!needs_conntrack(object)) continue;
    add_tracker(object.family, made(object.family, object.table, object.handle));
  }
  for (const nft::Set& set : network_.nft.sets) {
    // Only sets that rules may add to have expressions that count connections: NFT_SET_EVAL.
    constexpr std::uint32_t kSetEval = 0x20;
    if (!set.elements || (set.flags & kSetEval) == 0) continue;
    for (const nft::Element& element : *set.elements) {
      for (const nft::Expression& expression : element.expressions) {
        if (needs_conntrack(expression)) {
          add_tracker(set.family, made(set.family, set.table, set.handle));
        }
      }
    }
  }
  for (const host::LegacyTable& each : network_.legacy) {
    if (!needs_conntrack(each)) continue;
    add_tracker(each.family == Family::Inet ? nft::TableFamily::Ip : nft::TableFamily::Ip6,
                {.known = false});
  }
}

/// Are there chains of the priority that conntrack has (NF_IP_PRI_CONNTRACK)?
bool PreparedRuleset::has_rivals() const {
  constexpr std::int32_t kPriorityConntrack = -200;
  return std::ranges::any_of(network_.nft.chains, [](const nft::Chain& chain) {
    return chain.hook && chain.hook->priority == kPriorityConntrack;
  });
}

/// Is everything still there that was made before? What was deleted might have needed conntrack
/// earlier, and with a transaction that flushes and fills the rules anew it stays registered.
bool PreparedRuleset::is_complete(const Registered& up_to) const {
  std::uint64_t tables = 0;
  for (const PreparedTable& each : tables_) {
    tables = std::max(tables, each.table->handle);
  }
  if (tables != tables_.size()) return false;
  std::uint64_t count = 0;
  const auto add = [&](const auto& all) {
    for (const auto& each : all) {
      const bool here = made(each.family, each.table, 0).table == up_to.table;
      if (here && each.handle < up_to.handle) ++count;
    }
  };
  add(network_.nft.chains);
  add(network_.nft.rules);
  add(network_.nft.sets);
  add(network_.nft.objects);
  add(network_.nft.flowtables);
  return count + 1 == up_to.handle;
}

Registered PreparedRuleset::tracker(Family family) const {
  const std::optional<Registered>& first = family == Family::Inet ? tracker4_ : tracker6_;
  if (!first || !first->known || !has_rivals()) return {.known = false};
  if (!is_complete(*first)) return {.known = false};
  return *first;
}

}  // namespace hark::reach
