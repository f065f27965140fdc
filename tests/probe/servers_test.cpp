// What hark says of real servers, and what they say of hark: in their logs stands a client that
// came and went, and their data is as before.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <set>

#include "base/unique_fd.h"
#include "server.h"

namespace hark::servers {
namespace {

using probe::Scheme;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr long kDay = 86400;

std::string nginx_config(const Folder& folder) {
  std::string out = "daemon off; master_process off; user root; pid " + folder.path("pid") +
                    "; error_log " + folder.path("error.log") +
                    " info; events {} http { access_log " + folder.path("access.log") +
                    " combined;";
  for (const char* const kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    out += std::string(kind) + "_temp_path " + folder.path(kind) + ";";
  }
  out += "server { listen 80; return 301 https://a.test$request_uri; }";
  for (const auto& [port, file] :
       {std::pair{"443", "good"}, {"8443", "expired"}, {"9443", "early"}}) {
    const std::string pem = folder.path(file);
    out += std::string("server { listen ") + port + " ssl; ssl_certificate " + pem +
           "; ssl_certificate_key " + pem + "; ssl_protocols TLSv1.2 TLSv1.3; return 204; }";
  }
  return out + "}";
}

TEST_F(ServersTest, Nginx) {
  NEEDS("nginx");
  const Folder folder;
  make_certificate(folder.path("good"), "a.test", -kDay, 30 * kDay + 60);
  make_certificate(folder.path("expired"), "a.test", -9 * kDay, -2 * kDay - 60);
  make_certificate(folder.path("early"), "a.test", 2 * kDay + 60, 9 * kDay);
  write_file(folder.path("conf"), nginx_config(folder));
  // Looked at from the first handshake of this process on (SSL_CTX_load_verify_dir(3)).
  ASSERT_EQ(::setenv("SSL_CERT_DIR", folder.path("trusted").c_str(), 1), 0);
  const std::string link = folder.path("trusted/" + hashed_name(folder.path("good")));
  ASSERT_EQ(run({"mkdir", folder.path("trusted")}), 0);
  ASSERT_EQ(run({"ln", "-s", folder.path("good"), link}), 0);
  Server server({"/usr/sbin/nginx", "-c", folder.path("conf"), "-e", folder.path("error.log")},
                folder.path("log"));
  server.wait_for(9443);

  EXPECT_THAT(words(talk(80)),
              StartsWith("http: 301 Moved Permanently to https://a.test/, server nginx/"));
  // Of an authority that this process trusts, and for the name: nothing to complain of.
  const auto good = talk(443, Scheme::Https, "a.test");
  EXPECT_THAT(words(good), StartsWith("https: 204 No Content, server nginx/"));
  EXPECT_THAT(words(good),
              HasSubstr("; TLS 1.3, TLS_AES_256_GCM_SHA384, ALPN http/1.1; certificate for "
                        "a.test, issued by a.test, valid 30 days more"));
  EXPECT_TRUE(good && !good->trouble);
  const auto other = talk(443, Scheme::Tls, "b.test");
  EXPECT_THAT(words(other), StartsWith("tls: certificate NOT FOR b.test; TLS 1.3, "));
  EXPECT_TRUE(other && other->trouble);
  EXPECT_THAT(words(talk(8443, Scheme::None, "a.test")),
              StartsWith("https: certificate EXPIRED 2 days ago, SELF-SIGNED; 204 "));
  EXPECT_THAT(words(talk(9443, Scheme::Tls, "a.test")),
              StartsWith("tls: certificate NOT YET VALID, begins in 2 days, SELF-SIGNED; TLS "));
  // TLS to plain text, and plain text to TLS.
  EXPECT_THAT(words(talk(80, Scheme::Https)), StartsWith("http: answers plain http, not TLS: "));
  EXPECT_THAT(words(talk(443, Scheme::Http)),
              StartsWith("https: asked in plain HTTP it wants TLS: 400 "));

  EXPECT_EQ(tried({"http://127.0.0.1/", "https://127.0.0.1/", "tls://127.0.0.1:9443"}),
            "127.0.0.1:80 answered application http true\n"
            "127.0.0.1:443 answered application https true\n"
            "127.0.0.1:9443 answered first-byte tls true\n");
  EXPECT_THAT(hark_test({"--verify", "https://127.0.0.1:8443"}, 1), HasSubstr("EXPIRED"));
  EXPECT_THAT(hark_test({"--verify", "https://127.0.0.1"}, 1), HasSubstr("NOT FOR 127.0.0.1"));
  EXPECT_THAT(hark_test({"--verify", "https://127.0.0.1:80"}, 1), HasSubstr("not TLS"));

  server.end(SIGQUIT);
  const std::string errors = read_file(folder.path("error.log"));
  for (const char* const word : {"[error]", "[crit]", "[alert]", "[emerg]"}) {
    EXPECT_THAT(errors, Not(HasSubstr(word)));
  }
  EXPECT_THAT(read_file(folder.path("access.log")), HasSubstr("\"GET / HTTP/1.1\" 301 "));
  EXPECT_THAT(read_file(folder.path("access.log")), HasSubstr("\"hark/"));
}

TEST_F(ServersTest, Redis) {
  NEEDS("redis-server");
  const Folder folder;
  Server open({"redis-server", "--port", "6379", "--dir", folder.path("")}, folder.path("open"));
  Server closed({"redis-server", "--port", "6380", "--dir", folder.path(""), "--requirepass", "x"},
                folder.path("closed"));
  Server elsewhere({"redis-server", "--port", "7777", "--dir", folder.path("")},
                   folder.path("other"));
  open.wait_for(6379);
  closed.wait_for(6380);
  elsewhere.wait_for(7777);
  EXPECT_THAT(ask(6379, "SET kept 1\r\n"), StartsWith("+OK"));
  const std::string changes = "rdb_changes_since_last_save:1\r\n";
  ASSERT_THAT(ask(6379, "INFO persistence\r\n"), HasSubstr(changes));

  EXPECT_THAT(words(talk(6379)), StartsWith("redis: Redis "));
  EXPECT_THAT(words(talk(6379)), HasSubstr("standalone, answers without a password"));
  EXPECT_EQ(words(talk(6380)), "redis: wants a password");
  EXPECT_THAT(words(talk(7777)), StartsWith("redis: answers without a password"));

  EXPECT_EQ(tried({"127.0.0.1:6379", "127.0.0.1:6380", "127.0.0.1:7777"}),
            "127.0.0.1:6379 answered application redis true\n"
            "127.0.0.1:6380 answered application redis true\n"
            "127.0.0.1:7777 answered application redis true\n");

  EXPECT_EQ(ask(6379, "DBSIZE\r\n"), ":1\r\n");
  EXPECT_THAT(ask(6379, "INFO persistence\r\n"), HasSubstr(changes));
  EXPECT_THAT(elsewhere.log(), Not(HasSubstr("SECURITY")));
  EXPECT_THAT(closed.log(), Not(HasSubstr("SECURITY")));
}

void postgres(bool tls) {
  const std::string bin = "/usr/lib/postgresql/15/bin/";
  NEEDS(bin + "postgres");
  const Folder folder;
  folder.give_to("postgres");
  const std::string data = folder.path("data");
  ASSERT_EQ(run({bin + "initdb", "-N", "-A", "scram-sha-256", "--pwfile=/etc/hostname", "-D", data},
                "postgres"),
            0);
  make_certificate(folder.path("pem"), "db.test", -kDay, 30 * kDay + 60);
  folder.give_to("postgres");
  const std::string pem = folder.path("pem");
  Server server({bin + "postgres", "-D", data, "-k", folder.path(""), "-c", "log_connections=off",
                 "-c", std::string("ssl=") + (tls ? "on" : "off"), "-c", "ssl_cert_file=" + pem,
                 "-c", "ssl_key_file=" + pem},
                folder.path("log"), "postgres");
  server.wait_for(5432);
  const std::string said = words(talk(5432, Scheme::None, "db.test"));
  if (tls) {
    EXPECT_THAT(said, StartsWith("postgresql: certificate SELF-SIGNED; offers TLS; TLS 1.3, "));
    EXPECT_THAT(said, HasSubstr("certificate for db.test, issued by db.test, valid 30 days more"));
  } else {
    EXPECT_EQ(said, "postgresql: without TLS");
  }
  EXPECT_EQ(tried({"127.0.0.1:5432"}), "127.0.0.1:5432 answered application postgresql true\n");
  server.end(SIGINT);
  for (const char* const word : {"FATAL", "ERROR", "could not accept", "incomplete", "invalid"}) {
    EXPECT_THAT(server.log(), Not(HasSubstr(word)));
  }
}

TEST_F(ServersTest, Postgresql) {
  postgres(false);
}

TEST_F(ServersTest, PostgresqlWithTls) {
  postgres(true);
}

TEST_F(ServersTest, Sshd) {
  NEEDS("sshd");
  const Folder folder;
  ASSERT_EQ(run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder.path("key")}), 0);
  write_file(folder.path("conf"), "ListenAddress 127.0.0.1\nPort 22\nHostKey " +
                                      folder.path("key") +
                                      "\nPidFile none\nUsePAM no\nLogLevel VERBOSE\n");
  ASSERT_EQ(run({"mkdir", "-p", "/run/sshd"}), 0);
  Server server({"/usr/sbin/sshd", "-D", "-e", "-f", folder.path("conf")}, folder.path("log"));
  server.wait_for(22);
  EXPECT_THAT(words(talk(22)), StartsWith("ssh: OpenSSH_"));
  EXPECT_EQ(tried({"127.0.0.1:22"}), "127.0.0.1:22 answered application ssh true\n");
  // Its children write the log: the connection that was only tried is another one.
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (server.log().find("Received disconnect from") == std::string::npos &&
         std::chrono::steady_clock::now() < limit) {
    ::poll(nullptr, 0, 10);
  }
  EXPECT_THAT(server.log(), HasSubstr("Received disconnect from 127.0.0.1"));
  EXPECT_THAT(server.log(), HasSubstr("hark only looked"));
}

