// What can be asked over UDP by a stranger. A port that is not here is silent by nature: RADIUS,
// WireGuard and OpenVPN answer only who has their secret, syslog and VXLAN answer nobody.
#include <algorithm>
#include <array>

#include "base/address.h"
#include "probe/frames.h"
#include "probe/probes.h"

namespace hark::probe {
namespace {

/// RFC 5905 7.3: version 4, mode 3 (client), all else zero.
std::string ask_ntp(const Asked&) {
  return '\x23' + std::string(47, '\0');
}

Reading read_ntp(const Heard& heard) {
  const std::string_view all = heard.bytes;
  constexpr std::uint8_t kServer = 4;
  if (all.size() < 48 || (byte_at(all, 0) & 7U) != kServer) return not_mine();
  const std::uint8_t stratum = byte_at(all, 1);
  const unsigned leap = byte_at(all, 0) >> 6U;
  const std::string_view reference = all.substr(12, 4);
  if (stratum == 0)
    return known("ntp", "refuses: " + quoted(reference.substr(0, reference.find('\0'))));
  if (leap == 3 || stratum >= 16) return known("ntp", "its own clock is not synchronised");
  std::string words = "stratum " + std::to_string(stratum);
  if (stratum == 1) words += ", " + quoted(reference.substr(0, reference.find('\0')));
  return known("ntp", std::move(words));
}

/// Discovery of the engine (RFC 3414 4): SNMPv3 without a user. A community, such as "public",
/// would be a guess at a password.
std::string ask_snmp(const Asked&) {
  const std::string header = ber(0x30, raw("\2\4hark\2\3\0\xff\xe3\4\1\4\2\1\3"));
  const std::string security = ber(0x04, ber(0x30, raw("\4\0\2\1\0\2\1\0\4\0\4\0\4\0")));
  const std::string get = ber(0xa0, raw("\2\4hark\2\1\0\2\1\0\x30\0"));
  return ber(0x30, raw("\2\1\3") + header + security + ber(0x30, raw("\4\0\4\0") + get));
}

struct Enterprise {
  std::uint32_t number = 0;
  std::string_view name;
};
/// IANA's enterprise numbers of those that are met most.
constexpr std::array kEnterprises = {
    Enterprise{9, "Cisco"},        Enterprise{11, "HP"},        Enterprise{311, "Microsoft"},
    Enterprise{2021, "UCD"},       Enterprise{2636, "Juniper"}, Enterprise{8072, "Net-SNMP"},
    Enterprise{14988, "MikroTik"}, Enterprise{30065, "Arista"}, Enterprise{41112, "Ubiquiti"},
};

Reading read_snmp(const Heard& heard) {
  BerReader message = BerReader(heard.bytes).inside(0x30);
  const auto version = message.take(0x02);
  if (!version || ber_number(*version) != 3 || !message.take(0x30)) return not_mine();
  BerReader security = BerReader(message.take(0x04).value_or("")).inside(0x30);
  const auto engine = security.take(0x04);
  if (!engine || engine->size() < 5) return not_mine();
  const std::uint32_t boots = ber_number(security.take(0x02).value_or(""));
  const std::uint32_t seconds = ber_number(security.take(0x02).value_or(""));
  // RFC 3411 5, SnmpEngineID: the first bit marks the form that begins with the enterprise.
  const std::uint32_t number = be32(*engine, 0) & 0x7fffffffU;
  const auto row = std::ranges::find(kEnterprises, number, &Enterprise::number);
  std::string words = "SNMP 3, ";
  words +=
      row == kEnterprises.end() ? "enterprise " + std::to_string(number) : std::string(row->name);
  words += ", started " + std::to_string(boots) + " times, up " + std::to_string(seconds) + " s";
  return known("snmp", std::move(words));
}

/// RFC 5389 6, 7.1: Binding Request, which anybody may send.
constexpr std::uint32_t kStunCookie = 0x2112a442;
std::string ask_stun(const Asked&) {
  std::string out = raw("\0\1\0\0");
  put_be32(out, kStunCookie);
  return out + "hark-binding";
}

/// XOR-MAPPED-ADDRESS: how the server sees us; behind address translation, not as we do.
std::string mapped_address(std::string_view value) {
  if (byte_at(value, 1) != 1 || value.size() < 8) return {};
  const std::uint32_t bits = be32(value, 4) ^ kStunCookie;
  IpAddress address;
  for (unsigned i = 0; i < 4; ++i) {
    address.bytes[i] = static_cast<std::uint8_t>(bits >> (24U - 8U * i));
  }
  const unsigned port = be16(value, 2) ^ (kStunCookie >> 16U);
  return address.text() + ':' + std::to_string(port);
}

Reading read_stun(const Heard& heard) {
  std::string_view all = heard.bytes;
  if (all.size() < 20 || be32(all, 4) != kStunCookie) return not_mine();
  const std::uint16_t type = be16(all, 0);
  if (type != 0x0101 && type != 0x0111) return not_mine();
  std::string words = type == 0x0111 ? "refuses" : "";
  std::string software;
  all.remove_prefix(20);
  for (int i = 0; i < 32 && all.size() >= 4; ++i) {
    const std::size_t size = be16(all, 2);
    const std::string_view value = all.substr(4, size);
    if (be16(all, 0) == 0x0020) {
      const std::string seen = mapped_address(value);
      if (!seen.empty()) words = "sees this client as " + seen;
    } else if (be16(all, 0) == 0x8022) {
      software = quoted(value, 40);
    }
    all.remove_prefix(std::min(all.size(), 4 + (size + 3) / 4 * 4));
  }
  if (!software.empty()) words += (words.empty() ? "" : ", ") + software;
  return known("stun", std::move(words));
}

/// A long header of a version that no server has, in a datagram of the least size that it has to
/// answer (RFC 9000 6.1, 14.1; RFC 8999 6). The rest is never looked at.
std::string ask_quic(const Asked&) {
  constexpr std::size_t kLeast = 1200;
  std::string out = raw("\xc0\x1a\x2a\x3a\x4a\x08hark-dst\x08hark-src");
  out.resize(kLeast, '\0');
  return out;
}

std::string quic_version(std::uint32_t version) {
  if (version == 1) return "1";
  if (version == 0x6b3343cf) return "2";
  if ((version & 0xffffff00U) == 0xff000000U) return "draft " + std::to_string(version & 0xffU);
  if ((version & 0x0f0f0f0fU) == 0x0a0a0a0aU) return {};  // reserved, so that nobody relies on it
  std::string name;
  put_be32(name, version);
  return quoted(name);
}

Reading read_quic(const Heard& heard) {
  std::string_view all = heard.bytes;
  // Version 0 is Version Negotiation; our source is its destination.
  if ((byte_at(all, 0) & 0x80U) == 0 || be32(all, 1) != 0 || all.size() < 7) return not_mine();
  if (all.substr(5, 9) != "\x08hark-src") return not_mine();
  const std::size_t source = byte_at(all, 14);
  all.remove_prefix(std::min(all.size(), 15 + source));
  std::string versions;
  for (int i = 0; i < 16 && all.size() >= 4; ++i) {
    const std::string version = quic_version(be32(all, 0));
    if (!version.empty()) versions += (versions.empty() ? "" : ", ") + version;
    all.remove_prefix(4);
  }
  return known("quic", "versions " + (versions.empty() ? "none" : versions));
}

/// protocol.txt of memcached: a frame of 8 bytes, id, number, count, reserved.
std::string ask_memcached(const Asked&) {
  return raw("\x68\x6b\0\0\0\1\0\0version\r\n");
}

Reading read_memcached(const Heard& heard) {
  constexpr std::string_view kVersion = "VERSION ";
  if (heard.bytes.size() < 16 || heard.bytes.substr(8, kVersion.size()) != kVersion) {
    return not_mine();
  }
  return known("memcached", quoted(first_line(heard.bytes.substr(16)).text, 40) +
                                ", open over UDP, which others misuse to flood");
}

/// NODE STATUS of "*" (RFC 1002 4.2.17): the name, encoded by half bytes, is CKAAAA….
std::string ask_netbios(const Asked&) {
  return raw("hk\0\0\0\1\0\0\0\0\0\0\x20") + "CK" + std::string(30, 'A') + raw("\0\0\x21\0\1");
}

Reading read_netbios(const Heard& heard) {
  const std::string_view all = heard.bytes;
  constexpr std::size_t kNames = 12 + 34 + 10;
  if (all.size() < kNames + 1 || !all.starts_with("hk") || (byte_at(all, 2) & 0x80U) == 0) {
    return not_mine();
  }
  std::string name = quoted(all.substr(kNames + 1, 15));
  while (name.ends_with(' ')) name.pop_back();
  return known("netbios", std::move(name));
}

/// M-SEARCH to one device (UPnP Device Architecture 1.3.2).
std::string ask_ssdp(const Asked& asked) {
  return "M-SEARCH * HTTP/1.1\r\nHOST: " + asked.address.text() + ':' + std::to_string(asked.port) +
         "\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n";
}

Reading read_ssdp(const Heard& heard) {
  if (!heard.bytes.starts_with("HTTP/1.1 200")) return not_mine();
  std::string_view rest = heard.bytes;
  while (!rest.empty()) {
    const Line line = first_line(rest);
    if (contains_word(line.text.substr(0, 7), "server:")) {
      return known("ssdp", quoted(line.text.substr(line.text.size() > 8 ? 8 : 7)));
    }
    if (!line.whole) break;
    rest.remove_prefix(rest.find('\n') + 1);
  }
  return known("ssdp", "");
}

/// RFC 7252 4.3: an empty confirmable message, which has to be reset.
std::string ask_coap(const Asked&) {
  return raw("\x40\0hk");
}

Reading read_coap(const Heard& heard) {
  if (heard.bytes.size() < 4 || (byte_at(heard.bytes, 0) & 0xf0U) != 0x70) return not_mine();
  return heard.bytes.substr(2, 2) == "hk" ? known("coap", "CoAP 1") : not_mine();
}

std::string ask_sip(const Asked& asked) {
  std::string host = asked.address.text();
  if (asked.address.family == Family::Inet6) host = '[' + host + ']';
  return "OPTIONS sip:" + host +
         " SIP/2.0\r\nVia: SIP/2.0/UDP hark.invalid;branch=z9hG4bKhark;rport"
         "\r\nFrom: <sip:hark@hark.invalid>;tag=1\r\nTo: <sip:" +
         host +
         ">\r\nCall-ID: hark\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 1\r\nContent-Length: 0\r\n\r\n";
}

Reading read_sip(const Heard& heard) {
  const Probe* const sip = tcp_probe("sip");
  return sip->read(heard);
}

std::string ask_rpcbind(const Asked&) {
  return rpc_null(kRpcBind);
}

std::string ask_nfs(const Asked&) {
  return rpc_null(kRpcNfs);
}

constexpr Probe kDns{"dns", dns_question, read_dns_message};
constexpr Probe kNtp{"ntp", ask_ntp, read_ntp};
constexpr Probe kQuic{"quic", ask_quic, read_quic};
constexpr Probe kStun{"stun", ask_stun, read_stun};
constexpr Probe kSnmp{"snmp", ask_snmp, read_snmp};
constexpr Probe kRpc{"rpcbind", ask_rpcbind, read_rpc_reply};
constexpr Probe kNfs{"nfs", ask_nfs, read_rpc_reply};
constexpr Probe kNetbios{"netbios", ask_netbios, read_netbios};
constexpr Probe kSsdp{"ssdp", ask_ssdp, read_ssdp};
constexpr Probe kSip{"sip", ask_sip, read_sip};
constexpr Probe kCoap{"coap", ask_coap, read_coap};
constexpr Probe kMemcached{"memcached", ask_memcached, read_memcached};

struct UdpPort {
  std::uint16_t port = 0;
  const Probe* probe = nullptr;
};
constexpr std::array kPorts = {
    UdpPort{53, &kDns},      UdpPort{111, &kRpc},         UdpPort{123, &kNtp},
    UdpPort{137, &kNetbios}, UdpPort{161, &kSnmp},        UdpPort{443, &kQuic},
    UdpPort{853, &kQuic},    UdpPort{1900, &kSsdp},       UdpPort{2049, &kNfs},
    UdpPort{3478, &kStun},   UdpPort{3479, &kStun},       UdpPort{5060, &kSip},
    UdpPort{5349, &kStun},   UdpPort{5353, &kDns},        UdpPort{5683, &kCoap},
    UdpPort{8443, &kQuic},   UdpPort{11211, &kMemcached}, UdpPort{19302, &kStun},
};

}  // namespace

const Probe* udp_probe(std::uint16_t port) {
  const auto row = std::ranges::find(kPorts, port, &UdpPort::port);
  return row == kPorts.end() ? nullptr : row->probe;
}

}  // namespace hark::probe
