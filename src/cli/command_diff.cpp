// hark diff: two surveys, what changed between them, screen or JSON.
#include <ctime>

#include "cli/commands.h"
#include "cli/daily.h"
#include "cli/source.h"
#include "cli/survey.h"
#include "cli/tally.h"
#include "cli/terminal.h"
#include "show/diff_json.h"
#include "show/diff_view.h"
#include "show/escape.h"

namespace hark::cli {
namespace {

/// "last" and its like as the file that they mean.
tl::expected<std::string, Failure> file_of(const std::string& word) {
  if (!is_dated(word)) return word;
  const Result<std::string> folder = state_folder();
  if (!folder) return fail_with(ExitStatus::Usage, folder.error());
  Result<std::string> path = dated_path(*folder, word, day_of(std::time(nullptr)));
  if (!path) return fail_with(ExitStatus::Usage, std::move(path.error()));
  return std::move(*path);
}

/// A survey, and the source that answered it.
struct Side {
  std::string file;  ///< empty: this host
  OpenedSource opened = {};
  std::unique_ptr<Survey> survey = {};
};

tl::expected<Side, Failure> look_at(const Invocation& asked,
                                    const std::optional<std::string>& file) {
  Side out{.file = file.value_or("")};
  Invocation question = asked;
  question.recording = file;
  tl::expected<OpenedSource, Failure> opened = open_source(question);
  if (!opened) return tl::unexpected<Failure>(opened.error());
  out.opened = std::move(*opened);
  Tally tally(*out.opened.source);
  kernel::Source& source = asked.verbose ? static_cast<kernel::Source&>(tally) : *out.opened.source;
  // One look at either side: what only a second one shows is not in a recording.
  auto taken = survey(source, question, nullptr,
                      {.again = false, .note_one_look = false, .all_namespaces = true});
  if (!taken) {
    if (file) taken.error().error.what = *file + ": " + taken.error().error.what;
    return tl::unexpected<Failure>(taken.error());
  }
  out.survey = std::move(*taken);
  if (asked.exact) {
    std::vector<std::size_t>& all = out.survey->listeners;
    all.clear();
    for (std::size_t i = 0; i < out.survey->host().listeners.size(); ++i) all.push_back(i);
  }
  if (asked.verbose) {
    print_message("hark: source: " + show::for_terminal(out.opened.name) + "\n" + tally.text() +
                  gaps_text(out.survey->gaps));
  }
  return out;
}

show::DiffSide shown(const Side& side) {
  const Survey& one = *side.survey;
  return {.snapshot = {.host = one.host(),
                       .reach = one.reach(),
                       .listeners = one.listeners,
                       .findings = one.findings,
                       .gaps = one.gaps},
          .file = side.file};
}

}  // namespace

Outcome command_diff(const Invocation& asked, Output& out) {
  std::optional<std::string> newer = asked.recording;
  if (asked.words.size() > 1) newer = asked.words[1];
  std::vector<Side> sides;
  for (const std::optional<std::string>& word : {std::optional(asked.words[0]), newer}) {
    std::optional<std::string> file;
    if (word) {
      tl::expected<std::string, Failure> found = file_of(*word);
      if (!found) return tl::unexpected<Failure>(found.error());
      file = std::move(*found);
    }
    tl::expected<Side, Failure> side = look_at(asked, file);
    if (!side) return tl::unexpected<Failure>(side.error());
    sides.push_back(std::move(*side));
  }
  show::DiffReport report{.before = shown(sides[0]), .after = shown(sides[1])};
  report.changes =
      diagnose::changes_between(report.before.snapshot, report.after.snapshot, asked.exact);
  if (asked.json) {
    show::write_diff_json(report, [&out](std::string_view text) { out.write(text); });
  } else {
    out.write(show::diff_text(report, choose_style(asked, look_around())));
  }
  if (!report.changes.none()) leave(ExitStatus::No, out);
  leave(report.changes.gaps.empty() ? ExitStatus::Yes : ExitStatus::CannotTell, out);
}

}  // namespace hark::cli
