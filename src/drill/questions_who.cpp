// Who is behind a port: its processes, its home (unit, container, user), its protocol, and the
// commands that show them.
#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "drill/questions_parts.h"
#include "host/holders.h"
#include "host/units.h"

namespace hark::drill {
namespace {

using host::Holders;
using host::Host;
using host::Listener;
using host::Process;

std::vector<Choice> wrong_choices(std::initializer_list<std::string_view> texts) {
  std::vector<Choice> out;
  for (const std::string_view one : texts) out.push_back({.text = std::string(one)});
  return out;
}

std::set<std::string> names_of(const Host& host, const std::vector<host::ProcessId>& processes) {
  std::set<std::string> out;
  for (const host::ProcessId id : processes) {
    const Process& one = host.at(id);
    for (const std::string& name : {host::program_name(one), one.name, one.exe_name, one.program}) {
      if (!name.empty()) out.insert(lower(name));
    }
  }
  return out;
}

/// Every socket of the port is held, and by the same processes.
std::optional<Holders> sole_holders(const Host& host, const Port& port) {
  std::optional<Holders> all;
  for (const std::size_t i : port.listeners) {
    if (!host.listeners[i].kernel_owners.empty()) return std::nullopt;
    Holders one = host::holders_of(host, {i});
    if (one.known != Holders::Known::Processes) return std::nullopt;
    if (all && all->processes != one.processes) return std::nullopt;
    all = std::move(one);
  }
  return all;
}

std::string process_list(const Host& host, const Holders& holders) {
  std::string out = host::process_words(host.at(holders.lead));
  const std::size_t others = holders.processes.size() - 1;
  if (others > 0) out += " and " + std::to_string(others) + " more";
  return out;
}

struct Task {
  std::string_view name;
  std::string text;
  Choice right;
  std::vector<Choice> wrong;
};

Choice command(std::string text, std::string why, unsigned credit = 0) {
  return {.text = std::move(text), .credit = credit, .why = std::move(why)};
}

Task holder_task(const Facts& facts, const Port& port) {
  const std::string number = std::to_string(port.port);
  const std::string all = port.stream ? "ss -Htn" : "ss -Hun";
  return {"holder",
          "Which command shows which process holds " + port_words(facts, port) + "?",
          command(ss_command(facts, port, "p"), ""),
          {command(ss_command(facts, port), "it shows the listener; without -p nobody who holds it",
                   50),
           command(command_in(facts, port.netns, all + " sport = :" + number),
                   "without -l and -a it shows connections, and no listener"),
           command(command_in(facts, port.netns, "nft list ruleset"),
                   "rules know ports, and no processes"),
           command(command_in(facts, port.netns, "ip addr show"),
                   "it shows addresses, and no sockets")}};
}

Task queue_task(const Facts& facts, const Port& port) {
  const std::string number = std::to_string(port.port);
  return {"queue",
          "Which command shows how many connections wait at " + port_words(facts, port) +
              " to be accepted?",
          command(ss_command(facts, port), ""),
          {command(command_in(facts, port.netns, "ss -Htn state established sport = :" + number),
                   "its Recv-Q are bytes of single connections"),
           command(command_in(facts, port.netns, "ip -s link show"),
                   "it counts packets of links, and knows no ports"),
           command(command_in(facts, port.netns, "nft list ruleset"),
                   "a rule decides before the queue, and does not see it")}};
}

Task route_task(const Facts& facts, const Port& port, const LanClient& client) {
  const std::string address = client.source.text();
  return {"route",
          "Which command shows by which interface this host answers a client at " + address + "?",
          command(command_in(facts, port.netns, "ip route get " + address), ""),
          {command(command_in(facts, port.netns, "ip neigh show " + address),
                   "it shows a neighbour's link-layer address, once it is known", 25),
           command(command_in(facts, port.netns, "ip link show"),
                   "it shows the interfaces, and not which one is taken"),
           command(command_in(facts, port.netns, "ss -Htn dst " + address),
                   "it shows connections that are there already")}};
}

/// Of one kind, if all have the same; empty: they have none, or differ.
template <typename Get>
std::string common(const Host& host, const Port& port, const Get& get) {
  std::string out;
  for (const std::size_t i : port.listeners) {
    std::string one = get(host.listeners[i]);
    if (one.empty() || (!out.empty() && one != out)) return {};
    out = std::move(one);
  }
  return out;
}

/// The same of every listener of the host that has any, those in `but` left out.
template <typename Get>
std::vector<Choice> elsewhere(const Host& host, const std::set<std::string>& but, const Get& get) {
  std::vector<Choice> out;
  for (const Listener& one : host.listeners) {
    std::string text = get(one);
    if (!text.empty() && !but.contains(text)) out.push_back({.text = std::move(text)});
  }
  return out;
}

void add_plausible(std::vector<Choice>& to, std::initializer_list<std::string_view> texts,
                   const std::set<std::string>& but) {
  for (const std::string_view one : texts) {
    if (!but.contains(lower(one))) to.push_back({.text = std::string(one)});
  }
}

std::string unit_of(const Listener& one) {
  return one.unit;
}

std::string container_of(const Listener& one) {
  return one.container ? host::container_words(*one.container) : std::string();
}

bool add_unit(const Making& making, const Port& port, const std::optional<Holders>& holders) {
  const Facts& facts = making.facts;
  const std::string unit = common(facts.host, port, unit_of);
  // A socket that systemd holds for a service has two units that a person may name.
  const bool plain = std::ranges::all_of(
      port.listeners, [&](std::size_t i) { return facts.host.listeners[i].socket_units.empty(); });
  if (unit.empty() || !plain) return false;
  Question question = begin(making, Kind::Home, port, "unit");
  question.text = "In which unit of systemd is what listens on " + port_words(facts, port) + "?";
  const std::set<std::string> but = {unit, lower(unit)};
  std::vector<Choice> wrong = elsewhere(facts.host, but, unit_of);
  add_plausible(wrong, {"ssh.service", "cron.service", "nginx.service", "dbus.service"}, but);
  std::string who;
  if (holders) {
    const Process& lead = facts.host.at(holders->lead);
    who = host::process_words(lead);
    question.verify = "cat /proc/" + std::to_string(lead.pid) + "/cgroup";
  } else {
    question.verify = ss_command(facts, port, "e");
  }
  question.explanation = (who.empty() ? "its socket" : who) + " is in the cgroup of " + unit;
  Choice right{.text = unit};
  if (const std::size_t dot = unit.rfind('.'); dot != std::string::npos && dot > 0) {
    right.also.push_back(unit.substr(0, dot));
  }
  finish(making, std::move(question), std::move(right), std::move(wrong));
  return true;
}

bool add_container(const Making& making, const Port& port, const std::optional<Holders>& holders) {
  const Facts& facts = making.facts;
  const std::string container = common(facts.host, port, container_of);
  if (container.empty() || !holders) return false;
  Question question = begin(making, Kind::Home, port, "container");
  question.text = "In which container is what listens on " + port_words(facts, port) + "?";
  std::vector<Choice> wrong = elsewhere(facts.host, {container}, container_of);
  wrong.push_back({.text = "in none: it runs on the host itself"});
  question.verify = "cat /proc/" + std::to_string(facts.host.at(holders->lead).pid) + "/cgroup";
  question.explanation = host::process_words(facts.host.at(holders->lead)) + " is in " + container;
  Choice right{.text = container};
  const host::Container& one = *facts.host.listeners[port.listeners.front()].container;
  if (!one.name.empty()) right.also.push_back(one.name);
  finish(making, std::move(question), std::move(right), std::move(wrong));
  return true;
}

void add_user(const Making& making, const Port& port, const Holders& holders) {
  const Facts& facts = making.facts;
  std::set<std::string> users;
  for (const host::ProcessId id : holders.processes) users.insert(facts.host.at(id).user);
  // One that started as root and serves as somebody else has two.
  if (users.size() != 1 || users.begin()->empty()) return;
  const Process& lead = facts.host.at(holders.lead);
  Question question = begin(making, Kind::Home, port, "user");
  question.text =
      "As which user does the process run that listens on " + port_words(facts, port) + "?";
  std::vector<Choice> wrong;
  for (const Process& one : facts.host.processes) {
    if (!one.user.empty() && !users.contains(one.user)) {
      wrong.push_back({.text = one.user});
    }
  }
  add_plausible(wrong, {"root", "nobody", "www-data", "daemon"}, users);
  question.explanation = host::process_words(lead) + " runs as " + lead.user;
  question.verify = "ps -o user:32=,comm= -p " + std::to_string(lead.pid);
  finish(making, std::move(question), {.text = lead.user}, std::move(wrong));
}

}  // namespace

void add_command(const Making& making, const Port& port) {
  const Facts& facts = making.facts;
  if (ss_command(facts, port).empty()) return;
  std::vector<Task> tasks = {holder_task(facts, port)};
  if (port.stream) tasks.push_back(queue_task(facts, port));
  Dice clients_dice(making.seed, "route " + std::to_string(port.port));
  const auto clients = lan_clients(making, port, clients_dice);
  if (!clients.empty()) tasks.push_back(route_task(facts, port, clients.front()));
  Dice dice(making.seed, port_words(facts, port) + " task");
  Task& task = tasks[dice.roll(tasks.size())];
  Question question = begin(making, Kind::Command, port, task.name);
  question.text = task.text;
  question.explanation = "ss shows sockets, ip addresses, routes and neighbours, nft rules";
  question.verify = task.right.text;
  finish(making, std::move(question), std::move(task.right), std::move(task.wrong));
}

void add_protocol(const Making& making, const Port& port) {
  const Facts& facts = making.facts;
  bool tcp = false;
  bool udp = false;
  for (const Listener& one : facts.host.listeners) {
    if (one.netns != port.netns || one.port != port.port || one.protocol == Protocol::Raw) continue;
    // A client's port is no service, and counts for those who look at it.
    if (one.probable_client || one.protocol == Protocol::Udplite) return;
    (one.protocol == Protocol::Udp ? udp : tcp) = true;
  }
  // One question for both.
  if (tcp && udp && !port.stream) return;
  Question question = begin(making, Kind::Protocol, port);
  const std::string number = std::to_string(port.port);
  const std::string place =
      facts.host.at(port.netns).own ? "here" : "in " + host::netns_words(facts.host.at(port.netns));
  question.text = "Something listens on port " + number + " " + place + ". By which protocol?";
  std::vector<Choice> all = wrong_choices({"TCP alone", "UDP alone", "both TCP and UDP"});
  all[0].also = {"tcp"};
  all[1].also = {"udp"};
  all[2].also = {"both"};
  const std::size_t truth = tcp && udp ? 2 : (tcp ? 0 : 1);
  const std::string one_of = tcp ? "TCP" : "UDP";
  if (truth == 2) {
    all[0].credit = all[1].credit = 50;
    all[0].why = all[1].why = "the port is open by the other protocol, too";
  } else {
    all[2].credit = 50;
    all[2].why = "nobody listens on its other half: ports of TCP and of UDP have nothing in common";
    all[1 - truth].why = "port " + number + " of " + (tcp ? "UDP" : "TCP") + " is another port";
  }
  question.explanation = truth == 2 ? "sockets of both protocols are bound to it"
                                    : "only sockets of " + one_of + " are bound to it";
  question.verify = command_in(facts, port.netns, "ss -Htuln sport = :" + number);
  Choice right = std::move(all[truth]);
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(truth));
  finish(making, std::move(question), std::move(right), std::move(all));
}

