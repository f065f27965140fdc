// A case as text: how a host is made, and what is asked of it. The generator prints such a script,
// a failure is kept as one, and the causes are written by hand in it.
//
//   case NAME                      begins a case
//   tag WORD…                      features, for the summary; "loose": what cannot be made is left
//   out;
//                                  "known": hark is known to differ, why stands beside it
//   ip COMMAND                     `ip` with these words, in the host; `ip!`: after the listeners
//   sysctl PATH VALUE              below /proc/sys/net, in the host; `sysctl!`: after the listeners
//   listen WORD…                   see servers.h
//   nft                            what follows up to a line `.` is a file for `nft -f`
//   restore PROGRAM                the same for iptables-nft-restore, ip6tables-legacy-restore …
//   run WORD…  wire WORD…          a program, in the host or at the other ends of its links
//   box NAME                       a container: a namespace beside the host. Words @NAME in the
//                                  commands of the host stand for its file
//   bridged NAME…                  containers at br0, 172.18.0.1/24 and fd18::1/64, with the next
//                                  addresses, default routes, and a host that forwards
//   in NAME WORD…                  a program there; `in NAME sysctl PATH VALUE` as above, `in NAME
//                                  nft` with a file behind it; `in!`: after the listeners
//   dead ADDRESS                   nobody answers for this address when the host asks
//   ask PROTO SOURCE PORT|* INTERFACE DESTINATION PORT [= OUTCOME [ICMP|-] [CODE|-] [LISTENER]]
//                                  INTERFACE may be a container: a client there, whose packets come
//                                  in by the link with v before its name, or that link's bridge
//
// Every host has eth0, eth1, eth2 (veth, up) and lo (up); `base` as a line gives them the usual
// addresses: 10.N.0.1/24 and fd0N::1/64 on ethN-1, and default routes by .254 and ::fe of eth0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace hark::differential {

/// What a client is expected to see. Words of contract.md; empty: not said.
struct Expected {
  std::string outcome = {};
  std::string icmp = {};
  std::string code = {};
  std::string listener = {};
};

struct Ask {
  bool udp = false;
  IpAddress source, destination;
  std::optional<std::uint16_t> source_port = {};
  std::uint16_t port = 0;
  std::string interface;
  Expected expected = {};
};
[[nodiscard]] std::string line_of(const Ask& ask);

/// One thing done to the host, in the order of the script.
struct Step {
  enum class Kind : std::uint8_t { Ip, Sysctl, Nft, Restore, Run, Wire, In };
  Kind kind = Kind::Ip;
  bool late = false;         ///< after the listeners
  std::string program = {};  ///< of Restore; of In the container
  std::string text;          ///< without the first word
};

struct Case {
  std::string name;
  std::vector<std::string> tags = {};
  std::vector<Step> steps = {};
  std::vector<std::string> listeners = {};
  std::vector<IpAddress> dead = {};
  std::vector<std::string> boxes = {};
  std::vector<Ask> asks = {};
  [[nodiscard]] bool has_tag(std::string_view tag) const;
};

/// The cases of a script; the error names the line.
[[nodiscard]] Result<std::vector<Case>> parse_script(std::string_view text);
[[nodiscard]] std::string print_case(const Case& one);
/// What `bridged` stands for, of these containers.
[[nodiscard]] std::vector<Step> bridged_steps(const std::vector<std::string>& boxes);
/// What the line `base` stands for.
[[nodiscard]] std::vector<Step> base_steps();

}  // namespace hark::differential
