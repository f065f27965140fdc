// Programs that pass on what reaches their ports to somewhere else on the network, and say in their
// command lines where to.
//
//   socat                  socat(1): two addresses, TYPE:PARAMETERS,OPTIONS; one of them listens
//   systemd-socket-proxyd  systemd-socket-proxyd(8): HOST:PORT or a path; its sockets are systemd's
//   kubectl port-forward   kubectl reference: TYPE/NAME and LOCAL:REMOTE pairs
//   ssh -L, -D             ssh(1): [BIND:]PORT:HOST:HOSTPORT, [BIND:]PORT; forwardings of its
//                          configuration are not in its command line
//   sshd                   what the client asked for by ssh -R, or X11: a session process that
//                          listens; its title names the user (setproctitle in session.c)
#include <algorithm>
#include <array>

#include "base/text.h"
#include "host/doors.h"
#include "host/option_words.h"

namespace hark::host {
namespace {

using Words = std::vector<std::string>;

constexpr std::uint16_t kLastPort = 65535;
constexpr std::size_t kMostForwards = 256;

/// A port that leads there; no port: any that nothing else was said of.
void add(Door& door, Protocol protocol, std::optional<std::uint16_t> port, std::string to) {
  if (door.ports.size() >= kMostForwards || to.empty()) return;
  DoorPorts out{protocol, port.value_or(1), port.value_or(kLastPort), 0, std::move(to)};
  door.ports.push_back(std::move(out));
}

/// Pieces parted by colons outside of brackets, the brackets kept.
std::vector<std::string_view> pieces_of(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t from = 0;
  bool inside = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size()) {
      inside = text[i] == '[' || (inside && text[i] != ']');
      if (inside || text[i] != ':') continue;
    }
    out.push_back(text.substr(from, i - from));
    from = i + 1;
  }
  return out;
}

struct SocatAddress {
  std::string type;  ///< in lower case
  std::string_view parameters;
};

SocatAddress socat_address(std::string_view word) {
  word = word.substr(0, word.find(','));
  const std::size_t colon = word.find(':');
  SocatAddress out{lower(word.substr(0, colon)), {}};
  if (colon != std::string_view::npos) out.parameters = word.substr(colon + 1);
  return out;
}

bool socat_listens(const SocatAddress& address) {
  const std::string& type = address.type;
  return type.ends_with("-listen") || type.ends_with("-l") ||
         type.find("-recv") != std::string::npos;
}

std::string socat_target(const SocatAddress& address) {
  constexpr std::array<std::string_view, 10> kNetwork = {
      "tcp", "tcp4", "tcp6", "udp", "udp4", "openssl", "ssl", "tcp-connect", "udp-connect", "udp6"};
  if (std::ranges::find(kNetwork, address.type) != kNetwork.end() ||
      address.type.starts_with("unix")) {
    return std::string(address.parameters);
  }
  std::string out = address.type;
  if (!address.parameters.empty()) out += ":" + std::string(address.parameters);
  return out;
}

/// [BIND:]PORT, what is before the target of ssh -L and all of ssh -D.
struct Forward {
  std::optional<std::uint16_t> port;
  std::string to;
};

Forward local_forward(std::string_view text) {
  const std::vector<std::string_view> parts = pieces_of(text);
  const std::size_t count = parts.size();
  // PORT:HOST:HOSTPORT, PORT:PATH, each perhaps with an address before it.
  if (count >= 3 && parse_port(parts[count - 1])) {
    return {parse_port(parts[count - 3]),
            std::string(parts[count - 2]) + ":" + std::string(parts[count - 1])};
  }
  if (count >= 2 && parts[count - 1].starts_with('/')) {
    return {parse_port(parts[count - 2]), std::string(parts[count - 1])};
  }
  return {};
}

}  // namespace

void read_socat(const Words& words, const Process& /*process*/, DoorGuide& /*guide*/, Door& door) {
  // Its addresses are the two last words; options stand before them.
  if (words.size() < 3) return door.kind.clear();
  const std::array<SocatAddress, 2> ends = {socat_address(words[words.size() - 2]),
                                            socat_address(words[words.size() - 1])};
  for (const std::size_t i : {0U, 1U}) {
    if (!socat_listens(ends[i])) continue;
    const Protocol protocol = ends[i].type.starts_with("udp") ? Protocol::Udp : Protocol::Tcp;
    add(door, protocol, parse_port(ends[i].parameters), socat_target(ends[1 - i]));
    return;
  }
  door.kind.clear();
}

