#include "host/unit_states.h"

#include <algorithm>

namespace hark::host {
namespace {

constexpr std::uint64_t kUsPerMs = 1000;
constexpr std::int32_t kExited = 1;        // CLD_EXITED of bits/siginfo-consts.h
constexpr std::int32_t kKilled = 2;        // CLD_KILLED
constexpr std::int32_t kDumped = 3;        // CLD_DUMPED
constexpr std::int32_t kExecFailed = 203;  // EXIT_EXEC of systemd.exec(5)

std::optional<std::int64_t> ms_of(const std::optional<std::uint64_t>& us) {
  if (us.value_or(0) == 0) return std::nullopt;
  return static_cast<std::int64_t>(*us / kUsPerMs);
}

std::optional<UnitExit> exit_of(const decode::UnitState& state) {
  const char* code = nullptr;
  if (state.exit_code == kExited) code = "exited";
  if (state.exit_code == kKilled) code = "killed";
  if (state.exit_code == kDumped) code = "dumped";
  if (code == nullptr || !state.exit_status) return std::nullopt;
  return UnitExit{.code = code, .status = *state.exit_status, .at_ms = ms_of(state.exit_us)};
}

std::string exit_words(const UnitFacts& facts) {
  if (!facts.last_exit) return facts.result.empty() ? "no reason is known" : facts.result;
  const std::string status = std::to_string(facts.last_exit->status);
  if (facts.last_exit->code == "exited") return "exit status " + status;
  return "signal " + status + (facts.last_exit->code == "dumped" ? ", core dumped" : "");
}

void set_obstacle(const decode::UnitState& state, UnitFacts& facts) {
  const auto cannot = [&facts](std::string because) {
    facts.can_start = false;
    facts.cannot_start_because = std::move(because);
  };
  if (facts.load_state == "masked") return cannot("it is masked");
  if (facts.load_state == "not-found") return cannot("it has no unit file");
  if (facts.load_state == "bad-setting" || facts.load_state == "error") {
    return cannot("its unit file cannot be used" +
                  (state.load_error.empty() ? "" : ": " + state.load_error));
  }
  if (facts.result == "start-limit-hit") return cannot("it was started too often: start-limit-hit");
  const bool failed = facts.active_state == "failed";
  if (failed && facts.last_exit && facts.last_exit->code == "exited" &&
      facts.last_exit->status == kExecFailed) {
    return cannot("its program could not be executed");
  }
  if (facts.can_start == false) return;
  if (failed) {
    // Failed once is no obstacle: the next connection starts it again.
    facts.can_start = std::nullopt;
    facts.cannot_start_because = "it failed last time: " + exit_words(facts);
  } else if (facts.load_state == "loaded") {
    facts.can_start = true;
  }
}

}  // namespace

Result<std::map<std::string, decode::UnitState>> ask_unit_states(
    kernel::Source& source, const std::vector<std::string>& names) {
  const auto parts = source.ask_units(names);
  if (!parts) return fail(parts.error());
  auto states = decode::decode_unit_states(*parts);
  if (!states) return fail(states.error());
  std::map<std::string, decode::UnitState> out;
  for (decode::UnitState& state : *states) {
    std::string name = state.name;
    out.emplace(std::move(name), std::move(state));
  }
  return out;
}

void add_state(const decode::UnitState& state, UnitFacts& facts) {
  const auto known = [](const std::string& text, std::string& to) {
    if (!text.empty()) to = text;
  };
  facts.source = UnitSource::Dbus;
  known(state.description, facts.description);
  known(state.load_state, facts.load_state);
  known(state.active_state, facts.active_state);
  known(state.sub_state, facts.sub_state);
  known(state.result, facts.result);
  known(state.fragment, facts.fragment);
  if (!state.triggers.empty()) facts.triggers = state.triggers;
  facts.restarts = state.restarts;
  facts.last_exit = exit_of(state);
  facts.state_since_ms = ms_of(state.since_us);
  if (facts.name.ends_with(".service")) set_obstacle(state, facts);
}

}  // namespace hark::host