void add_owner(const Making& making, const Port& port) {
  const Facts& facts = making.facts;
  const Host& host = facts.host;
  const std::optional<Holders> holders = sole_holders(host, port);
  if (!holders) return;
  const Process& lead = host.at(holders->lead);
  Question question = begin(making, Kind::Owner, port);
  question.text = "Which program holds " + port_words(facts, port) + "?";
  const std::set<std::string> own = names_of(host, holders->processes);
  std::vector<Choice> wrong;
  for (const host::Ancestor& parent : lead.started_by.value_or(std::vector<host::Ancestor>{})) {
    const bool plain = parent.pid != 0 && !own.contains(lower(parent.name));
    if (!plain) continue;
    wrong.push_back({.text = parent.name,
                     .credit = 25,
                     .why = "it started what holds the socket, and does not hold it itself"});
    break;
  }
  for (const Process& one : host.processes) {
    const std::string name = host::program_name(one);
    const bool is_own = own.contains(lower(name)) || own.contains(lower(one.name));
    if (!is_own) wrong.push_back({.text = name});
  }
  add_plausible(wrong, {"sshd", "nginx", "postgres", "dnsmasq"}, own);
  wrong.push_back({.text = "none: the kernel itself listens",
                   .why = "the kernel's own sockets have no process"});
  question.explanation = process_list(host, *holders) + (holders->processes.size() > 1
                                                             ? " have a descriptor of its socket"
                                                             : " has a descriptor of its socket");
  question.verify = ss_command(facts, port, "p");
  Choice right{.text = host::program_name(lead)};
  right.also.push_back(std::to_string(lead.pid));
  for (const std::string& name : own) {
    if (name != lower(right.text)) right.also.push_back(name);
  }
  finish(making, std::move(question), std::move(right), std::move(wrong));
}

void add_home(const Making& making, const Port& port) {
  const std::optional<Holders> holders = sole_holders(making.facts.host, port);
  if (add_container(making, port, holders) || add_unit(making, port, holders)) return;
  if (holders) add_user(making, port, *holders);
}

}  // namespace hark::drill
