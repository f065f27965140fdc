#include "show/test_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>

#include "base/result.h"
#include "base/text.h"
#include "show/why_words.h"

namespace hark::show {
namespace {

using probe::Seen;
using reach::Outcome;

bool is_udp(const TestedAttempt& tested) {
  return tested.attempt.asked.protocol == Protocol::Udp;
}

/// "Connection refused (ECONNREFUSED)"
std::string error_words(int error) {
  return fmt::format("{} ({})", reason(kernel_error(error, "")), errno_name(error));
}

std::string connected_words(const Seen& seen) {
  return "connects in " + time_words(seen.times.connect_ms.value_or(seen.elapsed_ms));
}

std::string silence_words(const Seen& seen) {
  const double since = seen.elapsed_ms - seen.times.connect_ms.value_or(0);
  return connected_words(seen) + ", then silence: no byte in " + time_words(since);
}

std::string answered_words(const TestedAttempt& tested) {
  const Seen& seen = tested.seen;
  if (is_udp(tested)) {
    return "answers in " + time_words(seen.times.first_byte_ms.value_or(seen.elapsed_ms));
  }
  if (seen.error != 0) return connected_words(seen) + ", then is reset";
  if (seen.mute() && seen.closed_by_peer) {
    return connected_words(seen) + ", closed without a word after " + time_words(seen.elapsed_ms);
  }
  if (seen.mute()) {
    const bool taken = seen.accepted == true;
    if (taken && !seen.asked) return connected_words(seen) + "; says nothing by itself";
    return silence_words(seen);
  }
  // What takes long enough for a person to wait.
  constexpr double kSlowMs = 100;
  const double answer = seen.times.first_byte_ms.value_or(0);
  if (answer < kSlowMs) return connected_words(seen);
  return connected_words(seen) + ", answers after " + time_words(answer);
}

std::string icmp_words(const Seen& seen) {
  if (!seen.icmp) return {};
  std::string out = "ICMP " + (seen.icmp->name.empty() ? "error" : seen.icmp->name);
  if (seen.icmp->from) out += " from " + seen.icmp->from->text();
  return out;
}

std::string silent_words(const TestedAttempt& tested) {
  const Seen& seen = tested.seen;
  std::string out = "no answer in " + time_words(seen.elapsed_ms);
  if (is_udp(tested)) return out + "; of UDP that proves nothing";
  if (seen.retransmits == 1) out += ", SYN sent again once";
  if (seen.retransmits > 1) out += fmt::format(", SYN sent again {} times", seen.retransmits);
  return out;
}

/// Is the prediction no more than that it leaves this host?
bool leaves_here(const TestedAttempt& tested) {
  return tested.predicted && tested.predicted->outcome == Outcome::Unknown &&
         tested.predicted->cause.code == "forwarded";
}

/// "nothing on this host stopped it: it left by eth0"
std::string let_out_words(const TestedAttempt& tested) {
  std::string out = "nothing on this host stopped it";
  if (!tested.leaves_by.empty()) out += ": it left by " + tested.leaves_by;
  return out;
}

/// Whose doing it is, of what happened beyond this host.
std::string beyond_words(const TestedAttempt& tested) {
  const Seen& seen = tested.seen;
  const std::string to = tested.attempt.asked.address.text();
  const std::string port =
      fmt::format("{}/{}", name_of(tested.attempt.asked.protocol), tested.attempt.asked.port);
  const std::string out = let_out_words(tested);
  const bool by_target = seen.icmp && seen.icmp->from == tested.attempt.asked.address;
  switch (seen.outcome) {
    case Outcome::Refused:
      return fmt::format("{} refused: nobody listens there on {}, or a firewall says so; {}.", to,
                         port, out);
    case Outcome::Rejected:
      if (!seen.icmp) break;
      return fmt::format("{} refused to {}: {}; {}.",
                         seen.icmp->from ? seen.icmp->from->text() : "Somebody on the way",
                         by_target ? "take it" : "pass it on", icmp_words(seen), out);
    case Outcome::Silent:
      return fmt::format(
          "It was dropped on the way or at {}, or the answer was: nothing came back, and {}.", to,
          out);
    case Outcome::Hangs:
      return fmt::format("{} completes the handshake, and nobody there serves; {}.", to, out);
    case Outcome::NoNeighbour:
      return fmt::format(
          "Nobody on the link answers for the next hop to {}: it is down, or the address is not "
          "there.",
          to);
    case Outcome::Answered:
    case Outcome::Depends:
    case Outcome::Unknown:
      break;
  }
  return {};
}

std::string mute_words(const TestedAttempt& tested) {
  const Seen& seen = tested.seen;
  if (!seen.mute() || seen.outcome != Outcome::Answered) return {};
  if (seen.closed_by_peer) return "It was taken, and ended without a word.";
  if (seen.accepted == true && seen.asked) {
    return "A program took the connection, and does not answer what is usually asked there.";
  }
  if (seen.accepted == true) {
    return "A program took the connection and waits: its protocol lets the client speak first, "
           "and hark knows nothing polite to say there.";
  }
  return "Somebody completed the handshake; whether a program took the connection cannot be seen "
         "from here.";
}

std::string hanging_words(const TestedAttempt& tested) {
  const Seen& seen = tested.seen;
  if (seen.outcome != Outcome::Hangs || seen.accepted != false) return {};
  return "The kernel completed the handshake, but no program has accepted the connection.";
}

}  // namespace

std::string place_words(const TestReport& report, const TestedAttempt& tested) {
  const probe::Asked& asked = tested.attempt.asked;
  std::string out = std::string(name_of(asked.protocol)) + " ";
  const host::Link* link =
      tested.attempt.scope == 0 ? nullptr : report.network.link(tested.attempt.scope);
  if (link == nullptr) return out + endpoint_words(asked.address, asked.port);
  return out + fmt::format("[{}%{}]:{}", asked.address.text(), link->name, asked.port);
}

std::string time_words(double milliseconds) {
  constexpr double kSecond = 1000;
  if (milliseconds < 0.1) return fmt::format("{:.2f} ms", milliseconds);
  if (milliseconds < 10) return fmt::format("{:.1f} ms", milliseconds);
  if (milliseconds < kSecond) return fmt::format("{:.0f} ms", milliseconds);
  const std::string seconds = fmt::format("{:.1f}", milliseconds / kSecond);
  return (seconds.ends_with(".0") ? seconds.substr(0, seconds.size() - 2) : seconds) + " s";
}

std::string seen_words(const TestedAttempt& tested) {
  const Seen& seen = tested.seen;
  if (!seen.done) return "not known yet: interrupted";
  switch (seen.outcome) {
    case Outcome::Answered:
      return answered_words(tested);
    case Outcome::Refused:
      return "refused after " + time_words(seen.elapsed_ms) +
             (seen.icmp ? ": " + icmp_words(seen) : std::string());
    case Outcome::Rejected:
      if (seen.icmp)
        return "rejected after " + time_words(seen.elapsed_ms) + ": " + icmp_words(seen);
      return "cannot be sent: " + error_words(seen.error);
    case Outcome::Silent:
      return silent_words(tested);
    case Outcome::Hangs:
      if (seen.error != 0) return connected_words(seen) + ", then " + error_words(seen.error);
      return silence_words(seen);
    case Outcome::NoNeighbour:
      return "no neighbour: nobody answers for it after " + time_words(seen.elapsed_ms);
    case Outcome::Depends:
    case Outcome::Unknown:
      break;
  }
  return seen.error == 0 ? "not known" : "not tried: " + error_words(seen.error);
}

std::string predicted_words(const TestedAttempt& tested) {
  if (!tested.predicted || !tested.seen.done) return {};
  if (tested.agrees == true) return "as predicted";
  if (leaves_here(tested)) return "let out by this host";
  if (!tested.agrees) return "not predicted";
  std::string out = "predicted: " + std::string(short_words(tested.predicted->outcome));
  if (!tested.predicted->icmp.empty()) out += " (" + tested.predicted->icmp + ")";
  return out;
}

std::string explanation_words(const TestReport& report, const TestedAttempt& tested) {
  if (!tested.seen.done) return {};
  if (tested.agrees == false) {
    std::string out = "Predicted: " + verdict_words(report.facts(), *tested.predicted);
    return tested.difference.empty() ? out : out + " " + tested.difference;
  }
  if (leaves_here(tested) || !tested.predicted) {
    const std::string mute = mute_words(tested);
    if (!mute.empty()) return mute;
    return tested.predicted ? beyond_words(tested) : hanging_words(tested);
  }
  if (tested.seen.outcome == Outcome::Answered) return mute_words(tested);
  std::string out = verdict_words(report.facts(), *tested.predicted);
  if (!tested.predicted->cause.tool.empty()) {
    out += " This rule was put there by " + tested.predicted->cause.tool + ".";
  }
  if (tested.predicted->outcome == Outcome::Answered && is_udp(tested)) {
    out += " A service need not answer what it was asked.";
  }
  return out;
}

std::string explanation_key(const TestReport& report, const TestedAttempt& tested) {
  if (!tested.predicted || leaves_here(tested) || tested.seen.outcome == Outcome::Answered) {
    return explanation_words(report, tested);
  }
  const bool wrong = tested.agrees == false;
  return fmt::format("{} {} {} {}", wrong, static_cast<int>(tested.predicted->outcome),
                     static_cast<int>(wrong ? tested.seen.outcome : Outcome::Unknown),
                     reason_words(report.facts(), *tested.predicted));
}

std::string spark(std::span<const std::optional<double>> times, bool ascii) {
  constexpr std::array<const char*, 8> kBlocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::array<const char*, 8> kAscii = {"_", ".", ",", "-", "=", "+", "*", "#"};
  double least = 0;
  double most = 0;
  bool any = false;
  for (const auto& time : times) {
    if (!time) continue;
    // Times of a network differ by orders of magnitude.
    const double value = std::log(std::max(*time, 0.01));
    least = any ? std::min(least, value) : value;
    most = any ? std::max(most, value) : value;
    any = true;
  }
  // Less than a doubling is no news: a level is one at least.
  const double span = std::max(most - least, 8 * std::log(2.0));
  std::string out;
  for (const auto& time : times) {
    if (!time) {
      out += ascii ? "x" : "×";
      continue;
    }
    const double share = (std::log(std::max(*time, 0.01)) - least) / span;
    const auto level = std::min<std::size_t>(7, static_cast<std::size_t>(share * 8));
    out += ascii ? kAscii[level] : kBlocks[level];
  }
  return out;
}

}  // namespace hark::show
