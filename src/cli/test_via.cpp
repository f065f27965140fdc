#include "cli/test_via.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "base/text.h"
#include "cli/run_child.h"
#include "cli/terminal.h"
#include "show/vantage.h"

namespace hark::cli {
namespace {

using show::Vantage;
using show::VantageAttempt;
using show::VantageCause;

constexpr auto kThisProgram = "/proc/self/exe";

std::string seconds_text(std::uint32_t milliseconds) {
  return std::to_string(milliseconds / 1000) + "." +
         std::to_string(1000 + milliseconds % 1000).substr(1);
}

/// `hark test --json` of this very program.
ChildCommand own_test(const Invocation& asked, const std::string& netns,
                      const std::vector<std::string>& targets) {
  ChildCommand out;
  out.words = {kThisProgram,
               "test",
               "--json",
               "--netns",
               netns,
               "--timeout",
               seconds_text(asked.timeout_ms)};
  if (asked.verify) out.words.emplace_back("--verify");
  out.words.emplace_back("--");
  out.words.insert(out.words.end(), targets.begin(), targets.end());
  return out;
}

ChildCommand command_of(const Invocation& asked, const Place& place,
                        const std::vector<std::string>& targets) {
  if (place.kind == PlaceKind::Netns) return own_test(asked, place.name, targets);
  // Nobody is there to be asked for a password. The script is read, not passed: whatever the login
  // shell there is, it sees two plain words.
  return {.words = {"ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", place.name, "sh",
                    "-s"},
          .input = place_script(targets, asked.timeout_ms)};
}

/// What the script of a bare shell prints: hark, target, outcome, errno, source.
std::vector<VantageAttempt> read_lines(std::string_view text) {
  std::vector<VantageAttempt> out;
  while (!text.empty()) {
    const std::vector<std::string_view> fields = split(next_piece(text, '\n'), '\t');
    if (fields.size() != 5 || fields[0] != "hark") continue;
    const Result<TestTarget> target = parse_test_target(std::string(fields[1]));
    if (!target) continue;
    VantageAttempt attempt;
    attempt.target = fields[1];
    attempt.address = target->address ? target->address->text() : "";
    attempt.port = target->port;
    attempt.outcome = fields[2];
    if (fields[3] != "-") attempt.error = fields[3];
    if (fields[4] != "-") attempt.from = fields[4];
    out.push_back(show::bare_attempt(std::move(attempt)));
  }
  return out;
}

std::string first_line(std::string_view text) {
  std::string_view line = next_piece(text, '\n');
  if (line.ends_with('\r')) line.remove_suffix(1);
  return std::string(line);
}

void read_result(Vantage& vantage, const Place& place, const ChildResult& result) {
  if (place.kind == PlaceKind::Ssh && !result.out.starts_with('{')) {
    vantage.attempts = read_lines(result.out);
    vantage.bare = !vantage.attempts.empty();
    if (vantage.bare || result.status == 0) return;
  } else if (auto attempts = show::read_test_json(result.out, vantage.name)) {
    vantage.attempts = std::move(*attempts);
    return;
  }
  const std::string said = first_line(result.messages);
  vantage.trouble = said.empty() ? "ended with status " + std::to_string(result.status) : said;
}

std::vector<IpAddress> own_addresses() {
  std::vector<IpAddress> out;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return out;
  for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    IpAddress address;
    if (each->ifa_addr->sa_family == AF_INET) {
      sockaddr_in in{};
      std::memcpy(&in, each->ifa_addr, sizeof in);
      std::memcpy(address.bytes.data(), &in.sin_addr, sizeof in.sin_addr);
    } else if (each->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 in6{};
      std::memcpy(&in6, each->ifa_addr, sizeof in6);
      address.family = Family::Inet6;
      std::memcpy(address.bytes.data(), &in6.sin6_addr, sizeof in6.sin6_addr);
    } else {
      continue;
    }
    out.push_back(address);
  }
  ::freeifaddrs(all);
  return out;
}

/// What other places are asked: a target of another host as it was written; of listeners here, the
/// addresses that others can ask. Each with the word that the person wrote. What nobody else can
/// ask is noted.
std::map<std::string, std::string> words_for_others(const std::vector<TestTarget>& targets,
                                                    Vantage& here) {
  std::map<std::string, std::string> out;
  std::vector<std::string> alone;
  for (const TestTarget& target : targets) {
    if (!target.listeners) {
      out.emplace(target.written, target.written);
      continue;
    }
    const std::size_t before = out.size();
    for (const VantageAttempt& attempt : here.attempts) {
      const auto address = IpAddress::parse(attempt.address);
      const bool near = !address || address->is_loopback() || address->is_link_local();
      if (attempt.target == target.written && !near) {
        out.emplace(attempt.protocol + "/" + attempt.to, target.written);
      }
    }
    if (out.size() == before) alone.push_back(target.written);
  }
  if (!alone.empty()) {
    here.note =
        join(alone, ", ") + " is at no address that other places can ask: they were not asked";
  }
  return out;
}

/// `hark why` for each source that got no answer from an address of this host.
Result<std::vector<VantageCause>> find_causes(const std::vector<Vantage>& vantages, int stop) {
  const std::vector<IpAddress> own = own_addresses();
  std::vector<VantageCause> out;
  std::vector<ChildCommand> commands;
  constexpr std::size_t kMost = 16;
  for (std::size_t i = 1; i < vantages.size(); ++i) {
    for (const VantageAttempt& attempt : vantages[i].attempts) {
      const auto address = IpAddress::parse(attempt.address);
      const bool here = address && std::ranges::find(own, *address) != own.end();
      const bool failed = attempt.outcome != "answered" && !attempt.from.empty();
      if (!here || !failed || commands.size() == kMost) continue;
      VantageCause cause;
      cause.vantage = vantages[i].name;
      cause.to = attempt.to;
      cause.from = attempt.from;
      out.push_back(cause);
      commands.push_back(
          {.words = {kThisProgram, "why", "--json", "--from", attempt.from, "--to", attempt.address,
                     attempt.protocol + "/" + std::to_string(attempt.port)},
           .input = {}});
    }
  }
  const Result<std::vector<ChildResult>> results = run_children(commands, stop);
  if (!results) return fail(results.error());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::optional<VantageCause> said = show::read_why_json((*results)[i].out);
    out[i].outcome = said ? said->outcome : "unknown";
    if (said) out[i].text = said->text;
    if (said) out[i].json = said->json;
  }
  return out;
}

