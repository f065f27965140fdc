// Layout, as that of doctor_view.cpp:
//
//   TOO OPEN     tcp 5432  postgres (733) listens on every address and is open to anywhere via eth0
//                          as well; expected: 10.0.0.0/8, lo
//                          accepted by inet filter input handle 9
//                          policy.toml:12:1: clients of the billing service
//
// At the end how many, and what could not be seen.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "show/check.h"
#include "show/escape.h"
#include "show/list_footer.h"

namespace hark::show {
namespace {

using diagnose::PolicyStatus;

constexpr std::size_t kStatusColumns = 11;
constexpr std::size_t kBetween = 2;
constexpr std::size_t kWidestSubject = 22;
constexpr std::size_t kLeastText = 24;  // narrower than that, a line is longer than the screen
constexpr std::size_t kMostGapLines = 5;
constexpr std::size_t kMostNear = 3;

struct StatusWord {
  std::string_view word;
  Colour colour;
};
constexpr std::array<StatusWord, 7> kStatuses = {{{"UNEXPECTED", Colour::Yellow},
                                                  {"TOO OPEN", Colour::Yellow},
                                                  {"WRONG OWNER", Colour::Red},
                                                  {"MISSING", Colour::Red},
                                                  {"TOO CLOSED", Colour::Red},
                                                  {"NOT KNOWN", Colour::Bold},
                                                  {"AS EXPECTED", Colour::Dim}}};

class Screen {
 public:
  Screen(const CheckReport& report, const TableStyle& style, std::size_t column)
      : report_(report), style_(style), column_(column) {}

  void item(const CheckItem& item, const std::string& subject) {
    const StatusWord& status = kStatuses[static_cast<std::size_t>(item.results.front()->status)];
    std::string before = coloured(status.word, status.colour, style_.colour);
    before += std::string(kStatusColumns - status.word.size() + kBetween, ' ') + subject;
    const std::size_t used = kStatusColumns + kBetween + display_width(subject);
    if (used + kBetween > column_) {
      out_ += before + '\n';
      before = std::string(column_, ' ');
    } else {
      before += std::string(column_ - used, ' ');
    }
    paragraph(before, check_sentence(report_, item));
    below(check_cause(report_, item));
    const auto& near = item.results.front()->near;
    for (std::size_t i = 0; i < near.size() && i < kMostNear; ++i) below(near[i].text);
    const std::string place = check_place(report_, item);
    if (place.empty()) return;
    const std::string& why = report_.policy.expectations[*item.results.front()->expectation].why;
    below(why.empty() ? place : place + ": " + why, Colour::Dim);
  }

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void below(const std::string& text, Colour colour = Colour::None) {
    if (!text.empty()) paragraph(std::string(column_, ' '), text, colour);
  }

  /// `text` behind `before` on the first line, and below itself on the others.
  void paragraph(std::string before, const std::string& text, Colour colour = Colour::None) {
    std::optional<std::size_t> room;
    if (style_.width) room = std::max(kLeastText, *style_.width - std::min(*style_.width, column_));
    for (const std::string& line : wrapped(for_terminal(text, style_.ascii), room)) {
      out_ += before + coloured(line, colour, style_.colour) + '\n';
      before = std::string(column_, ' ');
    }
  }

  const CheckReport& report_;
  TableStyle style_;
  std::size_t column_;
  std::string out_;
};

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string summary(const CheckReport& report) {
  const std::size_t all = report.results.size();
  const std::size_t met = count_of(report, PolicyStatus::Met);
  const std::size_t open = count_of(report, PolicyStatus::Unknown);
  const std::string file = report.file == "-" ? "the policy" : report.file;
  if (all == 0) return "Nothing listens here, and " + file + " expects nothing.";
  if (met == all) {
    return fmt::format("Everything is as {} expects: {}.", file,
                       counted(met, "listener", "listeners"));
  }
  std::string out = fmt::format("{} as {} expects, {} not", met, file, all - met - open);
  if (open > 0) out += fmt::format(", {} could not be told", open);
  return out + ".";
}

}  // namespace

std::string check_text(const CheckReport& report, const TableStyle& style, bool verbose) {
  std::vector<CheckItem> items = check_items(report, true);
  std::erase_if(items, [&](const CheckItem& item) {
    return !verbose && item.results.front()->status == PolicyStatus::Met;
  });
  std::vector<std::string> subjects;
  std::size_t widest = 0;
  for (const CheckItem& item : items) {
    subjects.push_back(for_terminal(check_subject(report, item), style.ascii));
    widest = std::max(widest, std::min(display_width(subjects.back()), kWidestSubject));
  }
  Screen screen(report, style, kStatusColumns + kBetween + widest + kBetween);
  for (std::size_t i = 0; i < items.size(); ++i) screen.item(items[i], subjects[i]);
  std::string out = screen.take();
  if (!out.empty()) out += '\n';
  const auto lines = [&](const std::string& text) {
    for (const std::string& line : wrapped(for_terminal(text, style.ascii), style.width)) {
      out += line + '\n';
    }
  };
  lines(summary(report));
  const bool open = report.hidden || count_of(report, PolicyStatus::Unknown) > 0;
  if (report.hidden) lines("There may be more that the policy does not name.");
  if (!open || report.gaps.empty()) return out;
  for (const std::string& line :
       gap_lines(report.gaps, kMostGapLines, style,
                 {.before = "Not seen", .command = "hark check --verbose"})) {
    out += line + '\n';
  }
  return out;
}

}  // namespace hark::show
