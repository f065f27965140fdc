// What was declared against who listens: a port at which nobody does, one that only this host
// reaches although it was meant for others, an address that was left out.
//
// A declaration is a claim of a text that hark reads by rules of its own. So it is met by anybody
// who listens at that port in the namespace, whoever it is, and in doubt over any protocol.
#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>

#include "base/text.h"
#include "diagnose/declared_by_rules.h"
#include "diagnose/families.h"
#include "diagnose/words.h"
#include "reach/shell_word.h"

namespace hark::diagnose {
namespace {

using host::DeclaredPort;
using host::Listener;
using By = DeclaredPort::By;

/// A program that started so shortly ago may not be ready.
constexpr std::int64_t kYoungMs = 30'000;

std::string port_words(const DeclaredPort& one) {
  const bool udp = one.protocol && !is_stream(*one.protocol);
  return std::string(udp ? "udp " : "tcp ") + std::to_string(one.port);
}

std::string address_words(const DeclaredPort& one) {
  return one.address && !one.address->is_unspecified() ? one.address->text() : "every address";
}

std::string listener_words(const Listener& listener) {
  const IpAddress plain = listener.address.unmapped();
  const bool inet = plain.family == hark::Family::Inet;
  return std::string(name_of(listener.protocol)) + " " +
         (inet ? plain.text() : "[" + plain.text() + "]") + ":" + std::to_string(listener.port);
}

std::string who(const DeclaredPort& one) {
  if (one.by == By::Container) return "container " + one.program;
  if (one.by == By::Rule) return one.program;
  return one.pid == 0 ? one.program : one.program + " (" + std::to_string(one.pid) + ")";
}

/// Where it was said: "its command line", "/etc/nginx/nginx.conf line 12".
std::string where(const DeclaredPort& one) {
  switch (one.by) {
    case By::CommandLine:
      return "its command line";
    case By::Environment:
      return "its environment";
    case By::File:
      return one.file + " line " + std::to_string(one.line);
    case By::Container:
      return "its configuration (" + one.words + ")";
    case By::Rule:
      return "the rule for " + one.words;
    case By::SocketUnit:
      break;
  }
  return "its " + one.words;
}

reach::Evidence declaration(const DeclaredPort& one) {
  const std::string proc = "/proc/" + std::to_string(one.pid);
  switch (one.by) {
    case By::CommandLine:
      return {.fact = one.words,
              .where = "command line of " + who(one),
              .verify = "tr '\\0' ' ' < " + proc + "/cmdline"};
    case By::Environment:
      return {.fact = one.words,
              .where = "environment of " + who(one),
              .verify = "tr '\\0' '\\n' < " + proc + "/environ | grep PORT="};
    case By::File:
      return {.fact = port_words(one) + " at " + address_words(one),
              .where = where(one),
              .verify = "sed -n " + std::to_string(one.line) + "p " + reach::shell_word(one.file)};
    case By::Container:
      return {.fact = port_words(one) + " " + one.words,
              .where = "container " + one.program,
              .verify = one.runtime + " port " + reach::shell_word(one.program)};
    case By::Rule:
      return {.fact = "sends clients on to " + one.address->text() + ", " + port_words(one),
              .where = "rule for " + one.words,
              .verify = one.shown_by};
    case By::SocketUnit:
      break;
  }
  return {.fact = one.words,
          .where = one.file,
          .verify = "systemctl status " + reach::shell_word(one.program)};
}

std::string see_sockets(const DeclaredPort& one) {
  const bool udp = one.protocol && !is_stream(*one.protocol);
  const std::string options = udp ? "-Huan" : one.protocol ? "-Htln" : "-Htuln";
  return "ss " + options + " sport = :" + std::to_string(one.port);
}

bool is_owner(const Facts& facts, const Listener& listener, std::uint32_t pid) {
  return pid != 0 && listener.owners &&
         std::ranges::any_of(*listener.owners, [&](const host::Owner& owner) {
           return facts.host.at(owner.process).pid == pid;
         });
}

/// Who listens at the port, over any protocol: in the namespace, or the process itself in another.
std::vector<std::size_t> at_port(const Facts& facts, const DeclaredPort& one) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < facts.host.listeners.size(); ++i) {
    const Listener& listener = facts.listener(i);
    if (listener.port != one.port || listener.protocol == Protocol::Raw) continue;
    if (listener.netns == one.netns || is_owner(facts, listener, one.pid)) out.push_back(i);
  }
  return out;
}

