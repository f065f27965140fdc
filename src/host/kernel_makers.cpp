#include "host/kernel_makers.h"

#include <net/if.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "decode/kernel_files.h"

namespace hark::host {
namespace {

using decode::KernelSocket;

constexpr int kNetlinkRoute = 0;     ///< NETLINK_ROUTE of linux/netlink.h
constexpr int kNetlinkGeneric = 16;  ///< NETLINK_GENERIC
/// Far more than any host has: what is read of a folder that somebody else may fill.
constexpr std::size_t kMostEntries = 1024;

void claim(std::vector<KernelClaim>& out, std::string kind, std::string object, std::string detail,
           KernelSocket socket, bool guessed = false) {
  out.push_back({.owner = {std::move(kind), std::move(object), std::move(detail)},
                 .socket = std::move(socket),
                 .guessed = guessed});
}

/// The kinds of link that open UDP ports (decode/rtnetlink.cpp has the table of them) do so while
/// they are up; gtp as soon as it is made.
void claim_links(KernelAsker& asker, bool elsewhere, std::vector<KernelClaim>& out) {
  for (const decode::LinkRecord& link : asker.links()) {
    if (link.sockets_elsewhere != elsewhere) continue;
    if ((link.flags & IFF_UP) == 0 && link.kind != "gtp") continue;
    for (const decode::TunnelPort& port : link.ports) {
      claim(out, link.kind, link.name, "device " + link.name,
            {.protocol = Protocol::Udp,
             .family = port.family,
             .address = port.address,
             .port = port.port,
             .name = {}});
    }
  }
}

void find_links(KernelAsker& asker, std::vector<KernelClaim>& out) {
  claim_links(asker, false, out);
}

using Request = Bytes (*)(std::uint16_t family);
using Decode = Result<std::vector<KernelSocket>> (*)(ByteView messages, std::uint16_t family);

std::vector<KernelSocket> ask_family(KernelAsker& asker, std::string_view name, Request request,
                                     Decode decode) {
  const std::uint16_t family = asker.family(name);
  if (family == 0) return {};
  const auto answer = asker.ask_generic(request(family), std::string(name));
  if (!answer) return {};
  return decode(*answer, family).value_or(std::vector<KernelSocket>());
}

void find_fou(KernelAsker& asker, std::vector<KernelClaim>& out) {
  for (KernelSocket& socket : ask_family(asker, "fou", decode::fou_request, decode::decode_fou)) {
    const std::string kind = socket.name.empty() ? "fou" : socket.name;
    const std::string port = "port " + std::to_string(socket.port);
    claim(out, kind, "", port, std::move(socket));
  }
}

void find_l2tp(KernelAsker& asker, std::vector<KernelClaim>& out) {
  for (KernelSocket& socket :
       ask_family(asker, "l2tp", decode::l2tp_request, decode::decode_l2tp)) {
    const std::string tunnel = socket.name;
    claim(out, "l2tp", tunnel, tunnel, std::move(socket));
  }
}

void find_tipc(KernelAsker& asker, std::vector<KernelClaim>& out) {
  for (KernelSocket& socket :
       ask_family(asker, "TIPCv2", decode::tipc_request, decode::decode_tipc)) {
    const std::string bearer = socket.name;
    claim(out, "tipc", bearer, "bearer " + bearer, std::move(socket));
  }
}

void find_mptcp(KernelAsker& asker, std::vector<KernelClaim>& out) {
  for (KernelSocket& socket :
       ask_family(asker, "mptcp_pm", decode::mptcp_request, decode::decode_mptcp)) {
    const std::string id = socket.name;
    claim(out, "mptcp", "endpoint " + id, "endpoint " + id, std::move(socket));
  }
}

/// The family tells of the namespace it is asked in; the file of older kernels of that in which
/// nfsd's file system was mounted, which is the host's.
void find_nfsd(KernelAsker& asker, std::vector<KernelClaim>& out) {
  std::vector<KernelSocket> found =
      ask_family(asker, "nfsd", decode::nfsd_request, decode::decode_nfsd);
  if (found.empty() && asker.is_hosts()) {
    const auto text = asker.source().read_file("/proc/fs/nfsd/portlist");
    if (text) found = decode::decode_nfsd_portlist(*text).value_or(std::vector<KernelSocket>());
  }
  for (KernelSocket& socket : found) claim(out, "nfsd", "", "server", std::move(socket));
}

void find_rxrpc(KernelAsker& asker, std::vector<KernelClaim>& out) {
  const auto text = asker.source().read_net_table({.netns = asker.netns(), .pid = 0},
                                                  kernel::NetTable::RxrpcLocals);
  if (!text) return;
  for (KernelSocket& socket :
       decode::decode_rxrpc_locals(*text).value_or(std::vector<KernelSocket>())) {
    claim(out, "rxrpc", "", "endpoint", std::move(socket));
  }
}

void claim_port(std::vector<KernelClaim>& out, const char* kind, const char* detail,
                Protocol protocol, const Result<Bytes>& text, bool guessed = false) {
  const auto port = text ? decode::decode_port(*text) : std::nullopt;
  if (!port) return;
  claim(out, kind, "", detail,
        {.protocol = protocol,
         .family = std::nullopt,
         .address = std::nullopt,
         .port = *port,
         .name = {}},
        guessed);
}

/// sctp_udp_sock_start of net/sctp/protocol.c.
void find_sctp(KernelAsker& asker, std::vector<KernelClaim>& out) {
  claim_port(out, "sctp", "over UDP", Protocol::Udp,
             asker.source().read_net_table({.netns = asker.netns(), .pid = 0},
                                           kernel::NetTable::SctpUdpPort));
}

/// make_socks of fs/lockd/svc.c. Where these are 0, as they usually are, lockd takes any port and
/// tells rpcbind alone.
void find_lockd(KernelAsker& asker, std::vector<KernelClaim>& out) {
  claim_port(out, "lockd", "of NFS", Protocol::Tcp,
             asker.source().read_file("/proc/sys/fs/nfs/nlm_tcpport"));
  claim_port(out, "lockd", "of NFS", Protocol::Udp,
             asker.source().read_file("/proc/sys/fs/nfs/nlm_udpport"));
}

std::vector<std::string> names_in(KernelAsker& asker, const std::string& folder) {
  auto names = asker.source().list_folder(folder);
  if (!names) return {};
  if (names->size() > kMostEntries) names->resize(kMostEntries);
  return std::move(*names);
}

/// /sys/kernel/config/target/iscsi/TARGET/tpgt_N/np/ADDRESS:PORT
void find_iscsi(KernelAsker& asker, std::vector<KernelClaim>& out) {
  const std::string root = "/sys/kernel/config/target/iscsi";
  for (const std::string& target : names_in(asker, root)) {
    const std::string folder = root + "/" + target;
    for (const std::string& group : names_in(asker, folder)) {
      if (!group.starts_with("tpgt_")) continue;
      for (const std::string& portal : names_in(asker, folder + "/" + group + "/np")) {
        if (out.size() >= kMostEntries) return;
        if (auto socket = decode::decode_portal(portal)) {
          claim(out, "iscsi", target, "target " + target, std::move(*socket));
        }
      }
    }
  }
}

std::string line_of(KernelAsker& asker, const std::string& path) {
  const auto text = asker.source().read_file(path);
  if (!text) return {};
  std::string_view rest = as_text(*text);
  return std::string(next_piece(rest, '\n'));
}

/// /sys/kernel/config/nvmet/ports/N/addr_{trtype,traddr,trsvcid} (drivers/nvme/target/configfs.c).
void find_nvmet(KernelAsker& asker, std::vector<KernelClaim>& out) {
  const std::string root = "/sys/kernel/config/nvmet/ports";
  for (const std::string& name : names_in(asker, root)) {
    const std::string folder = root + "/" + name;
    if (line_of(asker, folder + "/addr_trtype") != "tcp") continue;
    const std::string address = line_of(asker, folder + "/addr_traddr");
    const bool inet6 = address.find(':') != std::string::npos;
    auto socket = decode::decode_portal((inet6 ? "[" + address + "]" : address) + ":" +
                                        line_of(asker, folder + "/addr_trsvcid"));
    if (socket) claim(out, "nvmet", name, "port " + name, std::move(*socket));
  }
}

/// dlm_listen_for_all of fs/dlm/lowcomms.c: while there is a lockspace, in the first namespace.
void find_dlm(KernelAsker& asker, std::vector<KernelClaim>& out) {
  if (!asker.is_hosts() || names_in(asker, "/sys/kernel/dlm").empty()) return;
  claim_port(out, "dlm", "of the cluster", Protocol::Tcp,
             asker.source().read_file("/sys/kernel/config/dlm/cluster/tcp_port"));
}

/// Only its daemon knows the port (ksmbd_startup_request of fs/smb/server); it is 445 as a rule.
void find_ksmbd(KernelAsker& asker, std::vector<KernelClaim>& out) {
  constexpr std::uint16_t kSmb = 445;
  if (names_in(asker, "/sys/class/ksmbd-control").empty()) return;
  claim(out, "ksmbd", "", "server",
        {.protocol = Protocol::Tcp,
         .family = std::nullopt,
         .address = std::nullopt,
         .port = kSmb,
         .name = {}},
        true);
}

/// rxe_setup_udp_tunnel of drivers/infiniband/sw/rxe/rxe_net.c: ROCE_V2_UDP_DPORT, one for all.
void find_rxe(KernelAsker& asker, std::vector<KernelClaim>& out) {
  constexpr std::uint16_t kRoce = 4791;
  if (!asker.is_hosts() || names_in(asker, "/sys/module/rdma_rxe").empty()) return;
  claim(out, "rxe", "", "RDMA over Ethernet",
        {.protocol = Protocol::Udp,
         .family = std::nullopt,
         .address = std::nullopt,
         .port = kRoce,
         .name = {}},
        true);
}

/// wg_socket_init of drivers/net/wireguard/socket.c: one socket of each family, while it is up.
void find_wireguard(KernelAsker& asker, std::vector<KernelClaim>& out) {
  for (const decode::LinkRecord& link : asker.links()) {
    if (link.kind != "wireguard" || (link.flags & IFF_UP) == 0) continue;
    const std::uint16_t family = asker.family("wireguard");
    if (family == 0) return;
    const auto answer = asker.ask_generic(decode::wireguard_request(family, link.index),
                                          "wireguard device " + link.name);
    const auto port = answer ? decode::decode_wireguard_port(*answer, family)
                             : Result<std::uint16_t>(fail(answer.error()));
    if (!port || *port == 0) continue;
    claim(out, "wireguard", link.name, "device " + link.name,
          {.protocol = Protocol::Udp,
           .family = std::nullopt,
           .address = std::nullopt,
           .port = *port,
           .name = {}});
  }
}

}  // namespace

const std::vector<decode::LinkRecord>& KernelAsker::links() {
  if (!links_) {
    links_.emplace();
    const auto answer = source_.netlink(netns_, kNetlinkRoute, decode::links_request());
    if (answer) {
      if (auto links = decode::decode_links(*answer)) links_ = std::move(*links);
    }
  }
  return *links_;
}

Result<Bytes> KernelAsker::ask_generic(ByteView request, const std::string& whom) {
  auto answer = source_.netlink(netns_, kNetlinkGeneric, request);
  if (!answer && (answer.error().code == EPERM || answer.error().code == EACCES)) {
    refused_.push_back(whom);
  }
  return answer;
}

std::uint16_t KernelAsker::family(std::string_view name) {
  if (!families_) {
    families_.emplace();
    const auto answer = source_.netlink(netns_, kNetlinkGeneric, decode::families_request());
    if (answer) {
      if (auto families = decode::decode_families(*answer)) families_ = std::move(*families);
    }
  }
  const auto found = std::ranges::find(*families_, name, &decode::GenericFamily::name);
  return found == families_->end() ? std::uint16_t{0} : found->id;
}

void find_moved_links(KernelAsker& asker, std::vector<KernelClaim>& out) {
  claim_links(asker, true, out);
  find_wireguard(asker, out);
}

const std::vector<KernelMaker>& kernel_makers() {
  static const std::vector<KernelMaker> kMakers = {
      {"link", Transport::Udp, find_links},  {"wireguard", Transport::Udp, find_wireguard},
      {"fou", Transport::Udp, find_fou},     {"l2tp", Transport::Udp, find_l2tp},
      {"tipc", Transport::Udp, find_tipc},   {"rxrpc", Transport::Udp, find_rxrpc},
      {"sctp", Transport::Udp, find_sctp},   {"rxe", Transport::Udp, find_rxe},
      {"nfsd", Transport::Both, find_nfsd},  {"lockd", Transport::Both, find_lockd},
      {"mptcp", Transport::Tcp, find_mptcp}, {"iscsi", Transport::Tcp, find_iscsi},
      {"nvmet", Transport::Tcp, find_nvmet}, {"dlm", Transport::Tcp, find_dlm},
      {"ksmbd", Transport::Tcp, find_ksmbd},
  };
  return kMakers;
}

}  // namespace hark::host
