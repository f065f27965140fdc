// Services that are commonly private and that the whole world reaches. Which they are is a table;
// whether the world comes is told by the classes of sources, so that a firewall that keeps it away
// keeps the finding away as well.
#include <algorithm>

#include "diagnose/families.h"
#include "diagnose/from_world.h"
#include "diagnose/private_services.h"
#include "diagnose/words.h"
#include "host/doors.h"

namespace hark::diagnose {
namespace {

using host::Listener;

/// Who may serve there, as far as names tell.
struct Seen {
  std::vector<std::string> programs;
  std::vector<std::string> command_lines;
  std::vector<std::uint16_t> ports;  ///< its own, and where a door leads to
};

Seen seen_of(const Facts& facts, const Listener& listener) {
  Seen out{.programs = {}, .command_lines = {}, .ports = {listener.port}};
  for (const host::ProcessId id : servers_of(facts.host, listener)) {
    const host::Process& process = facts.host.at(id);
    out.programs.push_back(host::program_name(process));
    std::string words;
    if (process.command_line) {
      for (const std::string& word : *process.command_line) words += word + " ";
    }
    out.command_lines.push_back(std::move(words));
    if (!process.door) continue;
    const std::uint16_t port = host::door_port(*process.door, listener);
    if (port != 0) out.ports.push_back(port);
  }
  return out;
}

bool has_port(const PrivateService& service, const Seen& seen) {
  return std::ranges::any_of(seen.ports, [&](std::uint16_t port) {
    return port != 0 && std::ranges::find(service.ports, port) != service.ports.end();
  });
}

bool has_program(const PrivateService& service, const Seen& seen) {
  return std::ranges::any_of(
      seen.programs, [&](const std::string& program) { return is_named(service, program); });
}

/// `--inspect` opens one port and the program others: only the word that names this port counts.
bool has_word(const PrivateService& service, const Seen& seen, std::uint16_t port) {
  const std::string digits = std::to_string(port);
  return std::ranges::any_of(seen.command_lines, [&](const std::string& line) {
    const std::size_t at = line.find(service.programs);
    if (at == std::string::npos) return false;
    const std::string word = line.substr(at, line.find(' ', at) - at);
    return word.ends_with(digits) || word.find(digits + ",") != std::string::npos;
  });
}

bool is_it(const PrivateService& service, const Seen& seen, std::uint16_t port) {
  switch (service.told_by) {
    case ToldBy::Port:
      return has_port(service, seen) &&
             (has_program(service, seen) || std::ranges::none_of(seen.programs, is_gatekeeper));
    case ToldBy::ProgramAtPort:
      return has_port(service, seen) && has_program(service, seen);
    case ToldBy::Program:
      return has_program(service, seen);
    case ToldBy::WordOfProgram:
      break;
  }
  return has_word(service, seen, port);
}

const PrivateService* service_of(const Listener& listener, const Seen& seen) {
  const Protocol protocol =
      listener.protocol == Protocol::Mptcp ? Protocol::Tcp : listener.protocol;
  for (const PrivateService& service : private_services()) {
    if (service.protocol == protocol && is_it(service, seen, listener.port)) return &service;
  }
  return nullptr;
}

std::string who_words(const reach::Reachability& one) {
  return one.openness == reach::Openness::Anywhere ? "anywhere" : "most of the Internet";
}

Finding exposed(const Facts& facts, std::size_t i, const PrivateService& service, bool named,
                const reach::ReachClass& open) {
  const Listener& listener = facts.listener(i);
  const reach::Question& asked = open.answer.question;
  const PrivateKindWords& kind = words_of(service.kind);
  const std::string what(service.name);
  Finding out{.code = std::string(kind.code),
              .severity = service.kind == PrivateKind::Metrics ? Severity::Notice : Severity::Risk,
              .listener = i,
              .text = host::holder_words(facts.host, i)};
  out.text += named ? ": " + what : ": what listens on the port of " + what;
  out.text += ", " + std::string(kind.article_noun) + ", is reachable from " +
              who_words(facts.reach.reachability({i})) + "; " + std::string(kind.danger);
  out.evidence.push_back(
      {.fact = asked.source.text() + " is answered at " + asked.destination.text(),
       .where = "socket",
       .verify = "hark why " + std::to_string(listener.port) + " --from " + asked.source.text()});
  out.evidence.push_back({.fact = "bound to " + listener.address.text(),
                          .where = "socket",
                          .verify = socket_command(listener, "p")});
  out.remedy =
      "bind it to this host or to a private address, or let a firewall in only those who need it";
  return out;
}

std::optional<Finding> find_one(const Facts& facts, std::size_t i) {
  const Listener& listener = facts.listener(i);
  const host::Network* network = facts.network(listener);
  if (network == nullptr || listener.scope == host::Scope::Loopback) return std::nullopt;
  const Seen seen = seen_of(facts, listener);
  const PrivateService* service = service_of(listener, seen);
  if (service == nullptr) return std::nullopt;
  for (const IpFamily family : {IpFamily::Inet, IpFamily::Inet6}) {
    const FromWorld world = from_world(*network, facts.reach.reachability({i}), family);
    if (world.through != Share::Most) continue;
    const bool named = has_program(*service, seen) || service->told_by != ToldBy::Port;
    return exposed(facts, i, *service, named, *world.open);
  }
  return std::nullopt;
}

}  // namespace

std::vector<Finding> exposed_services(const Facts& facts) {
  std::vector<Finding> out;
  for (const std::size_t i : facts.listeners) {
    if (auto finding = find_one(facts, i)) out.push_back(std::move(*finding));
  }
  return out;
}

}  // namespace hark::diagnose
