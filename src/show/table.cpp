// Fitting columns into a width. Three measures, each tried on the least important column first and
// only as long as the table is too wide: columns that may be cut give up what they have beyond a
// comfortable width; then whole columns go, but one that may be cut is cut to its least before.
// What is cut in the end is shared out from the widest column down, so that a table with one very
// long command line keeps its short columns whole.
#include "show/table.h"

#include <algorithm>
#include <numeric>

#include "base/text.h"
#include "show/escape.h"

namespace hark::show {
namespace {

constexpr std::size_t kGap = 2;

/// A column that takes part in the layout.
struct Slot {
  std::size_t column;   ///< its position among the columns given
  std::size_t natural;  ///< the width of its widest cell
  std::size_t floor;    ///< what it keeps at least
  std::size_t width;
};

std::size_t total_of(const std::vector<Slot>& slots, std::size_t Slot::*member) {
  const std::size_t gaps = slots.empty() ? 0 : kGap * (slots.size() - 1);
  return std::accumulate(slots.begin(), slots.end(), gaps,
                         [&](std::size_t sum, const Slot& slot) { return sum + slot.*member; });
}

std::vector<Slot> slots_of(std::span<const Column> columns, std::span<const std::vector<Cell>> rows,
                           bool heading) {
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::size_t widest = 0;
    for (const auto& row : rows) {
      if (i < row.size()) widest = std::max(widest, display_width(row[i].text));
    }
    if (widest == 0) continue;
    if (heading) widest = std::max(widest, display_width(columns[i].heading));
    const std::size_t floor = columns[i].may_cut ? std::min(widest, kComfortable) : widest;
    slots.push_back({.column = i, .natural = widest, .floor = floor, .width = widest});
  }
  return slots;
}

/// Takes back floors, then columns, until the floors fit or nothing more may go.
void make_room(std::vector<Slot>& slots, std::span<const Column> columns, std::size_t width) {
  while (total_of(slots, &Slot::floor) > width) {
    auto victim = slots.end();
    for (auto slot = slots.begin(); slot != slots.end(); ++slot) {
      const Column& column = columns[slot->column];
      const bool can_shrink = column.may_cut && slot->floor > kLeastColumns;
      const bool may_go = column.importance < kMustStay && slots.size() > 1;
      if (!can_shrink && !may_go) continue;
      if (victim == slots.end() || column.importance <= columns[victim->column].importance) {
        victim = slot;
      }
    }
    if (victim == slots.end()) return;
    if (columns[victim->column].may_cut && victim->floor > kLeastColumns) {
      victim->floor = kLeastColumns;
    } else {
      slots.erase(victim);
    }
  }
}

/// The widths for one limit: what may be cut is at most as wide as the limit, never below its
/// floor.
void limit_widths(std::vector<Slot>& slots, std::size_t limit) {
  for (Slot& slot : slots) slot.width = std::min(slot.natural, std::max(slot.floor, limit));
}

/// Cuts the widest columns down to the largest common limit that fits. Where nothing fits, every
/// column has its floor.
void share_out(std::vector<Slot>& slots, std::size_t width) {
  std::size_t fits = 0;
  std::size_t too_wide = width + 1;
  while (fits + 1 < too_wide) {
    const std::size_t middle = fits + (too_wide - fits) / 2;
    limit_widths(slots, middle);
    (total_of(slots, &Slot::width) <= width ? fits : too_wide) = middle;
  }
  limit_widths(slots, fits);
  std::size_t used = total_of(slots, &Slot::width);
  for (Slot& slot : slots) {
    if (used < width && slot.width < slot.natural) {
      ++slot.width;
      ++used;
    }
  }
}

void append_cell(std::string& line, const Slot& slot, const Column& column, const Cell& cell,
                 const TableStyle& style) {
  const std::string text = cut_to_width(cell.text, slot.width, style.ascii);
  const std::size_t shown = display_width(text);
  const std::string padding(slot.width > shown ? slot.width - shown : 0, ' ');
  if (column.right) line += padding;
  line += coloured(text, cell.colour, style.colour);
  if (!column.right) line += padding;
}

void finish_line(std::string& out, std::string& line) {
  const std::size_t last = line.find_last_not_of(' ');
  line.resize(last == std::string::npos ? 0 : last + 1);
  out += line;
  out += '\n';
  line.clear();
}

}  // namespace

std::string format_table(std::span<const Column> columns, std::span<const std::vector<Cell>> rows,
                         const TableStyle& style) {
  std::vector<Slot> slots = slots_of(columns, rows, style.heading);
  if (style.width && total_of(slots, &Slot::natural) > *style.width) {
    make_room(slots, columns, *style.width);
    share_out(slots, *style.width);
  }
  std::string out;
  // To grow step by step would take twice the memory; what is not filled takes none. Once more as
  // much for characters of several bytes and for colours.
  constexpr std::size_t kUsualWidth = 128;
  out.reserve((rows.size() + 1) * 2 * std::min(total_of(slots, &Slot::natural) + 1, kUsualWidth));
  std::string line;
  const auto add = [&](std::size_t column, const Slot& slot, const Cell& cell) {
    if (!line.empty() || &slot != &slots.front()) line += std::string(kGap, ' ');
    append_cell(line, slot, columns[column], cell, style);
  };
  if (style.heading && !slots.empty()) {
    for (const Slot& slot : slots) {
      add(slot.column, slot, {.text = columns[slot.column].heading, .colour = Colour::Bold});
    }
    finish_line(out, line);
  }
  for (const auto& row : rows) {
    for (const Slot& slot : slots) {
      add(slot.column, slot, slot.column < row.size() ? row[slot.column] : Cell{});
    }
    finish_line(out, line);
  }
  return out;
}

std::vector<std::string> wrapped(std::string_view text, std::optional<std::size_t> width) {
  std::vector<std::string> lines(1);
  std::size_t used = 0;
  for (const std::string_view word : split(text, ' ')) {
    if (word.empty()) continue;
    const std::size_t columns = display_width(word);
    if (used > 0 && width && used + 1 + columns > *width) {
      lines.emplace_back();
      used = 0;
    }
    if (used > 0) {
      lines.back() += ' ';
      ++used;
    }
    lines.back() += word;
    used += columns;
  }
  return lines;
}

std::string coloured(std::string_view text, Colour colour, bool on) {
  if (!on || colour == Colour::None || text.empty()) return std::string(text);
  const char* start = "";
  switch (colour) {
    case Colour::None:
      break;
    case Colour::Dim:
      start = "\x1b[2m";
      break;
    case Colour::Red:
      start = "\x1b[31m";
      break;
    case Colour::Yellow:
      start = "\x1b[33m";
      break;
    case Colour::Green:
      start = "\x1b[32m";
      break;
    case Colour::Bold:
      start = "\x1b[1m";
      break;
  }
  return start + std::string(text) + "\x1b[0m";
}

}  // namespace hark::show