/// Where a list of sockets is missing, nobody is missed.
bool all_listed(const Facts& facts, host::NetnsId id) {
  const host::Netns& netns = facts.host.at(id);
  const std::string name = netns.own ? "this namespace" : host::netns_words(netns);
  return std::ranges::none_of(facts.host.gaps, [&](const host::Gap& gap) {
    const bool sockets = gap.code == "sockets-not-read" &&
                         (gap.what.starts_with("TCP") || gap.what.starts_with("UDP "));
    return (sockets || gap.code == "dump-interrupted") && gap.what.find(name) != std::string::npos;
  });
}

bool fits(const Listener& listener, const DeclaredPort& one) {
  return !one.protocol || is_stream(*one.protocol) == is_stream(listener.protocol);
}

/// Does a client of that family reach it, whatever its address?
bool takes_family(const Listener& listener, hark::Family family) {
  if (family == hark::Family::Inet6) {
    return listener.address.family == hark::Family::Inet6 && !listener.address.is_v4_mapped();
  }
  if (listener.address.unmapped().family == hark::Family::Inet) return true;
  return listener.address.is_unspecified() && !listener.v6only.value_or(false);
}

enum class Met : std::uint8_t { Yes, OnlyInside, Elsewhere };

/// Is the address of the declaration one of those that listen at the port?
Met met_by(const Facts& facts, const DeclaredPort& one, const std::vector<std::size_t>& found) {
  if (!one.everywhere && !one.address) return Met::Yes;
  const bool wide = one.everywhere || one.address->is_unspecified();
  const auto is_inside = [&](std::size_t i) {
    return facts.listener(i).scope == host::Scope::Loopback;
  };
  const bool inside = std::ranges::all_of(found, is_inside);
  if (inside && (wide || !one.address->is_loopback())) return Met::OnlyInside;
  if (one.everywhere) return Met::Yes;
  const auto covers = [&](std::size_t i) {
    const Listener& listener = facts.listener(i);
    if (!takes_family(listener, one.address->family)) return false;
    return wide || listener.address.is_unspecified() ||
           listener.address.unmapped() == one.address->unmapped();
  };
  return std::ranges::any_of(found, covers) ? Met::Yes : Met::Elsewhere;
}

/// What else the process listens on: the nearest numbers first.
std::vector<std::size_t> other_ports(const Facts& facts, const DeclaredPort& one) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < facts.host.listeners.size(); ++i) {
    const Listener& listener = facts.listener(i);
    if (listener.netns != one.netns || listener.probable_client) continue;
    if (is_owner(facts, listener, one.pid)) out.push_back(i);
  }
  const auto distance = [&](std::size_t i) {
    return std::abs(static_cast<int>(facts.listener(i).port) - static_cast<int>(one.port));
  };
  std::ranges::stable_sort(out, {}, distance);
  return out;
}

reach::Evidence near_evidence(const Facts& facts, std::size_t i) {
  const Listener& listener = facts.listener(i);
  return {.fact = host::holder_words(facts.host, i) + " listens on " + listener_words(listener),
          .where = "socket",
          .verify = socket_command(listener)};
}

std::optional<std::int64_t> age_ms(const Facts& facts, const DeclaredPort& one) {
  if (!one.started_at_ms || facts.host.taken_at_ms < *one.started_at_ms) return std::nullopt;
  return facts.host.taken_at_ms - *one.started_at_ms;
}

