#include "diagnose/compare_gaps.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace hark::diagnose {
namespace {

using Codes = std::span<const std::string_view>;

constexpr std::array<std::string_view, 8> kOfOwners = {
    "other-users-processes", "unreadable-processes", "hidepid",
    "owners-not-asked",      "owners-not-read",      "no-proc",
    "container-names",       "pid-namespace"};
constexpr std::array<std::string_view, 10> kOfReach = {
    "nftables-not-read", "iptables-not-read", "links-not-read",    "addresses-not-read",
    "routes-not-read",   "rules-not-read",    "netns-not-entered", "settings-not-read",
    "xfrm-not-read",     "published-not-read"};
constexpr std::array<std::string_view, 2> kOfRows = {"sockets-not-read", "netns-not-entered"};
/// Not worth a doubt.
constexpr std::array<std::string_view, 5> kDetails = {
    "one-look", "sockets-from-table", "no-cgroup2", "link-not-read", "processes-not-examined"};

struct Row {
  std::string_view code;
  std::string_view what;
  std::string_view hides;
  Codes reasons;
};
/// By Uncompared.
constexpr std::array<Row, 5> kRows = {{
    {"owners-not-compared", "who owns ", "whether somebody else has it now", kOfOwners},
    {"reach-not-compared", "who reaches ", "whether it is open to more than before", kOfReach},
    {"published-not-compared", "published ports", "which of them came, went or lead elsewhere",
     kOfReach},
    {"listeners-not-compared", "listeners", "which of them came or went", kOfRows},
    {"findings-not-compared", "findings", "which of them came or went", {}},
}};

bool is_one_of(Codes codes, const host::Gap& gap) {
  return std::ranges::find(codes, gap.code) != codes.end();
}

/// "tcp 22 and 2 more"
std::string some_of(const std::vector<std::string>& things) {
  if (things.empty()) return {};
  const std::size_t more = things.size() - 1;
  return things.front() + (more == 0 ? "" : " and " + std::to_string(more) + " more");
}

}  // namespace

void CompareGaps::add(Uncompared kind, const std::string& thing, const std::string& reason) {
  Entry& entry = entries_[kind];
  if (!thing.empty() && std::ranges::find(entry.things, thing) == entry.things.end()) {
    entry.things.push_back(thing);
  }
  if (entry.reason.empty()) entry.reason = reason;
}

const host::Gap* CompareGaps::blind_spot(bool of_before) const {
  const auto& mine = of_before ? before_.gaps : after_.gaps;
  const auto& others = of_before ? after_.gaps : before_.gaps;
  for (const host::Gap& gap : mine) {
    if (is_one_of(kDetails, gap)) continue;
    const auto same = [&](const host::Gap& one) { return one.code == gap.code; };
    if (std::ranges::none_of(others, same)) return &gap;
  }
  return nullptr;
}

const host::Gap* CompareGaps::missing_rows(bool of_before) const {
  for (const host::Gap& gap : of_before ? before_.gaps : after_.gaps) {
    if (is_one_of(kOfRows, gap)) return &gap;
  }
  return nullptr;
}

std::string CompareGaps::reason_for(Uncompared kind) const {
  for (const std::string_view code : kRows[static_cast<std::size_t>(kind)].reasons) {
    for (const bool old : {true, false}) {
      for (const host::Gap& gap : old ? before_.gaps : after_.gaps) {
        if (gap.code == code) return gap.what + (old ? " (then)" : " (now)");
      }
    }
  }
  return "it could not be read at one of the two moments";
}

std::vector<host::Gap> CompareGaps::take() const {
  std::vector<host::Gap> out;
  for (const auto& [kind, entry] : entries_) {
    const Row& row = kRows[static_cast<std::size_t>(kind)];
    out.push_back({.code = std::string(row.code),
                   .what = std::string(row.what) + some_of(entry.things) + ": " +
                           (entry.reason.empty() ? reason_for(kind) : entry.reason),
                   .hides = std::string(row.hides),
                   .remedy = "record and compare with the same rights, best as root"});
  }
  return out;
}

}  // namespace hark::diagnose
