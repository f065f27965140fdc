#include "host/kernel_owners.h"

#include <gmock/gmock.h>

#include "decode/generic_netlink.h"
#include "decode/kernel_messages.h"
#include "decode/rtnetlink.h"
#include "host/fake_source.h"

namespace hark::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kRoute = 0;
constexpr int kGeneric = 16;
constexpr std::uint16_t kFamilyBase = 40;
// linux/wireguard.h, linux/fou.h, linux/mptcp.h
constexpr std::uint16_t kWireguardPort = 6;
constexpr std::uint16_t kFouPort = 1;
constexpr std::uint16_t kFouFamily = 2;
constexpr std::uint16_t kFouType = 4;
constexpr std::uint16_t kEndpoint = 1;
constexpr std::uint16_t kEndpointId = 2;
constexpr std::uint16_t kEndpointAddress = 3;
constexpr std::uint16_t kEndpointPort = 5;

using decode::attribute;
using decode::bytes_of;
using decode::vxlan_data;

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
      append(all, decode::family_answer(names[i], static_cast<std::uint16_t>(kFamilyBase + i)));
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
  small.links({decode::link_answer(2, "vx0", "vxlan", vxlan_data(4789)),
               decode::link_answer(3, "vx1", "vxlan", vxlan_data(4789)),
               decode::link_answer(4, "md", "vxlan", vxlan_data(4790, true))});
  EXPECT_THAT(small.owners(0), ElementsAre("vxlan device vx0", "vxlan device vx1"));
  EXPECT_THAT(small.owners(1), IsEmpty());
  EXPECT_THAT(small.owners(2), ElementsAre("vxlan device md"));
  EXPECT_THAT(small.owners(3), IsEmpty());
  EXPECT_EQ(small.host.listeners[0].kernel_owners[0].name(), "vxlan vx0");
}

TEST(KernelOwners, LinksThatAreDownOrMovedHaveNoSocketHere) {
  Small small;
  small.listen(Protocol::Udp, "0.0.0.0", 4789);
  small.links({decode::link_answer(2, "down", "vxlan", vxlan_data(4789), 0),
               decode::link_answer(3, "moved", "vxlan", vxlan_data(4789), decode::kLinkUp, true)});
  EXPECT_THAT(small.owners(), IsEmpty());
}

TEST(KernelOwners, WhereOwnersAreUnknownTheKernelsOwnStillIs) {
  Small small;
  small.listen(Protocol::Udp, "0.0.0.0", 4789).owners.reset();
  small.links({decode::link_answer(2, "vx0", "vxlan", vxlan_data(4789))});
  EXPECT_THAT(small.owners(), ElementsAre("vxlan device vx0"));
  EXPECT_TRUE(small.host.listeners[0].owners.has_value());
}

TEST(KernelOwners, AListenerWithAProcessOrAFileIsNotTheKernels) {
  Small small;
  small.listen(Protocol::Udp, "0.0.0.0", 4789).owners->push_back({});
  small.listen(Protocol::Udp, "0.0.0.0", 4789).socket.has_file = true;
  small.links({decode::link_answer(2, "vx0", "vxlan", vxlan_data(4789))});
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
  small.links({decode::link_answer(9, "wg0", "wireguard", {})});
  Bytes wireguard = attribute(kWireguardPort, bytes_of(std::uint16_t{51820}));
  small.source.answer(0, kGeneric, decode::wireguard_request(40, 9),
                      decode::generic_answer(40, 0, wireguard));
  Bytes fou = attribute(kFouPort, bytes_of(htons(5555)));
  decode::append_attribute(fou, kFouFamily, bytes_of(std::uint8_t{AF_INET}));
  decode::append_attribute(fou, kFouType, bytes_of(std::uint8_t{2}));
  small.source.answer(0, kGeneric, decode::fou_request(41), decode::generic_answer(41, 3, fou));
  Bytes endpoint = attribute(kEndpointPort, bytes_of(std::uint16_t{6000}));
  decode::append_attribute(endpoint, kEndpointId, bytes_of(std::uint8_t{3}));
  decode::append_attribute(endpoint, kEndpointAddress, bytes_of(htonl(0x0a000005)));
  Bytes mptcp = attribute(kEndpoint, endpoint);
  small.source.answer(0, kGeneric, decode::mptcp_request(42), decode::generic_answer(42, 3, mptcp));
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
  small.source.answer(8, kRoute, decode::links_request(),
                      decode::link_answer(9, "wg0", "wireguard", {}));
  small.source.answer(8, kGeneric, decode::families_request(),
                      decode::family_answer("wireguard", kFamilyBase));
  Bytes wireguard = attribute(kWireguardPort, bytes_of(std::uint16_t{51820}));
  small.source.answer(8, kGeneric, decode::wireguard_request(40, 9),
                      decode::generic_answer(40, 0, wireguard));
  EXPECT_THAT(small.owners(), ElementsAre("wireguard device wg0 in namespace box"));
}

