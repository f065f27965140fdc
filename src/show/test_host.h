// Hosts made by hand for the tests of this folder.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/host.h"
#include "host/scope.h"

namespace hark::show::testing {

/// A code point as UTF-8, made at run time: sources must not hold characters that hide or reorder.
inline std::string utf8(std::uint32_t code_point) {
  const auto tail = [&](unsigned shift) {
    return static_cast<char>(0x80U | (code_point >> shift & 0x3FU));
  };
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  if (code_point < 0x800) return {static_cast<char>(0xC0U | code_point >> 6U), tail(0)};
  if (code_point < 0x10000) {
    return {static_cast<char>(0xE0U | code_point >> 12U), tail(6), tail(0)};
  }
  return {static_cast<char>(0xF0U | code_point >> 18U), tail(12), tail(6), tail(0)};
}

/// Builds a host piece by piece. Namespace 0 is our own, "host".
class HostBuilder {
 public:
  HostBuilder() {
    host_.name = "box";
    host_.kernel = "6.1.0";
    host_.taken_at_ms = 1'790'000'000'000;
    (void)netns("host", 4026531840, true);
  }

  host::NetnsId netns(std::string name, std::optional<std::uint64_t> inode, bool own = false) {
    host_.namespaces.push_back(
        {.inode = inode, .name = std::move(name), .own = own, .entered = true});
    return static_cast<host::NetnsId>(host_.namespaces.size() - 1);
  }

  /// Processes must be added by ascending pid, as Host has them.
  host::ProcessId process(std::uint32_t pid, std::string name, std::string unit = {}) {
    host::Process p;
    p.pid = pid;
    p.name = std::move(name);
    p.command_line = std::vector<std::string>{p.name};
    p.exe = "/usr/bin/" + p.name;
    p.uid = 0;
    p.user = "root";
    p.started_at_ms = 1'780'000'000'000 + static_cast<std::int64_t>(pid) * 1000;
    p.state = 'S';
    p.unit = std::move(unit);
    host_.processes.push_back(std::move(p));
    return static_cast<host::ProcessId>(host_.processes.size() - 1);
  }
  host::Process& at(host::ProcessId id) { return host_.processes[static_cast<std::size_t>(id)]; }

  /// A listener without a readable owner. The reference holds until the next one is added.
  host::Listener& listener(Protocol protocol, std::string_view address, std::uint16_t port) {
    host::Listener l;
    l.protocol = protocol;
    l.address = IpAddress::parse(address).value();
    l.port = port;
    if (l.address.family == Family::Inet6) l.v6only = false;
    const bool stream = protocol == Protocol::Tcp || protocol == Protocol::Mptcp;
    l.state = stream ? host::State::Listen : host::State::Unconn;
    l.socket.inode = static_cast<std::uint32_t>(1000 + host_.listeners.size());
    l.socket.cookie = 0x10 + host_.listeners.size();
    l.socket.user = "root";
    l.queue = {.length = 0, .limit = 128, .drops = 0};
    l.scope = host::scope_of(l.address, "");
    host_.listeners.push_back(std::move(l));
    return host_.listeners.back();
  }

  /// A listener of these processes, with the unit of the first.
  host::Listener& owned(Protocol protocol, std::string_view address, std::uint16_t port,
                        std::initializer_list<host::ProcessId> owners) {
    host::Listener& l = listener(protocol, address, port);
    l.owners.emplace();
    for (const host::ProcessId id : owners) l.owners->push_back({.process = id, .fds = {6}});
    if (owners.size() > 0) l.unit = at(*owners.begin()).unit;
    return l;
  }

  void gap(std::string code, std::string what, std::string remedy = {}) {
    host_.gaps.push_back({std::move(code), std::move(what), "something", std::move(remedy)});
  }

  [[nodiscard]] const host::Host& host() const { return host_; }
  [[nodiscard]] host::Host& host() { return host_; }
  [[nodiscard]] std::vector<std::size_t> all() const {
    std::vector<std::size_t> out(host_.listeners.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = i;
    return out;
  }

 private:
  host::Host host_;
};

}  // namespace hark::show::testing
