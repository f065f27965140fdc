#include "show/list_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "show/escape.h"
#include "show/list_columns.h"
#include "show/list_footer.h"
#include "show/published_words.h"

namespace hark::show {
namespace {

using host::Host;

bool shows_netns(const Host& host, std::span<const ListRow> rows, const reach::ReachTable* reach) {
  std::set<host::NetnsId> met;
  for (const ListRow& row : rows) met.insert(netns_of(host, row, reach));
  return met.size() > 1 || (met.size() == 1 && !host.at(*met.begin()).own);
}

bool shows_queue(const Host& host, std::span<const ListRow> rows) {
  return std::any_of(rows.begin(), rows.end(), [&](const ListRow& row) {
    return row.published.empty() && queue_level(fullest(host, row)) != QueueLevel::Quiet;
  });
}

std::vector<std::string> usual_columns(const Host& host, std::span<const ListRow> rows,
                                       const reach::ReachTable* reach) {
  std::vector<std::string> words = {"port", "bound", "who"};
  if (reach != nullptr) words.emplace_back("reach");
  if (shows_netns(host, rows, reach)) words.emplace_back("netns");
  if (shows_queue(host, rows)) words.emplace_back("queue");
  return words;
}

bool is_this_host_only(const Host& host, const ListRow& row, const reach::ReachTable* reach) {
  if (!row.published.empty()) {
    return reach->published()[row.published.front()].reach.openness == reach::Openness::ThisHost;
  }
  return std::all_of(row.listeners.begin(), row.listeners.end(), [&](std::size_t i) {
    return host.listeners[i].scope == host::Scope::Loopback;
  });
}

/// The columns that are shown, and how their cells are made.
struct Layout {
  std::vector<const ColumnSpec*> specs;
  bool asked = false;  ///< the columns were chosen by the person
};

Layout layout_of(const Host& host, std::span<const ListRow> rows, const ListOptions& options) {
  Layout layout;
  layout.asked = !options.columns.empty();
  const auto words = layout.asked ? options.columns : usual_columns(host, rows, options.reach);
  for (const std::string& word : words) {
    if (const ColumnSpec* spec = column_spec(word)) layout.specs.push_back(spec);
  }
  return layout;
}

std::vector<Cell> cells_of(const RowView& view, const Layout& layout, const TableStyle& style) {
  std::vector<Cell> cells;
  const bool dim = is_this_host_only(view.host, view.row, view.reach);
  const bool quiet =
      !view.row.published.empty() || queue_level(fullest(view.host, view.row)) == QueueLevel::Quiet;
  static const ColumnSpec* const kQueue = column_spec("queue");
  cells.reserve(layout.specs.size());
  for (const ColumnSpec* spec : layout.specs) {
    CellValue value = view.row.published.empty() ? spec->make(view) : published_cell(*spec, view);
    if (layout.asked && value.text.empty()) value.text = value.known ? "-" : "?";
    // In the usual table the queue stands only where somebody should look at it.
    if (!layout.asked && quiet && spec == kQueue) value.text.clear();
    if (dim && value.colour == Colour::None) value.colour = Colour::Dim;
    cells.push_back({for_terminal(value.text, style.ascii), value.colour});
  }
  return cells;
}

std::string table_text(const Host& host, std::vector<ListRow> rows, const ListOptions& options) {
  const Layout layout = layout_of(host, rows, options);
  std::vector<Column> columns;
  for (const ColumnSpec* spec : layout.specs) {
    columns.push_back({spec->column.heading, layout.asked ? kMustStay : spec->importance,
                       spec->may_cut, spec->right});
  }
  std::vector<std::vector<Cell>> cells;
  cells.reserve(rows.size());
  for (const ListRow& row : rows) {
    const std::vector<std::size_t> holders =
        row.published.empty() ? row.listeners
                              : published_owners(options.reach->published()[row.published.front()]);
    const RowView view{
        host, row, holders_of(host, holders), options.unfolded, options.style.ascii, options.reach};
    cells.push_back(cells_of(view, layout, options.style));
  }
  rows = {};  // not kept beside the text
  return format_table(columns, cells, options.style);
}

/// What a near miss says; one without words is told by its listener.
std::string near_words(const Host& host, const host::Near& near, bool ascii) {
  if (!near.text.empty() || !near.listener) return near.text;
  const host::Listener& l = host.listeners[*near.listener];
  const ListRow row{{*near.listener}, {l.port}, l.probable_client};
  return fmt::format("{} {}  {}  {}", name_of(l.protocol), port_words(host, row),
                     bound_words(host, row), who_words(host, row, ascii));
}

}  // namespace

std::string list_text(const Host& host, const std::vector<std::size_t>& selected,
                      const ListOptions& options) {
  std::vector<ListRow> rows =
      fold(host, selected, options.order, options.unfolded, options.reach, options.published);
  const std::string footer =
      footer_text(host, rows, options.unfolded, options.style, options.reach);
  if (rows.empty()) return footer;
  return table_text(host, std::move(rows), options) + "\n" + footer;
}

std::string near_text(const Host& host, std::span<const host::Near> near, const TableStyle& style) {
  constexpr std::size_t kIndent = 2;
  std::string out;
  std::optional<std::size_t> width = style.width;
  if (width) *width -= std::min(*width, kIndent);
  for (const host::Near& miss : near) {
    for (const std::string& line :
         wrapped(for_terminal(near_words(host, miss, style.ascii), style.ascii), width)) {
      out += std::string(kIndent, ' ') + line + '\n';
    }
  }
  return out;
}

std::string nothing_text(const Host& host, std::span<const std::string> words,
                         std::span<const host::Near> near, const TableStyle& style) {
  std::string first = "nothing listens";
  if (!words.empty()) first += " that matches: " + join(words, " ");
  std::string out;
  for (const std::string& line : wrapped(for_terminal(first, style.ascii), style.width)) {
    out += line + '\n';
  }
  return out + near_text(host, near, style);
}

}  // namespace hark::show
