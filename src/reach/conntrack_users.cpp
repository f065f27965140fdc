// Who makes the kernel attach conntrack to a namespace: the callers of nf_ct_netns_get().

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

}  // namespace hark::reach
