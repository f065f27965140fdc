#include "host/kernel_owners.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <linux/fou.h>
#include <linux/genetlink.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/mptcp.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>

#include "decode/generic_netlink.h"
#include "decode/netlink_attributes.h"
#include "decode/rtnetlink.h"
#include "host/fake_source.h"

namespace hark::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kRoute = 0;
constexpr int kGeneric = 16;
constexpr std::uint16_t kFamilyBase = 40;

template <typename T>
Bytes bytes_of(T value) {
  Bytes out;
  append_value(out, value);
  return out;
}

void add(Bytes& to, std::uint16_t type, const Bytes& value) {
  decode::append_attribute(to, type, value);
}

Bytes link(int index, std::string_view name, std::string_view kind, const Bytes& data,
           unsigned flags = IFF_UP, bool elsewhere = false) {
  ifinfomsg head{};
  head.ifi_index = index;
  head.ifi_flags = flags;
  Bytes body = bytes_of(head);
  add(body, IFLA_IFNAME, to_bytes(name));
  Bytes info;
  add(info, IFLA_INFO_KIND, to_bytes(kind));
  add(info, IFLA_INFO_DATA, data);
  add(body, IFLA_LINKINFO, info);
  if (elsewhere) add(body, IFLA_LINK_NETNSID, bytes_of(std::int32_t{0}));
  return decode::netlink_request(RTM_NEWLINK, 0, body);
}

Bytes vxlan_data(std::uint16_t port, bool both = false) {
  Bytes out;
  add(out, IFLA_VXLAN_PORT, bytes_of(htons(port)));
  add(out, IFLA_VXLAN_COLLECT_METADATA, bytes_of(std::uint8_t{both}));
  if (!both) add(out, IFLA_VXLAN_GROUP, bytes_of(htonl(0xef010101)));
  return out;
}

Bytes generic(std::uint16_t type, std::uint8_t command, const Bytes& attributes) {
  genlmsghdr head{};
  head.cmd = command;
  Bytes body = bytes_of(head);
  append(body, attributes);
  return decode::netlink_request(type, 0, body);
}

/// A host with one namespace, ours, and the listeners that are added.
struct Small {
  Host host;
  std::vector<kernel::NetnsRef> refs{{}};
  FakeSource source;

  Small() { host.namespaces = {{.inode = 7, .name = "host", .own = true, .entered = true}}; }

  Listener& listen(Protocol protocol, std::string_view address, std::uint16_t port) {
    Listener listener;
    listener.protocol = protocol;
    listener.address = IpAddress::parse(address).value();
    listener.port = port;
    if (listener.address.family == Family::Inet6) listener.v6only = true;
    listener.owners.emplace();
    host.listeners.push_back(listener);
    return host.listeners.back();
  }
  void links(const std::vector<Bytes>& messages) {
    Bytes all;
    for (const Bytes& message : messages) append(all, message);
    source.answer(0, kRoute, decode::links_request(), all);
  }
  void families(const std::vector<std::string>& names) {
    Bytes all;
    for (std::size_t i = 0; i < names.size(); ++i) {
      Bytes attributes;
      add(attributes, CTRL_ATTR_FAMILY_NAME, to_bytes(names[i]));
      add(attributes, CTRL_ATTR_FAMILY_ID, bytes_of(static_cast<std::uint16_t>(kFamilyBase + i)));
      append(all, generic(GENL_ID_CTRL, CTRL_CMD_NEWFAMILY, attributes));
    }
    source.answer(0, kGeneric, decode::families_request(), all);
  }
  std::vector<std::string> owners(std::size_t i = 0) {
    name_kernel_owners(source, refs, host);
    std::vector<std::string> out;
    for (const KernelOwner& owner : host.listeners[i].kernel_owners) out.push_back(owner.words());
    return out;
  }
};

TEST(KernelOwners, LinksAreNamedByPortAndFamily) {
  Small small;
  small.listen(Protocol::Udp, "0.0.0.0", 4789);
  small.listen(Protocol::Udp, "::", 4789);
  small.listen(Protocol::Udp, "::", 4790);
  small.listen(Protocol::Tcp, "0.0.0.0", 4789);
  small.links({link(2, "vx0", "vxlan", vxlan_data(4789)), link(3, "vx1", "vxlan", vxlan_data(4789)),
               link(4, "md", "vxlan", vxlan_data(4790, true))});
  EXPECT_THAT(small.owners(0), ElementsAre("vxlan device vx0", "vxlan device vx1"));
  EXPECT_THAT(small.owners(1), IsEmpty());
  EXPECT_THAT(small.owners(2), ElementsAre("vxlan device md"));
  EXPECT_THAT(small.owners(3), IsEmpty());
  EXPECT_EQ(small.host.listeners[0].kernel_owners[0].name(), "vxlan vx0");
}

TEST(KernelOwners, LinksThatAreDownOrMovedHaveNoSocketHere) {
  Small small;
  small.listen(Protocol::Udp, "0.0.0.0", 4789);
  small.links({link(2, "down", "vxlan", vxlan_data(4789), 0),
               link(3, "moved", "vxlan", vxlan_data(4789), IFF_UP, true)});
  EXPECT_THAT(small.owners(), IsEmpty());
}

