#include "witness.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <vector>

namespace hark::differential {

namespace {

constexpr std::string_view kTable = "hark_witness";
constexpr std::string_view kRules =
    "table inet hark_witness {\n"
    "  chain pre { type filter hook prerouting priority -350; meta nftrace set 1; }\n"
    "  chain out { type filter hook output priority -350; meta nftrace set 1; }\n"
    "}\n"
    "table netdev hark_witness {\n"
    "  chain in { type filter hook ingress devices = { eth0, eth1, eth2 } priority -500; "
    "meta nftrace set 1; }\n"
    "}\n";

using Attributes = std::map<unsigned, ByteView>;

Attributes read_attributes(ByteView view) {
  Attributes all;
  while (view.size() >= sizeof(nlattr)) {
    const auto head = ByteReader(view).value<nlattr>();
    if (head.nla_len < sizeof head || head.nla_len > view.size()) break;
    all[head.nla_type & 0x3fffU] = view.subspan(sizeof head, head.nla_len - sizeof head);
    view = view.subspan(std::min<std::size_t>((head.nla_len + 3U) & ~3U, view.size()));
  }
  return all;
}

std::uint32_t number(const Attributes& all, unsigned type) {
  const auto at = all.find(type);
  return at == all.end() ? 0 : ntohl(ByteReader(at->second).value<std::uint32_t>());
}

std::uint64_t long_number(const Attributes& all, unsigned type) {
  const auto at = all.find(type);
  return at == all.end() ? 0 : __builtin_bswap64(ByteReader(at->second).value<std::uint64_t>());
}

std::string text(const Attributes& all, unsigned type) {
  const auto at = all.find(type);
  if (at == all.end()) return {};
  std::string out(as_text(at->second));
  while (!out.empty() && out.back() == '\0') out.pop_back();
  return out;
}

std::string family_word(std::uint8_t family) {
  switch (family) {
    case NFPROTO_INET:
      return "inet";
    case NFPROTO_IPV4:
      return "ip";
    case NFPROTO_IPV6:
      return "ip6";
    case NFPROTO_NETDEV:
      return "netdev";
    default:
      return "arp";
  }
}

// NF_DROP of a rule or of a policy; rejections end so too.
bool is_drop(const Attributes& all) {
  const std::uint32_t type = number(all, NFTA_TRACE_TYPE);
  if (type == NFT_TRACETYPE_POLICY) return number(all, NFTA_TRACE_POLICY) == NF_DROP;
  const auto verdict = all.find(NFTA_TRACE_VERDICT);
  if (type != NFT_TRACETYPE_RULE || verdict == all.end()) return false;
  return number(read_attributes(verdict->second), NFTA_VERDICT_CODE) == NF_DROP;
}

}  // namespace

Witness::Witness(const Place& place) {
  if (!run_program(place.host(), {"nft", "-f", "-"}, kRules)) return;
  place.in_host([&] {
    socket_ =
        UniqueFd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
    // Without an id of its own the kernel takes it for the sender, and tells it nothing.
    sockaddr_nl here{};
    here.nl_family = AF_NETLINK;
    if (bind(socket_.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) {
      socket_.reset();
    }
    const int group = NFNLGRP_NFTRACE, size = 64 << 20;
    setsockopt(socket_.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group);
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  });
}

void Witness::collect() {
  Bytes buffer(65536);
  while (socket_.valid()) {
    const ssize_t got = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) return;
    ByteView rest = ByteView(buffer).first(static_cast<std::size_t>(got));
    while (rest.size() >= sizeof(nlmsghdr)) {
      const auto head = ByteReader(rest).value<nlmsghdr>();
      if (head.nlmsg_len < sizeof head || head.nlmsg_len > rest.size()) break;
      take_message(rest.subspan(sizeof head, head.nlmsg_len - sizeof head));
      rest = rest.subspan(std::min<std::size_t>(NLMSG_ALIGN(head.nlmsg_len), rest.size()));
    }
  }
}

void Witness::take_message(ByteView message) {
  if (message.size() < sizeof(nfgenmsg)) return;
  const auto head = ByteReader(message).value<nfgenmsg>();
  const Attributes all = read_attributes(message.subspan(sizeof head));
  const std::uint32_t id = number(all, NFTA_TRACE_ID);
  const auto network = all.find(NFTA_TRACE_NETWORK_HEADER);
  const auto transport = all.find(NFTA_TRACE_TRANSPORT_HEADER);
  // The headers come with the first report of each base chain.
  if (network != all.end() && transport != all.end() && network->second.size() >= 20) {
    const ByteView ip = network->second;
    const bool v6 = std::to_integer<unsigned>(ip[0]) >> 4 == 6;
    if (v6 && ip.size() < 40) return;
    const bool udp = std::to_integer<unsigned>(ip[v6 ? 6 : 9]) == 17;
    IpAddress source{.family = v6 ? Family::Inet6 : Family::Inet}, destination = source;
    const std::size_t size = source.bits() / 8, at = v6 ? 8 : 12;
    std::memcpy(source.bytes.data(), ip.data() + at, size);
    std::memcpy(destination.bytes.data(), ip.data() + at + size, size);
    ByteReader ports(transport->second);
    const std::uint16_t from = ntohs(ports.value<std::uint16_t>());
    const std::uint16_t to = ntohs(ports.value<std::uint16_t>());
    packets_[id] = {{udp, source, from}, {udp, destination, to}};
  }
  const std::string table = text(all, NFTA_TRACE_TABLE);
  const auto packet = packets_.find(id);
  if (table == kTable || !is_drop(all) || packet == packets_.end()) return;
  std::string place =
      family_word(head.nfgen_family) + " " + table + " " + text(all, NFTA_TRACE_CHAIN);
  if (number(all, NFTA_TRACE_TYPE) == NFT_TRACETYPE_POLICY) {
    place = "the policy of " + place;
  } else {
    place += " handle " + std::to_string(long_number(all, NFTA_TRACE_RULE_HANDLE));
  }
  drops_[packet->second.first].insert(place);
  drops_[packet->second.second].insert(place);
}

const std::set<std::string>& Witness::drops(bool udp, const IpAddress& client,
                                            std::uint16_t port) const {
  static const std::set<std::string> kNone;
  const auto at = drops_.find({udp, client, port});
  return at == drops_.end() ? kNone : at->second;
}

}  // namespace hark::differential
