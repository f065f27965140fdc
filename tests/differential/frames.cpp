#include "frames.h"

#include <arpa/inet.h>

#include <algorithm>

namespace hark::differential {

namespace {

constexpr std::uint16_t kEthIpv4 = 0x0800, kEthArp = 0x0806, kEthIpv6 = 0x86dd;
constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmp6 = 58;
constexpr std::uint8_t kSyn = 2;

class Writer {
 public:
  Writer& u8(unsigned value) {
    bytes_.push_back(static_cast<std::byte>(value));
    return *this;
  }
  Writer& u16(unsigned value) { return u8(value >> 8 & 0xff).u8(value & 0xff); }
  Writer& u32(std::uint32_t value) { return u16(value >> 16).u16(value & 0xffff); }
  Writer& mac(const Mac& mac) {
    for (const std::uint8_t one : mac) u8(one);
    return *this;
  }
  Writer& address(const IpAddress& address) {
    for (unsigned i = 0; i < address.bits() / 8; i++) u8(address.bytes[i]);
    return *this;
  }
  Writer& more(ByteView bytes) {
    append(bytes_, bytes);
    return *this;
  }
  [[nodiscard]] Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

std::uint32_t sum_of(ByteView bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); i++) {
    const auto value = std::to_integer<std::uint32_t>(bytes[i]);
    sum += i % 2 == 0 ? value << 8 : value;
  }
  return sum;
}
std::uint16_t folded(std::uint32_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum & 0xffff);
}
void put_u16(Bytes& bytes, std::size_t at, std::uint16_t value) {
  bytes.at(at) = static_cast<std::byte>(value >> 8);
  bytes.at(at + 1) = static_cast<std::byte>(value & 0xff);
}

// Puts the checksum with its pseudo header into a transport segment.
void seal(Bytes& segment, std::size_t at, const IpAddress& source, const IpAddress& destination,
          std::uint8_t protocol) {
  Writer pseudo;
  pseudo.address(source)
      .address(destination)
      .u16(protocol)
      .u16(static_cast<unsigned>(segment.size()));
  const std::uint16_t sum = folded(sum_of(segment, sum_of(pseudo.take())));
  // A datagram with none says that by a zero, which IPv6 does not take (RFC 768, RFC 8200).
  put_u16(segment, at, sum == 0 && protocol == kUdp ? 0xffff : sum);
}

Bytes ip_frame(const Envelope& envelope, const IpAddress& source, const IpAddress& destination,
               std::uint8_t protocol, ByteView segment, unsigned hops = 64) {
  const bool v4 = source.family == Family::Inet;
  Writer out;
  out.mac(envelope.to).mac(envelope.from).u16(v4 ? kEthIpv4 : kEthIpv6);
  const auto length = static_cast<unsigned>(segment.size());
  if (v4) {
    Writer header;
    header.u8(0x45).u8(0).u16(20 + length).u16(0x1234).u16(0x4000).u8(hops).u8(protocol).u16(0);
    Bytes bytes = header.address(source).address(destination).take();
    put_u16(bytes, 10, folded(sum_of(bytes)));
    out.more(bytes);
  } else {
    out.u32(0x60000000).u16(length).u8(protocol).u8(hops).address(source).address(destination);
  }
  return out.more(segment).take();
}

// What Linux sends with a SYN: the largest segment, selective acknowledgement, time stamps, scale.
constexpr std::array<std::uint8_t, 20> kSynOptions = {2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0,
                                                      0, 1, 0,    0,    0, 0, 1, 3,  3, 7};

class Reader {
 public:
  explicit Reader(ByteView view) : reader_(view) {}
  std::uint8_t u8() { return reader_.value<std::uint8_t>(); }
  std::uint16_t u16() { return ntohs(reader_.value<std::uint16_t>()); }
  std::uint32_t u32() { return ntohl(reader_.value<std::uint32_t>()); }
  Mac mac() { return reader_.value<Mac>(); }
  IpAddress address(Family family) {
    IpAddress out{.family = family};
    for (unsigned i = 0; i < out.bits() / 8; i++) out.bytes.at(i) = u8();
    return out;
  }
  ByteView take(std::size_t count) { return reader_.take(count); }
  ByteView rest() { return reader_.take(reader_.left()); }
  [[nodiscard]] bool ok() const { return reader_.ok(); }

 private:
  ByteReader reader_;
};

struct IpPart {
  IpAddress source, destination;
  std::uint8_t protocol = 0;
  ByteView payload;
};

