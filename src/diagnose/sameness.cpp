#include "diagnose/sameness.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "diagnose/words.h"
#include "host/holders.h"

namespace hark::diagnose {
namespace {

using host::Container;
using host::Host;
using host::Listener;
using host::Process;

constexpr std::size_t kShortId = 12;

/// Units that systemd, a session or a desktop names anew each time: no name to compare.
bool is_passing_unit(std::string_view unit) {
  return unit.ends_with(".scope") || unit.starts_with("run-");
}

std::string user_of(const Process& process) {
  if (!process.user.empty()) return process.user;
  return process.uid ? std::to_string(*process.uid) : std::string();
}

/// The holder furthest up that has started this one, or itself. Process 1 is everybody's parent.
const Process& topmost(const Process& process,
                       const std::map<std::uint32_t, const Process*>& holders) {
  const Process* out = &process;
  if (!process.started_by) return *out;
  for (const host::Ancestor& one : *process.started_by) {
    const auto found = holders.find(one.pid);
    if (one.pid > 1 && found != holders.end()) out = found->second;
  }
  return *out;
}

bool is_same_program(const Process& a, const Process& b) {
  if (a.exe && b.exe) return *a.exe == *b.exe;
  return a.exe_name == b.exe_name && host::program_name(a) == host::program_name(b);
}

void add_processes(const Host& host, const std::set<host::ProcessId>& ids, Who& into) {
  std::map<std::uint32_t, const Process*> holders;
  // Of a process that ended while it was read nobody knows who started it.
  const bool known = std::ranges::any_of(
      ids, [&](host::ProcessId id) { return host.at(id).started_by.has_value(); });
  for (const host::ProcessId id : ids) {
    const Process& one = host.at(id);
    if (one.started_by || !known) holders.emplace(one.pid, &one);
  }
  for (const auto& [pid, process] : holders) {
    const Process& top = topmost(*process, holders);
    if (&top == process) {
      into.programs.insert(host::program_name(top));
      into.users.insert(user_of(top));
    } else if (is_same_program(top, *process)) {
      into.workers.insert(user_of(*process));
    }
  }
}

bool are_disjoint(const std::set<std::string>& a, const std::set<std::string>& b) {
  return std::ranges::none_of(a, [&](const std::string& one) { return b.contains(one); });
}

/// Letters and digits of names that Kubernetes makes up: no vowels, nothing that looks like one.
bool is_made_up(std::string_view piece, std::size_t least, std::size_t most) {
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  return piece.size() >= least && piece.size() <= most &&
         piece.find_first_not_of(kLetters) == std::string_view::npos;
}

std::string_view without_made_up(std::string_view name, std::size_t least, std::size_t most) {
  const std::size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return name;
  return is_made_up(name.substr(dash + 1), least, most) ? name.substr(0, dash) : name;
}

/// What is in a namespace.
struct Content {
  std::set<std::string> containers;
  std::set<std::string> units;
  std::set<std::string> pods;
  /// Programs by what they listen on; empty: not known.
  std::map<std::tuple<bool, IpAddress, std::uint16_t>, std::string> listeners;
};

std::vector<Content> contents_of(const Host& host) {
  std::vector<Content> out(host.namespaces.size());
  for (std::size_t i = 0; i < host.listeners.size(); ++i) {
    const Listener& one = host.listeners[i];
    if (one.probable_client) continue;
    Content& into = out[static_cast<std::size_t>(one.netns)];
    const Who who = who_of(host, {i});
    if (who.container) {
      into.containers.insert(lasting_name(*who.container));
      into.pods.insert(who.container->pod);
    }
    into.units.insert(who.unit);
    const std::string program = who.programs.empty() ? std::string() : *who.programs.begin();
    into.listeners.emplace(std::tuple(is_stream(one), one.address, one.port), program);
  }
  return out;
}

/// Empty: only a comparison with the other side can tell.
std::string word_of(const host::Netns& netns, const Content& content, bool own_is_named) {
  if (netns.own && !own_is_named) return "own";
  if (!netns.name.empty() && !netns.name.starts_with("cni-")) {
    return "name " +
           (content.pods.contains(netns.name) ? lasting_pod_name(netns.name) : netns.name);
  }
  if (!content.containers.empty()) return "container " + *content.containers.begin();
  if (content.units.size() == 1 && !content.units.begin()->empty()) {
    return "unit " + *content.units.begin();
  }
  return {};
}

bool has_nameless_own(const Host& host) {
  return std::ranges::any_of(host.namespaces,
                             [](const host::Netns& one) { return one.own && one.name.empty(); });
}

/// How much both have; where owners are known they have to be the same.
std::size_t common(const Content& a, const Content& b) {
  return static_cast<std::size_t>(std::ranges::count_if(a.listeners, [&](const auto& one) {
    const auto found = b.listeners.find(one.first);
    return found != b.listeners.end() &&
           (found->second == one.second || found->second.empty() || one.second.empty());
  }));
}

}  // namespace

std::string lasting_pod_name(std::string_view pod) {
  constexpr std::size_t kOfPod = 5;
  constexpr std::size_t kLeastOfSet = 6;
  constexpr std::size_t kMostOfSet = 10;
  const std::string_view short_name = without_made_up(pod, kOfPod, kOfPod);
  if (short_name == pod) return std::string(pod);
  return std::string(without_made_up(short_name, kLeastOfSet, kMostOfSet));
}

std::string lasting_name(const Container& container) {
  std::string out = container.name;
  if (!container.pod.empty()) {
    out += " of " + container.pod_namespace + "/" + lasting_pod_name(container.pod);
  }
  return out.empty() ? container.id : out;
}

Who who_of(const Host& host, const std::vector<std::size_t>& listeners) {
  Who out;
  std::set<host::ProcessId> processes;
  bool socket_unit = false;
  std::size_t unknown = 0;
  for (const std::size_t i : listeners) {
    const Listener& one = host.listeners[i];
    if (!one.owners && one.kernel_owners.empty()) ++unknown;
    if (one.owners) {
      for (const host::Owner& owner : *one.owners) processes.insert(owner.process);
    }
    for (const host::KernelOwner& part : one.kernel_owners) {
      out.programs.insert("kernel " + part.name());
    }
    if (out.unit.empty() && !is_passing_unit(one.unit)) out.unit = one.unit;
    if (!out.container && one.container) out.container = *one.container;
    socket_unit |= !one.socket_units.empty() && !one.socket_units_inferred;
  }
  // A socket that its worker left while it was read has an owner that is not known; the others that
  // share the port tell.
  out.known = unknown == 0 || !processes.empty();
  if (!socket_unit) add_processes(host, processes, out);
  // What a container engine calls the cgroup is no more lasting than the container's id.
  if (out.container && !out.container->id.empty() &&
      out.unit.find(out.container->id.substr(0, kShortId)) != std::string::npos) {
    out.unit.clear();
  }
  return out;
}

Same same_container(const std::optional<Container>& before, const std::optional<Container>& after) {
  if (!before && !after) return Same::Yes;
  if (!before || !after) return Same::No;
  if (before->id == after->id) return Same::Yes;
  const bool named = !before->name.empty() || !before->pod.empty();
  if (named != (!after->name.empty() || !after->pod.empty())) return Same::Unknown;
  return lasting_name(*before) == lasting_name(*after) ? Same::Yes : Same::No;
}

Same same_who(const Who& before, const Who& after) {
  const Same container = same_container(before.container, after.container);
  if (!before.known || !after.known) {
    const bool both = before.known == after.known;
    const bool units = !before.unit.empty() && !after.unit.empty() && before.unit != after.unit;
    return both && (units || container == Same::No) ? Same::No : Same::Unknown;
  }
  if (before.programs != after.programs || before.unit != after.unit) return Same::No;
  if (!before.users.empty() && are_disjoint(before.users, after.users)) return Same::No;
  const bool workers = !before.workers.empty() && !after.workers.empty();
  if (workers && are_disjoint(before.workers, after.workers)) return Same::No;
  return container;
}

NetnsWords match_namespaces(const Host& before, const Host& after) {
  NetnsWords out;
  // An ordinary user cannot learn that the namespace that hark runs in is process 1's.
  const bool own_is_named = !has_nameless_own(before) && !has_nameless_own(after);
  const std::vector<Content> old_contents = contents_of(before);
  const std::vector<Content> new_contents = contents_of(after);
  for (std::size_t i = 0; i < before.namespaces.size(); ++i) {
    std::string word = word_of(before.namespaces[i], old_contents[i], own_is_named);
    if (word.empty()) word = "nameless " + std::to_string(i);
    out.before.push_back(std::move(word));
  }
  for (std::size_t i = 0; i < after.namespaces.size(); ++i) {
    std::string word = word_of(after.namespaces[i], new_contents[i], own_is_named);
    std::size_t most = 0;
    for (std::size_t j = 0; word.empty() && j < old_contents.size(); ++j) {
      if (!out.before[j].starts_with("nameless ")) continue;
      most = std::max(most, common(new_contents[i], old_contents[j]));
    }
    for (std::size_t j = 0; most > 0 && word.empty() && j < old_contents.size(); ++j) {
      const bool nameless = out.before[j].starts_with("nameless ");
      if (nameless && common(new_contents[i], old_contents[j]) == most) word = out.before[j];
    }
    if (word.empty()) word = "new nameless " + std::to_string(i);
    out.after.push_back(std::move(word));
  }
  return out;
}

}  // namespace hark::diagnose
