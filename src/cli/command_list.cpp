// hark list: filter, source, host, selection, table or JSON.
#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/list_reach.h"
#include "cli/source.h"
#include "cli/tally.h"
#include "cli/terminal.h"
#include "reach/select_published.h"
#include "show/escape.h"
#include "show/list_json.h"
#include "show/list_view.h"

namespace hark::cli {
namespace {

using host::Field;
using show::SortKey;

constexpr std::array kOwnerFields = {Field::Word, Field::Name,        Field::Pid,
                                     Field::Exe,  Field::CommandLine, Field::User,
                                     Field::Unit, Field::Container};
/// Of these, those that nothing but an owner can answer.
constexpr std::array kOwnerOnlyFields = {Field::Name, Field::Pid, Field::Exe, Field::CommandLine};
constexpr std::array kOwnerKeys = {SortKey::Name, SortKey::Pid,       SortKey::User,
                                   SortKey::Unit, SortKey::Container, SortKey::Started};

template <typename Set, typename T>
bool contains(const Set& set, const T& value) {
  return std::ranges::find(set, value) != set.end();
}

/// A filter that --no-owners or --no-reach makes unanswerable is a contradiction, not an empty
/// answer.
Result<void> check_filter(const Invocation& asked, const host::Filter& filter) {
  for (const host::Term& term : filter.terms) {
    if (!asked.owners && contains(kOwnerOnlyFields, term.field)) {
      return fail(plain_error(term.written, "only owners can tell, and --no-owners reads none"));
    }
    const bool published = term.field == Field::Kind && term.kind == host::RowKind::Published;
    if (!asked.reach && (host::asks_reach(term) || (published && !term.negated))) {
      return fail(
          plain_error(term.written, "only rules and routes can tell, and --no-reach reads none"));
    }
  }
  return {};
}

/// A mistyped command became a filter word that matches nothing: name the command as well.
std::vector<host::Near> near_answers(const Invocation& asked, const host::Host& host,
                                     const host::Filter& filter) {
  std::vector<host::Near> out;
  if (asked.words.empty()) return out;
  if (asked.implied) {
    if (const auto command = nearest(asked.words.front(), command_names())) {
      out.push_back({.relation = "should-be",
                     .listener = std::nullopt,
                     .text = "if a command was meant: hark " + *command});
    }
  }
  for (host::Near& near : host::near_misses(host, filter)) out.push_back(std::move(near));
  return out;
}

/// An empty answer is only as good as what could be seen.
std::string unseen_text(const host::Host& host, const show::TableStyle& style) {
  std::string out;
  for (const host::Gap& gap : host.gaps) {
    std::string line = "Not seen: " + show::for_terminal(gap.what, style.ascii);
    if (!gap.remedy.empty()) line += " (" + show::for_terminal(gap.remedy, style.ascii) + ")";
    for (const std::string& piece : show::wrapped(line + ".", style.width)) out += piece + "\n";
  }
  return out.empty() ? out : "\n" + out;
}

/// What a filter chose.
struct Selected {
  std::vector<std::size_t> listeners;
  std::vector<std::size_t> published;  ///< positions in ReachTable::published()