TEST(KernelOwners, WhereOwnersAreUnknownTheKernelsOwnStillIs) {
  Small small;
  small.listen(Protocol::Udp, "0.0.0.0", 4789).owners.reset();
  small.links({link(2, "vx0", "vxlan", vxlan_data(4789))});
  EXPECT_THAT(small.owners(), ElementsAre("vxlan device vx0"));
  EXPECT_TRUE(small.host.listeners[0].owners.has_value());
}

TEST(KernelOwners, AListenerWithAProcessOrAFileIsNotTheKernels) {
  Small small;
  small.listen(Protocol::Udp, "0.0.0.0", 4789).owners->push_back({});
  small.listen(Protocol::Udp, "0.0.0.0", 4789).socket.has_file = true;
  small.links({link(2, "vx0", "vxlan", vxlan_data(4789))});
  EXPECT_THAT(small.owners(0), IsEmpty());
  EXPECT_THAT(small.owners(1), IsEmpty());
}

TEST(KernelOwners, GenericNetlinkFamilies) {
  Small small;
  small.listen(Protocol::Udp, "0.0.0.0", 51820);
  small.listen(Protocol::Udp, "0.0.0.0", 5555);
  small.listen(Protocol::Mptcp, "10.0.0.5", 6000);
  small.listen(Protocol::Mptcp, "10.0.0.6", 6000);
  small.families({"wireguard", "fou", "mptcp_pm"});
  small.links({link(9, "wg0", "wireguard", {})});
  Bytes wireguard;
  add(wireguard, WGDEVICE_A_LISTEN_PORT, bytes_of(std::uint16_t{51820}));
  small.source.answer(0, kGeneric, decode::wireguard_request(40, 9), generic(40, 0, wireguard));
  Bytes fou;
  add(fou, FOU_ATTR_PORT, bytes_of(htons(5555)));
  add(fou, FOU_ATTR_AF, bytes_of(std::uint8_t{AF_INET}));
  add(fou, FOU_ATTR_TYPE, bytes_of(std::uint8_t{FOU_ENCAP_GUE}));
  small.source.answer(0, kGeneric, decode::fou_request(41), generic(41, FOU_CMD_GET, fou));
  Bytes endpoint;
  add(endpoint, MPTCP_PM_ADDR_ATTR_PORT, bytes_of(std::uint16_t{6000}));
  add(endpoint, MPTCP_PM_ADDR_ATTR_ID, bytes_of(std::uint8_t{3}));
  add(endpoint, MPTCP_PM_ADDR_ATTR_ADDR4, bytes_of(htonl(0x0a000005)));
  Bytes mptcp;
  add(mptcp, MPTCP_PM_ATTR_ADDR | NLA_F_NESTED, endpoint);
  small.source.answer(0, kGeneric, decode::mptcp_request(42), generic(42, 3, mptcp));
  EXPECT_THAT(small.owners(0), ElementsAre("wireguard device wg0"));
  EXPECT_THAT(small.owners(1), ElementsAre("gue port 5555"));
  EXPECT_THAT(small.owners(2), ElementsAre("mptcp endpoint 3"));
  EXPECT_THAT(small.owners(3), IsEmpty());
}

TEST(KernelOwners, AWireguardDeviceThatWasMovedIsFoundElsewhere) {
  Small small;
  small.host.namespaces.push_back({.inode = 8, .name = "box", .entered = true});
  small.refs.push_back({.inode = 8, .paths = {"/run/netns/box"}});
  small.listen(Protocol::Udp, "0.0.0.0", 51820);
  small.source.answer(8, kRoute, decode::links_request(), link(9, "wg0", "wireguard", {}));
  Bytes family;
  add(family, CTRL_ATTR_FAMILY_NAME, to_bytes("wireguard"));
  add(family, CTRL_ATTR_FAMILY_ID, bytes_of(kFamilyBase));
  small.source.answer(8, kGeneric, decode::families_request(),
                      generic(GENL_ID_CTRL, CTRL_CMD_NEWFAMILY, family));
  Bytes wireguard;
  add(wireguard, WGDEVICE_A_LISTEN_PORT, bytes_of(std::uint16_t{51820}));
  small.source.answer(8, kGeneric, decode::wireguard_request(40, 9), generic(40, 0, wireguard));
  EXPECT_THAT(small.owners(), ElementsAre("wireguard device wg0 in namespace box"));
}

TEST(KernelOwners, AnyOtherDeviceThatWasMovedSaysSo) {
  Small small;
  small.host.namespaces.push_back({.inode = 8, .name = "box", .entered = true});
  small.refs.push_back({.inode = 8, .paths = {"/run/netns/box"}});
  small.listen(Protocol::Udp, "0.0.0.0", 4789);
  Bytes links = link(2, "vx0", "vxlan", vxlan_data(4789), IFF_UP, true);
  append(links, link(3, "vx1", "vxlan", vxlan_data(4789)));
  small.source.answer(8, kRoute, decode::links_request(), links);
  EXPECT_THAT(small.owners(), ElementsAre("vxlan device vx0 in namespace box"));
}

