#include "diagnose/bind.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "diagnose/bind_address.h"

namespace hark::diagnose {
namespace {

using decode::BoundRecord;

const char* name_of_protocol(Protocol protocol) {
  return protocol == Protocol::Tcp ? "TCP" : protocol == Protocol::Udp ? "UDP" : "UDP-Lite";
}

bool in_range(const decode::PortRange& range, std::uint16_t port) {
  return range.first <= port && port <= range.last;
}

class Judge {
 public:
  Judge(const BindWorld& world, const BindQuestion& question) : world_(world), facts_(world.facts) {
    out_.question = question;
  }

  BindAnswer answer() {
    BindPlace place = check_address(world_, out_.question);
    if (place.obstacle) {
      stop(std::move(*place.obstacle), place.device);
      return std::move(out_);
    }
    binder_ = binder_of(place.device);
    if (facts_.sockets_error) {
      leave_open(
          {.code = "sockets-not-read",
           .what = "sockets of the namespace: " + reason(*facts_.sockets_error),
           .hides = "who has the port",
           .remedy =
               facts_.sockets_error->why == "not recorded" ? "record again with this hark" : ""},
          "the sockets of the namespace could not be read");
      return std::move(out_);
    }
    out_.question.port == 0 ? judge_none() : judge_one();
    add_notes();
    return std::move(out_);
  }

 private:
  [[nodiscard]] Binder binder_of(std::uint32_t device) const {
    const BindQuestion& asked = out_.question;
    Binder out{.protocol = asked.protocol,
               .address = asked.address,
               .port = asked.port,
               .device = device,
               .reuseaddr = asked.reuseaddr,
               .reuseport = asked.reuseport,
               .uid = facts_.user.uid};
    const bool v6 = asked.address.family == Family::Inet6;
    // Bound to one address of IPv6 it is for nothing else (__inet6_bind).
    const bool one = !asked.address.is_unspecified() && !asked.address.is_v4_mapped();
    out.v6only = v6 && (asked.v6only || one);
    // With tcp_l3mdev_accept all are compared with all.
    const bool apart = asked.protocol == Protocol::Tcp && facts_.settings.l3mdev_accept == false;
    out.l3mdev = apart ? vrf_of(world_.network, device) : 0;
    return out;
  }

  void leave_open(host::Gap gap, std::string text) {
    out_.error.reset();
    out_.cause = {gap.code, std::move(text), {}};
    out_.gaps.push_back(std::move(gap));
  }

  void stop(BindObstacle found, std::uint32_t device) {
    out_.error = found.error;
    out_.call = found.call;
    out_.cause = std::move(found.cause);
    if (found.gap) out_.gaps.push_back(std::move(*found.gap));
    if (out_.error == EACCES) {
      binder_ = binder_of(device);
      find_free();
    }
  }

  void judge_none() {
    const PortVerdict verdict = judge_any_port(binder_, facts_);
    const decode::PortRange& range = facts_.settings.local_ports;
    const std::string words = fmt::format("{} to {}", range.first, range.last);
    const reach::Evidence evidence{"net.ipv4.ip_local_port_range = " + words, "sysctl",
                                   "sysctl net.ipv4.ip_local_port_range"};
    if (verdict.taken == Truth::Maybe) {
      leave_open(flags_gap(), "every port from " + words + " may be taken");
    } else if (verdict.taken == Truth::Yes) {
      fail_with("no-free-port", "every port from " + words + " is taken", {evidence});
    } else {
      out_.cause = {
          "port-free", "the kernel picks a port from " + words + " that is free", {evidence}};
    }
  }

  void judge_one() {
    const PortVerdict verdict = judge_port(binder_, facts_);
    out_.conflicts = verdict.conflicts;
    if (verdict.taken == Truth::No) {
      out_.conflicts.clear();
      out_.cause = {"port-free", "nothing that has the port is in the way", {look()}};
      return;
    }
    if (verdict.taken == Truth::Maybe) {
      leave_open(verdict.history_unread ? history_gap() : flags_gap(),
                 verdict.history_unread ? "it depends on the order in which sockets were bound"
                                        : "it depends on flags of sockets that have the port");
      out_.cause.evidence.push_back(look());
    } else {
      fail_with(conflict_code(), conflict_text(), {look()});
      if (verdict.at_listen) out_.call = BindCall::Listen;
    }
    find_free();
    // Half of it may still be had.
    Binder six = binder_;
    six.v6only = true;
    const bool both_asked = binder_.address.family == Family::Inet6 &&
                            binder_.address.is_unspecified() && !binder_.v6only;
    if (both_asked && judge_port(six, facts_).taken == Truth::No) {
      out_.notes.push_back("only IPv4 is taken: for IPv6 alone (--v6only) it can be bound");
    }
  }

  void fail_with(std::string code, std::string text, std::vector<reach::Evidence> evidence) {
    out_.error = EADDRINUSE;
    out_.cause = {std::move(code), std::move(text), std::move(evidence)};
  }

  [[nodiscard]] reach::Evidence look() const {
    const bool tcp = binder_.protocol == Protocol::Tcp;
    return {"sockets with the port", "sock_diag",
            fmt::format("ss -Hanp{} sport = :{}", tcp ? 't' : 'u', binder_.port)};
  }

  [[nodiscard]] bool all(bool (*test)(const BoundRecord&)) const {
    return std::ranges::all_of(out_.conflicts,
                               [&](std::size_t i) { return test(facts_.sockets[i].bound); });
  }

