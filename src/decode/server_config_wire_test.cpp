#include <gtest/gtest.h>

#include "decode/endpoint.h"
#include "decode/server_config.h"
#include "decode/services.h"

namespace hark::decode {
namespace {

/// "12 listen 80\n", a line each.
std::string told(ServerFormat format, std::string_view file) {
  constexpr const char* kNames[] = {"listen", "port", "address", "include",
                                    "folder", "root", "off"};
  std::string out;
  for (const ServerSetting& one : decode_server_config(format, as_bytes(file))) {
    out += std::to_string(one.line) + " " + kNames[static_cast<std::size_t>(one.kind)] + " " +
           one.value + (one.protocol == Protocol::Udp ? " udp\n" : "\n");
  }
  return out;
}

TEST(ServerConfig, SshdUpToTheFirstMatch) {
  const char* file =
      "# Port 21\n"
      "Port 22\n"
      "port=2222 # and this\n"
      "ListenAddress \"::1\"\n"
      "Include /etc/ssh/sshd_config.d/*.conf more.conf\n"
      "Match User git\n"
      "  Port 23\n";
  EXPECT_EQ(told(ServerFormat::Sshd, file),
            "2 port 22\n3 port 2222\n4 listen ::1\n5 include /etc/ssh/sshd_config.d/*.conf\n"
            "5 include more.conf\n");
}

TEST(ServerConfig, NginxListensInServersAlone) {
  const char* file =
      "events { worker_connections 768; }\n"
      "http {\n"
      "  include /etc/nginx/conf.d/*.conf; # listen 1;\n"
      "  map $host $x { default 80; listen 2; }\n"
      "  server {\n"
      "    listen\n"
      "      [::]:80 default_server;\n"
      "    listen 443 quic reuseport; listen \"8080\" ssl;\n"
      "    location ~ \"^/[a-z]{2}$\" { return 200 'listen 3;'; }\n"
      "    listen unix:/run/x.sock;\n"
      "  }\n"
      "}\n"
      "stream { server { listen 53 udp; proxy_pass 10.0.0.1:53; } }\n";
  EXPECT_EQ(told(ServerFormat::Nginx, file),
            "3 include /etc/nginx/conf.d/*.conf\n6 listen [::]:80\n8 listen 443 udp\n"
            "8 listen 8080\n10 listen unix:/run/x.sock\n13 listen 53 udp\n");
}

TEST(ServerConfig, ApacheWithoutConditions) {
  const char* file =
      "ServerRoot \"/etc/apache2\"\n"
      "Listen 80\n"
      "<IfModule ssl_module>\n"
      "  Listen 443\n"
      "</IfModule>\n"
      "<VirtualHost *:80>\n"
      "</VirtualHost>\n"
      "Listen 127.0.0.1:8080 http\n"
      "Listen ${PORT}\n"
      "IncludeOptional sites-enabled/*.conf\n";
  EXPECT_EQ(told(ServerFormat::Apache, file),
            "1 root /etc/apache2\n2 listen 80\n8 listen 127.0.0.1:8080\n"
            "10 include sites-enabled/*.conf\n");
}

TEST(ServerConfig, PostgresAssigns) {
  const char* file =
      "#port = 5432\n"
      "port = 5433\t\t# (change requires restart)\n"
      "listen_addresses = 'localhost, 10.0.0.5'\n"
      "password_encryption = scram-sha-256\n"
      "include_dir 'conf.d'\n";
  EXPECT_EQ(told(ServerFormat::Postgres, file),
            "2 port 5433\n3 address localhost\n3 address 10.0.0.5\n5 folder conf.d\n");
}

TEST(ServerConfig, RedisBindsToEachWord) {
  EXPECT_EQ(told(ServerFormat::Redis, "bind 127.0.0.1 -::1\nport 6380\nrequirepass x\n"),
            "1 address 127.0.0.1\n1 address -::1\n2 port 6380\n");
}

TEST(ServerConfig, MysqlsServerGroups) {
  const char* file =
      "[client]\nport = 3307\n"
      "[mysqld]\nport=3308\nbind_address = 10.0.0.1\n"
      "[mysqldump]\nport=1\n"
      "!includedir /etc/mysql/conf.d/\n"
      "[mariadb-10.11]\nskip-networking\n";
  EXPECT_EQ(told(ServerFormat::Mysql, file),
            "4 port 3308\n5 address 10.0.0.1\n8 folder /etc/mysql/conf.d/\n10 off \n");
  EXPECT_EQ(told(ServerFormat::Mysql, "[mysqld]\nskip_networking = OFF\n"), "");
}

TEST(ServerConfig, HaproxyBindsOfFrontends) {
  const char* file =
      "global\n  stats socket /run/h.sock\n"
      "defaults\n  mode http\n"
      "frontend web\n  bind *:80,10.0.0.1:81 ssl crt /etc/x.pem\n  bind \"$ADDR\":82\n"
      "  bind unix@/run/x\n"
      "listen off\n  bind :83\n  disabled\n"
      "listen stats\n  bind :84\n"
      "backend app\n  bind :85\n  server a 10.0.0.2:80\n";
  EXPECT_EQ(told(ServerFormat::Haproxy, file),
            "6 listen *:80\n6 listen 10.0.0.1:81\n13 listen :84\n");
}

TEST(ServerConfig, NothingElseIsKept) {
  const char* file =
      "requirepass secret\nport 6380 # secret\n"
      "server { listen 80; auth_basic secret; location / { proxy_pass secret; } }\n"
      "  server web 10.0.0.1:80 cookie secret\n[mysqld]\npassword=secret\nbind_address=::1\n";
  const std::string kept(as_text(without_other_settings(as_bytes(std::string_view(file)))));
  EXPECT_EQ(kept,
            "\nport 6380 \n"
            "server { listen 80;;{;}}\n"
            "\n[mysqld]\n\nbind_address=::1\n");
  EXPECT_EQ(told(ServerFormat::Nginx, kept.substr(kept.find("server"))), "1 listen 80\n");
  EXPECT_EQ(told(ServerFormat::Mysql, kept), told(ServerFormat::Mysql, file));
}

TEST(ServerConfig, WorkIsBounded) {
  std::string many;
  for (int i = 0; i < 10000; ++i) many += "port 1\n";
  EXPECT_EQ(decode_server_config(ServerFormat::Redis, as_bytes(many)).size(), kMostServerSettings);
  const std::string deep = std::string(100000, '{') + "listen 1;";
  EXPECT_EQ(told(ServerFormat::Nginx, deep), "");
  EXPECT_EQ(told(ServerFormat::Redis, "include " + std::string(300, 'a') + "\n"), "");
}

TEST(SplitEndpoint, Forms) {
  const auto words = [](std::string_view text) {
    const auto out = split_endpoint(text);
    return out ? std::string(out->host) + "|" + std::string(out->port) : std::string("-");
  };
  EXPECT_EQ(words("1.2.3.4:80"), "1.2.3.4|80");
  EXPECT_EQ(words("[::1]:80"), "::1|80");
  EXPECT_EQ(words("*:http"), "*|http");
  EXPECT_EQ(words(":80"), "|80");
  EXPECT_EQ(words("[::]"), "::|");
  EXPECT_EQ(words("fe80::1"), "fe80::1|");
  EXPECT_EQ(words("localhost"), "localhost|");
  EXPECT_EQ(words("80"), "80|");
  for (const char* none : {"", ":", "a:", "[::1", "[::1]x", "[1.2.3.4]:80", "a:b:c", "http://a:80",
                           "a b:80", "unix:/run/x", "[::1]:"}) {
    EXPECT_EQ(words(none), "-") << none;
  }
}

TEST(Services, NamesAndAliases) {
  const auto all = decode_services(as_bytes(std::string_view(
      "# a comment\nhttp\t\t80/tcp\t\twww\t# WorldWideWeb\ndomain 53/udp\nhttp 81/tcp\n"
      "sctp-only 9/sctp\nbad x/tcp\nzero 0/tcp\n")));
  EXPECT_EQ(all, (std::map<std::string, std::uint16_t>{{"domain", 53}, {"http", 80}, {"www", 80}}));
}

}  // namespace
}  // namespace hark::decode