IpPart read_ip(ByteView view, Family family) {
  Reader reader(view);
  IpPart part;
  if (family == Family::Inet) {
    const std::size_t header = (reader.u8() & 15U) * 4U;
    reader.u8();
    const std::size_t total = reader.u16();
    reader.u32();
    reader.u8();
    part.protocol = reader.u8();
    reader.u16();
    part.source = reader.address(family);
    part.destination = reader.address(family);
    if (!reader.ok() || header < 20) return {};
    // The packet within an ICMP error is cut off; a short one is padded by the link.
    const std::size_t end = std::min(total, view.size());
    if (end >= header) part.payload = view.subspan(header, end - header);
    return part;
  }
  reader.u32();
  const std::size_t length = reader.u16();
  part.protocol = reader.u8();
  reader.u8();
  part.source = reader.address(family);
  part.destination = reader.address(family);
  part.payload = reader.rest();
  part.payload = part.payload.first(std::min(length, part.payload.size()));
  return part;
}

void read_ports(Seen& seen, const IpPart& ip, Reader& reader) {
  seen.flow = {ip.source, ip.destination, reader.u16(), 0};
  seen.flow.destination_port = reader.u16();
}

void read_icmp_error(Seen& seen, ByteView quoted, Family family) {
  const IpPart inner = read_ip(quoted, family);
  if (inner.protocol != kTcp && inner.protocol != kUdp) return;
  Reader reader(inner.payload);
  read_ports(seen, inner, reader);
  seen.udp = inner.protocol == kUdp;
  if (reader.ok()) seen.kind = Seen::Kind::IcmpError;
}

void read_icmp(Seen& seen, const IpPart& ip, Family family) {
  Reader reader(ip.payload);
  seen.icmp_type = reader.u8();
  seen.icmp_code = reader.u8();
  reader.u16();
  reader.u32();
  const bool v4 = family == Family::Inet;
  const bool error = v4 ? seen.icmp_type == 3 || seen.icmp_type == 11 || seen.icmp_type == 12
                        : seen.icmp_type >= 1 && seen.icmp_type <= 4;
  if (error) return read_icmp_error(seen, reader.rest(), family);
  if (v4 || (seen.icmp_type != 135 && seen.icmp_type != 136)) return;
  seen.target = reader.address(Family::Inet6);
  seen.flow = {ip.source, ip.destination};
  if (!reader.ok()) return;
  seen.kind = seen.icmp_type == 135 ? Seen::Kind::NeighbourAsked : Seen::Kind::NeighbourAnswers;
}

void read_arp(Seen& seen, Reader& reader) {
  reader.u32();
  reader.u16();
  const unsigned operation = reader.u16();
  reader.mac();
  const IpAddress sender = reader.address(Family::Inet);
  reader.mac();
  const IpAddress target = reader.address(Family::Inet);
  if (!reader.ok()) return;
  const bool asks = operation == 1;
  seen.kind = asks ? Seen::Kind::NeighbourAsked : Seen::Kind::NeighbourAnswers;
  seen.target = asks ? target : sender;
  seen.flow.source = sender;
  seen.flow.destination = target;
}

void read_tcp(Seen& seen, const IpPart& ip) {
  Reader reader(ip.payload);
  read_ports(seen, ip, reader);
  seen.sequence = reader.u32();
  seen.acknowledged = reader.u32();
  const std::size_t header = static_cast<std::size_t>(reader.u8() >> 4) * 4;
  seen.tcp_flags = reader.u8();
  if (!reader.ok() || header < 20 || header > ip.payload.size()) return;
  seen.payload = as_text(ip.payload.subspan(header));
  seen.kind = Seen::Kind::Tcp;
}

}  // namespace

Seen read_frame(ByteView frame) {
  Reader reader(frame);
  Seen seen;
  reader.mac();
  seen.sender = reader.mac();
  const unsigned type = reader.u16();
  if (type == kEthArp) read_arp(seen, reader);
  if (type != kEthIpv4 && type != kEthIpv6) return seen;
  const Family family = type == kEthIpv4 ? Family::Inet : Family::Inet6;
  const IpPart ip = read_ip(reader.rest(), family);
  if (ip.protocol == (family == Family::Inet ? kIcmp : kIcmp6)) read_icmp(seen, ip, family);
  if (ip.protocol == kTcp) read_tcp(seen, ip);
  if (ip.protocol == kUdp) {
    Reader udp(ip.payload);
    read_ports(seen, ip, udp);
    udp.u32();
    if (udp.ok()) seen.kind = Seen::Kind::Udp;
    seen.payload = as_text(udp.rest());
  }
  return seen;
}

