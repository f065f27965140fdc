// A host made by hand for the tests of what changed: lo, eth0 and eth1 of reach/test_classes.h,
// nginx on tcp 80 of every address, redis on tcp 6379 of this host alone.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "diagnose/changes.h"
#include "host/scope.h"
#include "reach/published.h"
#include "reach/test_classes.h"

namespace hark::diagnose::testing {

class World {
 public:
  World() {
    host.name = "box";
    host.taken_at_ms = 1'790'000'000'000;
    host.namespaces.push_back({.inode = 1, .name = "host", .own = true, .entered = true});
    listen("0.0.0.0", 80, process("nginx", "nginx.service"));
    listen("127.0.0.1", 6379, process("redis", "redis.service"));
  }

  host::ProcessId process(std::string name, std::string unit = {}) {
    host::Process out;
    out.pid = static_cast<std::uint32_t>(100 + host.processes.size());
    out.name = name;
    out.exe = "/usr/bin/" + name;
    out.uid = 0;
    out.user = "root";
    out.state = 'S';
    out.started_at_ms = host.taken_at_ms - 1000;
    out.started_by.emplace();
    out.unit = std::move(unit);
    host.processes.push_back(std::move(out));
    return static_cast<host::ProcessId>(host.processes.size() - 1);
  }
  host::Process& owner(std::size_t i) { return host.processes[i]; }

  /// The reference holds until the next one is added.
  host::Listener& listen(const char* address, std::uint16_t port, host::ProcessId owner,
                         Protocol protocol = Protocol::Tcp) {
    host::Listener out;
    out.protocol = protocol;
    out.address = IpAddress::parse(address).value();
    out.port = port;
    if (out.address.family == hark::Family::Inet6) out.v6only = true;
    out.state = protocol == Protocol::Tcp ? host::State::Listen : host::State::Unconn;
    out.socket.inode = static_cast<std::uint32_t>(1000 + host.listeners.size());
    out.socket.cookie = out.socket.inode;
    out.queue = {.length = 0, .limit = 128, .drops = 0};
    out.scope = host::scope_of(out.address, "");
    out.owners.emplace();
    out.owners->push_back({.process = owner, .fds = {3}});
    out.unit = host.at(owner).unit;
    host.listeners.push_back(std::move(out));
    return host.listeners.back();
  }
  host::Listener& listener(std::size_t i) { return host.listeners[i]; }
  void bind(std::size_t i, const char* address) {
    listener(i).address = IpAddress::parse(address).value();
    listener(i).scope = host::scope_of(listener(i).address, "");
  }
  void remove(std::size_t i) {
    host.listeners.erase(host.listeners.begin() + static_cast<std::ptrdiff_t>(i));
  }
  void find(std::string code, Severity severity, std::optional<std::size_t> of,
            std::string subject = {}) {
    Finding out;
    out.text = "it is " + code;
    out.code = std::move(code);
    out.severity = severity;
    out.listener = of;
    out.subject = std::move(subject);
    findings.push_back(std::move(out));
  }
  void gap(std::string code) { gaps.push_back({code, code + " is missing", "something", ""}); }

  /// Refers to this object, which stays as it is from here on.
  Snapshot snapshot() {
    listeners_.resize(host.listeners.size());
    std::iota(listeners_.begin(), listeners_.end(), std::size_t{0});
    table_ = std::make_unique<reach::ReachTable>(host);
    for (std::size_t i = 0; i < host.namespaces.size(); ++i) {
      std::vector<std::size_t> members;
      for (const std::size_t one : listeners_) {
        if (static_cast<std::size_t>(host.listeners[one].netns) == i) members.push_back(one);
      }
      if (!host.namespaces[i].entered) continue;
      host::Network mine = network;
      mine.netns = static_cast<host::NetnsId>(i);
      table_->add(std::move(mine), members,
                  [this](const auto&, const auto&, const auto& to, auto...) { return ask(to); });
    }
    table_->find_published();
    return {.host = host,
            .reach = *table_,
            .listeners = listeners_,
            .findings = findings,
            .gaps = gaps};
  }

  host::Host host;
  host::Network network = reach::testing::two_links();
  std::map<std::uint16_t, std::vector<const char*>> allowed;  ///< clients by port; else everybody
  reach::Outcome otherwise = reach::Outcome::Silent;          ///< what the others get
  std::string cause = "input-drop";
  reach::Certainty certainty = reach::Certainty::Exact;  ///< of what the others get
  std::vector<Finding> findings;
  std::vector<host::Gap> gaps;

 private:
  [[nodiscard]] bool takes(const reach::Destination& to) const {
    return std::ranges::any_of(host.listeners, [&](const host::Listener& one) {
      const bool family = one.address.family == to.address.family || one.v6only == false;
      return one.port == to.port &&
             (one.address == to.address || (family && one.address.is_unspecified()));
    });
  }
  [[nodiscard]] std::vector<std::vector<reach::ReachClass>> ask(
      const std::vector<reach::Destination>& to) const {
    std::vector<std::vector<reach::ReachClass>> out;
    for (const reach::Destination& one : to) {
      reach::testing::Place place(one.interface, one.address.text().c_str(), one.port);
      const auto found = allowed.find(one.port);
      if (!takes(one)) {
        place.others(reach::Outcome::Refused, "bound-other-addr");
      } else if (one.interface != reach::testing::kLo && found != allowed.end()) {
        for (const char* prefix : found->second) {
          const AddressSet some = reach::testing::set_of({prefix});
          if (some.ranges().front().first.family == one.address.family) {
            place.of(some, reach::Outcome::Answered, "listener-answers");
          }
        }
        place.others(otherwise, cause.c_str()).answer.certainty = certainty;
      } else {
        place.others(reach::Outcome::Answered, "listener-answers");
      }
      out.push_back(place.classes());
    }
    return out;
  }

  std::vector<std::size_t> listeners_;
  std::unique_ptr<reach::ReachTable> table_;
};

}  // namespace hark::diagnose::testing
