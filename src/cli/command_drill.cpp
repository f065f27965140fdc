// hark drill: source, survey, questions; then the list, JSON, or a talk that is remembered.
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <numeric>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/drill_store.h"
#include "cli/drill_talk.h"
#include "cli/source.h"
#include "cli/survey.h"
#include "cli/terminal.h"
#include "drill/drill_dice.h"
#include "drill/drill_pick.h"
#include "host/networks.h"
#include "show/drill_json.h"
#include "show/drill_view.h"
#include "show/escape.h"
#include "show/reach_words.h"

namespace hark::cli {
namespace {

using drill::Facts;
using drill::History;
using drill::Port;
using drill::Question;
using drill::Session;

constexpr std::size_t kUsualCount = 5;
/// Ports that questions are made of, before the best are taken.
constexpr std::size_t kMostPorts = 24;

/// Since 1970, where this person is.
std::int64_t today() {
  constexpr std::int64_t kSecondsOfDay = 86'400;
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return (static_cast<std::int64_t>(now) + local.tm_gmtoff) / kSecondsOfDay;
}

std::string key_of_name(const std::string& name) {
  std::string out;
  for (const char c : lower(name)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    out += plain ? c : '_';
  }
  constexpr std::size_t kLongest = 64;
  return out.substr(0, kLongest);
}

/// Of a recording it is another host's, whose questions are not those of this one.
std::string state_name(const Invocation& asked, const host::Host& host) {
  return asked.recording ? "drill-of-" + key_of_name(host.name) : "drill";
}

Facts facts_of(const Survey& all, const host::Networks& networks) {
  return {.host = all.host(),
          .reach = all.reach(),
          .listeners = all.listeners,
          .findings = all.findings,
          .reach_words =
              [&all](const std::vector<std::size_t>& some) {
                return show::reach_words(all.reach(), some);
              },
          .enter = [&networks](host::NetnsId id) { return networks.command_prefix(id); }};
}

/// What this drill asks: what is left of one that goes on, or what is picked for today.
struct Plan {
  Session session;
  std::vector<Question> questions;  ///< of each item one
};

bool is_asked_about(const Session& session, const Port& port) {
  const std::string name = (port.stream ? "tcp" : "udp") + (":" + std::to_string(port.port));
  return std::ranges::any_of(session.items, [&](const drill::Item& item) {
    const auto words = split(item.key, ':');
    return words.size() >= 4 && std::string(words[2]) + ":" + std::string(words[3]) == name;
  });
}

/// Questions whose facts are gone are, too.
Plan resumed(const Facts& facts, const Session& session) {
  const std::vector<Port> all = drill::ports_of(facts);
  std::vector<Port> ports;
  for (const Port& port : all) {
    if (ports.empty() || is_asked_about(session, port)) ports.push_back(port);
  }
  drill::Maker maker(facts);
  std::vector<Question> made = maker.make(ports, session.seed);
  Plan out{session, {}};
  out.session.items.clear();
  for (const drill::Item& item : session.items) {
    const auto found = std::ranges::find(made, item.key, &Question::key);
    if (found == made.end()) continue;
    out.session.items.push_back(item);
    out.questions.push_back(*found);
  }
  return out;
}

Plan begun(const Facts& facts, const History& history, const Session& like, std::size_t count) {
  const std::vector<Port> ports =
      drill::worth_asking(facts, drill::ports_of(facts), history, like.day, like.seed, kMostPorts);
  drill::Maker maker(facts);
  std::vector<Question> made = maker.make(ports, like.seed);
  Plan out{like, {}};
  for (const std::size_t i : drill::pick(made, history, like.day, like.seed, count)) {
    out.session.items.push_back({.key = made[i].key});
    out.questions.push_back(made[i]);
  }
  return out;
}

Plan plan_for(const Invocation& asked, const Facts& facts, const History& history) {
  const std::int64_t day = today();
  const std::size_t count = asked.count.value_or(kUsualCount);
  if (history.session) {
    const Session& open = *history.session;
    const bool same_seed = asked.seed ? open.fixed && open.seed == *asked.seed : !open.fixed;
    const bool same_count = !asked.count || open.items.size() == count;
    if (open.day == day && same_seed && same_count) {
      Plan plan = resumed(facts, open);
      const auto is_open = [](const drill::Item& item) { return !item.credit; };
      if (std::ranges::any_of(plan.session.items, is_open)) return plan;
    }
  }
  drill::Dice dice(static_cast<std::uint64_t>(day), facts.host.name);
  const Session like{.day = day,
                     .seed = asked.seed.value_or(dice.roll(~std::uint64_t{0})),
                     .fixed = asked.seed.has_value(),
                     .items = {}};
  // The same seed asks the same, whatever was asked before.
  return begun(facts, asked.seed ? History{} : history, like, count);
}

Failure nothing_to_ask(const Survey& all, const Facts& facts) {
  if (drill::ports_of(facts).empty()) {
    return {ExitStatus::CannotTell,
            plain_error("drill", "nothing could be asked: nothing listens here",
                        "hark drill --netns all looks into every namespace")};
  }
  std::string why = "nothing could be asked: what the answers hang on could not be read";
  if (!all.gaps.empty()) why += " (" + all.gaps.front().what + ")";
  return {ExitStatus::CannotTell, plain_error("drill", std::move(why), "run hark as root")};
}

void tell(const Invocation& asked, const Survey& all, const Plan& plan, Output& out) {
  if (asked.json) {
    show::write_drill_json({.host = all.host(),
                            .questions = plan.questions,
                            .seed = plan.session.seed,
                            .gaps = all.gaps},
                           [&out](std::string_view text) { out.write(text); });
    return;
  }
  const bool ascii = choose_style(asked, look_around()).ascii;
  std::vector<Question> readable;
  for (const Question& one : plan.questions) readable.push_back(show::for_reading(one, ascii));
  out.write(show::drill_list_text(readable));
}

/// What was kept, without a change to it: for questions that nobody is asked.
History peek(const std::string& name) {
  const Result<std::string> folder = drill_folder();
  if (!folder) return {};
  Result<History> kept = DrillStore(*folder, name).load();
  if (!kept) print_message(message_text(kept.error()));
  return kept.value_or(History{});
}

/// The store, ready to be written to, or nothing: then this drill is not remembered.
struct Memory {
  std::optional<DrillStore> store;
  History history;
};

tl::expected<Memory, Failure> remember(const std::string& name) {
  Memory out;
  const auto without = [&out](const Error& error) {
    print_message(message_text(error));
    print_message("hark: this drill will not be remembered\n");
    out.store.reset();
    return std::move(out);
  };
  const Result<std::string> folder = drill_folder();
  if (!folder) return without(folder.error());
  out.store.emplace(*folder, name);
  const Result<bool> locked = out.store->lock();
  if (!locked) return without(locked.error());
  if (!*locked) {
    return fail_with(ExitStatus::CannotTell,
                     plain_error("drill", "another drill is going on", "finish that one first"));
  }
  Result<History> kept = out.store->load();
  if (!kept) {
    print_message(message_text(kept.error()));
    const Result<std::string> aside = out.store->set_aside();
    if (!aside) return without(aside.error());
    print_message("hark: it was set aside as " + show::for_terminal(*aside) +
                  ", and drills begin anew\n");
  }
  out.history = kept.value_or(History{});
  return out;
}

Outcome ask(const Invocation& asked, const Survey& all, const Facts& facts, Output& out) {
  tl::expected<Memory, Failure> memory = remember(state_name(asked, all.host()));
  if (!memory) return tl::unexpected<Failure>(memory.error());
  const Plan plan = plan_for(asked, facts, memory->history);
  if (plan.questions.empty()) return tl::unexpected<Failure>(nothing_to_ask(all, facts));
  History before = memory->history;
  History& history = memory->history;
  history.session = plan.session;
  const bool ascii = choose_style(asked, look_around()).ascii;
  std::vector<Question> readable;
  for (const Question& one : plan.questions) readable.push_back(show::for_reading(one, ascii));
  bool told = false;
  const auto keep = [&] {
    if (!memory->store || history == before) return;
    const Result<void> saved = memory->store->save(history);
    if (saved) before = history;
    if (saved || told) return;
    told = true;
    print_message(message_text(saved.error()));
  };
  const ExitStatus status = talk({.questions = readable,
                                  .history = history,
                                  .day = plan.session.day,
                                  .keep = keep,
                                  .answers_fd = STDIN_FILENO,
                                  .terminal = ::isatty(STDIN_FILENO) == 1},
                                 out);
  if (status != ExitStatus::CannotTell) return status;
  return fail_with(status, plain_error("drill", "nothing was asked: no answers on standard input",
                                       "on a terminal it asks; hark drill --list shows questions "
                                       "and answers"));
}

}  // namespace

Outcome command_drill(const Invocation& asked, Output& out) {
  const tl::expected<OpenedSource, Failure> opened = open_source(asked);
  if (!opened) return tl::unexpected<Failure>(opened.error());
  const auto taken =
      survey(*opened->source, asked, nullptr, {.again = false, .note_one_look = false});
  if (!taken) return tl::unexpected<Failure>(taken.error());
  const Survey& all = **taken;
  const host::Networks networks(*opened->source, all.host(), all.collected.ways);
  const Facts facts = facts_of(all, networks);
  if (asked.verbose) print_message(gaps_text(all.gaps));
  if (!asked.json && !asked.list_answers) {
    Outcome outcome = ask(asked, all, facts, out);
    if (outcome) leave(*outcome, out);
    return outcome;
  }
  const Plan plan = plan_for(asked, facts, peek(state_name(asked, all.host())));
  if (plan.questions.empty() && !asked.json) {
    return tl::unexpected<Failure>(nothing_to_ask(all, facts));
  }
  tell(asked, all, plan, out);
  leave(plan.questions.empty() ? ExitStatus::CannotTell : ExitStatus::Yes, out);
}

}  // namespace hark::cli
