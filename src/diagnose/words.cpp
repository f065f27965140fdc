#include "diagnose/words.h"

#include <algorithm>
#include <array>

namespace hark::diagnose {

bool is_stream(Protocol protocol) {
  return protocol == Protocol::Tcp || protocol == Protocol::Mptcp;
}

bool is_stream(const host::Listener& listener) {
  return is_stream(listener.protocol);
}

std::string duration_words(std::int64_t ms) {
  struct Unit {
    std::int64_t seconds;
    const char* name;
  };
  constexpr std::array<Unit, 3> kUnits = {{{86'400, "day"}, {3'600, "hour"}, {60, "minute"}}};
  const std::int64_t seconds = ms / 1000;
  for (const Unit& unit : kUnits) {
    // "90 minutes" says more than "1 hour".
    if (seconds < 2 * unit.seconds) continue;
    return counted(static_cast<std::uint64_t>(seconds / unit.seconds), unit.name);
  }
  return counted(static_cast<std::uint64_t>(seconds < 0 ? 0 : seconds), "second");
}

std::string counted(std::uint64_t count, const char* thing) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits + " " + thing + (count == 1 ? "" : "s");
}

std::string bytes_words(std::uint64_t bytes) {
  constexpr std::uint64_t kStep = 1024;
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < kStep) return counted(bytes, "byte");
  std::uint64_t tenths = bytes * 10 / kStep;
  std::size_t unit = 0;
  for (; tenths >= kStep * 10 && unit + 1 < kUnits.size(); ++unit) tenths /= kStep;
  std::string out = std::to_string(tenths / 10);
  if (tenths % 10 != 0) out += "." + std::to_string(tenths % 10);
  return out + " " + kUnits[unit];
}

std::string signal_words(std::int32_t number) {
  struct Name {
    std::int32_t number;
    const char* name;
  };
  constexpr std::array<Name, 9> kNames = {{{1, "SIGHUP"},
                                           {2, "SIGINT"},
                                           {4, "SIGILL"},
                                           {6, "SIGABRT"},
                                           {7, "SIGBUS"},
                                           {8, "SIGFPE"},
                                           {9, "SIGKILL"},
                                           {11, "SIGSEGV"},
                                           {15, "SIGTERM"}}};
  const auto found = std::ranges::find(kNames, number, &Name::number);
  const std::string out = "signal " + std::to_string(number);
  return found == kNames.end() ? out : out + " (" + found->name + ")";
}

std::string socket_command(const host::Listener& listener, const char* more) {
  return std::string(is_stream(listener) ? "ss -Htln" : "ss -Huan") + more +
         " sport = :" + std::to_string(listener.port);
}

std::string since_words(const Facts& facts) {
  return "in " + std::to_string(facts.looks.back().at_ms - facts.looks.front().at_ms) + " ms";
}

std::vector<host::ProcessId> servers_of(const host::Host& host, const host::Listener& listener) {
  std::vector<host::ProcessId> out;
  if (!listener.owners) return out;
  for (const host::Owner& owner : *listener.owners) {
    const bool keeps = host.at(owner.process).pid == 1 && listener.owners->size() > 1;
    if (!keeps) out.push_back(owner.process);
  }
  return out;
}

}  // namespace hark::diagnose