/// Of a host's own attempts the words are its own; of what we passed on, the person's.
void rename_targets(Vantage& vantage, const std::map<std::string, std::string>& words) {
  for (VantageAttempt& attempt : vantage.attempts) {
    const auto word = words.find(attempt.target);
    if (word != words.end()) attempt.target = word->second;
  }
}

bool is_interrupted(int stop) {
  pollfd wait{.fd = stop, .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, 0) == 1;
}

ExitStatus status_of(const std::vector<Vantage>& vantages) {
  ExitStatus out = ExitStatus::Yes;
  for (const Vantage& vantage : vantages) {
    if (!vantage.trouble.empty()) out = ExitStatus::CannotTell;
  }
  for (const Vantage& vantage : vantages) {
    std::map<std::string, bool> answers;
    for (const VantageAttempt& attempt : vantage.attempts) {
      answers[attempt.target] |= attempt.outcome == "answered";
    }
    for (const auto& [target, answered] : answers) {
      if (!answered) return ExitStatus::No;
    }
  }
  return out;
}

}  // namespace

Result<Place> parse_place(const std::string& word) {
  struct Prefix {
    std::string_view text;
    PlaceKind kind;
  };
  constexpr Prefix kPrefixes[] = {
      {"ssh:", PlaceKind::Ssh}, {"netns:", PlaceKind::Netns}, {"container:", PlaceKind::Netns}};
  for (const Prefix& prefix : kPrefixes) {
    if (!word.starts_with(prefix.text)) continue;
    const std::string name = word.substr(prefix.text.size());
    // To ssh a word that begins with a dash would be an option.
    if (name.empty() || name.starts_with('-')) break;
    const bool container = prefix.text == "container:";
    return Place{prefix.kind, word, container ? word : name};
  }
  return fail(
      plain_error("--via " + word, "not a place", "ssh:HOST, netns:NAME or container:NAME"));
}

Outcome test_via(const Invocation& asked, const std::vector<TestTarget>& targets, int stop,
                 Output& out) {
  std::vector<Place> places;
  for (const std::string& word : asked.via) {
    Result<Place> place = parse_place(word);
    if (!place) return fail_with(ExitStatus::Usage, place.error());
    places.push_back(std::move(*place));
  }
  std::vector<std::string> written;
  written.reserve(targets.size());
  for (const TestTarget& target : targets) written.push_back(target.written);
  const auto local = run_children({own_test(asked, asked.netns, written)}, stop);
  if (!local) return fail_with(ExitStatus::CannotTell, local.error());
  std::vector<Vantage> vantages(1 + places.size());
  vantages[0].name = "here";
  read_result(vantages[0], Place{}, (*local)[0]);
  const std::map<std::string, std::string> words = words_for_others(targets, vantages[0]);
  std::vector<std::string> passed;
  passed.reserve(words.size());
  for (const auto& [word, original] : words) passed.push_back(word);
  std::vector<ChildCommand> commands;
  for (const Place& place : places) {
    if (!passed.empty()) commands.push_back(command_of(asked, place, passed));
  }
  if (is_interrupted(stop)) commands.clear();
  const auto results = run_children(commands, stop);
  if (!results) return fail_with(ExitStatus::CannotTell, results.error());
  for (std::size_t i = 0; i < places.size(); ++i) {
    vantages[i + 1].name = places[i].written;
    if (passed.empty()) continue;
    if (commands.empty()) {
      vantages[i + 1].trouble = "interrupted before it was asked";
      continue;
    }
    read_result(vantages[i + 1], places[i], (*results)[i]);
    rename_targets(vantages[i + 1], words);
  }
  const bool interrupted = is_interrupted(stop);
  Result<std::vector<VantageCause>> causes;
  if (!interrupted) causes = find_causes(vantages, stop);
  if (!causes) return fail_with(ExitStatus::CannotTell, causes.error());
  if (asked.json) {
    show::write_vantage_json(vantages, *causes, [&out](std::string_view text) { out.write(text); });
  } else {
    out.write(show::vantage_text(vantages, *causes, choose_style(asked, look_around())));
  }
  return interrupted ? ExitStatus::Interrupted : status_of(vantages);
}

}  // namespace hark::cli