  [[nodiscard]] std::string conflict_code() const {
    const bool v4 = binder_.address.family == Family::Inet || binder_.address.is_v4_mapped();
    const bool connections = all(is_connection);
    if (v4 && !connections &&
        all([](const BoundRecord& one) { return is_connection(one) || takes_both(one); })) {
      return "dual-stack-holder";
    }
    if (all([](const BoundRecord& one) { return one.time_wait; })) return "time-wait";
    if (connections) return "connections-left";
    const auto idle = [](const BoundRecord& one) {
      return one.socket.protocol == Protocol::Tcp && one.socket.state == kTcpClose;
    };
    return all(idle) ? "bound-not-listening" : "port-in-use";
  }

  static bool is_connection(const BoundRecord& one) { return one.socket.remote_port != 0; }

  /// One of every address of both families.
  static bool takes_both(const BoundRecord& one) {
    return one.socket.local.family == Family::Inet6 && one.socket.local.is_unspecified() &&
           one.socket.v6only == false;
  }

  [[nodiscard]] std::string conflict_text() const {
    const auto holder = std::ranges::find_if(
        out_.conflicts, [this](std::size_t i) { return !is_connection(facts_.sockets[i].bound); });
    const std::size_t named = holder == out_.conflicts.end() ? out_.conflicts.front() : *holder;
    const BoundRecord& first = facts_.sockets[named].bound;
    const std::string code = conflict_code();
    const std::string port =
        fmt::format("{} port {}", name_of_protocol(binder_.protocol), binder_.port);
    if (code == "dual-stack-holder") {
      return endpoint_text(first.socket.local, binder_.port) + " is taken, and takes IPv4 as well";
    }
    if (code == "time-wait") return "connections of " + port + " are in TIME_WAIT";
    if (code == "connections-left") return "connections of " + port + " are left";
    const std::string at = endpoint_text(first.socket.local.unmapped(), binder_.port);
    if (code == "bound-not-listening") return at + " is bound by a socket that does not listen";
    return at + " is taken";
  }

  [[nodiscard]] static host::Gap history_gap() {
    return {.code = "bind-order-not-read",
            .what =
                "what the kernel remembers of sockets that were bound to the port before, and "
                "in which order, could not be read",
            .hides = "whether it compares with all of them",
            .remedy = "run as root on Linux 6.8 or later"};
  }

  [[nodiscard]] host::Gap flags_gap() const {
    const bool waiting = !out_.conflicts.empty() &&
                         all([](const BoundRecord& one) { return one.socket.inode == 0; });
    std::string what = "SO_REUSEADDR and SO_REUSEPORT of ";
    what += waiting ? "connections that no process holds any more" : "sockets that have the port";
    if (!waiting && facts_.refused.sockets > 0 && facts_.refused.error.code != 0) {
      what += ": " + reason(facts_.refused.error);
    }
    return {.code = "socket-flags-not-read",
            .what = std::move(what),
            .hides = "whether they let another socket have the port",
            .remedy = "run as root on Linux 6.8 or later"};
  }

  /// Nobody has it whose address and device the socket would meet, whatever the flags.
  [[nodiscard]] bool is_free(std::uint16_t port) const {
    if (check_right(world_, port)) return false;
    return std::ranges::none_of(facts_.sockets, [&](const host::PortSocket& one) {
      return one.bound.socket.local_port == port && overlaps(binder_, one.bound) != Truth::No;
    });
  }

  void find_free() {
    const unsigned first = facts_.settings.first_free.value_or(1024);
    const auto none = [this](unsigned port) {
      return port > 0 && port <= UINT16_MAX && is_free(static_cast<std::uint16_t>(port));
    };
    // Without the right to a low port the nearest is the first that takes none.
    const unsigned from = out_.error == EACCES ? std::max<unsigned>(first, 1) : binder_.port;
    if (out_.error == EACCES && from > unsigned{binder_.port} + host::kPortsAround) return;
    for (unsigned distance = 0; distance <= host::kPortsAround; ++distance) {
      for (const bool above : {true, false}) {
        if (!above && distance > from) continue;
        const unsigned port = above ? from + distance : from - distance;
        if (port == binder_.port || !none(port)) continue;
        const unsigned away = port > binder_.port ? port - binder_.port : binder_.port - port;
        if (away > host::kPortsAround) continue;
        out_.nearest_free = static_cast<std::uint16_t>(port);
        return;
      }
    }
  }

  void add_notes() {
    const host::BindSettings& settings = facts_.settings;
    const std::uint16_t port = binder_.port;
    if (port == 0) return;
    const bool reserved = std::ranges::any_of(
        settings.reserved, [port](const auto& range) { return in_range(range, port); });
    if (out_.error == 0 && in_range(settings.local_ports, port) && !reserved) {
      out_.notes.push_back(
          fmt::format("{} is one of the ports that the kernel gives to clients ({} to {}): one of "
                      "them may have "
                      "it by the time that the server starts",
                      port, settings.local_ports.first, settings.local_ports.last));
    }
    const bool any6 = binder_.address.family == Family::Inet6 && binder_.address.is_unspecified();
    if (out_.error == 0 && any6 && binder_.v6only) {
      out_.notes.push_back("it would not take IPv4");
    }
  }

  const BindWorld& world_;
  const host::BindFacts& facts_;
  Binder binder_;
  BindAnswer out_;
};

}  // namespace

std::string_view name_of(BindCall call) {
  constexpr std::array<std::string_view, 4> kNames = {"socket", "setsockopt", "bind", "listen"};
  return kNames[static_cast<std::size_t>(call)];
}

BindAnswer bind_outcome(const BindWorld& world, const BindQuestion& question) {
  return Judge(world, question).answer();
}

std::string endpoint_text(const IpAddress& address, std::uint16_t port) {
  if (address.family == Family::Inet) return fmt::format("{}:{}", address.text(), port);
  return fmt::format("[{}]:{}", address.text(), port);
}

}  // namespace hark::diagnose