TEST_F(ServersTest, Slapd) {
  NEEDS("slapd");
  const Folder folder;
  write_file(folder.path("conf"),
             "include /etc/ldap/schema/core.schema\npidfile " + folder.path("pid") + "\nargsfile " +
                 folder.path("args") +
                 "\nmodulepath /usr/lib/ldap\ndatabase ldif\nsuffix dc=example\n"
                 "directory " +
                 folder.path("") + "\n");
  Server server(
      {"/usr/sbin/slapd", "-f", folder.path("conf"), "-h", "ldap://127.0.0.1:389/", "-d", "stats"},
      folder.path("log"));
  server.wait_for(389);
  EXPECT_EQ(words(talk(389)), "ldap: holds dc=example");
  EXPECT_EQ(tried({"127.0.0.1:389"}), "127.0.0.1:389 answered application ldap true\n");
  server.end();
  EXPECT_THAT(server.log(), HasSubstr("UNBIND"));
  EXPECT_THAT(server.log(), Not(HasSubstr("BIND dn=")));
}

TEST_F(ServersTest, Dnsmasq) {
  NEEDS("dnsmasq");
  const Folder folder;
  Server server(
      {"/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
       "--no-hosts", "--user=root", "--pid-file=" + folder.path("pid"), "--log-facility=-"},
      folder.path("log"));
  server.wait_for(53);
  EXPECT_THAT(words(talk(53, Scheme::None, {}, Protocol::Udp)), StartsWith("dns: answers"));
  EXPECT_THAT(words(talk(53)), StartsWith("dns: answers"));
  EXPECT_EQ(tried({"udp/127.0.0.1:53", "127.0.0.1:53"}),
            "127.0.0.1:53 answered application dns true\n"
            "127.0.0.1:53 answered application dns true\n");
}

