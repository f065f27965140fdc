#include "show/why_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "base/protocol.h"
#include "base/result.h"
#include "base/text.h"
#include "show/list_facts.h"

namespace hark::show {
namespace {

using host::Host;
using host::Listener;
using reach::Answer;
using reach::Outcome;
using reach::Question;

/// "a", "a and b", "a, b and c"
std::string listed(const std::vector<std::string>& words, std::string_view last = " and ") {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? last : std::string_view(", ");
    out += words[i];
  }
  return out;
}

std::string subject(const AnswerFacts& facts, const Question& question) {
  const host::Link* link = facts.network.link(question.interface);
  if (link == nullptr || !link->is_loopback()) return question.source.text();
  // No route leads out: no source was chosen.
  if (question.source.is_unspecified()) return "This host";
  const bool usual =
      question.source.is_loopback() && question.source.bytes == question.destination.bytes;
  return usual ? "This host" : "This host (" + question.source.text() + ")";
}

bool is_transport(const Listener& listener, Protocol protocol) {
  if (listener.protocol == protocol) return true;
  return protocol == Protocol::Tcp && listener.protocol == Protocol::Mptcp;
}

/// What the path rewrote is no longer the port that was asked for.
bool is_rewritten(const Answer& answer) {
  return std::ranges::any_of(answer.path,
                             [](const reach::Step& step) { return step.verdict == "rewrite"; });
}

std::string bound_words(const Listener& l) {
  const IpAddress address = l.address.unmapped();
  if (!address.is_unspecified()) return address.text();
  if (address.family == Family::Inet) return "every IPv4 address";
  return l.v6only == false ? "every address" : "every IPv6 address";
}

/// Who has the port elsewhere: "postgres (733) listens on 127.0.0.1 and ::1 only".
std::string listens_elsewhere(const AnswerFacts& facts, const Question& question) {
  std::vector<std::string> holders;
  std::vector<std::vector<std::string>> places;
  for (std::size_t i = 0; i < facts.host.listeners.size(); ++i) {
    const Listener& l = facts.host.listeners[i];
    if (l.netns != facts.network.netns || l.port != question.port ||
        !is_transport(l, question.protocol)) {
      continue;
    }
    const std::string holder = holder_words(facts.host, i);
    const auto at = std::ranges::find(holders, holder);
    const auto index = static_cast<std::size_t>(at - holders.begin());
    if (at == holders.end()) {
      holders.push_back(holder);
      places.emplace_back();
    }
    const std::string device = device_of(l);
    std::string place = bound_words(l);
    if (!device.empty()) place += " on " + device;
    if (std::ranges::find(places[index], place) == places[index].end()) {
      places[index].push_back(place);
    }
  }
  std::vector<std::string> words;
  for (std::size_t i = 0; i < holders.size(); ++i) {
    words.push_back(holders[i] + " listens on " + listed(places[i]) + " only");
  }
  return listed(words);
}

std::string with_reason(std::string sentence, const std::string& reason) {
  if (!reason.empty()) sentence += ": " + reason;
  return sentence + ".";
}

/// "is answered or refused"
std::string possible_words(const Answer& answer) {
  std::vector<std::string> words;
  for (const Outcome outcome : answer.possible) words.emplace_back(short_words(outcome));
  return listed(words, " or ");
}

std::string depends_words(const std::string& who, const Answer& answer) {
  std::vector<std::string> on;
  for (const reach::Condition& condition : answer.conditions) on.push_back(condition.text);
  const std::string what = answer.possible.empty() ? "open" : possible_words(answer);
  return who + ": " + what + (on.empty() ? "" : ", depending on " + listed(on)) + ".";
}

std::string unknown_words(const AnswerFacts& facts, const std::string& who, const Answer& answer) {
  std::string out = "It is not known whether " + lower(who.substr(0, 1)) + who.substr(1) +
                    " reaches " + port_words(answer.question);
  if (!answer.possible.empty()) out += " (" + possible_words(answer) + ")";
  return with_reason(std::move(out), reason_words(facts, answer));
}

std::string answered_words(const AnswerFacts& facts, const std::string& who, const Answer& answer) {
  const std::string port = port_words(answer.question);
  if (!answer.delivers_to) return who + " is answered on " + port + ".";
  std::vector<std::string> takers = {holder_words(facts.host, *answer.delivers_to)};
  for (const std::size_t other : answer.or_to) {
    std::string words = holder_words(facts.host, other);
    if (std::ranges::find(takers, words) == takers.end()) takers.push_back(std::move(words));
  }
  return who + " reaches " + join(takers, " or ") + " on " + port + ".";
}

std::string rejected_words(const AnswerFacts& facts, const std::string& who, const Answer& answer) {
  if (answer.icmp.empty()) {
    return with_reason(who + " cannot even send", reason_words(facts, answer));
  }
  std::string icmp = answer.icmp;
  std::ranges::replace(icmp, '-', ' ');
  return with_reason(who + " is rejected (" + icmp + ")", reason_words(facts, answer));
}

struct ErrnoName {
  int number;
  const char* name;
};
/// Those that connect(2), send(2) and recv(2) give for what the network did.
constexpr std::array<ErrnoName, 18> kErrnoNames = {{{EPERM, "EPERM"},
                                                    {EACCES, "EACCES"},
                                                    {ENODEV, "ENODEV"},
                                                    {EINVAL, "EINVAL"},
                                                    {EPROTO, "EPROTO"},
                                                    {EMSGSIZE, "EMSGSIZE"},
                                                    {ENOPROTOOPT, "ENOPROTOOPT"},
                                                    {EAFNOSUPPORT, "EAFNOSUPPORT"},
                                                    {EADDRINUSE, "EADDRINUSE"},
                                                    {EADDRNOTAVAIL, "EADDRNOTAVAIL"},
                                                    {ENETDOWN, "ENETDOWN"},
                                                    {ENETUNREACH, "ENETUNREACH"},
                                                    {ECONNRESET, "ECONNRESET"},
                                                    {ETIMEDOUT, "ETIMEDOUT"},
                                                    {ECONNREFUSED, "ECONNREFUSED"},
                                                    {EHOSTDOWN, "EHOSTDOWN"},
                                                    {EHOSTUNREACH, "EHOSTUNREACH"},
                                                    {EAGAIN, "EAGAIN"}}};

}  // namespace

