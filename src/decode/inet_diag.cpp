// What is asked and what is read, in the kernel's terms.
//
// A request is an inet_diag_req_v2. Its protocol field has eight bits, and IPPROTO_MPTCP is 262:
// since Linux 5.9 the attribute INET_DIAG_REQ_PROTOCOL stands above the field
// (inet_diag_get_protocol of net/ipv4/inet_diag.c). The field itself is then left 0, which no
// handler is registered for, so that an older kernel answers ENOENT; 262 cut to eight bits would
// be TCP there, and 255 would be raw.
//
// Shutdown, v6only and cgroup come without being asked for, drops and the receive buffer with
// SKMEMINFO. The name of the upper layer protocol, which tells the subflow listener of an MPTCP
// socket from a plain TCP one, comes only together with tcp_info (inet_sk_diag_fill calls
// idiag_get_aux under INET_DIAG_INFO), so TCP is asked for that as well.
//
// raw_diag_dump does not look at the mask of states at all: its answer holds connected raw sockets
// too. An IPv6 raw socket never sees an IPv4 packet (raw sockets of the two families are in two
// tables, net/ipv6/raw.c), so it is v6only whatever its flag says.
#include "decode/inet_diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "decode/netlink_attributes.h"

namespace hark::decode {
namespace {

constexpr std::uint8_t extension(unsigned attribute) {
  return static_cast<std::uint8_t>(1U << (attribute - 1));
}

constexpr std::uint8_t kMemory = extension(INET_DIAG_SKMEMINFO);

struct Asked {
  Protocol protocol;
  std::uint32_t number;  // IPPROTO_*
  std::uint8_t extensions;
};

constexpr std::array<Asked, 5> kAsked = {{
    {Protocol::Tcp, IPPROTO_TCP, kMemory | extension(INET_DIAG_INFO)},
    {Protocol::Mptcp, IPPROTO_MPTCP, kMemory},
    {Protocol::Udp, IPPROTO_UDP, kMemory},
    {Protocol::Udplite, IPPROTO_UDPLITE, kMemory},
    {Protocol::Raw, IPPROTO_RAW, kMemory},
}};

IpAddress address_of(Family family, const __be32 (&words)[4]) {
  IpAddress out{.family = family};
  std::memcpy(out.bytes.data(), words, out.bits() / 8);
  return out;
}

/// The word at `index` of an array of u32, if the array is that long: kernels append to them.
std::optional<std::uint32_t> word(ByteView words, std::size_t index) {
  ByteReader reader(words);
  reader.take(index * sizeof(std::uint32_t));
  const auto value = reader.value<std::uint32_t>();
  if (!reader.ok()) return std::nullopt;
  return value;
}

bool read_memory(SocketRecord& record, const NetlinkAttribute& attribute) {
  if (attribute.bytes.size() % sizeof(std::uint32_t) != 0) return false;
  record.drops = word(attribute.bytes, SK_MEMINFO_DROPS);
  if (record.state != kTcpListen) record.queue_limit = word(attribute.bytes, SK_MEMINFO_RCVBUF);
  return true;
}

bool read_v6only(SocketRecord& record, const NetlinkAttribute& attribute) {
  const auto flag = attribute.value<std::uint8_t>();
  if (record.local.family == Family::Inet6 && flag) record.v6only = *flag != 0;
  return flag.has_value();
}

bool read_cgroup(SocketRecord& record, const NetlinkAttribute& attribute) {
  record.cgroup_id = attribute.value<std::uint64_t>();
  return record.cgroup_id.has_value();
}

bool read_upper_layer(SocketRecord& record, const NetlinkAttribute& attribute) {
  NetlinkAttributes nested(attribute.bytes);
  while (const auto inner = nested.next()) {
    const bool mptcp = inner->type == INET_ULP_INFO_NAME && inner->text() == "mptcp";
    if (mptcp && record.protocol == Protocol::Tcp) record.protocol = Protocol::Mptcp;
  }
  return !nested.broken();
}

struct AttributeReader {
  std::uint16_t type;
  bool (*read)(SocketRecord&, const NetlinkAttribute&);  // false: malformed
};

constexpr std::array<AttributeReader, 4> kReaders = {{
    {INET_DIAG_SKMEMINFO, read_memory},
    {INET_DIAG_SKV6ONLY, read_v6only},
    {INET_DIAG_CGROUP_ID, read_cgroup},
    {INET_DIAG_ULP_INFO, read_upper_layer},
}};

/// Whatever is in the fixed part of a message.
SocketRecord fixed_part(const inet_diag_msg& message, Protocol asked) {
  const Family family = message.idiag_family == AF_INET ? Family::Inet : Family::Inet6;
  SocketRecord out;
  out.protocol = asked;
  out.local = address_of(family, message.id.idiag_src);
  out.local_port = ntohs(message.id.idiag_sport);
  out.remote = address_of(family, message.id.idiag_dst);
  out.remote_port = ntohs(message.id.idiag_dport);
  out.state = message.idiag_state;
  out.interface_index = message.id.idiag_if;
  out.uid = message.idiag_uid;
  out.inode = message.idiag_inode;
  out.cookie = std::uint64_t{message.id.idiag_cookie[1]} << 32U | message.id.idiag_cookie[0];
  out.queue_length = message.idiag_rqueue;
  if (out.state == kTcpListen) out.queue_limit = message.idiag_wqueue;
  // inet_twsk_diag_fill(): a timer of its own kind. The state may be FIN_WAIT2.
  constexpr std::uint8_t kTimeWaitTimer = 3;
  out.time_wait = asked == Protocol::Tcp && message.idiag_timer == kTimeWaitTimer;
  return out;
}

/// Why the message is malformed; empty: it is not, and `record` is filled.
std::string read_message(ByteView body, Protocol asked, SocketRecord& record) {
  ByteReader reader(body);
  const auto message = reader.value<inet_diag_msg>();
  if (!reader.ok()) return "the message is too short for a socket";
  if (message.idiag_family != AF_INET && message.idiag_family != AF_INET6) {
    return "a socket of family " + std::to_string(message.idiag_family);
  }
  record = fixed_part(message, asked);
  NetlinkAttributes attributes(reader.take(reader.left()));
  while (const auto attribute = attributes.next()) {
    for (const AttributeReader& known : kReaders) {
      if (known.type == attribute->type && !known.read(record, *attribute)) {
        return "attribute " + std::to_string(attribute->type) + " is malformed";
      }
    }
  }
  if (attributes.broken()) return "an attribute is cut off or has an impossible length";
  if (asked == Protocol::Raw && record.local.family == Family::Inet6) record.v6only = true;
  return {};
}

}  // namespace

Bytes inet_diag_request(Family family, Protocol protocol, std::uint32_t states, Ulp ulp) {
  const Asked& asked = kAsked[static_cast<std::size_t>(protocol)];
  const bool fits = asked.number <= 0xff;
  inet_diag_req_v2 request{};
  request.sdiag_family = family == Family::Inet ? AF_INET : AF_INET6;
  request.sdiag_protocol = fits ? static_cast<std::uint8_t>(asked.number) : std::uint8_t{0};
  request.idiag_ext = asked.extensions;
  if (ulp == Ulp::NotAsked) {
    request.idiag_ext &= static_cast<std::uint8_t>(~extension(INET_DIAG_INFO));
  }
  request.idiag_states = states;
  Bytes body;
  append_value(body, request);
  if (!fits) {
    Bytes number;
    append_value(number, asked.number);
    append_attribute(body, INET_DIAG_REQ_PROTOCOL, number);
  }
  return netlink_request(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, body);
}

Bytes inet_diag_question(const IpAddress& local, std::uint16_t local_port, const IpAddress& remote,
                         std::uint16_t remote_port) {
  inet_diag_req_v2 request{};
  request.sdiag_family = local.family == Family::Inet ? AF_INET : AF_INET6;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = ~0U;
  request.id.idiag_sport = htons(local_port);
  request.id.idiag_dport = htons(remote_port);
  std::memcpy(request.id.idiag_src, local.bytes.data(), local.bits() / 8);
  std::memcpy(request.id.idiag_dst, remote.bytes.data(), remote.bits() / 8);
  request.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
  request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  Bytes body;
  append_value(body, request);
  return netlink_request(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, body);
}

Result<SocketDump> decode_inet_diag(ByteView messages, Protocol asked) {
  SocketDump dump;
  // The messages of one answer are of about one length: a vector that grows by doubling would hold
  // the sockets of a busy host three times over for a moment.
  if (messages.size() >= sizeof(nlmsghdr)) {
    const std::size_t first = ByteReader(messages).value<nlmsghdr>().nlmsg_len;
    constexpr std::size_t kLeast = sizeof(nlmsghdr) + sizeof(inet_diag_msg);
    dump.sockets.reserve(messages.size() / std::max(first, kLeast));
  }
  NetlinkAnswer answer(messages, SOCK_DIAG_BY_FAMILY, "sock_diag answer");
  while (const auto body = answer.next()) {
    SocketRecord record;
    const std::string fault = read_message(*body, asked, record);
    if (!fault.empty()) return fail(answer.reject(fault));
    dump.sockets.push_back(record);
  }
  if (answer.error()) return fail(*answer.error());
  dump.interrupted = answer.interrupted();
  return dump;
}

}  // namespace hark::decode
