// Layout of an answer:
//
//   No: tcp [::]:8080 is taken.
//
//     ✗ nginx (901 +4), nginx.service, listens on [::]:8080
//       see: ss -Hanpt sport = :8080
//
//   The program sees: bind: Address already in use (EADDRINUSE).
//   Nearest free port: 8081.
//   Taken for granted: SO_REUSEADDR set, SO_REUSEPORT not set, IPv4 as well as IPv6; user root.
#include "show/bind_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "base/protocol.h"
#include "base/result.h"
#include "base/text.h"
#include "show/escape.h"
#include "show/why_words.h"

namespace hark::show {
namespace {

using decode::SocketRecord;
using diagnose::BindQuestion;

constexpr std::size_t kMostNamed = 3;  // peers of connections
constexpr std::size_t kLeast = 24;

/// Sockets of one owner that are alike.
struct Group {
  std::string who;
  std::string state;  ///< of connections; empty: one socket by itself
  std::vector<const host::PortSocket*> sockets;
};

std::string device_words(const BindReport& report, const SocketRecord& socket) {
  const host::Link* link = report.network.link(socket.interface_index.value_or(0));
  return link == nullptr ? "" : " on " + link->name;
}

std::string who_words(const BindReport& report, const host::PortSocket& socket) {
  if (socket.bound.time_wait) return "this host";
  if (!socket.listener) return "a connection that no process holds";
  const host::Listener& listener = report.host.listeners[*socket.listener];
  std::string out = holder_words(report.host, *socket.listener);
  if (listener.container && !out.starts_with("container ")) {
    out += ", container " +
           (listener.container->name.empty() ? listener.container->id : listener.container->name);
  } else if (!listener.unit.empty() && out != listener.unit) {
    out += ", " + listener.unit;
  }
  return out;
}

std::vector<Group> groups_of(const BindReport& report) {
  std::vector<Group> out;
  for (const std::size_t i : report.answer.conflicts) {
    const host::PortSocket& socket = report.facts.sockets[i];
    Group group{.who = who_words(report, socket), .state = {}, .sockets = {&socket}};
    const bool connection = socket.bound.socket.remote_port != 0;
    if (connection) group.state = state_word(socket);
    const auto same = std::ranges::find_if(out, [&](const Group& one) {
      return connection && one.who == group.who && one.state == group.state;
    });
    if (same == out.end()) {
      out.push_back(std::move(group));
    } else {
      same->sockets.push_back(&socket);
    }
  }
  return out;
}

std::string peers_words(const Group& group) {
  std::vector<std::string> peers;
  for (const host::PortSocket* one : group.sockets) {
    if (peers.size() == kMostNamed) {
      peers.emplace_back("...");
      break;
    }
    const SocketRecord& socket = one->bound.socket;
    peers.push_back(endpoint_words(socket.remote.unmapped(), socket.remote_port));
  }
  return join(peers, ", ");
}

std::string group_words(const BindReport& report, const Group& group) {
  const host::PortSocket& first = *group.sockets.front();
  const SocketRecord& socket = first.bound.socket;
  const std::string at =
      endpoint_words(socket.local, socket.local_port) + device_words(report, socket);
  if (!group.state.empty()) {
    const std::size_t count = group.sockets.size();
    const std::string words = fmt::format("{} connection{} in {}, with {}", count,
                                          count == 1 ? "" : "s", group.state, peers_words(group));
    if (first.bound.time_wait) return words + ": over within a minute";
    return group.who + " has " + words;
  }
  std::string out = group.who;
  if (state_word(first) == "BOUND") return out + " has bound " + at + " and does not listen";
  out += (socket.protocol == Protocol::Tcp ? " listens on " : " has ") + at;
  const bool both = socket.local.family == Family::Inet6 && socket.local.is_unspecified() &&
                    socket.v6only == false;
  const bool v4_asked = report.answer.question.address.unmapped().family == Family::Inet;
  if (both && v4_asked) out += ", which takes IPv4 as well";
  return out;
}

std::string asked_words(const BindReport& report) {
  const BindQuestion& asked = report.answer.question;
  std::string out =
      fmt::format("{} {}", name_of(asked.protocol), endpoint_words(asked.address, asked.port));
  const std::string& device = asked.device.empty() ? asked.zone : asked.device;
  return device.empty() ? out : out + " on " + device;
}

/// " by nginx (901)", where it is one alone.
std::string by_words(const BindReport& report) {
  if (report.answer.cause.code != "port-in-use") return {};
  const std::vector<Group> groups = groups_of(report);
  const bool one = !groups.empty() && std::ranges::all_of(groups, [&](const Group& group) {
    return group.who == groups.front().who;
  });
  return one ? " by " + groups.front().who : "";
}

std::string verdict_words(const BindReport& report) {
  const diagnose::BindAnswer& answer = report.answer;
  if (!answer.error) {
    return "It is not known whether " + asked_words(report) + " can be bound: " + answer.cause.text;
  }
  if (*answer.error != 0) return "No: " + answer.cause.text + by_words(report);
  if (answer.question.port == 0) return "Yes: " + answer.cause.text;
  return "Yes: " + asked_words(report) + " can be bound";
}

std::string assumed_words(const BindReport& report) {
  const BindQuestion& asked = report.answer.question;
  const host::BindUser& user = report.facts.user;
  const auto flag = [](const char* name, bool set) {
    return std::string(name) + (set ? " set" : " not set");
  };
  std::vector<std::string> out = {flag("SO_REUSEADDR", asked.reuseaddr),
                                  flag("SO_REUSEPORT", asked.reuseport)};
  if (asked.address.family == Family::Inet6 && asked.address.is_unspecified()) {
    out.emplace_back(asked.v6only ? "IPv6 only" : "IPv4 as well as IPv6");
  }
  out.push_back("user " + (user.name.empty() ? std::to_string(user.uid) : user.name));
  return "Taken for granted: " + join(out, ", ") + ".";
}

class Writer {
 public:
  explicit Writer(const TableStyle& style) : style_(style) {}

