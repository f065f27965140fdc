#include "cli/test_watch.h"

#include <algorithm>
#include <span>

#include "show/escape.h"
#include "show/test_view.h"
#include "show/test_words.h"
#include "show/why_words.h"

namespace hark::cli {
namespace {

constexpr std::size_t kKept = 600;
constexpr std::size_t kOnScreen = 30;

/// "answered, http", "refused (ECONNREFUSED)": what does not change from round to round by itself.
std::string result_of(const probe::Seen& seen) {
  if (!seen.done) return "not known";
  std::string out(show::short_words(seen.outcome));
  if (seen.error != 0) out += " (" + show::errno_name(seen.error) + ")";
  if (seen.icmp) out += ", ICMP " + seen.icmp->name;
  if (seen.service) out += ", " + seen.service->protocol;
  if (seen.outcome == probe::Outcome::Answered && seen.mute()) out += ", says nothing";
  return out;
}

/// How long a client waits for its answer.
std::optional<double> time_of(const probe::Seen& seen) {
  if (!seen.done || seen.outcome != probe::Outcome::Answered) return std::nullopt;
  if (!seen.times.first_byte_ms) return seen.times.connect_ms;
  return seen.times.connect_ms.value_or(0) + seen.times.tls_ms.value_or(0) +
         *seen.times.first_byte_ms;
}

std::string range_words(std::span<const std::optional<double>> times) {
  double least = 0;
  double most = 0;
  std::size_t count = 0;
  for (const auto& time : times) {
    if (!time) continue;
    least = count == 0 ? *time : std::min(least, *time);
    most = count == 0 ? *time : std::max(most, *time);
    ++count;
  }
  std::string out = std::to_string(count) + " of " + std::to_string(times.size()) + " answered";
  if (count > 0) out += ", " + show::time_words(least) + " to " + show::time_words(most);
  return out;
}

}  // namespace

std::string TestWatch::round(const show::TestReport& report, const std::string& clock) {
  const bool first = histories_.empty();
  histories_.resize(report.attempts.size());
  std::string out;
  for (std::size_t i = 0; i < report.attempts.size(); ++i) {
    const show::TestedAttempt& tested = report.attempts[i];
    if (!tested.seen.done) continue;
    History& history = histories_[i];
    if (history.times.size() == kKept) history.times.erase(history.times.begin());
    history.times.push_back(time_of(tested.seen));
    std::string now = result_of(tested.seen);
    if (!first && now != history.last) {
      const std::string line = clock + "  " + show::place_words(report, tested) + "  was " +
                               history.last + "; now " + show::seen_words(tested);
      out += show::for_terminal(line, style_.ascii) + "\n";
    }
    history.last = std::move(now);
  }
  return first ? show::test_table(report, style_) : out;
}

std::string TestWatch::sparks(const show::TestReport& report) const {
  std::string out;
  for (std::size_t i = 0; i < std::min(histories_.size(), report.attempts.size()); ++i) {
    const auto& times = histories_[i].times;
    const std::span<const std::optional<double>> all(times);
    const auto shown = all.last(std::min(all.size(), kOnScreen * 2));
    out += show::place_words(report, report.attempts[i]) + "  " + show::spark(shown, style_.ascii) +
           "  " + range_words(all) + "\n";
  }
  return out;
}

std::string TestWatch::status(const show::TestReport& report) const {
  std::string out;
  constexpr std::size_t kMost = 2;
  for (std::size_t i = 0; i < std::min({histories_.size(), report.attempts.size(), kMost}); ++i) {
    const std::span<const std::optional<double>> all(histories_[i].times);
    if (!out.empty()) out += "   ";
    out += show::place_words(report, report.attempts[i]) + "  " +
           show::spark(all.last(std::min(all.size(), kOnScreen)), style_.ascii);
  }
  return out;
}

}  // namespace hark::cli