void read_socket_proxyd(const Words& words, const Process& /*process*/, DoorGuide& /*guide*/,
                        Door& door) {
  static constexpr std::array<std::string_view, 2> kValues = {"connections-max", "exit-idle-time"};
  const ParsedWords parsed = parse_words(
      words, {.short_with_value = "c", .long_with_value = kValues, .long_without_value = {}});
  if (parsed.others.empty()) return;
  std::string to = parsed.others.front();
  const bool path = to.starts_with('/') || to.starts_with('@');
  if (!path && pieces_of(to).size() == 1) to += ":80";
  add(door, Protocol::Tcp, std::nullopt, std::move(to));
}

void read_kubectl(const Words& words, const Process& /*process*/, DoorGuide& /*guide*/,
                  Door& door) {
  static constexpr std::array<std::string_view, 12> kValues = {
      "namespace", "address", "context", "kubeconfig", "cluster",         "user",
      "server",    "token",   "as",      "as-group",   "request-timeout", "pod-running-timeout"};
  const ParsedWords parsed = parse_words(
      words, {.short_with_value = "ns", .long_with_value = kValues, .long_without_value = {}});
  const auto& rest = parsed.others;
  if (rest.size() < 2 || rest.front() != "port-forward") return door.kind.clear();
  std::string name = rest[1];
  if (const std::string* space = parsed.find("n", "namespace")) name = *space + "/" + name;
  for (std::size_t i = 2; i < rest.size(); ++i) {
    const std::size_t colon = rest[i].find(':');
    const std::string_view inside = colon == std::string::npos
                                        ? std::string_view(rest[i])
                                        : std::string_view(rest[i]).substr(colon + 1);
    // ":80": whichever port is free.
    add(door, Protocol::Tcp, parse_port(std::string_view(rest[i]).substr(0, colon)),
        name + ":" + std::string(inside));
  }
}

void read_ssh(const Words& words, const Process& /*process*/, DoorGuide& /*guide*/, Door& door) {
  static constexpr OptionRules kRules = {.short_with_value = "BbcDEeFIiJLlmOoPpQRSWw",
                                         .long_with_value = {},
                                         .long_without_value = {},
                                         .stops_at_word = true};
  ParsedWords parsed = parse_words(words, kRules);
  if (parsed.others.empty()) return door.kind.clear();
  const std::string host = parsed.others.front();
  // Options may follow the host; what follows them is the command.
  const ParsedWords behind = parse_words(parsed.others, kRules);
  parsed.options.insert(parsed.options.end(), behind.options.begin(), behind.options.end());
  for (const Option& option : parsed.options) {
    if (option.name == "L") {
      const Forward forward = local_forward(option.value);
      if (forward.port) add(door, Protocol::Tcp, forward.port, forward.to + " through " + host);
    } else if (option.name == "D") {
      const auto port = parse_port(pieces_of(option.value).back());
      if (port) add(door, Protocol::Tcp, port, "wherever SOCKS clients ask, through " + host);
    }
  }
  add(door, Protocol::Tcp, std::nullopt, "what lies beyond " + host);
}

void read_sshd(const Words& words, const Process& /*process*/, DoorGuide& /*guide*/, Door& door) {
  // "sshd: alice@pts/0", "sshd-session: alice"; the daemon is "sshd: /usr/sbin/sshd -D [listener]".
  const std::string& title = words.front();
  const std::size_t colon = title.find(": ");
  std::string_view user =
      colon == std::string::npos ? std::string_view() : std::string_view(title).substr(colon + 2);
  if (user.empty() || user.front() == '/' || user.find('[') != std::string_view::npos) {
    return door.kind.clear();
  }
  user = user.substr(0, user.find('@'));
  add(door, Protocol::Tcp, std::nullopt, "the ssh client of " + std::string(user));
}

}  // namespace hark::host