std::string reason_words(const AnswerFacts& facts, const Answer& answer) {
  constexpr std::array<std::string_view, 3> kNobodyHere = {"no-socket", "bound-other-addr",
                                                           "bound-other-dev"};
  const bool nobody = std::ranges::find(kNobodyHere, answer.cause.code) != kNobodyHere.end();
  if (nobody && !is_rewritten(answer)) {
    std::string out = listens_elsewhere(facts, answer.question);
    if (out.empty()) out = "nobody listens on " + port_words(answer.question);
    if (answer.outcome != Outcome::Silent) return out;
    out += ", and the refusal does not get back";
    return answer.next.empty() ? out : out + ": " + answer.next.back().text;
  }
  return answer.cause.text.empty() ? answer.cause.code : answer.cause.text;
}

std::string port_words(const Question& question) {
  return fmt::format("{}/{}", name_of(question.protocol), question.port);
}

std::string endpoint_words(const IpAddress& address, std::uint16_t port) {
  const bool inet = address.family == Family::Inet;
  return fmt::format("{}{}{}:{}", inet ? "" : "[", address.text(), inet ? "" : "]", port);
}

std::string_view short_words(Outcome outcome) {
  switch (outcome) {
    case Outcome::Answered:
      return "answered";
    case Outcome::Refused:
      return "refused";
    case Outcome::Rejected:
      return "rejected";
    case Outcome::Silent:
      return "no answer";
    case Outcome::Hangs:
      return "connected, then nothing";
    case Outcome::NoNeighbour:
      return "no neighbour";
    case Outcome::Depends:
      return "depends";
    case Outcome::Unknown:
      return "not known";
  }
  return "not known";
}

std::string verdict_words(const AnswerFacts& facts, const Answer& answer) {
  const std::string who = subject(facts, answer.question);
  const auto because = [&](const std::string& sentence) {
    return with_reason(who + sentence, reason_words(facts, answer));
  };
  switch (answer.outcome) {
    case Outcome::Answered:
      return answered_words(facts, who, answer);
    case Outcome::Refused:
      return because(" is refused");
    case Outcome::Rejected:
      return rejected_words(facts, who, answer);
    case Outcome::Silent:
      return because(" gets no answer");
    case Outcome::Hangs:
      return because(" is connected, and then nothing comes");
    case Outcome::NoNeighbour:
      return because(" finds nobody at " + answer.question.destination.text());
    case Outcome::Depends:
      return depends_words(who, answer);
    case Outcome::Unknown:
      break;
  }
  return unknown_words(facts, who, answer);
}

std::string errno_name(int error) {
  if (error == 0) return {};
  const auto found = std::ranges::find(kErrnoNames, error, &ErrnoName::number);
  return found == kErrnoNames.end() ? fmt::format("errno {}", error) : std::string(found->name);
}

int errno_of(const Answer& answer) {
  if (answer.error != 0) return answer.error;
  const bool tcp = answer.question.protocol == Protocol::Tcp;
  switch (answer.outcome) {
    case Outcome::Refused:
      return ECONNREFUSED;
    case Outcome::NoNeighbour:
      return EHOSTUNREACH;
    case Outcome::Silent:
      return tcp ? ETIMEDOUT : 0;
    case Outcome::Answered:
    case Outcome::Rejected:
    case Outcome::Hangs:
    case Outcome::Depends:
    case Outcome::Unknown:
      break;
  }
  return 0;
}

std::string client_words(const Answer& answer) {
  const int error = errno_of(answer);
  const bool udp = answer.question.protocol == Protocol::Udp;
  const std::string sees =
      error == 0 ? ""
                 : fmt::format("\"{}\" ({})", reason(kernel_error(error, "")), errno_name(error));
  switch (answer.outcome) {
    case Outcome::Silent:
      if (udp && error == 0) return "The client hears nothing, however long it waits";
      return error == ETIMEDOUT ? "The client waits, and sees " + sees + " in the end"
                                : "The client sees " + sees;
    case Outcome::Hangs:
      return error == 0 ? "The client is connected and waits" : "The client sees " + sees;
    case Outcome::NoNeighbour:
      return "The client sees " + sees + " after some seconds";
    case Outcome::Refused:
    case Outcome::Rejected:
      return sees.empty() ? "" : "The client sees " + sees;
    case Outcome::Answered:
    case Outcome::Depends:
    case Outcome::Unknown:
      break;
  }
  return {};
}

}  // namespace hark::show
