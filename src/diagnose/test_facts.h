// Facts made by hand, for the tests of this folder: one namespace, a listener on tcp 80 of process
// 10, and two looks at which nothing changed.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "diagnose/finding.h"
#include "host/scope.h"

namespace hark::diagnose {

class TestFacts {
 public:
  TestFacts() {
    host_.namespaces.push_back({.inode = 1, .name = "host", .own = true, .entered = true});
    host_.taken_at_ms = 1'790'000'000'000;
    own(listen(Protocol::Tcp, "0.0.0.0", 80), process(10, "web"));
    looks.resize(2);
    looks[1].at_ms = 300;
    for (host::Look& look : looks) look.processes[10] = {.state = 'S', .switches = 5};
  }

  /// By ascending pid.
  host::ProcessId process(std::uint32_t pid, std::string name) {
    host::Process out;
    out.pid = pid;
    out.name = std::move(name);
    out.state = 'S';
    out.started_at_ms = host_.taken_at_ms - 90'000;
    host_.processes.push_back(std::move(out));
    health.push_back({.pid = pid, .status = {.state = 'S'}});
    return static_cast<host::ProcessId>(host_.processes.size() - 1);
  }
  /// The position of the new listener; its inode is that and 100.
  std::size_t listen(Protocol protocol, const char* address, std::uint16_t port) {
    host::Listener out;
    out.protocol = protocol;
    out.address = IpAddress::parse(address).value();
    out.port = port;
    const bool stream = protocol == Protocol::Tcp || protocol == Protocol::Mptcp;
    out.state = stream ? host::State::Listen : host::State::Unconn;
    out.socket.inode = static_cast<std::uint32_t>(100 + host_.listeners.size());
    out.queue = {.length = 0, .limit = 16, .drops = 0};
    out.owners.emplace();
    host_.listeners.push_back(std::move(out));
    return host_.listeners.size() - 1;
  }
  void own(std::size_t listener, host::ProcessId process) {
    host_.listeners[listener].owners->push_back({.process = process, .fds = {3}});
  }

  host::Host& host() { return host_; }
  host::Listener& listener(std::size_t i = 0) { return host_.listeners[i]; }
  host::Process& owner(std::size_t i = 0) { return host_.processes[i]; }
  /// The state of a process in the listing and at both looks.
  void state(std::size_t i, char state) {
    owner(i).state = state;
    for (host::Look& look : looks) look.processes[owner(i).pid].state = state;
  }
  /// The queue of a listener at both looks.
  void queue(std::uint64_t first, std::uint64_t last, std::uint64_t limit, std::size_t i = 0) {
    const std::uint32_t inode = listener(i).socket.inode;
    listener(i).queue = {.length = first, .limit = limit, .drops = 0};
    looks.front().sockets[inode] = {.length = first, .limit = limit, .drops = 0};
    looks.back().sockets[inode] = {.length = last, .limit = limit, .drops = 0};
  }

  /// Process 10 with one thread that waits there, at both looks.
  void wait_in(const char* wchan) {
    waits = {{.pid = 10, .threads = {{.tid = 10, .state = 'S', .switches = 3, .wchan = wchan}}}};
    waits[0].whole = true;
    waits_again = waits;
  }

  /// Of every listener; refers to this object.
  [[nodiscard]] Facts facts() {
    table_.emplace(host_);
    table_->add(network, {}, [](const auto&, const auto&, const auto&, host::Networks*) {
      return std::vector<std::vector<reach::ReachClass>>();
    });
    std::vector<std::size_t> all(host_.listeners.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    return {.host = host_,
            .reach = *table_,
            .listeners = std::move(all),
            .health = health,
            .health_again = health_again,
            .waits = waits,
            .waits_again = waits_again,
            .looks = looks};
  }
  /// "broken stopped", a line each.
  [[nodiscard]] std::string told() {
    std::string out;
    for (const Finding& one : diagnose(facts())) {
      out += std::string(name_of(one.severity)) + " " + one.code + "\n";
    }
    return out;
  }

  host::Network network;
  std::vector<host::ProcessHealth> health;
  std::vector<host::ProcessHealth> health_again;
  std::vector<host::ProcessWaits> waits;
  std::vector<host::ProcessWaits> waits_again;
  std::vector<host::Look> looks;

 private:
  host::Host host_;
  std::optional<reach::ReachTable> table_;
};

}  // namespace hark::diagnose
