// Does a listener fit a filter.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "host/cgroup_names.h"
#include "host/select.h"
#include "host/select_text.h"

namespace hark::host {
namespace {

constexpr std::size_t kKernelNameLength = 15;  // TASK_COMM_LEN of linux/sched.h without the zero
constexpr std::size_t kShortestId = 4;

/// A socket unit of the listener, or a service that it starts.
template <typename Test>
bool any_socket_unit(const Host& host, const Listener& listener, Test test) {
  return std::ranges::any_of(listener.socket_units, [&](UnitId id) {
    const UnitFacts& unit = host.at(id);
    return test(unit.name) || std::ranges::any_of(unit.triggers, test);
  });
}

/// The listener and what hangs on it, as the tests of a term need it.
struct Subject {
  const Host& host;
  const Listener& listener;
  const ReachTest& reach;

  [[nodiscard]] bool reaches(const Term& term) const {
    return reach && reach(static_cast<std::size_t>(&listener - host.listeners.data()), term);
  }
  /// True if `test` holds for a process that owns the listener.
  template <typename Test>
  [[nodiscard]] bool any_owner(Test test) const {
    return listener.owners && std::ranges::any_of(*listener.owners, [&](const Owner& owner) {
             return test(host.at(owner.process));
           });
  }
  /// True if `test` holds for the short or the long name of a part of the kernel that owns it.
  template <typename Test>
  [[nodiscard]] bool any_kernel_name(Test test) const {
    return std::ranges::any_of(listener.kernel_owners, [&](const KernelOwner& owner) {
      return test(owner.name()) || test(owner.words()) || test(owner.kind) ||
             test("kernel: " + owner.words());
    });
  }
  template <typename Test>
  [[nodiscard]] bool any_unit(Test test) const {
    return (!listener.unit.empty() && test(listener.unit)) ||
           any_socket_unit(host, listener, test) ||
           any_owner([&](const Process& p) { return !p.unit.empty() && test(p.unit); });
  }
  template <typename Test>
  [[nodiscard]] bool any_container(Test test) const {
    return (listener.container && test(*listener.container)) ||
           any_owner([&](const Process& p) { return p.container && test(*p.container); });
  }
};

bool begins_id(std::string_view text, const Container& container) {
  const std::string small = lower(text);
  return small.size() >= kShortestId && std::ranges::all_of(small, is_id_digit) &&
         container.id.starts_with(small);
}

bool is_process_name(const std::string& text, std::string_view name) {
  if (same_text(text, name)) return true;
  return name.size() == kKernelNameLength && text.size() > kKernelNameLength && !is_glob(text) &&
         same_letters(std::string_view(text).substr(0, kKernelNameLength), name);
}

bool word_in_process(const std::string& text, const Process& process) {
  const auto fits = [&](std::string_view candidate) {
    return is_glob(text) ? same_text(text, candidate) : contains_text(candidate, text);
  };
  if (fits(process.name) || is_process_name(text, process.name)) return true;
  if (!process.program.empty() && fits(process.program)) return true;
  if (fits(process.exe_name)) return true;
  return process.command_line && !process.command_line->empty() &&
         fits(last_part(process.command_line->front()));
}

bool matches_word(const Subject& subject, const std::string& text) {
  const auto fits = [&](std::string_view candidate) {
    return is_glob(text) ? same_text(text, candidate) : contains_text(candidate, text);
  };
  return subject.any_owner([&](const Process& p) { return word_in_process(text, p); }) ||
         subject.any_kernel_name(fits) || subject.any_unit(fits) ||
         subject.any_container([&](const Container& c) {
           return (!c.name.empty() && fits(c.name)) || begins_id(text, c) ||
                  (!c.pod.empty() && fits(c.pod));
         });
}

bool matches_address(const Listener& listener, const Term& term) {
  if (!term.device.empty() && listener.interface != term.device) return false;
  const IpAddress& bound = listener.address;
  if (term.any_address) return bound.unmapped().is_unspecified();
  if (term.prefix.contains(bound) || term.prefix.contains(bound.unmapped())) return true;
  // ::ffff:10.0.0.0/104 asks for what 10.0.0.0/8 asks for.
  constexpr std::uint8_t kMappedBits = 96;
  if (term.prefix.length < kMappedBits || !term.prefix.address.is_v4_mapped()) return false;
  const Prefix plain{term.prefix.address.unmapped(),
                     static_cast<std::uint8_t>(term.prefix.length - kMappedBits)};
  return plain.contains(bound);
}

bool matches_port(const Listener& listener, const Term& term) {
  return listener.port >= term.first_port && listener.port <= term.last_port &&
         (!term.has_address || matches_address(listener, term));
}

bool matches_user(const Subject& subject, const std::string& text) {
  const auto is = [&](const std::string& name, std::uint32_t uid) {
    return (!name.empty() && same_text(text, name)) || text == std::to_string(uid);
  };
  const Socket& socket = subject.listener.socket;
  return is(socket.user, socket.uid) ||
         subject.any_owner([&](const Process& p) { return p.uid && is(p.user, *p.uid); });
}

bool matches_unit(const std::string& text, const std::string& unit) {
  return same_text(text, unit) || same_text(text, without_unit_type(unit));
}

/// "docker.io/library/nginx:1.25" is asked for so, as "nginx:1.25" or as "nginx".
bool matches_image(const std::string& text, const std::string& image) {
  if (image.empty()) return false;
  const std::string_view last = last_part(image);
  return same_text(text, image) || same_text(text, last) ||
         same_text(text, last.substr(0, last.find_first_of(":@")));
}

bool matches_pod(const std::string& text, const Container& container) {
  return !container.pod.empty() && (same_text(text, container.pod) ||
                                    same_text(text, container.pod_namespace + "/" + container.pod));
}

bool matches_container(const std::string& text, const Container& container) {
  return (!container.name.empty() && same_text(text, container.name)) ||
         same_text(text, container.id) || begins_id(text, container) ||
         matches_image(text, container.image) || matches_pod(text, container);
}

bool matches_netns(const Netns& netns, const std::string& text) {
  if (!netns.name.empty() && same_text(text, netns.name)) return true;
  if (!netns.inode) return false;
  const std::string inode = std::to_string(*netns.inode);
  return text == inode || same_letters(text, "net:[" + inode + "]");
}

bool matches_exe(const std::string& text, const Process& process) {
  return process.exe && (same_text(text, *process.exe) || same_text(text, last_part(*process.exe)));
}

bool matches_command_line(const std::string& text, const Process& process) {
  if (!process.command_line) return false;
  const std::string joined = join(*process.command_line, " ");
  return is_glob(text) ? same_text(text, joined) : contains_text(joined, text);
}

bool matches_cgroup(const std::string& text, std::string_view path) {
  if (path.empty()) return false;
  if (same_text(text, path)) return true;
  std::string_view above = text;
  if (above.starts_with('/')) above.remove_prefix(1);
  if (above.ends_with('/')) above.remove_suffix(1);
  if (path.starts_with('/')) path.remove_prefix(1);
  if (above.empty() || path.size() < above.size()) return above.empty();
  return same_letters(path.substr(0, above.size()), above) &&
         (path.size() == above.size() || path[above.size()] == '/');
}

bool any_cgroup(const Subject& subject, const std::string& text) {
  const auto& own = subject.listener.socket.cgroup;
  return (own && matches_cgroup(text, *own)) ||
         subject.any_owner([&](const Process& p) { return matches_cgroup(text, p.cgroup); });
}

/// The fields that are told by the owners and what runs them.
bool holds_for_owner(const Subject& subject, const Term& term) {
  const std::string& text = term.text;
  using enum Field;
  switch (term.field) {
    case Word:
      return matches_word(subject, text);
    case User:
      return matches_user(subject, text);
    case Unit:
      return subject.any_unit([&](const std::string& unit) { return matches_unit(text, unit); });
    case Container:
      return subject.any_container([&](const auto& c) { return matches_container(text, c); });
    case Name:
      return subject.any_owner([&](const Process& p) {
        return is_process_name(text, p.name) || same_text(text, p.program);
      }) || subject.any_kernel_name([&](const std::string& n) { return same_text(text, n); });
    case Pid:
      return subject.any_owner([&](const Process& p) { return p.pid == term.number; });
    case Exe:
      return subject.any_owner([&](const Process& p) { return matches_exe(text, p); });
    case CommandLine:
      return subject.any_owner([&](const Process& p) { return matches_command_line(text, p); });
    case Cgroup:
      return any_cgroup(subject, text);
    case Protocol:
    case Family:
    case Port:
    case Address:
    case Interface:
    case Netns:
    case State:
    case Scope:
    case Inode:
    case Reachable:
    case ReachableFrom:
    case Kind:
      break;
  }
  return false;
}

bool holds(const Subject& subject, const Term& term) {
  const Listener& listener = subject.listener;
  if (term.has_protocol && listener.protocol != term.protocol) return false;
  using enum Field;
  switch (term.field) {
    case Protocol:
      return listener.protocol == term.protocol;
    case Family:
      return listener.address.family == term.family;
    case Port:
      return matches_port(listener, term);
    case Address:
      return matches_address(listener, term);
    case Interface:
      return !listener.interface.empty() && same_text(term.text, listener.interface);
    case Netns:
      return matches_netns(subject.host.at(listener.netns), term.text);
    case State:
      return listener.state == term.state;
    case Scope:
      return listener.scope == term.scope;
    case Inode:
      return listener.socket.inode == term.number;
    case Reachable:
    case ReachableFrom:
      return subject.reaches(term);
    case Kind:
      return term.kind == RowKind::Listener;
    case Word:
    case User:
    case Unit:
    case Container:
    case Name:
    case Pid:
    case Exe:
    case CommandLine:
    case Cgroup:
      return holds_for_owner(subject, term);
  }
  return false;
}

}  // namespace

bool asks_reach(const Term& term) {
  return term.field == Field::Reachable || term.field == Field::ReachableFrom;
}

bool holds_for(const Host& host, const Listener& listener, const Term& term) {
  static const ReachTest kNotAsked;
  return holds({host, listener, kNotAsked}, term);
}

bool matches(const Host& host, const Listener& listener, const Filter& filter,
             const ReachTest& reach) {
  const Subject subject{host, listener, reach};
  std::array<bool, kFieldCount> asked{};
  std::array<bool, kFieldCount> met{};
  for (const Term& term : filter.terms) {
    const auto field = static_cast<std::size_t>(term.field);
    if (term.negated) {
      if (holds(subject, term)) return false;
      continue;
    }
    asked[field] = true;
    met[field] = met[field] || holds(subject, term);
  }
  return asked == met;
}

std::vector<std::size_t> select(const Host& host, const Filter& filter, const ReachTest& reach) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < host.listeners.size(); ++i) {
    if (matches(host, host.listeners[i], filter, reach)) out.push_back(i);
  }
  return out;
}

}  // namespace hark::host