/// Bound, and listen() was not called.
const host::BoundSocket* bound_there(const Facts& facts, const DeclaredPort& one) {
  const host::Network* network = facts.reach.network(one.netns);
  if (network == nullptr || (one.protocol && !is_stream(*one.protocol))) return nullptr;
  const auto found = std::ranges::find(network->services.bound, one.port, &host::BoundSocket::port);
  return found == network->services.bound.end() ? nullptr : &*found;
}

void add_near(const Facts& facts, const DeclaredPort& one, Finding& out) {
  for (const std::size_t i : at_port(facts, one)) {
    // The wrong protocol: who fits is no near miss.
    out.text += ", but " + host::holder_words(facts.host, i) + " on " +
                std::string(name_of(facts.listener(i).protocol)) + " " + std::to_string(one.port);
    out.evidence.push_back(near_evidence(facts, i));
    return;
  }
  if (const host::BoundSocket* bound = bound_there(facts, one)) {
    out.text += "; a socket is bound to the port, and listen() was never called for it";
    out.evidence.push_back({.fact = "bound to " + bound->address.text() + ", not listening",
                            .where = "socket",
                            .verify = "ss -Htanp state all sport = :" + std::to_string(one.port)});
    return;
  }
  const std::vector<std::size_t> others = other_ports(facts, one);
  if (others.empty()) return;
  constexpr std::size_t kMostNear = 3;
  std::string list;
  for (std::size_t n = 0; n < others.size() && n < kMostNear; ++n) {
    list += (n == 0 ? "" : ", ") + listener_words(facts.listener(others[n]));
    out.evidence.push_back(near_evidence(facts, others[n]));
  }
  if (others.size() > kMostNear) {
    list += " and " + std::to_string(others.size() - kMostNear) + " more";
  }
  out.text += "; it listens on " + list;
}

/// Who says so means it: a variable or a unit may be left over.
bool is_certain(By by) {
  return by == By::CommandLine || by == By::File || by == By::Container;
}

std::optional<std::uint16_t> published_of(const DeclaredPort& one) {
  return one.published == 0 ? std::nullopt : std::optional(one.published);
}

Finding missing(const Facts& facts, const DeclaredPort& one) {
  Finding out{.code = "declared-port-missing",
              .severity = is_certain(one.by) ? Severity::Broken : Severity::Risk,
              .subject = port_words(one),
              .port = one.port,
              .published = published_of(one),
              .text = who(one) + ": nobody listens on " + port_words(one) + ", which " +
                      where(one) + " declares",
              .evidence = {declaration(one)}};
  out.evidence.push_back({.fact = "no listener", .where = "sockets", .verify = see_sockets(one)});
  add_near(facts, one, out);
  const auto age = age_ms(facts, one);
  switch (one.by) {
    case By::CommandLine:
    case By::Environment:
      out.remedy =
          "see what the program says in its log: it may use another setting, or may have "
          "found the port taken; then give it the port that clients use";
      break;
    case By::File:
      out.remedy =
          "if the file was changed after the program started, reload or restart it; else "
          "see in its log why it does not listen there";
      break;
    case By::Container:
      out.remedy =
          "give the container the port at which its program listens, or the program that port; it "
          "has to listen at every address of the container, not at its loopback alone";
      break;
    case By::Rule:
      out.remedy =
          "have the program listen there, at every address of its namespace, or take the rule out";
      break;
    case By::SocketUnit:
      out.text += ": the unit is enabled" + (one.state.empty() ? "" : " and " + one.state);
      out.remedy = "start the unit, or disable it if the port is not wanted";
      break;
  }
  if (age && *age < kYoungMs && one.by != By::SocketUnit) {
    out.severity = Severity::Notice;
    out.text += "; it started " + duration_words(*age) + " ago and may not be ready";
  }
  return out;
}