TEST(KernelOwners, AnyOtherDeviceThatWasMovedSaysSo) {
  Small small;
  small.host.namespaces.push_back({.inode = 8, .name = "box", .entered = true});
  small.refs.push_back({.inode = 8, .paths = {"/run/netns/box"}});
  small.listen(Protocol::Udp, "0.0.0.0", 4789);
  Bytes links = decode::link_answer(2, "vx0", "vxlan", vxlan_data(4789), decode::kLinkUp, true);
  append(links, decode::link_answer(3, "vx1", "vxlan", vxlan_data(4789)));
  small.source.answer(8, kRoute, decode::links_request(), links);
  EXPECT_THAT(small.owners(), ElementsAre("vxlan device vx0 in namespace box"));
}

// A moved device does not tell where its socket is: of two alike neither is believed.
TEST(KernelOwners, OfTwoMovedDevicesNeitherIsBelieved) {
  Small small;
  small.listen(Protocol::Udp, "0.0.0.0", 4789);
  for (const std::uint64_t inode : {std::uint64_t{8}, std::uint64_t{9}}) {
    small.host.namespaces.push_back({.inode = inode, .name = "box", .entered = true});
    small.refs.push_back({.inode = inode, .paths = {"/run/netns/box"}});
    small.source.answer(
        inode, kRoute, decode::links_request(),
        decode::link_answer(2, "vx0", "vxlan", vxlan_data(4789), decode::kLinkUp, true));
  }
  EXPECT_THAT(small.owners(), IsEmpty());
}

TEST(KernelOwners, PortsThatAreToldOnlyWithARightAreAGap) {
  Small small;
  small.listen(Protocol::Udp, "0.0.0.0", 51820).owners.reset();
  small.families({"wireguard"});
  small.links({decode::link_answer(9, "wg0", "wireguard", {})});
  small.source.refuse_protocol(kGeneric, EPERM);
  EXPECT_THAT(small.owners(), IsEmpty());
  ASSERT_EQ(small.host.gaps.size(), 1U);
  EXPECT_EQ(small.host.gaps[0].code, "kernel-ports-not-read");
  EXPECT_EQ(small.host.gaps[0].what, "ports of wireguard device wg0: CAP_NET_ADMIN is missing");
  // Where the family is not there, nothing was refused; nor where nothing is left to explain.
  Small other;
  other.listen(Protocol::Udp, "0.0.0.0", 4789).owners.reset();
  other.families({"wireguard"});
  other.links({decode::link_answer(9, "wg0", "wireguard", {}),
               decode::link_answer(2, "vx0", "vxlan", vxlan_data(4789))});
  other.source.refuse_protocol(kGeneric, EPERM);
  EXPECT_THAT(other.owners(), ElementsAre("vxlan device vx0"));
  EXPECT_THAT(other.host.gaps, IsEmpty());
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
