// Containers that do not serve because they ended: killed for want of memory, or started again and
// again by their runtime.
//
// The kernel's log is the only place that tells whom the kernel killed in a container: a runtime
// sees signal 9 (exit status 137), and the counter of the cgroup goes with it when the container is
// started again. A container that somebody stopped, or that ended some other time for another
// reason, was not ended by that.
#include <algorithm>
#include <cstdlib>

#include "diagnose/families.h"
#include "diagnose/words.h"
#include "reach/shell_word.h"

namespace hark::diagnose {
namespace {

using host::ContainerEnd;
using host::OomKill;
using reach::shell_word;

constexpr std::uint32_t kSeveralRestarts = 3;
constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;
constexpr std::int64_t kDayMs = 24 * kHourMs;
/// docker waits at most a minute before it starts a container again.
constexpr std::int64_t kBackOffMs = 2 * kMinuteMs;
/// The log's clock and that of the runtime.
constexpr std::int64_t kApartMs = 10'000;

class Teller {
 public:
  Teller(const Facts& facts, const ContainerEnd& end) : facts_(facts), end_(end) {}

  [[nodiscard]] std::optional<Finding> tell() const {
    if (end_.stopped_by_hand) return std::nullopt;
    if (auto out = again_and_again()) return out;
    if (end_.kills.empty() || is_older(end_.kills.back().at_ms, kDayMs)) return std::nullopt;
    return *end_.runs ? killed_before() : killed_and_gone();
  }

 private:
  [[nodiscard]] std::optional<std::int64_t> age(const std::optional<std::int64_t>& at_ms) const {
    if (!at_ms) return std::nullopt;
    return std::max<std::int64_t>(facts_.host.taken_at_ms - *at_ms, 0);
  }
  /// What is not dated is not old.
  [[nodiscard]] bool is_older(const std::optional<std::int64_t>& at_ms, std::int64_t than) const {
    return age(at_ms).value_or(0) > than;
  }
  [[nodiscard]] std::string ago(const std::optional<std::int64_t>& at_ms) const {
    const auto ms = age(at_ms);
    return ms ? " " + duration_words(*ms) + " ago" : std::string();
  }

  [[nodiscard]] std::string since(const std::optional<std::int64_t>& at_ms) const {
    const std::string words = ago(at_ms);
    return words.empty() ? words : "," + words;
  }

  static std::string victim(const OomKill& kill) {
    return kill.program + " (" + std::to_string(kill.pid) + ")";
  }
  [[nodiscard]] std::string name() const { return host::container_words(end_.container); }

  /// The kill by which it ended last, so far as that is known.
  [[nodiscard]] const OomKill* last_end() const {
    if (end_.kills.empty()) return nullptr;
    const OomKill& last = end_.kills.back();
    const bool apart =
        last.at_ms && end_.ended_at_ms && std::abs(*last.at_ms - *end_.ended_at_ms) > kApartMs;
    return apart ? nullptr : &last;
  }

  /// How it ended last; empty: not told.
  [[nodiscard]] std::string end_words() const {
    constexpr std::uint32_t kBySignal = 128;
    constexpr std::uint32_t kLastSignal = 64;
    if (const OomKill* kill = last_end()) {
      return "the kernel killed " + victim(*kill) + " for want of memory" + since(kill->at_ms);
    }
    // Of one that runs again the status is that of its new life.
    if (!end_.exit_status || *end_.runs) return {};
    const std::uint32_t status = *end_.exit_status;
    const bool signal = status > kBySignal && status <= kBySignal + kLastSignal;
    return (signal
                ? "it was ended by " + signal_words(static_cast<std::int32_t>(status - kBySignal))
                : "it ended with exit status " + std::to_string(status)) +
           since(end_.ended_at_ms);
  }

  [[nodiscard]] Finding about(const char* code, Severity severity, std::string text) const {
    return {.code = code,
            .severity = severity,
            .subject = "container " + name(),
            .text = std::move(text)};
  }
  void add_kill(const OomKill& kill, Finding& out) const {
    out.evidence.push_back({.fact = "oom-kill of " + victim(kill) + " in " + kill.cgroup,
                            .where = "kernel log",
                            .verify = "dmesg -T | grep oom-kill:"});
  }
  /// Whose memory it was.
  static std::string limit_words(const OomKill& kill) {
    if (kill.limited.empty()) return "the whole host was out of memory";
    if (kill.limited == kill.cgroup) return "it was at its memory limit";
    return "the memory limit of " + kill.limited + " was reached";
  }
  static std::string more_memory(const OomKill& kill) {
    return kill.limited.empty() ? "find out what takes the memory of this host, or "
                                  "give the container a limit of its own"
                                : "give it more memory or less to do";
  }
  [[nodiscard]] std::string program() const {
    const std::string& runtime = end_.container.runtime;
    return runtime == "docker" || runtime == "podman" ? runtime : "crictl";
  }

