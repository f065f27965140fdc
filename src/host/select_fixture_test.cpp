#include "host/select_fixture.h"

#include <algorithm>

namespace hark::host {

HostBuilder::HostBuilder() {
  host.namespaces = {{4026531840, "host", true, true, 0}, {4026532281, "blue", false, true, 0}};
  host.processes.reserve(32);
  host.listeners.reserve(32);
}

Process& HostBuilder::process(std::uint32_t pid, const char* name, const char* exe,
                              const char* unit) {
  Process& out = host.processes.emplace_back();
  out.pid = pid;
  out.name = name;
  out.exe = exe;
  out.command_line = std::vector<std::string>{exe};
  out.unit = unit;
  out.cgroup = unit[0] == '\0' ? std::string("/") : "/system.slice/" + std::string(unit);
  return out;
}

Listener& HostBuilder::listener(Protocol protocol, const char* address, std::uint16_t port,
                                const std::vector<std::uint32_t>& owners, const char* interface) {
  Listener& out = host.listeners.emplace_back();
  out.protocol = protocol;
  out.address = *IpAddress::parse(address);
  out.port = port;
  out.interface = interface;
  out.scope = scope_of(out.address, interface);
  const bool stream = protocol == Protocol::Tcp || protocol == Protocol::Mptcp;
  out.state = stream ? State::Listen : State::Unconn;
  out.socket.inode = 1000 + static_cast<std::uint32_t>(host.listeners.size());
  out.socket.user = "root";
  out.owners.emplace();
  for (const std::uint32_t pid : owners) {
    const auto it = std::ranges::find(host.processes, pid, &Process::pid);
    out.owners->push_back(
        {ProcessId(static_cast<std::uint32_t>(it - host.processes.begin())), {3}});
    out.unit = it->unit;
  }
  return out;
}

Host example_host() {
  HostBuilder build;
  build.process(699, "redis-server", "/usr/local/bin/redis-server").container =
      Container{"docker",  std::string("3f2a9c0d") + std::string(56, '1'),
                "cache",   "docker.io/library/redis:7.2",
                "cache-0", "prod"};
  Process& postgres = build.process(733, "postgres", "/usr/lib/postgresql/15/bin/postgres",
                                    "postgresql@15-main.service");
  postgres.command_line = std::vector<std::string>{"postgres: 15/main: walwriter "};
  postgres.uid = 110;
  postgres.user = "postgres";
  build.process(812, "sshd", "/usr/sbin/sshd", "ssh.service");
  build.process(901, "nginx", "/usr/sbin/nginx", "nginx.service");
  Process& worker = build.process(902, "nginx", "/usr/sbin/nginx", "nginx.service");
  worker.uid = 33;
  worker.user = "www-data";
  build.process(950, "dnsmasq", "/usr/sbin/dnsmasq", "dnsmasq.service").command_line =
      std::vector<std::string>{"/usr/sbin/dnsmasq", "-x", "/run/dnsmasq.pid", "-C", "LAN.conf"};

  build.listener(Protocol::Tcp, "0.0.0.0", 80, {901, 902});
  build.listener(Protocol::Tcp, "0.0.0.0", 443, {901, 902});
  build.listener(Protocol::Tcp, "::", 22, {812}).v6only = false;
  build.listener(Protocol::Tcp, "127.0.0.1", 5432, {733});
  build.listener(Protocol::Tcp, "::1", 5432, {733});
  build.listener(Protocol::Udp, "10.0.0.5", 53, {950}, "eth0").socket.cgroup =
      "/system.slice/dnsmasq.service";
  Listener& redis = build.listener(Protocol::Tcp, "0.0.0.0", 6379, {699});
  redis.netns = NetnsId{1};
  redis.container = build.host.processes[0].container;
  Listener& unseen = build.listener(Protocol::Mptcp, "::ffff:10.0.0.7", 8080, {});
  unseen.owners.reset();
  unseen.socket.uid = 1000;
  unseen.socket.user = "max";
  unseen.unit = "app.service";
  build.listener(Protocol::Raw, "0.0.0.0", 1, {901});
  build.listener(Protocol::Udp, "0.0.0.0", 51820, {}, "wg0");
  return std::move(build.host);
}

}  // namespace hark::host
