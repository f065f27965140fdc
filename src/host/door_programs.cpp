// The programs that are doors, and what their command lines tell. A new one is a row of the table.
//
//   docker-proxy  cmd/docker-proxy/main_linux.go of moby (parseFlags): Go's flag package, one or
//   two
//                 dashes, "-name value" or "-name=value". -use-listen-fd: the socket was made by
//                 dockerd, which holds it too.
//   rootlessport  cmd/rootlessport/main.go of podman: its ports come on standard input; a child of
//                 the same program is put into the container's network namespace. In older
//                 versions it is podman itself, called containers-rootlessport.
//   rootlesskit   ports by -p, or later over its API socket; its child lives in the namespace
//   slirp4netns   slirp4netns(1): the namespace by pid or path; ports over its API socket alone
//   pasta, passt  passt(1): ports by -t and -u, the namespace by pid, --netns or its child. Which
//                 of the two it is, the name it was called by decides (conf.c).
#include <algorithm>
#include <array>

#include "base/text.h"
#include "host/doors.h"
#include "host/option_words.h"

namespace hark::host {
namespace {

using Words = std::vector<std::string>;

constexpr std::size_t kMostPortRanges = 1024;
constexpr std::uint16_t kLastPort = 65535;

std::optional<Protocol> protocol_of(std::string_view text) {
  // "tcp4" and "udp6" are of rootlesskit
  if (text.starts_with("tcp")) return Protocol::Tcp;
  if (text.starts_with("udp")) return Protocol::Udp;
  return std::nullopt;
}

void read_docker_proxy(const Words& words, const Process& process, DoorGuide& guide, Door& door) {
  static constexpr std::array<std::string_view, 3> kSwitches = {"use-listen-fd", "v", "version"};
  static constexpr OptionRules kRules = {.short_with_value = {},
                                         .long_with_value = {},
                                         .long_without_value = kSwitches,
                                         .unknown_takes_value = true,
                                         .one_dash_is_long = true};
  const ParsedWords parsed = parse_words(words, kRules);
  const auto value = [&](std::string_view name) {
    const std::string* found = parsed.find(name);
    return found == nullptr ? std::string_view{} : std::string_view(*found);
  };
  door.address = IpAddress::parse(value("container-ip"));
  const auto protocol = protocol_of(value("proto").empty() ? "tcp" : value("proto"));
  const auto host_port = parse_port(value("host-port"));
  const auto port = parse_port(value("container-port"));
  if (protocol && host_port && port) {
    door.ports.push_back({*protocol, *host_port, *host_port, *port});
  }
  if (door.address) door.container = guide.docker_at(*door.address, process);
}

void read_rootlessport(const Words& /*words*/, const Process& process, DoorGuide& guide,
                       Door& door) {
  guide.lead_to_children(process, door);
}

void read_rootlesskit(const Words& words, const Process& process, DoorGuide& guide, Door& door) {
  static constexpr std::array<std::string_view, 10> kSwitches = {
      "debug",    "help",  "version", "disable-host-loopback", "ipv6", "pidns",
      "cgroupns", "utsns", "ipcns",   "detach-netns"};
  static constexpr OptionRules kRules = {.short_with_value = "p",
                                         .long_with_value = {},
                                         .long_without_value = kSwitches,
                                         .unknown_takes_value = true,
                                         .stops_at_word = true};
  for (const Option& option : parse_words(words, kRules).options) {
    if (option.name != "p" && option.name != "publish") continue;
    const auto ports = rootlesskit_port(option.value);
    if (ports && door.ports.size() < kMostPortRanges) door.ports.push_back(*ports);
  }
  guide.lead_to_children(process, door);
}

void read_slirp4netns(const Words& words, const Process& process, DoorGuide& guide, Door& door) {
  static constexpr std::array<std::string_view, 12> kValues = {
      "exit-fd",        "ready-fd",   "mtu",         "api-socket",
      "cidr",           "netns-type", "userns-path", "outbound-addr",
      "outbound-addr6", "macaddress", "target-type", "netns-id"};
  static constexpr OptionRules kRules = {
      .short_with_value = "ermaT", .long_with_value = kValues, .long_without_value = {}};
  const ParsedWords parsed = parse_words(words, kRules);
  if (parsed.others.empty()) return;
  const std::string& target = parsed.others.front();
  const std::string* type = parsed.find("netns-type");
  if (type != nullptr && *type == "path") {
    guide.lead_to_path(target, process, door);
  } else if (const auto pid = parse_number<std::uint32_t>(target)) {
    guide.lead_to_process(*pid, process, door);
  }
}

/// The options of pasta and passt, of all their versions.
constexpr std::array<std::string_view, 40> kPastaValues = {"address",
                                                           "netmask",
                                                           "mac-addr",
                                                           "gateway",
                                                           "interface",
                                                           "outbound",
                                                           "outbound-if4",
                                                           "outbound-if6",
                                                           "dns",
                                                           "dns-forward",
                                                           "dns-host",
                                                           "search",
                                                           "log-file",
                                                           "log-size",
                                                           "runas",
                                                           "pid",
                                                           "mtu",
                                                           "pcap",
                                                           "tcp-ports",
                                                           "udp-ports",
                                                           "tcp-ns",
                                                           "udp-ns",
                                                           "userns",
                                                           "netns",
                                                           "ns-ifname",
                                                           "ns-mac-addr",
                                                           "socket",
                                                           "fd",
                                                           "map-host-loopback",
                                                           "map-guest-addr",
                                                           "hostname",
                                                           "fqdn",
                                                           "repair-path",
                                                           "host-lo-to-ns-lo-addr",
                                                           "stats",
                                                           "conf-path",
                                                           "host-mac-addr",
                                                           "socket-path",
                                                           "vhost-user-path",
                                                           "trace-file"};

void read_pasta_ports(const ParsedWords& parsed, bool pasta, Door& door) {
  const auto add = [&](std::string_view spec, Protocol protocol) {
    for (const DoorPorts& ports : pasta_ports(spec, protocol)) {
      if (door.ports.size() < kMostPortRanges) door.ports.push_back(ports);
    }
  };
  bool tcp = false;
  bool udp = false;
  for (const Option& option : parsed.options) {
    const bool is_tcp = option.name == "t" || option.name == "tcp-ports";
    const bool is_udp = option.name == "u" || option.name == "udp-ports";
    if (is_tcp) add(option.value, Protocol::Tcp);
    if (is_udp) add(option.value, Protocol::Udp);
    tcp = tcp || is_tcp;
    udp = udp || is_udp;
  }
  // pasta follows what listens inside if it is not told; passt does nothing.
  if (!tcp && pasta) add("auto", Protocol::Tcp);
  // Each TCP port is forwarded for UDP as well, as it is, where nothing else was said.
  if (!udp) add("auto", Protocol::Udp);
}

void read_passt(const Words& words, const Process& /*process*/, DoorGuide& /*guide*/, Door& door) {
  static constexpr OptionRules kRules = {.short_with_value = "lsFpPmanMgioDStu",
                                         .long_with_value = kPastaValues,
                                         .long_without_value = {}};
  read_pasta_ports(parse_words(words, kRules), false, door);
}

void read_pasta(const Words& words, const Process& process, DoorGuide& guide, Door& door) {
  static constexpr OptionRules kRules = {.short_with_value = "lFIpPmanMgioDStuTU",
                                         .long_with_value = kPastaValues,
                                         .long_without_value = {},
                                         .stops_at_word = true};
  const ParsedWords parsed = parse_words(words, kRules);
  read_pasta_ports(parsed, true, door);
  const std::string* netns = parsed.find("netns");
  const auto pid = parsed.others.size() == 1 ? parse_number<std::uint32_t>(parsed.others.front())
                                             : std::optional<std::uint32_t>{};
  if (netns != nullptr) {
    const bool path = netns->find('/') != std::string::npos;
    guide.lead_to_path(path ? *netns : "/run/netns/" + *netns, process, door);
  } else if (pid) {
    guide.lead_to_process(*pid, process, door);
  } else {
    guide.lead_to_children(process, door);
  }
}

constexpr std::array kPrograms = {
    DoorProgram{"docker-proxy", "", "docker-proxy", read_docker_proxy},
    DoorProgram{"rootlessport", "", "rootlessport", read_rootlessport},
    DoorProgram{"podman", "containers-rootlessport", "rootlessport", read_rootlessport},
    DoorProgram{"rootlesskit", "", "rootlesskit", read_rootlesskit},
    DoorProgram{"slirp4netns", "", "slirp4netns", read_slirp4netns},
    DoorProgram{"passt", "pasta", "pasta", read_pasta},
    DoorProgram{"passt.avx2", "pasta", "pasta", read_pasta},
    DoorProgram{"pasta", "", "pasta", read_pasta},
    DoorProgram{"pasta.avx2", "", "pasta", read_pasta},
    DoorProgram{"passt", "", "passt", read_passt},
    DoorProgram{"passt.avx2", "", "passt", read_passt},
    DoorProgram{"socat", "", "socat", read_socat, true},
    DoorProgram{"socat1", "", "socat", read_socat, true},
    DoorProgram{"systemd-socket-proxyd", "", "systemd-socket-proxyd", read_socket_proxyd, true},
    DoorProgram{"kubectl", "", "kubectl", read_kubectl, true},
    DoorProgram{"ssh", "", "ssh", read_ssh, true},
    DoorProgram{"sshd", "", "sshd", read_sshd, true},
    DoorProgram{"sshd-session", "", "sshd", read_sshd, true},
};

/// "80" or "80-90".
std::optional<std::pair<std::uint16_t, std::uint16_t>> range_of(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return std::pair(*first, *last);
}

}  // namespace

std::span<const DoorProgram> door_programs() {
  return kPrograms;
}

std::vector<DoorPorts> pasta_ports(std::string_view spec, Protocol protocol) {
  if (spec == "none") return {};
  const std::size_t slash = spec.find('/');
  if (slash != std::string_view::npos) spec.remove_prefix(slash + 1);
  std::vector<DoorPorts> out;
  bool others = spec == "all" || spec == "auto";
  bool named = false;
  while (!others && !spec.empty() && out.size() < kMostPortRanges) {
    const std::string_view item = next_piece(spec, ',');
    if (item.starts_with('~')) continue;  // nobody listens there
    named = true;
    const std::size_t colon = item.find(':');
    const auto from = range_of(item.substr(0, colon));
    const auto to = colon == std::string_view::npos ? from : range_of(item.substr(colon + 1));
    if (!from || !to) continue;
    // A range that would run past the last port is none.
    if (to->first > kLastPort - (from->second - from->first)) continue;
    out.push_back({protocol, from->first, from->second, to->first});
  }
  others = others || !named;
  if (others) out.push_back({protocol, 1, kLastPort, 1});
  return out;
}

std::optional<DoorPorts> rootlesskit_port(std::string_view spec) {
  const std::size_t slash = spec.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto protocol = protocol_of(spec.substr(slash + 1));
  spec = spec.substr(0, slash);
  std::size_t colon = spec.rfind(':');
  if (!protocol || colon == std::string_view::npos) return std::nullopt;
  const auto child = parse_port(spec.substr(colon + 1));
  spec = spec.substr(0, colon);
  // Between the two ports there may be an address inside.
  const auto last_piece = [&] {
    colon = spec.ends_with(']') ? spec.rfind(":[") : spec.rfind(':');
    return spec.substr(colon == std::string_view::npos ? 0 : colon + 1);
  };
  std::string_view piece = last_piece();
  if (!parse_port(piece) && colon != std::string_view::npos) {
    spec = spec.substr(0, colon);
    piece = last_piece();
  }
  const auto parent = parse_port(piece);
  if (!child || !parent) return std::nullopt;
  return DoorPorts{*protocol, *parent, *parent, *child};
}

}  // namespace hark::host