std::string icmp_name(Family family, std::uint8_t type, std::uint8_t code) {
  struct Name {
    Family family;
    std::uint8_t type, code;
    const char* name;
  };
  constexpr std::array<Name, 15> kNames = {{
      {Family::Inet, 3, 0, "net-unreachable"},
      {Family::Inet, 3, 1, "host-unreachable"},
      {Family::Inet, 3, 2, "protocol-unreachable"},
      {Family::Inet, 3, 3, "port-unreachable"},
      {Family::Inet, 3, 9, "net-prohibited"},
      {Family::Inet, 3, 10, "host-prohibited"},
      {Family::Inet, 3, 13, "admin-prohibited"},
      {Family::Inet, 11, 0, "time-exceeded"},
      {Family::Inet6, 1, 0, "no-route"},
      {Family::Inet6, 1, 1, "admin-prohibited"},
      // Beyond scope: contract.md has no other word for it.
      {Family::Inet6, 1, 2, "address-unreachable"},
      {Family::Inet6, 1, 3, "address-unreachable"},
      {Family::Inet6, 1, 4, "port-unreachable"},
      {Family::Inet6, 1, 5, "policy-fail"},
      {Family::Inet6, 1, 6, "reject-route"},
  }};
  for (const Name& name : kNames) {
    if (name.family == family && name.type == type && name.code == code) return name.name;
  }
  return std::to_string(type) + "/" + std::to_string(code);
}

Bytes tcp_frame(const Envelope& envelope, const Flow& flow, const TcpPart& part) {
  const bool syn = (part.flags & kSyn) != 0;
  Writer out;
  out.u16(flow.source_port).u16(flow.destination_port);
  out.u32(part.sequence).u32(part.acknowledged).u8(syn ? 0xa0 : 0x50).u8(part.flags);
  out.u16(64240).u16(0).u16(0);
  if (syn) out.more(std::as_bytes(std::span(kSynOptions)));
  Bytes segment = out.more(as_bytes(part.payload)).take();
  seal(segment, 16, flow.source, flow.destination, kTcp);
  return ip_frame(envelope, flow.source, flow.destination, kTcp, segment);
}

Bytes udp_frame(const Envelope& envelope, const Flow& flow, std::string_view payload) {
  Writer out;
  out.u16(flow.source_port).u16(flow.destination_port);
  out.u16(static_cast<unsigned>(8 + payload.size())).u16(0);
  Bytes segment = out.more(as_bytes(payload)).take();
  seal(segment, 6, flow.source, flow.destination, kUdp);
  return ip_frame(envelope, flow.source, flow.destination, kUdp, segment);
}

Bytes neighbour_question(const Mac& from, const IpAddress& asker, const IpAddress& target) {
  Writer out;
  if (target.family == Family::Inet) {
    constexpr Mac kAll = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    out.mac(kAll).mac(from).u16(kEthArp).u16(1).u16(kEthIpv4).u8(6).u8(4).u16(1);
    return out.mac(from).address(asker).mac({}).address(target).take();
  }
  // RFC 4861 4.3, to the solicited-node address and the MAC made of it (RFC 2464 7).
  IpAddress group = *IpAddress::parse("ff02::1:ff00:0");
  std::copy(target.bytes.begin() + 13, target.bytes.end(), group.bytes.begin() + 13);
  const Mac to = {0x33, 0x33, 0xff, target.bytes[13], target.bytes[14], target.bytes[15]};
  Bytes segment = out.u16(135U << 8).u16(0).u32(0).address(target).u16(0x0101).mac(from).take();
  seal(segment, 2, asker, group, kIcmp6);
  return ip_frame({to, from}, asker, group, kIcmp6, segment, 255);
}

Bytes neighbour_answer(const Envelope& envelope, const IpAddress& target, const IpAddress& asker) {
  Writer out;
  if (target.family == Family::Inet) {
    out.mac(envelope.to).mac(envelope.from).u16(kEthArp).u16(1).u16(kEthIpv4).u8(6).u8(4).u16(2);
    return out.mac(envelope.from).address(target).mac(envelope.to).address(asker).take();
  }
  constexpr std::uint32_t kSolicitedOverride = 0x60000000;
  Bytes segment = out.u16(136U << 8)
                      .u16(0)
                      .u32(kSolicitedOverride)
                      .address(target)
                      .u16(0x0201)
                      .mac(envelope.from)
                      .take();
  seal(segment, 2, target, asker, kIcmp6);
  return ip_frame(envelope, target, asker, kIcmp6, segment, 255);
}

}  // namespace hark::differential
