// Matches that depend on what happened before, on chance or on the time: xt_limit.c,
// xt_hashlimit.c, xt_recent.c, xt_statistic.c, xt_quota.c, xt_rateest.c, xt_nfacct.c, xt_cpu.c,
// xt_osf.c, xt_time.c of net/netfilter.
#include <array>
#include <utility>

#include "host/host.h"
#include "reach/xt_ask.h"

namespace hark::reach {
namespace {

XtMatched limit(const Ask& ask) {
  return when(ask.unsure("rate-limit", Doubt::Chance));
}

// XT_RECENT_*
constexpr unsigned kRecentSet = 2;

/// `--set` always finds room; what the others ask for stands in a list that is not read.
XtMatched recent(const Ask& ask) {
  const bool invert = ask.blob.number(Field::Invert) != 0;
  if ((ask.blob.number(Field::Flags) & kRecentSet) != 0) return when(!invert);
  return when(ask.unsure("recent", Doubt::Unread));
}

XtMatched statistic(const Ask& ask) {
  constexpr unsigned kNth = 1;
  constexpr std::uint64_t kAlways = 0x80000000;
  const bool invert = (ask.blob.number(Field::Flags) & 1U) != 0;
  if (ask.blob.number(Field::Mode) == kNth) {
    if (ask.blob.number(Field::Every) == 0) return when(!invert);
    return when(ask.unsure("nth", Doubt::Chance));
  }
  const std::uint64_t probability = ask.blob.number(Field::Value);
  if (probability == 0) return when(invert);
  if (probability >= kAlways) return when(!invert);
  return when(ask.unsure("random", Doubt::Chance));
}

XtMatched quota(const Ask& ask) {
  return when(ask.unsure("quota", Doubt::Time));
}

XtMatched rateest(const Ask& ask) {
  return when(ask.unsure("rate-estimate", Doubt::Time));
}

/// Those without a quota always match; which have one is not read.
XtMatched nfacct(const Ask& ask) {
  return when(ask.unsure("nfacct", Doubt::Unread));
}

XtMatched cpu(const Ask& ask) {
  return when(ask.unsure("cpu", Doubt::Chance));
}

XtMatched osf(const Ask& ask) {
  constexpr unsigned kInvert = 2;  // NF_OSF_INVERT
  const bool syn = (ask.packet.tcp_flags & (kSyn | kAck | kFin | kRst)) == kSyn;
  if (ask.packet.protocol != kTcp || !syn)
    return when((ask.blob.number(Field::Flags) & kInvert) != 0);
  return when(ask.unsure("client-os", Doubt::Packet));
}

constexpr std::int64_t kDay = 86'400;

/// Day of the month of a number of days since 1970-01-01 (Howard Hinnant's days_from_civil, turned
/// around).
unsigned month_day(std::int64_t days) {
  const std::int64_t shifted = days + 719'468;
  const std::int64_t in_era = shifted % 146'097;
  const std::int64_t year = (in_era - in_era / 1'460 + in_era / 36'524 - in_era / 146'096) / 365;
  const std::int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
  const std::int64_t month = (5 * in_year + 2) / 153;
  return static_cast<unsigned>(in_year - (153 * month + 2) / 5 + 1);
}

bool is_time(const Ask& ask, std::int64_t now) {
  constexpr unsigned kContiguous = 2;
  if (now < static_cast<std::int64_t>(ask.blob.number(Field::DateStart)) ||
      now > static_cast<std::int64_t>(ask.blob.number(Field::DateStop)))
    return false;
  const std::int64_t start = ask.blob.u32(Field::DayStart);
  const std::int64_t stop = ask.blob.u32(Field::DayStop);
  const std::int64_t of_day = now % kDay;
  std::int64_t day = now / kDay;
  if (start < stop) {
    if (of_day < start || of_day > stop) return false;
  } else {
    if (of_day < start && of_day > stop) return false;
    // What is left of the night belongs to the day before.
    if ((ask.blob.number(Field::Flags) & kContiguous) != 0 && of_day <= stop) --day;
  }
  // 1970-01-01 was a Thursday; Monday is 1, Sunday 7.
  const unsigned weekday = static_cast<unsigned>((day + 3) % 7 + 1);
  return (ask.blob.number(Field::WeekDays) >> weekday & 1U) != 0 &&
         (ask.blob.number(Field::MonthDays) >> month_day(day) & 1U) != 0;
}

XtMatched time(const Ask& ask) {
  constexpr unsigned kLocal = 1;
  if (ask.world.host.taken_at_ms <= 0 || (ask.blob.number(Field::Flags) & kLocal) != 0)
    return when(ask.unsure("time", Doubt::Time));
  ask.world.assumptions.push_back("it is " + host::rfc3339(ask.world.host.taken_at_ms));
  return when(is_time(ask, ask.world.host.taken_at_ms / 1000));
}

constexpr std::array<std::pair<std::string_view, Judge>, 10> kJudges = {{
    {"limit", limit},
    {"hashlimit", limit},
    {"recent", recent},
    {"statistic", statistic},
    {"quota", quota},
    {"rateest", rateest},
    {"nfacct", nfacct},
    {"cpu", cpu},
    {"osf", osf},
    {"time", time},
}};

}  // namespace

Judge chance_judge(std::string_view name) {
  for (const auto& [known, judge] : kJudges)
    if (known == name) return judge;
  return nullptr;
}

}  // namespace hark::reach
