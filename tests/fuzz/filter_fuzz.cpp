// Any words, on a small host. What is refused says which word and why; what is understood selects
// as the terms one by one say; a filter after `not` selects the others; near misses are few, named,
// and not what was selected.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/text.h"
#include "host/scope.h"
#include "host/select.h"

namespace {

using namespace hark;
using namespace hark::host;

Process process(std::uint32_t pid, std::string name, std::string exe, std::string unit) {
  Process out;
  out.pid = pid;
  out.name = std::move(name);
  out.command_line = std::vector<std::string>{exe, "-c", "/etc/x"};
  out.exe = std::move(exe);
  out.uid = 33;
  out.user = "www-data";
  out.cgroup = "/system.slice/" + unit;
  out.unit = std::move(unit);
  return out;
}

Listener listener(Protocol protocol, const char* address, std::uint16_t port, std::uint32_t owner) {
  Listener out;
  out.protocol = protocol;
  out.address = *IpAddress::parse(address);
  out.port = port;
  out.socket.inode = 100 + port;
  out.socket.user = "root";
  out.state = protocol == Protocol::Udp ? State::Unconn : State::Listen;
  out.scope = scope_of(out.address, "");
  out.owners = std::vector<Owner>{{ProcessId{owner}, {3}}};
  return out;
}

Host make_host() {
  Host host;
  host.namespaces = {{4026531840, "host", true, true, 0}, {4026532000, "blue", false, true, 0}};
  host.processes = {process(812, "nginx", "/usr/sbin/nginx", "nginx.service"),
                    process(901, "sshd", "/usr/sbin/sshd", "ssh.service")};
  host.listeners = {listener(Protocol::Tcp, "0.0.0.0", 80, 0), listener(Protocol::Tcp, "::", 22, 1),
                    listener(Protocol::Udp, "10.0.0.5", 53, 0),
                    listener(Protocol::Tcp, "::ffff:127.0.0.1", 8080, 1)};
  host.listeners[2].owners.reset();
  host.listeners[2].container = Container{"docker", std::string(64, 'a'), "web"};
  host.listeners[3].netns = NetnsId{1};
  host.listeners[3].interface = "eth0";
  return host;
}

void require(bool holds) {
  if (!holds) std::abort();
}

/// The meaning of a filter, said in another way than select_match.cpp does.
bool expected(const Host& host, const Listener& candidate, const Filter& filter) {
  const auto alone = [&](Term term) {
    term.negated = false;
    return matches(host, candidate, Filter{{std::move(term)}});
  };
  return std::ranges::all_of(filter.terms, [&](const Term& term) {
    if (term.negated) return !alone(term);
    return std::ranges::any_of(filter.terms, [&](const Term& other) {
      return !other.negated && other.field == term.field && alone(other);
    });
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Host kHost = make_host();
  if (size > 512) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> words;
  for (const std::string_view word : split(text, '\n')) words.emplace_back(word);
  const auto filter = parse_filter(words);
  if (!filter) {
    require(!filter.error().what.empty() && !filter.error().why.empty());
    return 0;
  }
  const std::vector<std::size_t> selected = select(kHost, *filter);
  for (std::size_t i = 0; i < kHost.listeners.size(); ++i) {
    const bool is_selected = std::ranges::find(selected, i) != selected.end();
    require(is_selected == expected(kHost, kHost.listeners[i], *filter));
  }
  const std::vector<Near> near = near_misses(kHost, *filter);
  require(near.size() <= 5);
  for (const Near& miss : near) {
    require(!miss.text.empty() && miss.relation.starts_with("other-"));
    require(miss.listener && *miss.listener < kHost.listeners.size());
    require(std::ranges::find(selected, *miss.listener) == selected.end());
  }
  return 0;
}
