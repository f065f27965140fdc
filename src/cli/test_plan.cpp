#include "cli/test_plan.h"

#include <algorithm>

#include "base/text.h"
#include "host/target.h"

namespace hark::cli {
namespace {

Protocol transport_of(Protocol protocol) {
  return protocol == Protocol::Udp ? Protocol::Udp : Protocol::Tcp;
}

bool needs_zone(const IpAddress& address) {
  return address.family == Family::Inet6 && address.is_link_local();
}

/// 127.0.0.1 before others, IPv4 before IPv6: as a person counts.
std::vector<IpAddress> loopbacks(const std::vector<IpAddress>& own) {
  std::vector<IpAddress> out;
  for (const char* text : {"127.0.0.1", "::1"}) {
    const IpAddress address = *IpAddress::parse(text);
    if (std::ranges::find(own, address) != own.end()) out.push_back(address);
  }
  return out;
}

}  // namespace

void TestPlan::add(const TestTarget& target, const std::vector<Elsewhere>& elsewhere) {
  report_.targets.push_back({.written = target.written});
  if (target.listeners) {
    add_listeners(target, elsewhere);
  } else {
    add_host(target);
  }
}

void TestPlan::add_host(const TestTarget& target) {
  show::TestedTarget& told = report_.targets.back();
  probe::Asked asked;
  asked.protocol = target.protocol;
  asked.port = target.port;
  asked.scheme = target.scheme;
  asked.path = target.path;
  asked.host = target.name;
  asked.verify = choices_.verify;
  if (target.address) {
    asked.address = *target.address;
    add_attempt(std::move(asked), target.zone);
    return;
  }
  const auto found = names_.find(target.name);
  if (found == names_.end()) {
    told.trouble = "its name was not resolved: interrupted";
    told.open = true;
    return;
  }
  told.resolve_ms = found->second.elapsed_ms;
  if (!found->second.addresses) {
    const Error& error = found->second.addresses.error();
    told.trouble = reason(error);
    told.open = reason(error) != "no such name";
    return;
  }
  bool any = false;
  for (const IpAddress& address : *found->second.addresses) {
    if (choices_.source && choices_.source->family != address.family) continue;
    any = true;
    asked.address = address;
    add_attempt(asked, target.zone);
  }
  if (!any) told.trouble = "the name has no address of the family of --source";
}

std::vector<IpAddress> TestPlan::own_addresses(const std::string& device) const {
  std::vector<IpAddress> all;
  for (const host::InterfaceAddress& one : report_.network.addresses) {
    const host::Link* link = report_.network.link(one.link);
    if (!device.empty() && (link == nullptr || link->name != device)) continue;
    if (needs_zone(one.address) && device.empty()) continue;
    if (std::ranges::find(all, one.address) == all.end()) all.push_back(one.address);
  }
  std::vector<IpAddress> out = loopbacks(all);
  for (const Family family : {Family::Inet, Family::Inet6}) {
    for (const IpAddress& one : all) {
      if (one.family != family || std::ranges::find(out, one) != out.end()) continue;
      out.push_back(one);
    }
  }
  return out;
}

void TestPlan::add_bound(const host::Listener& listener) {
  probe::Asked asked;
  asked.protocol = transport_of(listener.protocol);
  asked.port = listener.port;
  asked.verify = choices_.verify;
  const IpAddress bound = listener.address.unmapped();
  const std::string device = listener.interface_index == 0 ? "" : listener.interface;
  if (!bound.is_unspecified()) {
    asked.address = bound;
    add_attempt(std::move(asked), device);
    return;
  }
  for (const IpAddress& address : own_addresses(device)) {
    const bool fits = address.family == bound.family || listener.v6only == false;
    if (!fits) continue;
    asked.address = address;
    add_attempt(asked, device);
  }
}

void TestPlan::add_listeners(const TestTarget& target, const std::vector<Elsewhere>& elsewhere) {
  const host::Target& meant = *target.listeners;
  const std::vector<std::size_t> found =
      host::listeners_of(report_.host, report_.network.netns, meant);
  for (const std::size_t i : found) add_bound(report_.host.listeners[i]);
  show::TestedTarget& told = report_.targets.back();
  if (!found.empty()) return;
  if (!meant.endpoint && elsewhere.size() == 1) {
    add_elsewhere(meant, elsewhere.front());
    return;
  }
  if (!meant.endpoint) {
    told.elsewhere = !elsewhere.empty();
    told.trouble = elsewhere.empty() ? "nobody of that name listens here"
                                     : "it is in several namespaces: say which by --netns";
    if (elsewhere.empty() && target.written.find('.') != std::string::npos) {
      told.trouble += "; a host needs its port, as in " + target.written + ":443";
    }
    return;
  }
  // Nobody listens: what a client gets is the answer.
  probe::Asked asked;
  asked.protocol = meant.protocol.value_or(Protocol::Tcp);
  asked.port = meant.port;
  asked.verify = choices_.verify;
  for (const IpAddress& address : own_addresses({})) {
    if (meant.family && address.family != *meant.family) continue;
    asked.address = address;
    add_attempt(asked, {});
  }
}

void TestPlan::add_elsewhere(const host::Target& target, const Elsewhere& place) {
  bool any = false;
  for (const std::size_t i : host::listeners_of(report_.host, place.netns, target)) {
    const host::Listener& listener = report_.host.listeners[i];
    const IpAddress bound = listener.address.unmapped();
    for (const IpAddress& address : place.addresses) {
      const bool fits = bound.is_unspecified()
                            ? address.family == bound.family || listener.v6only == false
                            : address == bound;
      if (!fits || needs_zone(address)) continue;
      probe::Asked asked;
      asked.protocol = transport_of(listener.protocol);
      asked.port = listener.port;
      asked.address = address;
      asked.verify = choices_.verify;
      add_attempt(std::move(asked), {});
      any = true;
    }
  }
  if (any) return;
  report_.targets.back().elsewhere = true;
  report_.targets.back().trouble =
      "it listens in a namespace of its own, on no address that leads there: ask in it by --netns";
}

void TestPlan::add_attempt(probe::Asked asked, const std::string& zone) {
  show::TestedAttempt out;
  out.target = report_.targets.size() - 1;
  out.attempt.timeout = choices_.timeout;
  out.attempt.interface = choices_.interface;
  if (choices_.source) {
    if (choices_.source->family != asked.address.family) return;
    out.attempt.source = choices_.source;
  }
  if (needs_zone(asked.address)) {
    const std::string& device = zone.empty() ? choices_.interface : zone;
    const auto link = std::ranges::find(report_.network.links, device, &host::Link::name);
    if (device.empty() || link == report_.network.links.end()) {
      report_.targets.back().trouble =
          device.empty() ? "a link-local address needs its interface, as in [fe80::1%eth0]:22"
                         : "there is no interface " + device;
      return;
    }
    out.attempt.scope = link->index;
  }
  out.attempt.asked = std::move(asked);
  // Several sockets may share a port: it is one to a client.
  const auto same = [&](const show::TestedAttempt& other) {
    return other.target == out.target && other.attempt.scope == out.attempt.scope &&
           other.attempt.asked.address == out.attempt.asked.address &&
           other.attempt.asked.port == out.attempt.asked.port &&
           other.attempt.asked.protocol == out.attempt.asked.protocol;
  };
  if (std::ranges::any_of(report_.attempts, same)) return;
  report_.attempts.push_back(std::move(out));
}

}  // namespace hark::cli