  [[nodiscard]] std::optional<Finding> again_and_again() const {
    const bool waits =
        end_.restarting && end_.restarts > 0 && !is_older(end_.ended_at_ms, kBackOffMs);
    const bool young = *end_.runs && end_.restarts >= kSeveralRestarts && end_.started_at_ms &&
                       end_.ended_at_ms && !is_older(end_.started_at_ms, kMinuteMs) &&
                       *end_.started_at_ms - *end_.ended_at_ms < kBackOffMs;
    if (!waits && !young) return std::nullopt;
    const std::string why = end_words();
    Finding out = about("restarting", Severity::Broken,
                        "container " + name() + " ends and is started again and again: " +
                            counted(end_.restarts, "restart") + " so far" +
                            (why.empty() ? "" : "; last, " + why));
    out.evidence.push_back(
        {.fact =
             counted(end_.restarts, "restart") + (end_.restarting ? ", waits for the next" : ""),
         .where = "container " + name(),
         .verify =
             program() + " inspect -f '{{.RestartCount}} {{json .State}}' " + shell_word(name())});
    out.remedy = "see what it said (" + program() + " logs --tail 50 " + shell_word(name()) + ")";
    if (const OomKill* kill = last_end()) {
      add_kill(*kill, out);
      out.remedy += ", and " + more_memory(*kill);
    }
    return out;
  }

  [[nodiscard]] std::optional<Finding> killed_and_gone() const {
    const OomKill* kill = last_end();
    if (kill == nullptr) return std::nullopt;
    // Whether it ended of that is not known: long ago says nothing.
    if (!end_.ended_at_ms && is_older(kill->at_ms, kHourMs)) return std::nullopt;
    Finding out =
        about("container-killed", Severity::Risk,
              "container " + name() + " does not run: the kernel killed " + victim(*kill) +
                  " in it" + ago(kill->at_ms) + ", for " + limit_words(*kill));
    add_kill(*kill, out);
    out.evidence.push_back({.fact = "nothing runs in it",
                            .where = "container " + name(),
                            .verify = program() + " ps -a"});
    out.remedy = more_memory(*kill) + ", and start it again";
    return out;
  }

  [[nodiscard]] bool is_of_this(const host::Process& process) const {
    return process.container && process.container->name == end_.container.name &&
           process.container->pod == end_.container.pod;
  }

  /// A listener of it, all of whose owners are younger than the kill: the counter of their cgroup
  /// began after it. A server that merely lost a worker has an older one.
  [[nodiscard]] std::optional<std::size_t> listener_since(const OomKill& kill) const {
    for (const std::size_t i : facts_.listeners) {
      const auto servers = servers_of(facts_.host, facts_.listener(i));
      const auto since = [&](host::ProcessId id) {
        const host::Process& process = facts_.host.at(id);
        return is_of_this(process) && process.started_at_ms && kill.at_ms &&
               *process.started_at_ms > *kill.at_ms;
      };
      if (!servers.empty() && std::ranges::all_of(servers, since)) return i;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Finding> killed_before() const {
    const OomKill& last = end_.kills.back();
    const auto listener = listener_since(last);
    if (!listener) return std::nullopt;
    const auto lately = static_cast<std::size_t>(std::ranges::count_if(
        end_.kills, [&](const OomKill& one) { return !is_older(one.at_ms, kHourMs); }));
    Finding out =
        about("oom-killed", lately > 1 ? Severity::Risk : Severity::Notice,
              "container " + name() + " was started again: the kernel had killed " + victim(last) +
                  " in it" + ago(last.at_ms) + ", for " + limit_words(last));
    if (lately > 1) {
      out.text += "; " + std::to_string(lately) + " of its processes were killed within the hour";
    }
    out.listener = listener;
    out.subject.clear();
    add_kill(last, out);
    out.remedy = more_memory(last);
    return out;
  }

  const Facts& facts_;
  const ContainerEnd& end_;
};

}  // namespace

std::vector<Finding> failing_containers(const Facts& facts) {
  std::vector<Finding> out;
  for (const ContainerEnd& end : facts.container_ends) {
    if (auto finding = Teller(facts, end).tell()) out.push_back(std::move(*finding));
  }
  return out;
}

}  // namespace hark::diagnose