  [[nodiscard]] bool nothing() const { return listeners.empty() && published.empty(); }
};

std::string table_text(const Invocation& asked, const host::Host& host, const Selected& selected,
                       std::span<const host::Near> near, const reach::ReachTable* reach) {
  const show::TableStyle style = choose_style(asked, look_around());
  if (selected.nothing()) {
    const std::string nothing = asked.words.empty()
                                    ? "nothing listens here\n"
                                    : show::nothing_text(host, asked.words, near, style);
    return nothing + unseen_text(host, style);
  }
  return show::list_text(host, selected.listeners,
                         {.columns = asked.columns,
                          .order = asked.order,
                          .unfolded = asked.unfolded,
                          .style = style,
                          .reach = reach,
                          .published = selected.published});
}

/// What has to hold besides.
host::Filter without_reach(host::Filter filter) {
  std::erase_if(filter.terms, host::asks_reach);
  return filter;
}

/// What the search for owners does not tell by the way: command lines, and all that JSON shows.
bool needs_details(const Invocation& asked, const host::Filter& filter) {
  constexpr std::array kFields = {Field::Word, Field::Name, Field::Exe, Field::CommandLine};
  return asked.json || std::ranges::any_of(asked.columns, show::column_needs_details) ||
         std::ranges::any_of(filter.terms, [&kFields](const host::Term& term) {
           return contains(kFields, term.field);
         });
}

}  // namespace

bool needs_owners(const Invocation& asked, const host::Filter& filter) {
  if (!asked.owners) return false;
  // The usual columns, and JSON, show who it is.
  if (asked.json || asked.columns.empty()) return true;
  return std::ranges::any_of(asked.columns, show::column_needs_owners) ||
         contains(kOwnerKeys, asked.order.key) ||
         std::ranges::any_of(filter.terms, [](const host::Term& term) {
           return contains(kOwnerFields, term.field);
         });
}

bool needs_reach(const Invocation& asked, const host::Filter& filter) {
  if (!asked.reach) return false;
  if (asked.json || asked.columns.empty() || asked.order.key == SortKey::Reach) return true;
  return std::ranges::any_of(asked.columns, show::column_needs_reach) ||
         std::ranges::any_of(filter.terms, host::asks_reach);
}

tl::expected<host::Collected, Failure> collect_or_fail(kernel::Source& source,
                                                       const host::CollectRequest& request) {
  auto collected = host::collect_with_ways(source, request);
  if (collected) return std::move(*collected);
  const int code = collected.error().code;
  const bool absent = code == 0 || code == ENOENT || code == ESRCH;
  return fail_with(absent ? ExitStatus::Usage : ExitStatus::CannotTell,
                   std::move(collected.error()));
}

tl::expected<host::Collected, Failure> collect_with_ways(kernel::Source& source,
                                                         const Invocation& asked,
                                                         const Need& need) {
  const Command command = asked.command;
  // The table does not show whose it is.
  const bool identity = asked.json || command == Command::Save || command == Command::Diff;
  const bool units = command == Command::Doctor || command == Command::Save;
  return collect_or_fail(source, {.identity = identity,
                                  .owners = need.owners,
                                  .details = need.details,
                                  .enabled_units = units || command == Command::Diff,
                                  .netns = asked.netns,
                                  .more = need.more});
}

std::string gaps_text(std::span<const host::Gap> gaps) {
  std::string out;
  for (const host::Gap& gap : gaps) {
    out +=
        "hark: gap: " + show::for_terminal(gap.code) + ": " + show::for_terminal(gap.what) + "\n";
    if (!gap.hides.empty()) out += "  hides: " + show::for_terminal(gap.hides) + "\n";
    if (!gap.remedy.empty()) out += "  remedy: " + show::for_terminal(gap.remedy) + "\n";
  }
  return out.empty() ? "hark: no gaps\n" : out;
}

void print_list_json(const host::Host& host, const std::vector<std::size_t>& selected,
                     std::span<const host::Near> near, Output& out, const reach::ReachTable* reach,
                     const std::vector<std::size_t>& published) {
  show::write_list_json(
      host, selected, near, [&out](std::string_view text) { out.write(text); }, reach, published);
}

Outcome command_list(const Invocation& asked, Output& out) {
  const Result<host::Filter> filter = host::parse_filter(asked.words);
  if (!filter) return fail_with(ExitStatus::Usage, filter.error());
  if (const Result<void> fine = check_filter(asked, *filter); !fine) {
    return fail_with(ExitStatus::Usage, fine.error());
  }
  if (asked.reach) give_threads_heaps();
  const tl::expected<OpenedSource, Failure> opened = open_source(asked);
  if (!opened) return tl::unexpected<Failure>(opened.error());
  Tally tally(*opened->source);
  kernel::Source& source = asked.verbose ? static_cast<kernel::Source&>(tally) : *opened->source;
  auto collected = collect_with_ways(
      source, asked,
      {.owners = needs_owners(asked, *filter), .details = needs_details(asked, *filter)});
  std::optional<reach::ReachTable> reach;
  Selected selected;
  if (collected) {
    host::Host& host = collected->host;
    selected.listeners = host::select(host, without_reach(*filter));
    if (asked.reach) {
      // Which ports are published only rules tell, whatever is shown of them.
      const std::vector<std::size_t> none;
      const std::vector<std::size_t>& of = needs_reach(asked, *filter) ? selected.listeners : none;
      const auto about = asked.json ? reach::Sources::Every : reach::Sources::OfClients;
      const WhyEngine engine = list_engine(about);
      reach.emplace(
          read_reach({source, host, collected->ways, engine}, of, true, about, host.gaps));
      selected.listeners = host::select(host, *filter, reach_test(*reach));
      selected.published = reach::select_published(*reach, *filter);
    }
  }
  if (asked.verbose) {
    print_message("hark: source: " + show::for_terminal(opened->name) + "\n" + tally.text());
  }
  if (!collected) return tl::unexpected<Failure>(collected.error());
  const host::Host& host = collected->host;
  if (asked.verbose) print_message(gaps_text(host.gaps));

  std::vector<host::Near> near;
  if (selected.nothing()) near = near_answers(asked, host, *filter);
  const reach::ReachTable* const table = reach ? &*reach : nullptr;
  if (asked.json) {
    print_list_json(host, selected.listeners, near, out, table, selected.published);
  } else {
    out.write(table_text(asked, host, selected, near, table));
  }
  leave(selected.nothing() ? ExitStatus::No : ExitStatus::Yes, out);
}

}  // namespace hark::cli
