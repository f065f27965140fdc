// Services that are asked in frames of bytes, and whose answers can be told only by who was asked:
// PostgreSQL, MongoDB, MQTT, LDAP, RDP, Kafka, SQL Server, Cassandra, SMB, SOCKS, DNS, RPC.
// Every question here is one that the protocol has for clients that have not logged in.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "probe/frames.h"
#include "probe/probes.h"

namespace hark::probe {
namespace {

/// SSLRequest (PostgreSQL, protocol-message-formats). A server that answers 'S' waits for the
/// handshake and writes into its log if it does not come, so TLS goes on from there; one that
/// answers 'N' is left by closing, of which it says nothing.
std::string ask_postgresql(const Asked&) {
  return raw("\0\0\0\x08\x04\xd2\x16\x2f");
}

Reading read_postgresql(const Heard& heard) {
  const char answer = heard.bytes.front();
  if (heard.bytes.size() == 1 && answer == 'N') return known("postgresql", "without TLS");
  if (heard.bytes.size() == 1 && answer == 'S') {
    Reading reading = known("postgresql", "offers TLS");
    reading.to_tls = true;
    return reading;
  }
  // ErrorResponse: 'E', length, then fields of a letter and text; 'M' is the message.
  if (answer != 'E') return not_mine();
  const std::size_t message = heard.bytes.find(raw("\0M"), 5);
  if (message == std::string_view::npos) return heard.ended ? not_mine() : more();
  const std::string_view text = heard.bytes.substr(message + 2);
  return known("postgresql", "refuses: " + quoted(text.substr(0, text.find('\0'))));
}

/// isMaster as OP_QUERY to admin.$cmd: every version answers it, and clients begin with it.
std::string ask_mongodb(const Asked&) {
  const std::string query = raw("\0\0\0\0admin.$cmd\0\0\0\0\0\xff\xff\xff\xff") +
                            raw("\x13\0\0\0\x10isMaster\0\1\0\0\0\0");
  const std::string head = raw("\1\0\0\0\0\0\0\0\xd4\x07\0\0");
  const auto size = static_cast<char>(4 + head.size() + query.size());
  return std::string(1, size) + raw("\0\0\0") + head + query;
}

/// maxWireVersion tells the release (src/mongo/db/wire_version.h).
struct WireVersion {
  std::uint32_t number = 0;
  std::string_view release;
};
constexpr std::array kWireVersions = {
    WireVersion{25, "8.0"}, WireVersion{21, "7.0"}, WireVersion{17, "6.0"},
    WireVersion{13, "5.0"}, WireVersion{9, "4.4"},  WireVersion{8, "4.2"},
    WireVersion{7, "4.0"},  WireVersion{6, "3.6"},  WireVersion{5, "3.4"},
};

Reading read_mongodb(const Heard& heard) {
  const std::string_view all = heard.bytes;
  constexpr std::uint32_t kReply = 1;
  if (all.size() < 36) return heard.ended ? not_mine() : more();
  if (le32(all, 12) != kReply || le32(all, 8) != 1) return not_mine();
  const std::size_t size = le32(all, 0);
  if (size < 36 || size > 65536) return not_mine();
  if (all.size() < std::min<std::size_t>(size, 4096) && !heard.ended) return more();
  std::string words = "MongoDB";
  const std::size_t wire = all.find(raw("\x10maxWireVersion\0"));
  if (wire != std::string_view::npos) {
    const std::uint32_t number = le32(all, wire + 16);
    const auto release = std::ranges::find(kWireVersions, number, &WireVersion::number);
    words += release == kWireVersions.end() ? ", wire version " + std::to_string(number)
                                            : " " + std::string(release->release);
  }
  const std::size_t set = all.find(raw("\x02setName\0"));
  if (set != std::string_view::npos) {
    const std::string_view name = all.substr(std::min(set + 9 + 4, all.size()));
    words += ", replica set " + quoted(name.substr(0, name.find('\0')), 40);
  }
  if (all.find("isdbgrid") != std::string_view::npos) words += ", a router of shards";
  return known("mongodb", std::move(words));
}

/// CONNECT of a protocol level that does not exist. A broker has to refuse that (MQTT 3.1.1,
/// 3.1.2.2): it tells itself, and no session comes into being. A level that exists would be a
/// login.
std::string ask_mqtt(const Asked&) {
  return raw("\x10\x0c\0\4MQTT\x7f\2\0\0\0\0");
}

Reading read_mqtt(const Heard& heard) {
  const std::string_view all = heard.bytes;
  if (byte_at(all, 0) != 0x20) return not_mine();
  if (all.size() < 4) return heard.ended ? not_mine() : more();
  const std::uint8_t code = byte_at(all, 3);
  if (byte_at(all, 1) == 2 && code <= 5) return known("mqtt", "MQTT 3.1.1 or before");
  if (byte_at(all, 1) < 16) return known("mqtt", "MQTT 5");
  return not_mine();
}

/// The root DSE, without a bind (RFC 4512 5.1): who made it, and what it holds.
std::string ask_ldap(const Asked&) {
  std::string wanted;
  for (const std::string_view name :
       {"vendorName", "vendorVersion", "namingContexts", "supportedLDAPVersion"}) {
    wanted += ber(0x04, name);
  }
  // Base "", scope base, never dereference, one entry, 5 s, values too, (objectClass=*).
  const std::string search = ber(0x04, "") + raw("\x0a\1\0\x0a\1\0\2\1\1\2\1\5\1\1\0") +
                             ber(0x87, "objectClass") + ber(0x30, wanted);
  return ber(0x30, raw("\2\1\1") + ber(0x63, search));
}

/// All values of an attribute of a search entry: its name as an octet string, then a set of them.
std::string ldap_values(std::string_view entry, std::string_view name) {
  const std::size_t at = entry.find(ber(0x04, name));
  if (at == std::string_view::npos) return {};
  BerReader values = BerReader(entry.substr(at + 2 + name.size())).inside(0x31);
  std::string out;
  for (int i = 0; i < 4; ++i) {
    const std::optional<std::string_view> value = values.take(0x04);
    if (!value) break;
    out += (out.empty() ? "" : ", ") + quoted(*value, 60);
  }
  return out;
}

Reading read_ldap(const Heard& heard) {
  const std::string_view all = heard.bytes;
  if (byte_at(all, 0) != 0x30) return not_mine();
  BerReader message = BerReader(all).inside(0x30);
  if (all.size() < 8) return heard.ended ? not_mine() : more();
  if (!message.take(0x02)) return not_mine();
  constexpr std::uint8_t kEntry = 0x64;
  constexpr std::uint8_t kDone = 0x65;
  const std::uint8_t kind = message.next();
  if (kind != kEntry && kind != kDone) return not_mine();
  const std::optional<std::size_t> whole = ber_size(all);
  if (whole && all.size() < *whole && !heard.ended) return more();
  std::string words = ldap_values(all, "vendorName");
  const std::string version = ldap_values(all, "vendorVersion");
  if (!version.empty()) words += (words.empty() ? "" : " ") + version;
  const std::string holds = ldap_values(all, "namingContexts");
  if (!holds.empty()) words += (words.empty() ? "holds " : ", holds ") + holds;
  if (words.empty()) words = kind == kDone ? "tells nothing to strangers" : "LDAP 3";
  return known("ldap", std::move(words), ber(0x30, raw("\2\1\2\x42\0")));
}

/// X.224 Connection Request with an RDP_NEG_REQ for TLS and CredSSP (MS-RDPBCGR 2.2.1.1).
std::string ask_rdp(const Asked&) {
  return raw("\3\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0");
}

Reading read_rdp(const Heard& heard) {
  const std::string_view all = heard.bytes;
  if (byte_at(all, 0) != 3 || byte_at(all, 1) != 0) return not_mine();
  if (all.size() < 11 || (all.size() < be16(all, 2) && !heard.ended)) {
    return heard.ended ? not_mine() : more();
  }
  if ((byte_at(all, 5) & 0xf0U) != 0xd0) return not_mine();
  constexpr std::uint8_t kResponse = 2;
  constexpr std::uint8_t kFailure = 3;
  const std::uint8_t kind = byte_at(all, 11);
  const std::uint8_t chosen = byte_at(all, 15);
  // 2.2.1.2.2: 2 is SSL_NOT_ALLOWED_BY_SERVER, 3 SSL_CERT_NOT_ON_SERVER.
  if (kind == kFailure && chosen == 3) return known("rdp", "has no certificate for TLS");
  if (kind == kFailure && chosen != 2) {
    return known("rdp", "refuses: failure " + std::to_string(chosen));
  }
  if (kind != kResponse) return known("rdp", "old security only");
  if (chosen == 0) return known("rdp", "old security");
  Reading reading = known("rdp", chosen == 1 ? "TLS" : "TLS and network level authentication");
  // Either begins with a handshake of TLS, and a server that waits for it in vain says so in its
  // log.
  reading.to_tls = true;
  return reading;
}

/// ApiVersions 0 with a correlation id of our own: brokers answer it before a login.
std::string ask_kafka(const Asked&) {
  return raw("\0\0\0\x0e\0\x12\0\0hark\0\4hark");
}

Reading read_kafka(const Heard& heard) {
  const std::string_view all = heard.bytes;
  if (all.size() < 14) return heard.ended ? not_mine() : more();
  if (all.substr(4, 4) != "hark" || be32(all, 0) > 65536) return not_mine();
  return known("kafka", "answers " + std::to_string(be32(all, 10)) + " kinds of requests");
}

/// PRELOGIN of TDS with VERSION alone (MS-TDS 2.2.6.5).
std::string ask_mssql(const Asked&) {
  return raw("\x12\1\0\x14\0\0\0\0\0\0\6\0\6\xff\0\0\0\0\0\0");
}

Reading read_mssql(const Heard& heard) {
  const std::string_view all = heard.bytes;
  if (byte_at(all, 0) != 4) return not_mine();
  if (all.size() < 19) return heard.ended ? not_mine() : more();
  constexpr std::size_t kHead = 8;
  if (byte_at(all, kHead) != 0) return not_mine();
  const std::size_t at = kHead + be16(all, kHead + 1);
  if (at + 4 > all.size()) return heard.ended ? not_mine() : more();
  return known("mssql", "SQL Server " + std::to_string(byte_at(all, at)) + '.' +
                            std::to_string(byte_at(all, at + 1)) + '.' +
                            std::to_string(be16(all, at + 2)));
}

/// OPTIONS, version 4 of the native protocol.
std::string ask_cassandra(const Asked&) {
  return raw("\4\0\0\0\5\0\0\0\0");
}

Reading read_cassandra(const Heard& heard) {
  const std::string_view all = heard.bytes;
  if ((byte_at(all, 0) & 0x80U) == 0) return not_mine();
  if (all.size() < 9) return heard.ended ? not_mine() : more();
  const std::uint8_t opcode = byte_at(all, 4);
  constexpr std::uint8_t kSupported = 6;
  if (opcode != kSupported && opcode != 0) return not_mine();
  return known("cassandra", "native protocol " + std::to_string(byte_at(all, 0) & 0x7fU));
}

/// RFC 1928: is "no authentication" one of your methods?
std::string ask_socks(const Asked&) {
  return raw("\5\1\0");
}

Reading read_socks(const Heard& heard) {
  if (byte_at(heard.bytes, 0) != 5) return not_mine();
  if (heard.bytes.size() < 2) return heard.ended ? not_mine() : more();
  if (heard.bytes.size() > 2) return not_mine();
  return known("socks", byte_at(heard.bytes, 1) == 0 ? "SOCKS 5, open to strangers"
                                                     : "SOCKS 5, wants a login");
}

std::string ask_dns(const Asked& asked) {
  const std::string question = dns_question(asked);
  std::string out;
  put_be16(out, static_cast<std::uint16_t>(question.size()));
  return out + question;
}

Reading read_dns(const Heard& heard) {
  const std::size_t size = be16(heard.bytes, 0);
  if (heard.bytes.size() < 2 || heard.bytes.size() < 2 + size) {
    return heard.ended ? not_mine() : more();
  }
  return read_dns_message({heard.bytes.substr(2, size), heard.port, heard.asked, true});
}

std::string ask_rpcbind(const Asked&) {
  return rpc_record(rpc_null(kRpcBind));
}

std::string ask_nfs(const Asked&) {
  return rpc_record(rpc_null(kRpcNfs));
}

Reading read_rpc(const Heard& heard) {
  if (heard.bytes.size() < 4 + 24) return heard.ended ? not_mine() : more();
  return read_rpc_reply({heard.bytes.substr(4), heard.port, heard.asked, true});
}

constexpr Probe kRows[] = {
    {"postgresql", ask_postgresql, read_postgresql},
    {"mongodb", ask_mongodb, read_mongodb},
    {"mqtt", ask_mqtt, read_mqtt},
    {"ldap", ask_ldap, read_ldap},
    {"rdp", ask_rdp, read_rdp},
    {"kafka", ask_kafka, read_kafka},
    {"mssql", ask_mssql, read_mssql},
    {"cassandra", ask_cassandra, read_cassandra},
    {"socks", ask_socks, read_socks},
    {"dns", ask_dns, read_dns},
    {"rpcbind", ask_rpcbind, read_rpc},
    {"nfs", ask_nfs, read_rpc},
};

}  // namespace

std::span<const Probe> frame_probes() {
  return kRows;
}

}  // namespace hark::probe
