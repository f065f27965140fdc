// Low ports are trusted: that only root can take them is why anybody believes that what answers on
// port 25 is the mail server. Where the limit was lowered (ip_unprivileged_port_start) or a program
// was given CAP_NET_BIND_SERVICE, any user may be there.
//
// Whoever bound it is told by the owner of the socket, which stays what it was when the socket was
// made: a daemon that gives up its rights afterwards has one of root.
#include <algorithm>

#include "diagnose/families.h"
#include "diagnose/words.h"

namespace hark::diagnose {
namespace {

using host::Listener;

constexpr std::uint16_t kFirstHighPort = 1024;
// People, by the defaults of login.defs and of systemd: not users of services, made once
// (SYSTEM_UID_MAX) or for as long as the service runs (DYNAMIC_UID_MIN), and not those of
// containers, which have numbers above.
constexpr std::uint32_t kFirstPerson = 1000;
constexpr std::uint32_t kLastPerson = 60000;

bool is_reached_from_elsewhere(const Facts& facts, std::size_t i) {
  const reach::Openness openness = facts.reach.reachability({i}).openness;
  return openness == reach::Openness::Some || openness == reach::Openness::Anywhere;
}

/// The root of a container that a person runs is that person; its ports are its own.
bool is_of_container(const Facts& facts, const Listener& listener) {
  if (listener.container) return true;
  return std::ranges::any_of(servers_of(facts.host, listener), [&](host::ProcessId id) {
    const host::Process& process = facts.host.at(id);
    return process.container || process.door;
  });
}

bool is_of_person(const Facts& facts, const Listener& listener) {
  const std::uint32_t uid = listener.socket.uid;
  if (uid < kFirstPerson || uid > kLastPerson || listener.port >= kFirstHighPort) return false;
  if (!is_stream(listener) && listener.protocol != Protocol::Udp) return false;
  return !servers_of(facts.host, listener).empty() && !is_of_container(facts, listener);
}

}  // namespace

std::vector<Finding> low_ports(const Facts& facts) {
  std::vector<Finding> out;
  for (const std::size_t i : facts.listeners) {
    const Listener& listener = facts.listener(i);
    if (!is_of_person(facts, listener) || !is_reached_from_elsewhere(facts, i)) continue;
    out.push_back(
        {.code = "unprivileged-owner",
         .severity = Severity::Notice,
         .listener = i,
         .text = host::holder_words(facts.host, i) +
                 " was started on a port below 1024 "
                 "by " +
                 host::user_words(listener.socket) +
                 ", who is no user of the system; others trust such ports",
         .evidence = {{.fact = "the socket was made by " + host::user_words(listener.socket),
                       .where = "socket",
                       .verify = socket_command(listener, "pe")},
                      {.fact = "ip_unprivileged_port_start is lower, or the program has "
                               "CAP_NET_BIND_SERVICE",
                       .where = "sysctl",
                       .verify = "sysctl net.ipv4.ip_unprivileged_port_start"}},
         .remedy = "if it is not meant, end it, and take the right away: set "
                   "net.ipv4.ip_unprivileged_port_start = 1024, or setcap -r the program"});
  }
  return out;
}

}  // namespace hark::diagnose
