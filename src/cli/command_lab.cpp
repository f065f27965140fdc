// hark lab: the list of scenarios, a session in one of them, and the commands inside a session.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "base/unique_fd.h"
#include "cli/commands.h"
#include "cli/drill_store.h"
#include "cli/new_file.h"
#include "cli/terminal.h"
#include "drill/lab_channel.h"
#include "drill/lab_grade.h"
#include "drill/lab_progress.h"
#include "drill/lab_scenarios.h"
#include "drill/lab_session.h"
#include "show/lab_json.h"
#include "show/lab_view.h"

namespace hark::cli {
namespace {

using drill::LabProgress;
using drill::LabScenario;
using drill::LabScore;

constexpr std::array<std::string_view, 6> kVerbs = {"story", "hint",    "answer",
                                                    "check", "give-up", "quit"};

bool is_verb(const std::string& word) {
  return std::ranges::find(kVerbs, word) != kVerbs.end();
}

class Progress {
 public:
  Progress() : folder_(drill_folder()), kept_(drill::read_lab_progress(read())) {}

  [[nodiscard]] const LabProgress& kept() const { return kept_; }

  /// Another session may have written meanwhile: what it kept stays.
  void add(const std::string& name, const LabScore& score) {
    kept_ = drill::read_lab_progress(read());
    drill::add_lab_score(kept_, name, score);
    written_ = write();
  }
  /// What kept it from being written.
  [[nodiscard]] const Result<void>& written() const { return written_; }

 private:
  [[nodiscard]] std::string path() const { return *folder_ + "/lab"; }

  [[nodiscard]] std::string read() const {
    constexpr std::size_t kMost = 65536;
    if (!folder_) return {};
    const UniqueFd fd(::open(path().c_str(), O_RDONLY | O_CLOEXEC));
    std::string out(kMost, '\0');
    const ssize_t got = fd.valid() ? ::read(fd.get(), out.data(), out.size()) : 0;
    out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return out;
  }

  [[nodiscard]] Result<void> write() const {
    if (!folder_) return fail(folder_.error());
    for (std::size_t end = folder_->find('/', 1);; end = folder_->find('/', end + 1)) {
      const std::string part = folder_->substr(0, end);
      if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
        return fail(kernel_error(errno, part));
      }
      if (end == std::string::npos) break;
    }
    return write_new_file(path(), drill::lab_progress_text(kept_));
  }

  Result<std::string> folder_;
  LabProgress kept_;
  Result<void> written_;
};

tl::expected<std::vector<LabScenario>, Failure> all_scenarios() {
  auto out = drill::lab_scenarios();
  if (!out) return fail_with(ExitStatus::CannotTell, std::move(out.error()));
  return std::move(*out);
}

/// Is there nobody to ask: no terminal, and nothing on standard input?
bool nobody_answers() {
  if (::isatty(STDIN_FILENO) == 1) return false;
  struct stat facts {};
  if (::fstat(STDIN_FILENO, &facts) != 0 || S_ISCHR(facts.st_mode)) return true;
  if (S_ISREG(facts.st_mode)) return ::lseek(STDIN_FILENO, 0, SEEK_CUR) >= facts.st_size;
  // A pipe: somebody writes, or has gone.
  pollfd one{STDIN_FILENO, POLLIN, 0};
  int waiting = 0;
  return ::poll(&one, 1, -1) < 0 || ::ioctl(STDIN_FILENO, FIONREAD, &waiting) != 0 || waiting == 0;
}

/// `hark lab hint` and the like: what the session around us says.
Outcome ask_session(const Invocation& asked, Output& out) {
  auto reply = drill::ask_lab(asked.words);
  if (!reply) return fail_with(ExitStatus::CannotTell, std::move(reply.error()));
  if (!*reply) {
    return fail_with(ExitStatus::Usage,
                     plain_error("lab " + asked.words.front(), "there is no lab around this shell",
                                 "hark lab shows the scenarios, hark lab NAME starts one"));
  }
  out.write(show::lab_paragraphs((*reply)->text, choose_style(asked, look_around())));
  return static_cast<ExitStatus>((*reply)->status);
}

Outcome play(const Invocation& asked, const LabScenario& scenario, Output& out) {
  const show::TableStyle style = choose_style(asked, look_around());
  Progress progress;
  const auto scenarios = all_scenarios();
  if (!scenarios) return tl::unexpected<Failure>(scenarios.error());
  const Result<LabScore> score = drill::run_lab_session(
      scenario, {.ready =
                     [&] {
                       out.write(show::lab_opening_text(scenario, style));
                       out.flush();
                     },
                 .scored = [&](const LabScore& now) { progress.add(scenario.name, now); }});
  if (!score) return fail_with(ExitStatus::CannotTell, score.error());
  out.write("\n" +
            show::lab_ending_text(scenario, *score, show::next_lab(*scenarios, progress.kept())));
  if (!progress.written()) print_message(message_text(progress.written().error()));
  return score->solved() ? ExitStatus::Yes : ExitStatus::No;
}

Outcome start(const Invocation& asked, Output& out) {
  const std::string& name = asked.words.front();
  auto scenario = drill::find_lab_scenario(name);
  if (!scenario) return fail_with(ExitStatus::Usage, std::move(scenario.error()));
  if (asked.json) {
    const std::array one = {*scenario};
    show::write_lab_json(one, Progress().kept(),
                         [&out](std::string_view text) { out.write(text); });
    return ExitStatus::Yes;
  }
  if (const auto inside = drill::ask_lab({"story"}); inside && *inside) {
    return fail_with(ExitStatus::Usage, plain_error("lab " + name, "a lab goes on in this shell",
                                                    "leave it first: hark lab quit"));
  }
  if (nobody_answers()) {
    out.write(show::lab_opening_text(*scenario, choose_style(asked, look_around())));
    return ExitStatus::Yes;
  }
  return play(asked, *scenario, out);
}

}  // namespace

Outcome command_lab(const Invocation& asked, Output& out) {
  if (!asked.words.empty() && is_verb(asked.words.front())) return ask_session(asked, out);
  if (!asked.words.empty()) return start(asked, out);
  const auto scenarios = all_scenarios();
  if (!scenarios) return tl::unexpected<Failure>(scenarios.error());
  const show::TableStyle style = choose_style(asked, look_around());
  const Progress progress;
  if (asked.json) {
    show::write_lab_json(*scenarios, progress.kept(),
                         [&out](std::string_view text) { out.write(text); });
  } else if (asked.list_answers) {
    out.write(show::lab_list_text(*scenarios, style));
  } else {
    out.write(show::lab_path_text(*scenarios, progress.kept(), style));
  }
  return ExitStatus::Yes;
}

}  // namespace hark::cli
