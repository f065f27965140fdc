#include "show/list_footer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "reach/published.h"
#include "show/escape.h"
#include "show/reach_words.h"

namespace hark::show {
namespace {

using host::Gap;
using host::Host;

constexpr std::size_t kMostLines = 4;

std::string counted(std::size_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

struct Tally {
  std::size_t rows = 0;
  std::size_t sockets = 0;
};

std::string tally_words(const Tally& tally, std::string_view thing) {
  return counted(tally.rows, thing) + " on " + counted(tally.sockets, "socket");
}

/// "a", "a and b", "a, b and c"
std::string enumerated(const std::vector<std::string>& parts) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += i + 1 == parts.size() ? " and " : ", ";
    out += parts[i];
  }
  return out;
}

std::string count_line(const Host& host, std::span<const ListRow> rows, bool unfolded,
                       const reach::ReachTable* reach) {
  if (rows.empty()) return "Nothing listens here.";
  Tally services;
  Tally clients;
  std::size_t published = 0;
  std::set<host::NetnsId> namespaces;
  for (const ListRow& row : rows) {
    namespaces.insert(netns_of(host, row, reach));
    if (!row.published.empty()) {
      ++published;
      continue;
    }
    Tally& tally = row.probable_clients ? clients : services;
    ++tally.rows;
    tally.sockets += row.listeners.size();
  }
  std::vector<std::string> parts;
  if (unfolded) {
    const std::size_t sockets = services.sockets + clients.sockets;
    if (sockets > 0) parts.push_back(counted(sockets, "socket"));
  } else {
    if (services.rows > 0) parts.push_back(tally_words(services, "service"));
    if (clients.rows > 0) parts.push_back(tally_words(clients, "probable client"));
  }
  if (published > 0) parts.push_back(counted(published, "published port"));
  std::string line = enumerated(parts);
  if (namespaces.size() > 1) line += " in " + counted(namespaces.size(), "namespace");
  return line + ".";
}

/// Is something open to other hosts?
bool is_open(std::span<const ListRow> rows, const reach::ReachTable* reach) {
  return reach != nullptr && std::ranges::any_of(rows, [reach](const ListRow& row) {
           const reach::Openness open =
               row.published.empty() ? openness_of(*reach, row.listeners)
                                     : reach->published()[row.published.front()].reach.openness;
           return open == reach::Openness::Some || open == reach::Openness::Anywhere;
         });
}

/// How heavy a gap weighs, by its code: first what hides listeners, then what hides their owners,
/// then what hides a detail. A code that is not named here stands before the details.
std::size_t weight_of(const Gap& gap) {
  constexpr std::array<std::string_view, 9> kHeaviestFirst = {"no-proc",
                                                              "netns-not-entered",
                                                              "sockets-not-read",
                                                              "dump-interrupted",
                                                              "hidepid",
                                                              "pid-namespace",
                                                              "owners-not-read",
                                                              "other-users-processes",
                                                              "unreadable-processes"};
  constexpr std::array<std::string_view, 4> kDetails = {"sockets-from-table", "no-cgroup2",
                                                        "link-not-read", "owners-not-asked"};
  const auto* heavy = std::find(kHeaviestFirst.begin(), kHeaviestFirst.end(), gap.code);
  const auto* detail = std::find(kDetails.begin(), kDetails.end(), gap.code);
  const auto heavy_at = static_cast<std::size_t>(heavy - kHeaviestFirst.begin());
  const auto detail_at = static_cast<std::size_t>(detail - kDetails.begin());
  if (heavy != kHeaviestFirst.end()) return heavy_at;
  return kHeaviestFirst.size() + (detail == kDetails.end() ? 0 : 1 + detail_at);
}

/// The heaviest first, but one of each kind before the second of any: forty namespaces that could
/// not be entered must not hide that processes could not be read either.
std::vector<Gap> by_weight(const std::vector<Gap>& gaps) {
  struct Placed {
    std::size_t turn;
    std::size_t weight;
    const Gap* gap;
  };
  std::map<std::string_view, std::size_t> met;
  std::vector<Placed> placed;
  placed.reserve(gaps.size());
  for (const Gap& gap : gaps) placed.push_back({met[gap.code]++, weight_of(gap), &gap});
  std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    return std::tie(a.turn, a.weight) < std::tie(b.turn, b.weight);
  });
  std::vector<Gap> out;
  out.reserve(placed.size());
  for (const Placed& p : placed) out.push_back(*p.gap);
  return out;
}

std::string_view without_stop(std::string_view text) {
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.remove_suffix(1);
  return text;
}

std::string gap_line(const Gap& gap, std::string_view before) {
  std::string line = fmt::format("{}: {}", before, without_stop(gap.what));
  const std::string_view remedy = without_stop(gap.remedy);
  if (!remedy.empty()) line += fmt::format(" ({})", remedy);
  return line + ".";
}

/// Shortens a paragraph to `most` lines, the cut shown.
void shorten(std::vector<std::string>& lines, std::size_t most, const TableStyle& style) {
  if (lines.size() <= most) return;
  lines.resize(most);
  const std::size_t width = style.width.value_or(display_width(lines.back()) + 1);
  lines.back() = cut_to_width(lines.back() + "  ", std::min(width, display_width(lines.back()) + 1),
                              style.ascii);
}

}  // namespace

std::vector<std::string> gap_lines(const std::vector<Gap>& all, std::size_t room,
                                   const TableStyle& style, const GapWords& words) {
  const std::vector<Gap> gaps = by_weight(all);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    auto lines = wrapped(for_terminal(gap_line(gaps[i], words.before), style.ascii), style.width);
    const bool last = i + 1 == gaps.size();
    const std::size_t left = room > out.size() ? room - out.size() : 0;
    const std::size_t usable = last ? left : left - std::min<std::size_t>(left, 1);
    if (i == 0) {
      shorten(lines, std::max<std::size_t>(usable, 1), style);
    } else if (lines.size() > usable) {
      for (auto& line :
           wrapped(fmt::format("And {}: {}", counted(gaps.size() - i, "more gap"), words.command),
                   style.width)) {
        out.push_back(std::move(line));
      }
      return out;
    }
    for (auto& line : lines) out.push_back(std::move(line));
  }
  return out;
}

std::string footer_text(const Host& host, std::span<const ListRow> rows, bool unfolded,
                        const TableStyle& style, const reach::ReachTable* reach) {
  std::string first = count_line(host, rows, unfolded, reach);
  if (is_open(rows, reach)) first += " What stands before this host is not seen.";
  std::vector<std::string> lines = wrapped(first, style.width);
  const std::size_t room = kMostLines - std::min(kMostLines, lines.size());
  for (auto& line : gap_lines(host.gaps, room, style)) lines.push_back(std::move(line));
  std::string out;
  for (const std::string& line : lines) out += line + '\n';
  return out;
}

}  // namespace hark::show