TEST(KernelOwners, FilesAndFolders) {
  struct Case {
    Protocol protocol;
    const char* address;
    std::uint16_t port;
    const char* words;
  };
  const std::vector<Case> cases = {
      {Protocol::Tcp, "0.0.0.0", 2049, "nfsd server"},
      {Protocol::Tcp, "::", 2049, "nfsd server"},
      {Protocol::Udp, "0.0.0.0", 4045, "lockd of NFS"},
      {Protocol::Tcp, "0.0.0.0", 4046, "lockd of NFS"},
      {Protocol::Tcp, "10.0.0.5", 3260, "iscsi target iqn.x:y"},
      {Protocol::Tcp, "::", 3261, "iscsi target iqn.x:y"},
      {Protocol::Tcp, "10.0.0.5", 4420, "nvmet port 1"},
      {Protocol::Tcp, "10.0.0.5", 21064, "dlm of the cluster"},
      {Protocol::Tcp, "0.0.0.0", 445, "ksmbd server"},
      {Protocol::Udp, "0.0.0.0", 9899, "sctp over UDP"},
      {Protocol::Udp, "::", 7001, "rxrpc endpoint"},
      {Protocol::Udp, "::", 4791, "rxe RDMA over Ethernet"},
  };
  Small small;
  for (const Case& each : cases) small.listen(each.protocol, each.address, each.port);
  FakeSource& source = small.source;
  source.file("/proc/fs/nfsd/portlist", "rdma 20049\ntcp 2049\ntcp 2049\n");
  source.file("/proc/sys/fs/nfs/nlm_udpport", "4045\n");
  source.file("/proc/sys/fs/nfs/nlm_tcpport", "4046\n");
  source.folder("/sys/kernel/config/target/iscsi", {"discovery_auth", "iqn.x:y"});
  source.folder("/sys/kernel/config/target/iscsi/iqn.x:y", {"fabric_statistics", "tpgt_1"});
  source.folder("/sys/kernel/config/target/iscsi/iqn.x:y/tpgt_1/np",
                {"10.0.0.5:3260", "[::]:3261", "nonsense"});
  source.folder("/sys/kernel/config/nvmet/ports", {"1"});
  source.file("/sys/kernel/config/nvmet/ports/1/addr_trtype", "tcp\n");
  source.file("/sys/kernel/config/nvmet/ports/1/addr_traddr", "10.0.0.5\n");
  source.file("/sys/kernel/config/nvmet/ports/1/addr_trsvcid", "4420\n");
  source.folder("/sys/kernel/dlm", {"lockspace"});
  source.file("/sys/kernel/config/dlm/cluster/tcp_port", "21064\n");
  source.folder("/sys/class/ksmbd-control", {"stats"});
  source.folder("/sys/module/rdma_rxe", {"refcnt"});
  source.raw_table(0, kernel::NetTable::SctpUdpPort, "9899\n");
  source.raw_table(0, kernel::NetTable::RxrpcLocals,
                   "Proto Local                                           Use Act RxQ\n"
                   "UDP   [::]:7001                                         2   1   0\n");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    EXPECT_THAT(small.owners(i), ElementsAre(cases[i].words)) << cases[i].port;
  }
}

TEST(KernelOwners, AGuessDoesNotStandAgainstAProcessThatMayHoldIt) {
  Small small;
  small.listen(Protocol::Tcp, "0.0.0.0", 445).owners.reset();
  small.source.folder("/sys/class/ksmbd-control", {"stats"});
  EXPECT_THAT(small.owners(), IsEmpty());
  EXPECT_FALSE(small.host.listeners[0].owners.has_value());
  small.host.listeners[0].socket.has_file = false;
  EXPECT_THAT(small.owners(), ElementsAre("ksmbd server"));
}

/// Counts what is asked.
class CountingSource : public FakeSource {
 public:
  Result<Bytes> netlink(const kernel::NetnsRef& netns, int protocol, ByteView request) override {
    ++asked;
    return FakeSource::netlink(netns, protocol, request);
  }
  Result<Bytes> read_file(const std::string& path) override {
    ++asked;
    return FakeSource::read_file(path);
  }
  Result<std::vector<std::string>> list_folder(const std::string& path) override {
    ++asked;
    return FakeSource::list_folder(path);
  }
  int asked = 0;
};

TEST(KernelOwners, NothingIsAskedWhereEveryListenerHasAProcess) {
  Small small;
  small.listen(Protocol::Udp, "0.0.0.0", 4789).owners->push_back({});
  small.listen(Protocol::Raw, "0.0.0.0", 1);
  CountingSource source;
  name_kernel_owners(source, small.refs, small.host);
  EXPECT_EQ(source.asked, 0);
  small.listen(Protocol::Udp, "0.0.0.0", 9);
  name_kernel_owners(source, small.refs, small.host);
  EXPECT_GT(source.asked, 0);
}

}  // namespace
}  // namespace hark::host