Finding wider(const Facts& facts, const DeclaredPort& one, std::size_t i) {
  Finding out{.code = "declared-wider",
              .severity = Severity::Broken,
              .listener = i,
              .published = published_of(one),
              .text = host::holder_words(facts.host, i) + " listens on " +
                      facts.listener(i).address.unmapped().text() + " alone, and " + where(one) +
                      " declares " + address_words(one) + ": nobody else reaches it",
              .evidence = {declaration(one), near_evidence(facts, i)}};
  if (one.by == By::Container || one.by == By::Rule) {
    out.remedy =
        "have the program listen at every address of its container (0.0.0.0): the container's "
        "loopback is another one than this host's";
    return out;
  }
  out.remedy = one.by == By::File ? "restart the program, so that it reads what its file says now; "
                                    "if another setting wins, change that one"
                                  : "see which setting of the program wins over this one, and give "
                                    "that the address that clients use";
  return out;
}

Finding elsewhere(const Facts& facts, const DeclaredPort& one, std::size_t i) {
  const bool wide = one.address->is_unspecified();
  const std::string family = one.address->family == hark::Family::Inet ? "IPv4" : "IPv6";
  const std::string place = wide ? "at any address of " + family : "at " + one.address->text();
  return {.code = "declared-address-missing",
          .severity = Severity::Risk,
          .listener = i,
          .published = published_of(one),
          .text = host::holder_words(facts.host, i) + " listens on " +
                  listener_words(facts.listener(i)) + ", and nobody on that port " + place +
                  ", which " + where(one) + " declares",
          .evidence = {declaration(one), near_evidence(facts, i)},
          .remedy =
              "restart the program if its settings were changed since it started; else see in "
              "its log why it does not listen there"};
}

/// Where IPv6 is switched off nobody misses it.
bool lacks_family(const Facts& facts, const DeclaredPort& one) {
  if (!one.address || one.address->family != hark::Family::Inet6) return false;
  const host::Network* network = facts.reach.network(one.netns);
  return network == nullptr ||
         std::ranges::none_of(network->addresses, [](const host::InterfaceAddress& address) {
           return address.address.family == hark::Family::Inet6;
         });
}

std::optional<Finding> judge(const Facts& facts, const DeclaredPort& one) {
  if (one.state == "failed" || one.state == "active" || one.state == "activating") {
    return std::nullopt;  // said by who looks at units, or about to listen
  }
  if (!all_listed(facts, one.netns)) return std::nullopt;
  std::vector<std::size_t> found = at_port(facts, one);
  std::erase_if(found, [&](std::size_t i) { return !fits(facts.listener(i), one); });
  if (found.empty()) return missing(facts, one);
  switch (met_by(facts, one, found)) {
    case Met::Yes:
      break;
    case Met::OnlyInside:
      return wider(facts, one, found.front());
    case Met::Elsewhere:
      if (!lacks_family(facts, one)) return elsewhere(facts, one, found.front());
      break;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Finding> declared_ports(const Facts& facts) {
  std::vector<Finding> out;
  // A port is missing once, and the first who says so is believed: process by process.
  std::set<std::tuple<host::NetnsId, std::uint16_t, std::string, std::string>> told;
  std::vector<DeclaredPort> all = facts.declared;
  std::ranges::move(declared_by_rules(facts), std::back_inserter(all));
  for (const DeclaredPort& one : all) {
    auto finding = judge(facts, one);
    if (!finding) continue;
    // What a program in a container says itself says more, and its runtime more than a rule.
    const bool said = (one.by == By::Container || one.by == By::Rule) &&
                      std::ranges::any_of(told, [&](const auto& other) {
                        return std::get<0>(other) == one.netns && std::get<1>(other) == one.port;
                      });
    if (said) continue;
    const std::string whose = one.by == By::Environment ? "" : one.program;
    if (!told.emplace(one.netns, one.port, whose, finding->code).second) continue;
    out.push_back(std::move(*finding));
  }
  return out;
}

}  // namespace hark::diagnose
