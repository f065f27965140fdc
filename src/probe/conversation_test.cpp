#include "probe/conversation.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "probe/frames.h"
#include "probe/probes.h"

namespace hark::probe {
namespace {

Asked tcp(std::uint16_t port, Scheme scheme = Scheme::None) {
  Asked asked;
  asked.address = *IpAddress::parse("127.0.0.1");
  asked.port = port;
  asked.scheme = scheme;
  return asked;
}

Asked udp(std::uint16_t port) {
  Asked asked = tcp(port);
  asked.protocol = Protocol::Udp;
  return asked;
}

struct Played {
  std::string words;  ///< "protocol: detail"
  std::string sent;
  bool trouble = false;
};

/// Plays a server that says these pieces, one to each of our turns, whole or byte by byte, and then
/// closes. An empty piece: it waits.
Played play(const Asked& asked, const std::vector<std::string>& says, bool dripping = false) {
  Conversation talk(asked);
  Played out;
  talk.begin();
  std::size_t next = 0;
  for (int turns = 0; turns < 20 && !talk.finished(); ++turns) {
    out.sent += talk.take_output();
    if (next >= says.size()) {
      talk.end_of_stream();
      continue;
    }
    const std::string& piece = says[next++];
    if (piece.empty()) {
      talk.quiet();
    } else if (dripping) {
      for (const char byte : piece) talk.receive(std::string_view(&byte, 1));
    } else {
      talk.receive(piece);
    }
  }
  EXPECT_TRUE(talk.finished());
  out.sent += talk.take_output();
  const std::optional<Service> service = talk.service();
  if (service) {
    out.words = service->protocol + ": " + service->detail;
    out.trouble = service->trouble;
  }
  return out;
}

struct Row {
  std::uint16_t port = 0;
  std::vector<std::string> says;
  std::string words;
  std::string sent;  ///< has to be among what was sent; empty: nothing at all may be sent
};

void expect_rows(const std::vector<Row>& rows, bool also_dripping) {
  for (const Row& row : rows) {
    for (const bool dripping : {false, true}) {
      if (dripping && !also_dripping) continue;
      const Played played = play(tcp(row.port), row.says, dripping);
      EXPECT_EQ(played.words, row.words) << row.port << (dripping ? " dripping" : "");
      EXPECT_NE(played.sent.find(row.sent), std::string::npos) << row.port << ": " << played.sent;
      EXPECT_TRUE(!row.sent.empty() || played.sent.empty()) << row.port << ": " << played.sent;
    }
  }
}

/// A MySQL packet number 0.
std::string mysql(const std::string& payload) {
  return std::string(1, static_cast<char>(payload.size())) + raw("\0\0\0") + payload;
}

const std::string kMysqlTail = raw("\1\0\0\0saltsalt\0\xff\xff\x08\2\0") + std::string(30, 'x');

TEST(Conversation, ThoseThatSpeakFirstAreKnownByTheirGreeting) {
  expect_rows(
      {
          {22,
           {"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"},
           "ssh: OpenSSH_9.2p1 Debian-2",
           "SSH-2.0-hark"},
          {9999,
           {"Welcome\r\nSSH-1.99-Cisco\r\n"},
           "ssh: Cisco, protocol 1.99",
           "SSH-2.0-hark\r\n"},
          {80, {"SSH-2.0-dropbear\r\n"}, "ssh: dropbear", "SSH-2.0-hark\r\n"},
          {25,
           {"220 mx.example ESMTP Postfix\r\n",
            "250-mx.example\r\n250-STARTTLS\r\n250 8BITMIME\r\n"},
           "smtp: 220 mx.example ESMTP Postfix, offers STARTTLS",
           "EHLO hark.invalid\r\nQUIT\r\n"},
          {25, {"554 no\r\n"}, "smtp: 554 no", "QUIT\r\n"},
          {21,
           {"220 (vsFTPd 3.0.3)\r\n", "211-Features:\r\n AUTH TLS\r\n211 End\r\n"},
           "ftp: 220 (vsFTPd 3.0.3), offers STARTTLS",
           "FEAT\r\nQUIT\r\n"},
          {7777, {"220 hello\r\n"}, "smtp or ftp: 220 hello", "QUIT\r\n"},
          {119, {"200 news\r\n", "101 here\r\nVERSION 2\r\n.\r\n"}, "nntp: 200 news", "QUIT\r\n"},
          {110,
           {"+OK Dovecot ready.\r\n", "+OK\r\nSTLS\r\n.\r\n"},
           "pop3: Dovecot ready., offers STARTTLS",
           "CAPA\r\nQUIT\r\n"},
          {143,
           {"* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.\r\n"},
           "imap: Dovecot ready., offers STARTTLS",
           "b LOGOUT\r\n"},
          {143, {"* OK hello\r\n", "* CAPABILITY IMAP4\r\na OK done\r\n"}, "imap: hello", "a CAPA"},
          {3306,
           {mysql("\x0a" + raw("5.5.5-10.11.6-MariaDB\0") + kMysqlTail)},
           "mysql: MariaDB 10.11.6-MariaDB, offers TLS",
           ""},
          {3306,
           {mysql(raw("\xff\x6a\x04Host 'a' is not allowed"))},
           "mysql: refuses this client: error 1130: Host 'a' is not allowed",
           ""},
          {5900, {"RFB 003.008\n"}, "vnc: RFB 003.008", ""},
          {873, {"@RSYNCD: 31.0\n"}, "rsync: protocol 31.0", ""},
          {23, {"\xff\xfd\x18\xff\xfd\x20login: "}, "telnet: login: ", ""},
          {6667, {":irc.example NOTICE * :*** Looking up\r\n"}, "irc: irc.example", "QUIT\r\n"},
          {4222, {"INFO {\"server_id\":\"N\",\"version\":\"2.10.1\"} \r\n"}, "nats: 2.10.1", ""},
          {6379,
           {"-DENIED Redis is running in protected mode\r\n"},
           "redis: protected mode: refuses all but loopback",
           ""},
      },
      false);
}

TEST(Conversation, ThoseThatWaitAreAskedByTheirPort) {
  const std::string info = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n";
  expect_rows(
      {
          {80,
           {"", "HTTP/1.1 301 Moved\r\nServer: nginx\r\nLocation: https://a.example/\r\n\r\n"},
           "http: 301 Moved to https://a.example/, server nginx",
           "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"},
          {9200,
           {"",
            "HTTP/1.1 200 OK\r\nX-elastic-product: Elasticsearch\r\nContent-Type: application/json"
            "\r\nContent-Length: 35\r\n\r\n{\"version\" : {\"number\" : \"8.11.1\" }}"},
           "http: Elasticsearch 8.11.1: 200 OK",
           "Host: 127.0.0.1:9200\r\n"},
          {2379,
           {"", "HTTP/1.1 200 OK\r\n\r\n{\"etcdserver\":\"3.5.9\",\"etcdcluster\":\"3.5.0\"}"},
           "http: etcd 3.5.9: 200 OK",
           "GET /version "},
          {6379,
           {"", "$" + std::to_string(info.size()) + "\r\n" + info + "\r\n"},
           "redis: Redis 7.0.15, standalone, answers without a password",
           "INFO server\r\n"},
          {6379, {"", "-NOAUTH Authentication required.\r\n"}, "redis: wants a password", "INFO"},
          {4567,
           {"", "-ERR wrong number of arguments for 'get' command\r\n"},
           "redis: answers without a password",
           "GET / HTTP/1.0\r\n\r\n"},
          {11211, {"", "VERSION 1.6.18\r\n"}, "memcached: 1.6.18", "version\r\nquit\r\n"},
          {5432, {"", "N"}, "postgresql: without TLS", raw("\0\0\0\x08\x04\xd2\x16\x2f")},
          {27017,
           {"", raw("\x45\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0"
                    "\x21\0\0\0\x10maxWireVersion\0\x11\0\0\0\x08ok\0\1\0\0\0\0\0\0\0")},
           "mongodb: MongoDB 6.0",
           "isMaster"},
          {1883, {"", raw("\x20\2\0\1")}, "mqtt: MQTT 3.1.1 or before", "MQTT\x7f"},
          {389,
           {"", ber(0x30,
                    raw("\2\1\1") +
                        ber(0x64, ber(4, "") +
                                      ber(0x30, ber(0x30, ber(4, "namingContexts") +
                                                              ber(0x31, ber(4, "dc=example"))))))},
           "ldap: holds dc=example",
           raw("\x30\5\2\1\2\x42\0")},
          {3389,
           {"", raw("\3\0\0\x13\x0e\xd0\0\0\x12\x34\0\2\x1f\x08\0\2\0\0\0")},
           "rdp: TLS and network level authentication",
           raw("\3\0\0\x13")},
          {3389,
           {"", raw("\3\0\0\x13\x0e\xd0\0\0\x12\x34\0\3\0\x08\0\3\0\0\0")},
           "rdp: has no certificate for TLS",
           raw("\3\0\0\x13")},
          {9092,
           {"", raw("\0\0\0\x0ahark\0\0\0\0\0\x2a")},
           "kafka: answers 42 kinds of requests",
           "hark"},
          {1433,
           {"", raw("\4\1\0\x1a\0\0\1\0\0\0\x06\0\6\xff\x10\0\x03\xe8\0\0")},
           "mssql: SQL Server 16.0.1000",
           raw("\x12\1\0\x14")},
          {9042,
           {"", raw("\x84\0\0\0\6\0\0\0\2\0\0")},
           "cassandra: native protocol 4",
           raw("\4\0\0\0\5")},
          {1080, {"", raw("\5\0")}, "socks: SOCKS 5, open to strangers", raw("\5\1\0")},
          {5672, {"", raw("AMQP\0\0\x09\x01")}, "amqp: speaks version 0-9-1", "AMQP"},
          {50051,
           {"", raw("\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64")},
           "http2: HTTP/2 without TLS, as gRPC speaks it",
           "PRI * HTTP/2.0"},
          {2181,
           {"", "Zookeeper version: 3.8.0-5a, built on 2022\nMode: standalone\n"},
           "zookeeper: 3.8.0-5a, built on 2022, standalone",
           "srvr"},
          {53,
           {"", raw("\0\x11\x48\x61\x80\x85\0\1\0\0\0\0\0\0\0\0\2\0\1")},
           "dns: answers: refused, looks names up for others (RA)",
           raw("\0\x11\x48\x61")},
          {111,
           {"", raw("\x80\0\0\x18\x68\x61\x72\x6b\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")},
           "rpcbind: answers",
           raw("\x68\x61\x72\x6b")},
          {554,
           {"", "RTSP/1.0 200 OK\r\nServer: GStreamer\r\n\r\n"},
           "rtsp: 200 OK, server GStreamer",
           "OPTIONS rtsp://"},
      },
      true);
}

TEST(Conversation, AnUnknownPortIsAskedOnceAndOnlyIfSilent) {
  expect_rows(
      {
          {4567, {"", "HTTP/1.0 200 OK\r\n\r\n"}, "http: 200 OK", "GET / HTTP/1.0\r\n\r\n"},
          {4567, {"hello there\r\n"}, "unknown: says hello there", ""},
          {4567, {"", "\x1b[2Jevil\r\n"}, "unknown: says ?[2Jevil", "GET / "},
          {4567,
           {"", raw("\x15\3\3\0\2\2\x46")},
           "tls: speaks TLS: plain text is answered by a TLS alert",
           "GET"},
          {4567,
           {"",
            "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n<center>The plain HTTP request "
            "was sent to HTTPS port</center>"},
           "https: asked in plain HTTP it wants TLS: 400 Bad Request, server nginx",
           "GET"},
      },
      true);
  EXPECT_EQ(play(tcp(80), {"", ""}).words, "");
  EXPECT_EQ(play(tcp(22), {""}).sent, "");
}

TEST(Conversation, PlainTextWhereTlsIsAskedIsTrouble) {
  const Played http = play(tcp(8443, Scheme::Https), {"HTTP/1.1 400 Bad Request\r\n\r\n"});
  EXPECT_EQ(http.words, "http: answers plain http, not TLS: 400 Bad Request");
  EXPECT_TRUE(http.trouble);
  const Played ssh = play(tcp(443, Scheme::Tls), {"SSH-2.0-x\r\n"});
  EXPECT_EQ(ssh.words, "ssh: answers plain ssh, not TLS: x");
  // The port alone promises nothing: whoever speaks first there is not asked for TLS.
  const Played quiet = play(tcp(443), {"SSH-2.0-x\r\n"});
  EXPECT_EQ(quiet.words, "ssh: x");
  EXPECT_FALSE(quiet.trouble);
}

TEST(Conversation, NothingOfAUrlEndsTheLineOfARequest) {
  Asked asked = tcp(80, Scheme::Http);
  asked.host = "a.example\r\nX: y";
  asked.path = "/a b\r\nEvil: 1";
  const std::string sent = play(asked, {"HTTP/1.1 200 OK\r\n\r\n"}).sent;
  EXPECT_EQ(sent.find("\nEvil"), std::string::npos);
  EXPECT_EQ(sent.find("\nX:"), std::string::npos);
  EXPECT_EQ(sent.substr(0, 30), "GET /a%20b%0D%0AEvil:%201 HTTP");
}

TEST(Conversation, UdpQuestionsAndAnswers) {
  const std::vector<Row> rows = {
      {53,
       {raw("\x48\x61\x84\x05\0\1\0\0\0\0\0\0\0\0\2\0\1")},
       "dns: answers: refused, does not look names up for others, authoritative for the root",
       raw("\x48\x61\0\0")},
      {123,
       {raw("\x24\1\0\0\0\0\0\0\0\0\0\0GPS\0") + std::string(32, 'x')},
       "ntp: stratum 1, GPS",
       "\x23"},
      {123, {"\xe4" + std::string(47, '\0')}, "ntp: refuses: ", "\x23"},
      {161,
       {ber(0x30,
            raw("\2\1\3") + ber(0x30, raw("\2\1\1")) +
                ber(4, ber(0x30, ber(4, raw("\x80\0\x1f\x88\x80x")) + raw("\2\1\7\2\2\1\0"))))},
       "snmp: SNMP 3, Net-SNMP, started 7 times, up 256 s",
       raw("\2\1\3")},
      {3478,
       {raw("\1\1\0\x0c\x21\x12\xa4\x42hark-binding\0\x20\0\x08\0\1\x21\x12\x2b\x12\xa4\x43")},
       "stun: sees this client as 10.0.0.1:0",
       raw("\0\1\0\0\x21\x12\xa4\x42")},
      {443,
       {raw("\x80\0\0\0\0\x08hark-src\x08hark-dst\0\0\0\1\x6b\x33\x43\xcf\x1a\x2a\x3a\x4a")},
       "quic: versions 1, 2",
       raw("\xc0\x1a\x2a\x3a\x4a")},
      {11211,
       {raw("\x68\x6b\0\0\0\1\0\0VERSION 1.6.18\r\n")},
       "memcached: 1.6.18, open over UDP, which others misuse to flood",
       "version\r\n"},
      {5683, {raw("\x70\0hk")}, "coap: CoAP 1", raw("\x40\0hk")},
      {5353, {raw("\0\0\x84\0\0\0\0\3\0\0\0\0")}, "mdns: answers with 3 records", "_dns-sd"},
      {53, {"what?"}, "unknown: answers 5 bytes that are no dns", "H"},
  };
  for (const Row& row : rows) {
    const Played played = play(udp(row.port), row.says);
    EXPECT_EQ(played.words, row.words);
    EXPECT_NE(played.sent.find(row.sent), std::string::npos);
  }
  // Lost datagrams are sent again, three times in all.
  const Played lost = play(udp(5683), {"", "", "", ""});
  EXPECT_EQ(lost.sent.size(), 12U);
  EXPECT_EQ(lost.words, "");
}

TEST(Conversation, UdpPortsWithoutAQuestionAreSilentByNature) {
  EXPECT_TRUE(Conversation(udp(514)).silent_by_nature());
  EXPECT_FALSE(Conversation(udp(53)).silent_by_nature());
  EXPECT_FALSE(Conversation(tcp(514)).silent_by_nature());
  EXPECT_EQ(play(udp(514), {""}).sent, "");
}

/// Whatever comes, of whatever size, a conversation ends and its words stay short and harmless.
TEST(Conversation, EndsWhateverComes) {
  for (const int number : {22, 25, 80, 110, 143, 389, 443, 3306, 5432, 6379, 27017, 4567}) {
    for (const char byte : {'\0', '0', '*', '+', '-', 'H', 'S', '\n', '\xff', '\x30'}) {
      const auto port = static_cast<std::uint16_t>(number);
      Conversation talk(tcp(port));
      talk.begin();
      // Who is waited for long is one that speaks first: its silence would be the end.
      if (talk.patience() < std::chrono::seconds(2)) talk.quiet();
      int calls = 0;
      while (!talk.finished() && ++calls < 100) talk.receive(std::string(1000, byte));
      EXPECT_TRUE(talk.finished()) << port << ' ' << byte;
      const std::optional<Service> service = talk.service();
      ASSERT_TRUE(service) << port << ' ' << int{byte};
      EXPECT_LT(service->detail.size(), 600U);
    }
  }
}

}  // namespace
}  // namespace hark::probe