  void sentence(std::string_view text, Colour colour = Colour::None) {
    for (const std::string& line : wrapped(for_terminal(text, style_.ascii), style_.width)) {
      out_ += coloured(line, colour, style_.colour) + '\n';
    }
  }
  void blank() { out_ += '\n'; }
  /// A line with a sign before it.
  void item(std::string_view text) {
    const std::size_t indent = style_.ascii ? 5 : 4;
    std::string before =
        "  " + coloured(style_.ascii ? "!!" : "\u2717", Colour::Red, style_.colour) + " ";
    for (const std::string& line : wrapped(for_terminal(text, style_.ascii), room(indent))) {
      out_ += before + line + '\n';
      before.assign(indent, ' ');
    }
  }
  /// Never broken: it is there to be copied.
  void command(std::string_view text) {
    out_ += std::string(style_.ascii ? 5 : 4, ' ') +
            coloured("see: " + for_terminal(text, style_.ascii), Colour::Dim, style_.colour) + '\n';
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  [[nodiscard]] std::optional<std::size_t> room(std::size_t used) const {
    if (!style_.width) return std::nullopt;
    return std::max(kLeast, *style_.width - std::min(*style_.width, used));
  }

  const TableStyle& style_;
  std::string out_;
};

void add_holders(Writer& out, const BindReport& report) {
  const std::vector<Group> groups = groups_of(report);
  const auto& evidence = report.answer.cause.evidence;
  const bool failed = report.answer.error != 0;
  if (groups.empty() && (!failed || evidence.empty())) return;
  out.blank();
  for (const Group& group : groups) out.item(group_words(report, group));
  for (const reach::Evidence& one : evidence) {
    if (groups.empty()) out.item(one.fact);
    if (!one.verify.empty()) out.command(one.verify);
  }
}

/// Of all gaps those that could have decided.
void add_gaps(Writer& out, const BindReport& report) {
  std::vector<const host::Gap*> told;
  for (const host::Gap& gap : report.answer.gaps) told.push_back(&gap);
  for (const host::Gap& gap : report.facts.gaps) told.push_back(&gap);
  for (const host::Gap* gap : told) {
    std::string line = "Not seen: " + gap->what;
    if (!gap->remedy.empty()) line += " (" + gap->remedy + ")";
    out.sentence(line + ".");
  }
}

}  // namespace

std::string bind_text(const BindReport& report, const TableStyle& style) {
  const diagnose::BindAnswer& answer = report.answer;
  Writer out(style);
  const Colour colour = !answer.error        ? Colour::Yellow
                        : *answer.error == 0 ? Colour::Green
                                             : Colour::Red;
  out.sentence(verdict_words(report) + ".", colour);
  add_holders(out, report);
  out.blank();
  if (answer.error && *answer.error != 0) {
    out.sentence(fmt::format("The program sees: {}: {} ({}).", name_of(answer.call),
                             reason(kernel_error(*answer.error, "")), errno_name(*answer.error)));
  }
  if (answer.nearest_free) {
    out.sentence("Nearest free port: " + std::to_string(*answer.nearest_free) + ".");
  }
  out.sentence(assumed_words(report));
  for (const std::string& note : report.notes) out.sentence("Note: " + note + ".");
  add_gaps(out, report);
  return out.take();
}

}  // namespace hark::show
