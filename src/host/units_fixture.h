// A host that systemd runs, for tests: unit files in a fake source, listeners by hand.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "host/fake_source.h"
#include "host/host.h"
#include "host/units.h"

namespace hark::host {

constexpr const char* kEtc = "/etc/systemd/system";
constexpr const char* kUsr = "/usr/lib/systemd/system";

struct SystemdHost {
  FakeSource source;
  Host host;
  std::map<std::string, std::vector<std::string>> folders;

  SystemdHost() {
    host.namespaces.push_back({.inode = 1, .name = "host", .own = true, .entered = true});
    host.namespaces.push_back({.inode = 2, .name = "web", .entered = true});
    folder("/run/systemd/system");
  }
  void folder(const std::string& path) { folders[path]; }
  /// An entry of a folder, without saying what it is.
  void entry(const std::string& folder, const std::string& name) {
    folders[folder].push_back(name);
    std::ranges::sort(folders[folder]);
  }
  void unit(const std::string& folder, const std::string& name, std::string_view text) {
    entry(folder, name);
    source.file(folder + "/" + name, text);
  }
  void link(const std::string& folder, const std::string& name, std::string_view target) {
    entry(folder, name);
    source.link(folder + "/" + name, target);
  }
  ProcessId process(std::uint32_t pid, const char* name, const char* cgroup,
                    const char* unit = "") {
    Process out;
    out.pid = pid;
    out.name = name;
    out.uid = 0;
    out.cgroup = cgroup;
    out.unit = unit;
    host.processes.push_back(std::move(out));
    return ProcessId{static_cast<std::uint32_t>(host.processes.size() - 1)};
  }
  ProcessId systemd() { return process(1, "systemd", "/init.scope", "init.scope"); }
  Listener& listener(Protocol protocol, std::string_view address, std::uint16_t port,
                     const std::vector<ProcessId>& owners) {
    Listener out;
    out.protocol = protocol;
    out.address = IpAddress::parse(address).value();
    out.port = port;
    if (out.address.family == Family::Inet6) out.v6only = false;
    out.socket.cgroup = "/init.scope";
    out.unit = "init.scope";
    out.owners.emplace();
    for (const ProcessId id : owners) out.owners->push_back({.process = id, .fds = {3}});
    host.listeners.push_back(std::move(out));
    return host.listeners.back();
  }
  void look(bool details = false, std::optional<std::uint32_t> own_uid = 0) {
    for (const auto& [path, names] : folders) source.folder(path, names);
    add_units(source, {.details = details, .own_uid = own_uid}, host);
  }
  /// "a.socket b.socket", of the listener at that place.
  [[nodiscard]] std::string sockets(std::size_t at = 0) const {
    std::string out;
    for (const UnitId id : host.listeners[at].socket_units) {
      out += (out.empty() ? "" : " ") + host.at(id).name;
    }
    return out;
  }
  [[nodiscard]] const UnitFacts* unit_named(std::string_view name) const {
    const auto found = std::ranges::find(host.units, name, &UnitFacts::name);
    return found == host.units.end() ? nullptr : &*found;
  }
};

}  // namespace hark::host
