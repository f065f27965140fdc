#include "diagnose/explain.h"

#include <gtest/gtest.h>

#include <set>

namespace hark::diagnose {
namespace {

struct Row {
  std::string_view message;
  std::string_view code;
  std::string_view host = "";
  int port = 0;
};

/// As the programs print them.
constexpr Row kMessages[] = {
    {"ECONNREFUSED", "ECONNREFUSED"},
    {"econnrefused", "ECONNREFUSED"},
    {"111", "ECONNREFUSED"},
    {"[Errno 113] No route to host", "EHOSTUNREACH"},
    {"Too many open files in system", "ENFILE"},
    {"EXDEV", "EXDEV"},
    {"curl: (7) Failed to connect to web.lan port 80 after 0 ms: Couldn't connect to server",
     "ECONNREFUSED", "web.lan", 80},
    {"curl: (7) Failed to connect to 10.0.0.5 port 80 after 3 ms: No route to host", "EHOSTUNREACH",
     "10.0.0.5", 80},
    {"curl: (28) Failed to connect to 10.0.0.5 port 443 after 130000 ms: Connection timed out",
     "ETIMEDOUT", "10.0.0.5", 443},
    {"curl: (6) Could not resolve host: nosuch.lan", "name-not-found", "nosuch.lan", 0},
    {"curl: (52) Empty reply from server", "closed-early"},
    {"curl: (35) error:0A00010B:SSL routines::wrong version number", "tls-to-plain"},
    {"curl: (60) SSL certificate problem: certificate has expired", "tls-expired"},
    {"ssh: connect to host 10.0.0.5 port 22: Connection refused", "ECONNREFUSED", "10.0.0.5", 22},
    {"ssh: connect to host fe80::1 port 2222: Network is unreachable", "ENETUNREACH", "fe80::1",
     2222},
    {"ssh: Could not resolve hostname x: Name or service not known", "name-not-found"},
    {"kex_exchange_identification: Connection closed by remote host", "closed-early"},
    {"user@web: Permission denied (publickey).", "login-refused"},
    {"nc: connect to 10.0.0.5 port 80 (tcp) failed: Connection refused", "ECONNREFUSED", "10.0.0.5",
     80},
    {"Connecting to web (web)|10.0.0.5|:8080... failed: Connection refused.", "ECONNREFUSED",
     "10.0.0.5", 8080},
    {"psql: error: connection to server at \"127.0.0.1\", port 5432 failed: Connection refused",
     "ECONNREFUSED", "127.0.0.1", 5432},
    {"psql: error: FATAL:  no pg_hba.conf entry for host \"10.0.0.9\", user \"a\"",
     "client-refused", "10.0.0.9", 0},
    {"Could not connect to Redis at 127.0.0.1:6379: Connection refused", "ECONNREFUSED",
     "127.0.0.1", 6379},
    {"ERROR 2002 (HY000): Can't connect to local MySQL server through socket '/run/x.sock' (2)",
     "ENOENT"},
    {"ERROR 2003 (HY000): Can't connect to MySQL server on 'db.lan:3306' (111)", "ECONNREFUSED",
     "db.lan", 3306},
    {"fatal: unable to access 'https://git.lan/x.git/': Failed to connect to git.lan port 443: "
     "Connection timed out",
     "ETIMEDOUT", "git.lan", 443},
    {"dial tcp 10.0.0.5:443: connect: connection refused", "ECONNREFUSED", "10.0.0.5", 443},
    {"dial tcp [fd00::5]:443: i/o timeout", "ETIMEDOUT", "fd00::5", 443},
    {"Error: connect ECONNREFUSED 127.0.0.1:3000", "ECONNREFUSED", "127.0.0.1", 3000},
    {"java.net.ConnectException: Connection refused", "ECONNREFUSED"},
    {"net::ERR_CONNECTION_RESET at https://web.lan:8443/x", "ECONNRESET", "web.lan", 8443},
    {"From 10.0.0.1 icmp_seq=1 Destination Host Unreachable", "EHOSTUNREACH", "10.0.0.1", 0},
    {"ping: sendmsg: Operation not permitted", "EPERM"},
    {"bind: Address already in use", "EADDRINUSE"},
    {"nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)", "EADDRINUSE",
     "0.0.0.0", 80},
    {"client_loop: send disconnect: Broken pipe", "EPIPE"},
    {"<html><head><title>502 Bad Gateway</title></head>", "bad-gateway"},
};

TEST(Explain, MessagesOfPrograms) {
  for (const Row& row : kMessages) {
    const Explained known = explain(row.message);
    EXPECT_EQ(known.code, row.code) << row.message;
    EXPECT_FALSE(known.means.empty()) << row.message;
    EXPECT_EQ(known.target.host, row.host) << row.message;
    EXPECT_EQ(known.target.port.value_or(0), row.port) << row.message;
    EXPECT_TRUE(known.near.empty());
  }
}

TEST(Explain, TheTargetIsInTheNextQuestions) {
  const Explained refused = explain("ssh: connect to host fd00::5 port 22: Connection refused");
  ASSERT_EQ(refused.next.size(), 3U);
  EXPECT_EQ(refused.next[0].command, "hark why 22");
  EXPECT_EQ(refused.next[2].command, "hark test [fd00::5]:22");
  EXPECT_EQ(explain("ETIMEDOUT").next[0].command, "hark test HOST:PORT");
}

TEST(Explain, WhatIsNotKnownHasTheNearest) {
  const Explained typo = explain("ECONREFUSED");
  EXPECT_EQ(typo.code, "");
  ASSERT_FALSE(typo.near.empty());
  EXPECT_EQ(typo.near.front(), "ECONNREFUSED: Connection refused");
  EXPECT_EQ(explain("").code, "");
  EXPECT_EQ(explain("2147483648").code, "");
  EXPECT_EQ(explain("0").code, "");
  EXPECT_EQ(explain(std::string(100000, ':')).code, "");
}

/// Every row leads somewhere, and no row hides behind an earlier one that it contains.
TEST(Explain, TablesHold) {
  std::set<std::string_view> codes;
  for (const ErrorMeaning& row : error_meanings()) {
    EXPECT_TRUE(codes.insert(row.code).second) << row.code;
    EXPECT_FALSE(row.next.empty()) << row.code;
    if (row.number != 0) {
      EXPECT_EQ(explain(std::to_string(row.number)).code, row.code);
    }
  }
  for (const std::span<const MessageRow> rows : {message_rows(), vague_message_rows()}) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_NE(meaning_of(rows[i].code), nullptr) << rows[i].text;
      for (std::size_t j = 0; j < i; ++j) {
        const bool hidden = rows[i].text.find(rows[j].text) != std::string_view::npos;
        EXPECT_TRUE(!hidden || rows[i].code == rows[j].code) << rows[i].text;
      }
    }
  }
}

}  // namespace
}  // namespace hark::diagnose
