#include "decode/go_time.h"

#include <chrono>

#include "base/text.h"

namespace hark::decode {
namespace {

/// Is it digits where `form` has zeros, and the same as it elsewhere?
bool has_form(std::string_view text, std::string_view form) {
  if (text.size() != form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == '0' ? !digit : text[i] != form[i]) return false;
  }
  return true;
}

int number(std::string_view text, std::size_t at, std::size_t digits) {
  return parse_number<int>(text.substr(at, digits)).value_or(0);
}

/// Takes ".678901234" from the front.
int take_milliseconds(std::string_view& text) {
  if (!text.starts_with('.')) return 0;
  text.remove_prefix(1);
  int out = 0;
  int digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
    if (digits < 3) out = out * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  for (; digits < 3; ++digits) out *= 10;
  return out;
}

/// "Z", "+01:00": minutes that the clock is ahead.
std::optional<int> minutes_ahead(std::string_view zone) {
  if (zone == "Z") return 0;
  const bool ahead = has_form(zone, "+00:00");
  if (!ahead && !has_form(zone, "-00:00")) return std::nullopt;
  const int out = number(zone, 1, 2) * 60 + number(zone, 4, 2);
  return ahead ? out : -out;
}

}  // namespace

std::optional<std::int64_t> parse_go_time(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  constexpr int kFirstYear = 1970;
  constexpr int kLastHour = 23;
  constexpr int kLastMinute = 59;
  const std::string_view time = text.substr(0, kForm.size());
  if (!has_form(time, kForm)) return std::nullopt;
  const std::chrono::year_month_day date(
      std::chrono::year(number(time, 0, 4)),
      std::chrono::month(static_cast<unsigned>(number(time, 5, 2))),
      std::chrono::day(static_cast<unsigned>(number(time, 8, 2))));
  const int hour = number(time, 11, 2);
  const int minute = number(time, 14, 2);
  const int second = number(time, 17, 2);
  if (!date.ok() || number(time, 0, 4) < kFirstYear || hour > kLastHour || minute > kLastMinute ||
      second > kLastMinute) {
    return std::nullopt;
  }
  std::string_view rest = text.substr(kForm.size());
  const int milliseconds = take_milliseconds(rest);
  const auto ahead = minutes_ahead(rest);
  if (!ahead) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t minutes = (days * 24 + hour) * 60 + minute - *ahead;
  const std::int64_t out = (minutes * 60 + second) * 1000 + milliseconds;
  return out < 0 ? std::nullopt : std::optional(out);
}

}  // namespace hark::decode
