#include "host/host.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <tuple>

namespace hark::host {

std::string_view name_of(Scope scope) {
  constexpr std::array<std::string_view, 4> kNames = {"loopback", "one-address", "one-interface",
                                                      "all"};
  return kNames[static_cast<std::size_t>(scope)];
}

std::string_view name_of(HeldBy::How how) {
  constexpr std::array<std::string_view, 5> kNames = {"io-uring", "in-flight", "kernel",
                                                      "unreadable", "unknown"};
  return kNames[static_cast<std::size_t>(how)];
}

std::string KernelOwner::name() const {
  return object.empty() ? kind : kind + " " + object;
}

std::string KernelOwner::words() const {
  return detail.empty() ? kind : kind + " " + detail;
}

std::string_view name_of(AncestorRole role) {
  constexpr std::array<std::string_view, 9> kNames = {"service-manager",
                                                      "container-runtime",
                                                      "shell",
                                                      "ssh-session",
                                                      "cron",
                                                      "terminal-multiplexer",
                                                      "init",
                                                      "outside",
                                                      "other"};
  return kNames[static_cast<std::size_t>(role)];
}

bool listed_before(const Listener& a, const Listener& b) {
  const auto key = [](const Listener& l) {
    return std::tie(l.netns, l.port, l.protocol, l.address, l.interface_index, l.socket.inode,
                    l.socket.cookie);
  };
  return key(a) < key(b);
}

std::span<const Listener> listeners_in(const Host& host, NetnsId netns) {
  return {std::ranges::lower_bound(host.listeners, netns, {}, &Listener::netns),
          std::ranges::upper_bound(host.listeners, netns, {}, &Listener::netns)};
}

std::span<const Listener> listeners_at(const Host& host, NetnsId netns, std::uint16_t port) {
  const std::span<const Listener> all = listeners_in(host, netns);
  return {std::ranges::lower_bound(all, port, {}, &Listener::port),
          std::ranges::upper_bound(all, port, {}, &Listener::port)};
}

std::string rfc3339(std::int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 64> buffer{};
  const std::size_t size = std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return {buffer.data(), size};
}

}  // namespace hark::host
