// The table of `hark explain`: outcomes of connections, as tcp(7), udp(7), ip(7), connect(2),
// bind(2) and getaddrinfo(3) define them.
#include <algorithm>
#include <array>
#include <cerrno>

#include "diagnose/explain.h"

namespace hark::diagnose {
namespace {

constexpr std::array kReach = {
    NextQuestion{"hark test {target}", "from the client: is it so now, and whose doing is it"},
    NextQuestion{"hark why {port} --from CLIENT",
                 "on the server: which fact decides for that client"},
    NextQuestion{"hark doctor {port}", "on the server: is the listener well"},
};
constexpr std::array kListener = {
    NextQuestion{"hark why {port}", "on the server: who listens there, and who gets through"},
    NextQuestion{"hark {port}", "on the server: is there a listener at all, and at which address"},
    NextQuestion{"hark test {target}", "from the client: is it so now"},
};
constexpr std::array kWay = {
    NextQuestion{"hark test {target}", "is it this host's own way out, or beyond it"},
    NextQuestion{"ip route get {name}", "by which route and interface it goes"},
    NextQuestion{"ip neigh", "who answers on this link"},
};
constexpr std::array kServer = {
    NextQuestion{"hark doctor {port}",
                 "on the server: does its owner accept, and has it descriptors left"},
    NextQuestion{"hark test {target}", "from the client: what answers, and after how long"},
    NextQuestion{"hark why {port} --from CLIENT",
                 "on the server: does something on the way cut in"},
};
constexpr std::array kBind = {
    NextQuestion{"hark bind {port}", "who or what is in the way of this port"},
    NextQuestion{"hark {port}", "who listens there now"},
};
constexpr std::array kTls = {
    NextQuestion{"hark test tls://{target}", "what answers there, and with which certificate"},
    NextQuestion{"hark {port}", "on the server: which program has that port"},
};
constexpr std::array kNames = {
    NextQuestion{"getent ahosts {name}", "what this host makes of the name"},
    NextQuestion{"hark test udp/NAMESERVER:53", "does the name server of /etc/resolv.conf answer"},
};
constexpr std::array kOwnFirewall = {
    NextQuestion{"hark test {target}", "which rule of this host's own OUTPUT it is"},
    NextQuestion{"nft list ruleset", "all of its rules"},
};
constexpr std::array kUnix = {
    NextQuestion{"hark {port}", "does the server listen on TCP, and where"},
    NextQuestion{"ss -xl", "which local sockets there are"},
};

constexpr std::array kMeanings = {
    ErrorMeaning{
        "ECONNREFUSED", ECONNREFUSED, "Connection refused",
        "Something answered, and said no: a TCP reset, or ICMP port unreachable. Nearly always "
        "nobody listens at that address and port; else a firewall rule refuses in that form.",
        "A dead host, a missing route, and rules that drop in silence: an answer came back.",
        kListener},
    ErrorMeaning{
        "ETIMEDOUT", ETIMEDOUT, "Connection timed out",
        "Nothing came back for as long as the client waited: the question or its answer got "
        "lost, by a rule that drops, a host that is gone, or a way back that differs.",
        "A closed port that the client can reach: that would be refused at once.", kReach},
    ErrorMeaning{
        "EHOSTUNREACH", EHOSTUNREACH, "No route to host",
        "Somebody said that the host cannot be got at: this host, because nobody answered for "
        "the address on the link; or a router or firewall, by ICMP.",
        "Silence, and a listener that refused: the question did not get to the port.", kWay},
    ErrorMeaning{
        "ENETUNREACH", ENETUNREACH, "Network is unreachable",
        "This host has no route to that address, and sent nothing: no default route, or none of "
        "that family (IPv6 often). A router may say it by ICMP, too.",
        "Anything on the far side: it was most likely never asked.", kWay},
    ErrorMeaning{
        "ECONNRESET", ECONNRESET, "Connection reset by peer",
        "The connection stood, and was then torn down by a reset: the program crashed, closed "
        "with unread data, overflowed, or something on the way cut it.",
        "A closed port and a rule against the first packet: the handshake was through.", kServer},
    ErrorMeaning{
        "EPIPE", EPIPE, "Broken pipe",
        "This side went on writing to a connection that the other side had closed or reset before.",
        "A failure to connect: it stood for a time.", kServer},
    ErrorMeaning{
        "ECONNABORTED", ECONNABORTED, "Software caused connection abort",
        "The connection was given up on this side: the client left the accept queue before it was "
        "accepted, or this host tore the connection down.",
        "A closed port.", kServer},
    ErrorMeaning{
        "EADDRINUSE", EADDRINUSE, "Address already in use",
        "bind() or listen() failed: a socket has that address and port, or one that covers it, "
        "such as a wildcard. Without SO_REUSEADDR old connections count as well.",
        "The network: nothing was sent.", kBind},
    ErrorMeaning{
        "EADDRNOTAVAIL", EADDRNOTAVAIL, "Cannot assign requested address",
        "bind(): the address is none of this host's, in this namespace and now. connect(): no "
        "local port is left, or the address has no source to go with.",
        "The far end: nothing was sent.", kBind},
    ErrorMeaning{
        "EACCES", EACCES, "Permission denied",
        "bind(): a port below net.ipv4.ip_unprivileged_port_start without CAP_NET_BIND_SERVICE. "
        "connect(): a broadcast address without SO_BROADCAST, a route of type prohibit, or "
        "SELinux or AppArmor.",
        "The far end: nothing was sent.", kBind},
    ErrorMeaning{
        "EPERM", EPERM, "Operation not permitted",
        "This host's own firewall dropped the packet on its way out (OUTPUT), or a BPF program "
        "of the cgroup forbade the call.",
        "The network and the far end: nothing left this host.", kOwnFirewall},
    ErrorMeaning{"EHOSTDOWN", EHOSTDOWN, "Host is down",
                 "The link says that the host is not there.", "A closed port.", kWay},
    ErrorMeaning{"ENETDOWN", ENETDOWN, "Network is down", "The interface to be sent by is down.",
                 "The far end: nothing was sent.", kWay},
    ErrorMeaning{"ENETRESET", ENETRESET, "Network dropped connection on reset",
                 "Keep-alive found the other side gone.", "A failure to connect.", kServer},
    ErrorMeaning{
        "EINPROGRESS", EINPROGRESS, "Operation now in progress",
        "A connection that was asked for without waiting is under way. No error: the program "
        "should wait for the socket to become writable, and ask SO_ERROR.",
        "", kReach},
    ErrorMeaning{
        "EAGAIN", EAGAIN, "Resource temporarily unavailable",
        "Nothing there within the time the program had set (SO_RCVTIMEO), or nothing yet on a "
        "socket that does not wait. connect() to a local socket: the queue of its server is full.",
        "A refusal.", kServer},
    ErrorMeaning{
        "EMFILE", EMFILE, "Too many open files",
        "The process has as many descriptors as its limit allows. A server in this state accepts "
        "nobody: clients connect, and hang.",
        "The network.", kServer},
    ErrorMeaning{"ENFILE", ENFILE, "Too many open files in system",
                 "The whole host has as many open files as fs.file-max allows.", "The network.",
                 kServer},
    ErrorMeaning{"ENOBUFS", ENOBUFS, "No buffer space available",
                 "The kernel had no memory or queue space for this packet or socket.",
                 "The far end.", kWay},
    ErrorMeaning{"EMSGSIZE", EMSGSIZE, "Message too long",
                 "The datagram is larger than the way allows, and may not be cut into fragments.",
                 "A closed port.", kWay},
    ErrorMeaning{
        "EAFNOSUPPORT", EAFNOSUPPORT, "Address family not supported by protocol",
        "An address of a family that this kernel or socket does not have: IPv6 is switched off, or "
        "an IPv6 address was given to an IPv4 socket.",
        "The network: nothing was sent.", kWay},
    ErrorMeaning{"EPROTO", EPROTO, "Protocol error",
                 "The kernel got what the protocol does not allow.", "A closed port.", kServer},
    ErrorMeaning{
        "ENOPROTOOPT", ENOPROTOOPT, "Protocol not available",
        "The option or protocol does not exist there; as an answer, ICMP protocol unreachable.",
        "A firewall that drops in silence.", kReach},
    ErrorMeaning{
        "EINVAL", EINVAL, "Invalid argument",
        "bind() of a socket that is bound, a link-local IPv6 address without its interface "
        "(fe80::1%eth0), or a source that does not fit the destination.",
        "The far end: nothing was sent.", kBind},
    ErrorMeaning{"ENODEV", ENODEV, "No such device",
                 "The interface that was named does not exist here.",
                 "The far end: nothing was sent.", kBind},
    ErrorMeaning{"ENOTCONN", ENOTCONN, "Transport endpoint is not connected",
                 "The program used a connection that does not stand, or does no longer.", "",
                 kServer},
    ErrorMeaning{"EISCONN", EISCONN, "Transport endpoint is already connected",
                 "The program connects a socket twice: a mistake of its own.", "The network.",
                 kServer},
    ErrorMeaning{"ESHUTDOWN", ESHUTDOWN, "Cannot send after transport endpoint shutdown",
                 "The program sends after it has closed that direction itself.", "The network.",
                 kServer},
    ErrorMeaning{
        "ENOENT", ENOENT, "No such file or directory",
        "Of a client of databases: it did not use the network at all, but a local socket, and "
        "that file is not there: the server does not run, or has its socket elsewhere. "
        "With -h 127.0.0.1 it would use TCP.",
        "Firewalls and routes.", kUnix},
    ErrorMeaning{
        "closed-early", 0, "closed before a word was said",
        "The handshake was through, and the server closed at once: it refuses this client "
        "(hosts.allow, MaxStartups, a limit or ban), failed while starting, or a proxy stands "
        "there whose own server is gone.",
        "A closed port, and a rule against the first packet: somebody accepted.", kServer},
    ErrorMeaning{
        "port-unreachable", 0, "Destination Port Unreachable",
        "The host answered by ICMP: nobody has that UDP port, or a firewall rule rejects so.",
        "A dead host and a missing route.", kListener},
    ErrorMeaning{"prohibited", 0, "administratively prohibited",
                 "A firewall rejected it and said so by ICMP: that of the host, or one on the way.",
                 "A closed port and a missing route.", kReach},
    ErrorMeaning{
        "ttl-exceeded", 0, "Time to live exceeded",
        "The packet went round in circles, or the way is longer than its TTL: routers that point "
        "at each other.",
        "The far end: it was not reached.", kWay},
    ErrorMeaning{
        "name-not-found", 0, "Name or service not known",
        "The name has no address: it does not exist, is misspelt, or the resolver that was asked "
        "does not know it.",
        "The server and its port: nobody was asked yet.", kNames},
    ErrorMeaning{"name-no-answer", 0, "Temporary failure in name resolution",
                 "No name server answered, so that nothing is known of the name.",
                 "The server and its port: nobody was asked yet.", kNames},
    ErrorMeaning{
        "tls-to-plain", 0, "TLS was spoken to a port of plain text",
        "The client began with TLS, and what came back is no TLS: the port speaks plain HTTP or "
        "another protocol, or a proxy answered in plain text.",
        "Firewalls, routes and the certificate.", kTls},
    ErrorMeaning{"plain-to-tls", 0, "plain text was spoken to a port of TLS",
                 "The client spoke plain HTTP where TLS is wanted: use https://.",
                 "Firewalls and routes.", kTls},
    ErrorMeaning{
        "tls-expired", 0, "the certificate has expired",
        "The certificate's time is over, or has not begun; or the clock of the client is wrong.",
        "The network: all of it works.", kTls},
    ErrorMeaning{
        "tls-untrusted", 0, "the certificate's authority is not trusted",
        "Self-signed, of an authority that the client does not know, or the server does not send "
        "the intermediate certificate.",
        "The network: all of it works.", kTls},
    ErrorMeaning{
        "tls-name", 0, "the certificate is for another name",
        "The server has a certificate, but not for the name that was asked: another virtual "
        "host answers, or the name is new.",
        "The network: all of it works.", kTls},
    ErrorMeaning{
        "tls-failed", 0, "the TLS handshake failed",
        "Both speak TLS, but have no version, cipher or client certificate in common; or the "
        "connection was cut during the handshake.",
        "A closed port and a rule against the first packet.", kTls},
    ErrorMeaning{"bad-gateway", 0, "502 Bad Gateway",
                 "The proxy answers; the server behind it refused, reset, or spoke nonsense.",
                 "Everything between the client and the proxy.", kServer},
    ErrorMeaning{
        "unavailable", 0, "503 Service Unavailable",
        "A server or proxy answers, and has nobody at work: no backend is up, or all are full.",
        "The network between the client and it.", kServer},
    ErrorMeaning{
        "gateway-timeout", 0, "504 Gateway Time-out",
        "The proxy answers; the server behind it took the connection or the packets, and did not "
        "answer in time.",
        "Everything between the client and the proxy.", kServer},
    ErrorMeaning{"login-refused", 0, "the login was refused",
                 "The service answers; it does not take these credentials, or wants some.",
                 "Firewalls, routes and ports: all of them are passed.", kServer},
    ErrorMeaning{
        "client-refused", 0, "the server does not take this client",
        "The service answers; its own configuration (pg_hba.conf, host in a grant, protected "
        "mode) does not allow this client's address.",
        "Firewalls and routes: both are passed.", kServer},
    ErrorMeaning{"too-many-clients", 0, "the server has as many clients as it takes",
                 "The service answers, and is full (max_connections, maxclients).",
                 "Firewalls and routes: both are passed.", kServer},
    ErrorMeaning{
        "host-key-changed", 0, "another host key than before",
        "Another machine, or a new installation, has this address; or somebody is in between.",
        "Firewalls and routes: both are passed.", kServer},
    ErrorMeaning{
        "proxy-failed", 0, "the proxy failed",
        "The client asked a proxy (http_proxy, https_proxy, ALL_PROXY, settings of the browser), "
        "and did not get through it; the server may be well.",
        "Nothing of the server itself.", kWay},
};

}  // namespace

std::span<const ErrorMeaning> error_meanings() {
  return kMeanings;
}

const ErrorMeaning* meaning_of(std::string_view code) {
  const auto row = std::ranges::find(kMeanings, code, &ErrorMeaning::code);
  return row == kMeanings.end() ? nullptr : row;
}

}  // namespace hark::diagnose
