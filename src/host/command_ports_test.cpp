#include "host/command_ports.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hark::host {
namespace {

/// "0.0.0.0|80 |81": the ports that a command line declares; its first word is the program.
std::string ports(const std::string& line) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (at < line.size()) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  std::string out;
  for (const CommandPort& one : ports_of_command(words.front(), words)) {
    out += (out.empty() ? "" : " ") + one.host + "|" + one.port;
  }
  return out;
}

TEST(CommandPorts, WordsThatSpeakOfPorts) {
  EXPECT_EQ(ports("web --port 8080"), "|8080");
  EXPECT_EQ(ports("web --port=8080"), "|8080");
  EXPECT_EQ(ports("web -port 8080"), "|8080");
  EXPECT_EQ(ports("web --http_port=80 --https-port 443"), "|80 |443");
  EXPECT_EQ(ports("billing.jar -Dserver.port=8080 --server.port=8081"), "|8080 |8081");
  EXPECT_EQ(ports("web --listen 10.0.0.5:80"), "10.0.0.5|80");
  EXPECT_EQ(ports("web --listen=:80,[::1]:81"), "|80 ::1|81");
  EXPECT_EQ(ports("web --bind 127.0.0.1 --port 80"), "127.0.0.1|80");
  EXPECT_EQ(ports("web --host 0.0.0.0 --port 80"), "0.0.0.0|80");
  EXPECT_EQ(ports("web --addr :8080"), "|8080");
  EXPECT_EQ(ports("web 0.0.0.0:8080"), "0.0.0.0|8080");
  EXPECT_EQ(ports("exporter --web.listen-address=:9121"), "|9121");
}

TEST(CommandPorts, OfThoseThatAreKnown) {
  EXPECT_EQ(ports("sshd -D -p 2222"), "|2222");
  EXPECT_EQ(ports("memcached -m 64 -p 11211 -u memcache -l 127.0.0.1"), "127.0.0.1|11211");
  EXPECT_EQ(ports("redis-server *:6379"), "*|6379");
  EXPECT_EQ(ports("http.server -m http.server 8000"), "|8000");
  EXPECT_EQ(ports("manage.py manage.py runserver 8000"), "|8000");
  EXPECT_EQ(ports("manage.py manage.py migrate 8000"), "");
  EXPECT_EQ(ports("gunicorn -b 127.0.0.1:8000 app:app"), "127.0.0.1|8000");
  EXPECT_EQ(ports("mysqld --port=3306 --skip-networking"), "");
  EXPECT_EQ(ports("mysqld --bind-address=10.0.0.1 --port=3306"), "10.0.0.1|3306");
  const std::vector<std::string> title = {"/usr/bin/redis-server 127.0.0.1:6379"};
  ASSERT_EQ(ports_of_command("redis-server", title).size(), 1U);
}

TEST(CommandPorts, WhatMeansSomebodyElsesPort) {
  for (const char* line : {"psql -h db -p 5432",
                           "psql --port 5432",
                           "ssh -p 22 -L 0.0.0.0:8080:web:80 host",
                           "curl localhost:80",
                           "curl http://localhost:80",
                           "web -p 80",
                           "web -p80",
                           "web --host db.example --port 5432",
                           "web --host 127.0.0.1 --port 5432",
                           "web --port 5432 --remote-host db",
                           "web --address 10.0.0.5:80",
                           "web 127.0.0.1:80",
                           "web --upstream=10.0.0.1:9000",
                           "web --server-port 80",
                           "web --port 0",
                           "web --port 99999",
                           "web --port",
                           "web -- --port 80",
                           "web job:web",
                           "web key:1",
                           "qemu -vnc 0.0.0.0:1",
                           "docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 80",
                           "docker run -p 8080:80 nginx",
                           "mongosh --port 27017",
                           "redis-cli -p 6379",
                           "openvpn --port 1194 --remote vpn"}) {
    EXPECT_EQ(ports(line), "") << line;
  }
}

TEST(CommandPorts, WorkIsBounded) {
  std::string many = "web";
  for (int i = 1; i < 2000; ++i) many += " --port " + std::to_string(i);
  const std::string found = ports(many);
  EXPECT_EQ(std::ranges::count(found, '|'), static_cast<std::ptrdiff_t>(kMostCommandPorts));
  EXPECT_EQ(ports("web --listen " + std::string(100'000, ':')), "");
}

TEST(PortsOfEnvironment, ByItsVariables) {
  const auto found = ports_of_environment(std::string_view("A=1\0PORT=8080\0HTTP_PORT=80\0", 27));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].port, "8080");
  EXPECT_EQ(found[1].words, "HTTP_PORT=80");
}

}  // namespace
}  // namespace hark::host
