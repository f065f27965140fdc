#include "host/declared_ports.h"

#include <gtest/gtest.h>

#include "host/redact_files.h"
#include "host/server_files.h"
#include "host/units_fixture.h"

namespace hark::host {
namespace {

/// "0.0.0.0:80 /etc/x:3", a line each.
std::string told(const std::vector<DeclaredPort>& all) {
  std::string out;
  for (const DeclaredPort& one : all) {
    const std::string host = one.everywhere ? "*" : one.address ? one.address->text() : "";
    out += host + ":" + std::to_string(one.port) + " " + one.words;
    if (one.line != 0) out += one.file + ":" + std::to_string(one.line);
    out += "\n";
  }
  return out;
}

struct Place : SystemdHost {
  ProcessId owner(const char* name, std::vector<std::string> words, std::uint16_t port = 1) {
    const ProcessId id = process(static_cast<std::uint32_t>(10 + host.processes.size()), name, "/");
    host.processes[static_cast<std::size_t>(id)].command_line = std::move(words);
    listener(Protocol::Tcp, "0.0.0.0", port, {id});
    return id;
  }
  std::string declared() {
    for (const auto& [path, names] : folders) source.folder(path, names);
    return told(read_declared_ports(source, host));
  }
};

TEST(DeclaredPorts, OfOwnersOnce) {
  Place place;
  place.owner("web", {"web", "--port", "8080"});
  place.owner("web", {"web", "--port", "8080"});
  place.owner("web", {"web", "--port", "8081"});
  EXPECT_EQ(place.declared(), ":8080 --port 8080\n:8081 --port 8081\n");
}

TEST(DeclaredPorts, NotOfNamespacesThatWereNotEntered) {
  Place place;
  place.owner("web", {"web", "--port", "8080"});
  place.host.namespaces[0].entered = false;
  EXPECT_EQ(place.declared(), "");
}

TEST(DeclaredPorts, NamesAreLookedUp) {
  Place place;
  place.source.file("/etc/services", "http-alt 8080/tcp\n");
  place.owner("web", {"web", "--listen", "0.0.0.0:http-alt"});
  EXPECT_EQ(place.declared(), "0.0.0.0:8080 --listen 0.0.0.0:http-alt\n");
}

TEST(DeclaredPorts, TheEnvironmentOfWhoeverSaysNothingElse) {
  Place place;
  place.owner("web", {"web"});
  place.owner("api", {"api", "--port", "81"});
  place.owner("postgres", {"postgres"});
  for (const char* pid : {"10", "11", "12"}) {
    place.source.file(std::string("/proc/") + pid + "/environ", std::string("A=1\0PORT=80\0", 12));
  }
  EXPECT_EQ(place.declared(), ":80 PORT=80\n:81 --port 81\n");
}

TEST(DeclaredPorts, ServersThatHoldNoListener) {
  Place place;
  place.owner("web", {"web"});
  place.source.folder("/proc", {"10", "77", "78", "self"});
  place.source.file("/proc/77/comm", "memcached\n");
  place.source.file("/proc/78/comm", "psql\n");
  place.source.link("/proc/77/ns/net", "net:[1]");
  place.source.processes(
      PartsBuilder()
          .pid(77)
          .text(ProcessPart::Stat, "77 (memcached) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5000 0")
          .text(ProcessPart::Cmdline, std::string_view("memcached\0-p\0"
                                                       "211\0",
                                                       17))
          .done());
  EXPECT_EQ(place.declared(), ":211 -p 211\n");
  ASSERT_EQ(place.source.wanted().size(), 1U);
  EXPECT_EQ(place.source.wanted()[0].pid, 77U);
}

TEST(DeclaredPorts, EnabledSocketUnitsThatNobodyServes) {
  const auto make = [](Place& place, const char* name, const char* text) {
    place.unit(kUsr, name, text);
    place.link(std::string(kEtc) + "/sockets.target.wants", name, std::string(kUsr) + "/" + name);
  };
  Place place;
  place.entry(kEtc, "sockets.target.wants");
  make(place, "a.socket", "[Socket]\nListenStream=9090\nListenStream=/run/x\n");
  make(place, "b.socket", "[Unit]\nConditionPathExists=/x\n[Socket]\nListenStream=9091\n");
  make(place, "c.socket", "[Socket]\nListenDatagram=10.0.0.1:69\n");
  make(place, "d.socket", "[Socket]\nListenStream=80\n");
  place.unit(kUsr, "e.socket", "[Socket]\nListenStream=9092\n");
  place.owner("web", {"web"}, 80);
  EXPECT_EQ(place.declared(), ":9090 ListenStream=9090\n10.0.0.1:69 ListenDatagram=69\n");
}

/// "127.0.0.1:80 /etc/x:3", a line each, of a process 10.
std::string of_files(FakeSource& source, const char* program, std::vector<std::string> words) {
  std::string out;
  for (const FilePort& one : ports_of_files(source, 10, program, words)) {
    out += one.host + ":" + one.port + " " + one.file + ":" + std::to_string(one.line) + "\n";
  }
  return out;
}

TEST(ServerFiles, IncludesByPattern) {
  FakeSource source;
  source.file("/proc/10/root/etc/ssh/sshd_config", "Include sshd_config.d/*.conf\nPort 22\n");
  source.folder("/proc/10/root/etc/ssh/sshd_config.d", {".x.conf", "a.conf", "b.bak"});
  source.file("/proc/10/root/etc/ssh/sshd_config.d/a.conf", "Port 2222\n");
  source.file("/proc/10/root/etc/ssh/sshd_config.d/.x.conf", "Port 1\n");
  const std::vector<std::string> title = {
      "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"};
  EXPECT_EQ(of_files(source, "sshd", title),
            "*:2222 /etc/ssh/sshd_config.d/a.conf:1\n*:22 /etc/ssh/sshd_config:2\n");
  EXPECT_EQ(of_files(source, "sshd", {"sshd: root@pts/0"}), "");
  EXPECT_EQ(of_files(source, "sshd", {"sshd", "-o", "Port=23"}), "");
}

TEST(ServerFiles, AddressesWithAndWithoutPorts) {
  FakeSource source;
  source.file("/proc/10/root/x", "Port 2222\nListenAddress 10.0.0.1\nListenAddress [::1]:23\n");
  EXPECT_EQ(of_files(source, "sshd", {"sshd", "-f", "/x"}), "::1:23 /x:3\n10.0.0.1:2222 /x:1\n");
  source.file("/proc/10/root/x", "frontend a\n bind :80\n bind 10.0.0.1:81-90\n");
  EXPECT_EQ(of_files(source, "haproxy", {"haproxy", "-f", "/x"}),
            "*:80 /x:2\n10.0.0.1:81-90 /x:3\n");
}

TEST(ServerFiles, TheLastOneWins) {
  FakeSource source;
  source.file("/proc/10/root/d/postgresql.conf", "port = 5433\nlisten_addresses = '*'\n");
  const std::vector<std::string> words = {"postgres", "-D", "/d"};
  EXPECT_EQ(of_files(source, "postgres", words), "*:5433 /d/postgresql.conf:1\n");
  source.file("/proc/10/root/d/postgresql.auto.conf", "port = 5434\nlisten_addresses = 'a,b'\n");
  EXPECT_EQ(of_files(source, "postgres", words),
            "a:5434 /d/postgresql.auto.conf:1\nb:5434 /d/postgresql.auto.conf:1\n");
  source.file("/proc/10/root/d/postgresql.auto.conf", "listen_addresses = ''\n");
  EXPECT_EQ(of_files(source, "postgres", words), "");
}

TEST(ServerFiles, WhatCannotBeReadWholeSaysNothing) {
  FakeSource source;
  source.file("/proc/10/root/etc/my.cnf", "[mysqld]\nport=3307\n!include /more\n");
  EXPECT_EQ(of_files(source, "mysqld", {"mysqld"}), ":3307 /etc/my.cnf:2\n");
  source.refuse("/proc/10/root/more", EACCES);
  EXPECT_EQ(of_files(source, "mysqld", {"mysqld"}), "");
  EXPECT_EQ(of_files(source, "nginx", {"nginx", "-c", "relative.conf"}), "");
}

TEST(ServerFiles, IncludesThatGoRound) {
  FakeSource source;
  source.file("/proc/10/root/x", "include /x;\ninclude /x;\nserver { listen 80; }\n");
  EXPECT_EQ(of_files(source, "nginx", {"nginx", "-c", "/x"}), "");
  int reads = 0;
  for (const auto& [path, times] : source.reads()) reads += times;
  EXPECT_LE(reads, static_cast<int>(kMostServerFiles));
}

TEST(ServerFiles, RecordingsHoldNothingElse) {
  const auto left = [](const char* path, std::string_view text) {
    return std::string(as_text(redact_file(path, as_bytes(text))));
  };
  EXPECT_EQ(left("/proc/10/root/etc/redis.conf", "requirepass x\nport 1\n"), "\nport 1\n");
  EXPECT_EQ(left("/proc/10/root/srv/package.json", "{\"name\":\"x\"}"), "{\"name\":\"x\"}");
}

}  // namespace
}  // namespace hark::host