TEST_F(ServersTest, Chronyd) {
  NEEDS("chronyd");
  const Folder folder;
  Server server({"/usr/sbin/chronyd", "-x", "-d", "-u", "root", "local stratum 5", "allow",
                 "port 123", "cmdport 0", "bindcmdaddress /", "pidfile " + folder.path("pid")},
                folder.path("log"));
  server.wait_for_udp(123);
  EXPECT_EQ(words(talk(123, Scheme::None, {}, Protocol::Udp)), "ntp: stratum 5");
  EXPECT_EQ(tried({"udp/127.0.0.1:123"}), "127.0.0.1:123 answered application ntp true\n");
}

/// Every packet of this namespace while the object lives.
class Watch {
 public:
  Watch() : fd_(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL))) {
    EXPECT_TRUE(fd_.valid());
  }
  /// Ports and protocols of IP ("tcp 22 22"), each once: the server's, which are below 10,000.
  [[nodiscard]] std::set<std::string> seen() const {
    std::set<std::string> out;
    std::array<unsigned char, 2048> bytes{};
    ssize_t size = 0;
    while ((size = ::recv(fd_.get(), bytes.data(), bytes.size(), 0)) > 0) {
      if (size < 24 || bytes[0] >> 4 != 4) {
        out.insert("not IPv4");
        continue;
      }
      const std::size_t head = (bytes[0] & 0x0fU) * 4U;
      const auto port = [&](std::size_t at) { return bytes[at] * 256 + bytes[at + 1]; };
      const int number = std::min(port(head), port(head + 2));
      const bool error = bytes[9] == IPPROTO_ICMP;
      out.insert(error ? "icmp"
                       : (bytes[9] == IPPROTO_TCP ? "tcp " : "udp ") + std::to_string(number));
    }
    return out;
  }

 private:
  UniqueFd fd_;
};

/// Nothing is sent to anything but the targets.
TEST_F(ServersTest, NobodyElseIsAsked) {
  NEEDS("redis-server");
  const Folder folder;
  Server server({"redis-server", "--port", "6379", "--save", ""}, folder.path("log"));
  server.wait_for(6379);
  const Watch watch;
  EXPECT_EQ(run({"sh", "-c",
                 HARK_TEST_PROGRAM " test --timeout 1 127.0.0.1:6379 127.0.0.1:7998 "
                                   "udp/127.0.0.1:7999 http://127.0.0.1:7997 > /dev/null"}),
            1);
  EXPECT_THAT(watch.seen(),
              testing::ElementsAre("icmp", "tcp 6379", "tcp 7997", "tcp 7998", "udp 7999"));
}

/// TLS to an open socket that is silent, and to a mute one.
TEST_F(ServersTest, NobodyThere) {
  EXPECT_EQ(words(talk(9, Scheme::Https)), "nothing");
  EXPECT_EQ(words(talk(514, Scheme::None, {}, Protocol::Udp)), "nothing");
}

}  // namespace
}  // namespace hark::servers
