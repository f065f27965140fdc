#include "drill/lab_causes.h"

#include <algorithm>
#include <array>

namespace hark::drill {
namespace {

constexpr std::array kCauses = {
    // Sockets.
    LabCauseWords{"no-socket", "nobody listens on that port",
                  "no socket of this host would have the port, on any address"},
    LabCauseWords{"bound-other-addr", "the listener is bound to another address",
                  "ss -ltn would show the port with an address that the client does not use"},
    LabCauseWords{"bound-other-dev", "the listener is bound to another interface",
                  "ss -ltn would show %INTERFACE behind its address"},
    LabCauseWords{"v6only", "the listener takes IPv6 only",
                  "IPv6 clients would be served, and ss -ltne would show v6only:1"},
    LabCauseWords{"bound-not-listening", "the socket is bound, and listen() was never called",
                  "hark bind would say that the port is taken, and ss -ltn would not list it"},
    LabCauseWords{"namespace-mismatch", "the listener lives in another network namespace",
                  "the port would be listened on in another namespace, and not in this one"},
    LabCauseWords{"port-in-use", "another program has the port already",
                  "bind would fail with EADDRINUSE"},
    LabCauseWords{"addr-absent", "no interface has the address",
                  "ip addr would not show the address that is asked for"},
    LabCauseWords{"localhost-elsewhere", "localhost means the other address family",
                  "the name would lead to ::1 or 127.0.0.1, and the socket would have the other"},
    LabCauseWords{"loopback-twin", "two programs have the port, one of them on loopback",
                  "ss -ltnp would show the port twice, with different processes"},
    LabCauseWords{"wrong-service", "another service answers on that port",
                  "the client would be answered, by somebody else"},
    LabCauseWords{"listener-answers", "it works: the listener answers",
                  "the client would be served"},
    // Firewalls.
    LabCauseWords{"input-drop", "a rule of the input chain drops it",
                  "clients would wait and get no answer, and nft list ruleset would show the rule"},
    LabCauseWords{"input-policy-drop", "the policy of the input chain drops it",
                  "clients would wait, as no rule takes their packets and the policy is drop"},
    LabCauseWords{"input-reject", "a rule of the input chain rejects it",
                  "an ICMP error or a reset would come from a rule, though a program listens"},
    LabCauseWords{"output-drop", "a rule of the output chain drops the answer",
                  "packets would come in and be accepted, and the answers be dropped on their way "
                  "out"},
    LabCauseWords{"prerouting-drop", "a rule before routing (raw, mangle) drops it",
                  "clients would wait, and the rule would stand in a chain of hook prerouting"},
    LabCauseWords{"rate-limit", "a rule lets only so many packets through",
                  "the first clients would be served, and those after them wait"},
    LabCauseWords{"stale-rule", "a rule opens a port at which nobody listens",
                  "the firewall would accept a port that has no listener"},
    LabCauseWords{"two-rule-systems", "iptables and nftables both drop",
                  "each tool would show rules, and a packet would have to please both"},
    LabCauseWords{"ipv6-open", "the firewall has rules for IPv4 only",
                  "over IPv6 everybody would get through"},
    LabCauseWords{"shadowed-rule", "a rule stands behind one that takes every packet",
                  "the rule that would help stands after another that ends the chain"},
    LabCauseWords{"loopback-only-though-opened", "the port is opened, and listened on loopback",
                  "the firewall would accept the port, and the socket have 127.0.0.1"},
    // Routing.
    LabCauseWords{"no-route-back", "the host has no route back to the client",
                  "clients would wait: their packets come in, and no answer finds a way"},
    LabCauseWords{"rp-filter-strict", "rp_filter drops it: the way back is another interface",
                  "clients would wait, while rp_filter is 1 and the route back leads elsewhere"},
    LabCauseWords{"rule-blackhole", "a blackhole route or rule swallows it",
                  "ip rule or ip route would show a blackhole"},
    LabCauseWords{"rule-prohibit", "a prohibit route or rule turns it away",
                  "an ICMP error would come back, and ip rule or ip route would show prohibit"},
    LabCauseWords{"link-down", "the interface is down",
                  "ip link would show the interface without UP, and ping would reach nobody"},
    LabCauseWords{"arp-suppressed", "the host does not answer ARP for that address",
                  "the neighbour would find nobody at the address: ip neigh says FAILED there"},
    LabCauseWords{"not-local", "the address is not this host's, and it does not forward",
                  "the packet would be for somebody else, and ip_forward be 0"},
    LabCauseWords{"local-route-missing", "the host's own address has no local route",
                  "ip route show table local would not have the address"},
    LabCauseWords{"back-by-other-link", "the answer leaves by another link than the client's",
                  "ip route get to the client would name another interface than the one it is on"},
    // Forwarding and translation.
    LabCauseWords{"forward-drop", "a rule of the forward chain drops it",
                  "packets for a container pass the forward chain, and a rule there would drop"},
    LabCauseWords{"forward-policy-drop", "the policy of the forward chain drops it",
                  "no rule of the forward chain would take the packet, and its policy be drop"},
    LabCauseWords{"forward-disabled", "the host does not forward packets",
                  "net.ipv4.ip_forward would be 0"},
    LabCauseWords{"forward-no-route", "the host has no route to where the packet shall go",
                  "ip route get to the target would fail"},
    LabCauseWords{"neigh-failed", "nobody has the address that the packet is sent on to",
                  "ip neigh would show the address as FAILED"},
    LabCauseWords{"dnat-to-loopback", "packets are turned to 127.0.0.1, which is not allowed",
                  "the rule would say dnat to 127.0.0.1, and route_localnet be 0"},
    LabCauseWords{"dnat-bypasses-input", "a published port passes by the input chain",
                  "clients would get through although the input chain denies the port"},
    LabCauseWords{"port-redirected", "a rule sends the packets to another port",
                  "nft list ruleset would show redirect or dnat for the port"},
    // Queues and processes.
    LabCauseWords{"accept-queue-full", "the accept queue is full",
                  "Recv-Q of ss -ltn would be larger than Send-Q, and new clients wait"},
    LabCauseWords{"not-accepting", "the program does not accept",
                  "clients would connect, no byte would come, and Recv-Q would not fall"},
    LabCauseWords{"stopped", "the process is stopped", "its state in ps would be T"},
    LabCauseWords{"inherited-listener", "a program that serves nobody has inherited the socket",
                  "ss -ltnp would name a shell or sleep as the socket's owner"},
    LabCauseWords{"reuseport-member-idle", "one of several processes that share the port is idle",
                  "a part of the clients would be served, and the others hang"},
    LabCauseWords{"out-of-fds", "the process has no descriptor left",
                  "ls /proc/PID/fd would show as many as /proc/PID/limits allows"},
    LabCauseWords{"declared-port-missing", "the program does not listen on the port it was told",
                  "its command line would name a port that it has no socket on"},
    LabCauseWords{"restarting", "the program ends and is started again and again",
                  "its pid would change every moment, and the port come and go"},
    LabCauseWords{"uninterruptible", "the process waits inside the kernel",
                  "its state in ps would be D"},
    // Exposure.
    LabCauseWords{"exposed-database", "a database is open to everybody",
                  "hark list would say anywhere of a database"},
};

}  // namespace

std::span<const LabCauseWords> lab_causes() {
  return kCauses;
}

const LabCauseWords* lab_cause(std::string_view code) {
  const auto found = std::ranges::find(kCauses, code, &LabCauseWords::code);
  return found == kCauses.end() ? nullptr : &*found;
}

std::vector<std::string_view> lab_cause_codes() {
  std::vector<std::string_view> out;
  out.reserve(kCauses.size());
  for (const LabCauseWords& one : kCauses) out.push_back(one.code);
  return out;
}

}  // namespace hark::drill
