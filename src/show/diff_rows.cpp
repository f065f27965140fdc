// Changes that come to the same are told together: IPv4 and IPv6 twins, several ports of a new
// service, the one that a program left and the one that it has now.
#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "diagnose/sameness.h"
#include "show/diff_words.h"
#include "show/list_rows.h"
#include "show/published_words.h"

namespace hark::show {
namespace {

using diagnose::Change;
using diagnose::ChangedField;
using diagnose::Finding;
using diagnose::Severity;
using diagnose::Turn;

unsigned rank(Severity severity) {
  if (severity == Severity::Risk) return 0;
  return severity == Severity::Broken ? 1 : 2;
}

class Rows {
 public:
  Rows(const DiffReport& report, bool ascii)
      : report_(report), list_(report.changes.list), ascii_(ascii), used_(list_.size()) {}

  std::vector<DiffRow> make() {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (!used_[i] && list_[i].move != 0) add_move(list_[i].move);
    }
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (!used_[i] && !list_[i].before.empty() && !list_[i].after.empty()) add_change(i);
    }
    add_one_sided(true);
    add_one_sided(false);
    // By the first of their changes, which are in order.
    std::ranges::stable_sort(rows_, {}, [](const DiffRow& row) {
      return std::pair(rank(row.severity), *std::ranges::min_element(row.changes));
    });
    return std::move(rows_);
  }

 private:
  [[nodiscard]] Shown shown(bool after, bool published, std::vector<std::size_t> positions) const {
    return {(after ? report_.after : report_.before).snapshot, published, std::move(positions)};
  }
  [[nodiscard]] std::vector<std::size_t> all(const std::vector<std::size_t>& changes,
                                             bool after) const {
    std::vector<std::size_t> out;
    for (const std::size_t i : changes) {
      const auto& some = after ? list_[i].after : list_[i].before;
      out.insert(out.end(), some.begin(), some.end());
    }
    std::ranges::sort(out);
    return out;
  }

  [[nodiscard]] std::string findings_words(const std::vector<std::size_t>& changes) const {
    std::set<std::string> came, went;
    for (const std::size_t i : changes) {
      for (const std::size_t one : list_[i].came) {
        const Finding& finding = report_.after.snapshot.findings[one];
        came.insert(finding.text + " (" + finding.code + ")");
      }
      for (const std::size_t one : list_[i].went) {
        went.insert(report_.before.snapshot.findings[one].code);
      }
    }
    std::string out;
    for (const std::string& one : came) out += (out.empty() ? "" : "; ") + one;
    for (const std::string& one : went) out += (out.empty() ? "no longer " : "; no longer ") + one;
    return out;
  }

  void add(Turn turn, std::string subject, std::string text, std::vector<std::size_t> changes) {
    DiffRow row{.turn = turn,
                .subject = std::move(subject),
                .text = std::move(text),
                .changes = std::move(changes)};
    const std::string findings = findings_words(row.changes);
    if (!findings.empty()) row.text += "; " + findings;
    for (const std::size_t i : row.changes) {
      used_[i] = true;
      if (rank(list_[i].severity) < rank(row.severity)) row.severity = list_[i].severity;
    }
    rows_.push_back(std::move(row));
  }

  void add_move(std::size_t move) {
    std::vector<std::size_t> changes;
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (list_[i].move == move) changes.push_back(i);
    }
    const Shown before = shown(false, false, all(changes, false));
    const Shown after = shown(true, false, all(changes, true));
    add(Turn::Moved, subject_words(after),
        owner_words(after, ascii_) + " has moved here from " + subject_words(before) + "; " +
            openness_change(before, after),
        std::move(changes));
  }

  /// The same port of the same owners, changed in the same way or, where it was bound elsewhere,
  /// left over from that.
  [[nodiscard]] bool belongs(const Change& one, const Change& to) const {
    if (one.published || to.published) return false;
    const bool changed = !one.before.empty() && !one.after.empty();
    if (changed ? one.fields != to.fields || one.turn != to.turn
                : !to.has(ChangedField::Address) || one.move != 0) {
      return false;
    }
    return (one.before.empty() || is_alike(report_.before.snapshot, one.before, to.before)) &&
           (one.after.empty() || is_alike(report_.after.snapshot, one.after, to.after));
  }
  static bool is_alike(const diagnose::Snapshot& side, const std::vector<std::size_t>& some,
                       const std::vector<std::size_t>& others) {
    const host::Listener& a = side.host.listeners[some.front()];
    const host::Listener& b = side.host.listeners[others.front()];
    return a.netns == b.netns && a.protocol == b.protocol && a.port == b.port &&
           diagnose::same_who(diagnose::who_of(side.host, some),
                              diagnose::who_of(side.host, others)) == diagnose::Same::Yes;
  }

  void add_change(std::size_t first) {
    std::vector<std::size_t> changes = {first};
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (i != first && !used_[i] && belongs(list_[i], list_[first])) changes.push_back(i);
    }
    const bool published = list_[first].published;
    const Shown before = shown(false, published, all(changes, false));
    const Shown after = shown(true, published, all(changes, true));
    add(list_[first].turn, subject_words(after),
        change_words(before, after, list_[first].fields, ascii_), std::move(changes));
  }

  [[nodiscard]] std::string one_sided_text(const Shown& shown, bool after) const {
    const std::string openness = openness_words(shown);
    std::string where =
        shown.published
            ? "leads to " +
                  published_target(shown.side.reach.published()[shown.positions.front()], ascii_)
            : binding_words(shown);
    if (!openness.empty() && openness != where) where += (after ? "; " : ", ") + openness;
    const std::string who = owner_words(shown, ascii_);
    return who + (after ? ": " : " is gone; it was: ") + where;
  }

  void add_one_sided(bool after) {
    const diagnose::Snapshot& side = (after ? report_.after : report_.before).snapshot;
    std::map<std::size_t, std::size_t> by_listener, by_published;
    std::vector<std::size_t> listeners, published;
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (used_[i]) continue;
      for (const std::size_t one : after ? list_[i].after : list_[i].before) {
        (list_[i].published ? by_published : by_listener).emplace(one, i);
        (list_[i].published ? published : listeners).push_back(one);
      }
    }
    std::ranges::sort(listeners);
    std::ranges::sort(published);
    for (const ListRow& row : fold(side.host, listeners, {}, false, &side.reach, published)) {
      const bool is_published = row.listeners.empty();
      const auto& positions = is_published ? row.published : row.listeners;
      std::set<std::size_t> changes;
      for (const std::size_t one : positions) {
        changes.insert((is_published ? by_published : by_listener).at(one));
      }
      // Sockets that share an address stand in one change, and may be in several rows.
      std::erase_if(changes, [&](std::size_t i) { return used_[i]; });
      if (changes.empty()) continue;
      const Shown one = shown(after, is_published, positions);
      add(after ? Turn::New : Turn::Gone, subject_words(one), one_sided_text(one, after),
          {changes.begin(), changes.end()});
    }
  }

  const DiffReport& report_;
  const std::vector<Change>& list_;
  const bool ascii_;
  std::vector<bool> used_;
  std::vector<DiffRow> rows_;
};

}  // namespace

std::vector<DiffRow> diff_rows(const DiffReport& report, bool ascii) {
  return Rows(report, ascii).make();
}

}  // namespace hark::show
