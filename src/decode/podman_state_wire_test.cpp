// Databases that podman 4.3.1 wrote (Bolt) and that SQLite wrote with the tables of podman 5; see
// testdata/ORIGIN.md.
#include <gtest/gtest.h>

#include "decode/bolt_file.h"
#include "decode/container_state.h"
#include "decode/sqlite_file.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

TEST(PodmanDatabase, OfBolt) {
  const auto all = decode_podman_database(testdata("podman-bolt.bin"));
  ASSERT_TRUE(all) << all.error().why;
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[1].name, "other");
  EXPECT_TRUE((*all)[1].ports.empty());
  const ContainerState& web = (*all)[0];
  EXPECT_EQ(web.name, "web");
  EXPECT_EQ(web.id.size(), 64U);
  EXPECT_EQ(web.pid, 0U) << "it was made and not started";
  const std::vector<ContainerPort> expected = {
      {.port = 3000, .label = "traefik.port"},
      {.port = 80, .host_port = 8080},
      {.port = 9100, .host_port = 9000},
      {.port = 9101, .host_port = 9001},
      {.port = 9102, .host_port = 9002},
      {.protocol = Protocol::Udp, .port = 53, .host = "127.0.0.1", .host_port = 5353}};
  EXPECT_EQ(web.ports, expected);
}

/// Pages of 512 bytes: rows that go on in other pages, and a tree of several levels.
TEST(PodmanDatabase, OfSqlite) {
  const auto all = decode_podman_database(testdata("podman-sqlite.bin"));
  ASSERT_TRUE(all) << all.error().why;
  ASSERT_EQ(all->size(), 9U);
  for (std::size_t i = 0; i < all->size(); ++i) {
    const ContainerState& one = (*all)[i];
    const auto n = static_cast<std::uint16_t>(i);
    EXPECT_EQ(one.name, "c" + std::to_string(i));
    EXPECT_EQ(one.image, "img:" + std::to_string(i));
    EXPECT_EQ(one.pid, 1000U + i);
    const ContainerPort port{.port = static_cast<std::uint16_t>(80 + n),
                             .host = "127.0.0.1",
                             .host_port = static_cast<std::uint16_t>(8080 + n)};
    EXPECT_EQ(one.ports, std::vector<ContainerPort>{port});
  }
}

TEST(PodmanDatabase, AsRecorded) {
  const auto all = decode_podman_database(as_bytes(
      R"([{"config":{"id":"aa","name":"web","newPortMappings":[{"container_port":80,
           "host_port":8080,"protocol":"tcp"},{"container_port":9,"host_port":9,"protocol":"sctp"},
           {"container_port":0,"host_port":1}]},"state":{"pid":7}},
          {"config":{"name":"no id"}},
          {"config":{"id":"bb","portMappings":[{"hostPort":53,"containerPort":5353,
           "protocol":"udp","hostIP":"::1"}]}}])"));
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0].pid, 7U);
  EXPECT_EQ((*all)[0].ports, (std::vector<ContainerPort>{{.port = 80, .host_port = 8080}}));
  const std::vector<ContainerPort> old = {
      {.protocol = Protocol::Udp, .port = 5353, .host = "::1", .host_port = 53}};
  EXPECT_EQ((*all)[1].ports, old);
}

TEST(PodmanDatabase, WhatIsNone) {
  EXPECT_FALSE(decode_podman_database({}));
  EXPECT_FALSE(decode_podman_database(as_bytes("[{")));
  EXPECT_FALSE(decode_podman_database(as_bytes("SQLite format 3")));
  EXPECT_FALSE(decode_podman_database(as_bytes(std::string(100'000, 'x'))));
}

/// Cut anywhere, and with any byte changed, it is an error or another answer, and always an end.
TEST(PodmanDatabase, DamagedFiles) {
  for (const char* name : {"podman-bolt.bin", "podman-sqlite.bin"}) {
    const Bytes whole = testdata(name);
    for (std::size_t size = 0; size < whole.size(); size += 1024) {
      const auto cut = decode_podman_database(ByteView(whole).first(size));
      EXPECT_TRUE(!cut || cut->size() <= 9) << name << size;
    }
    for (std::size_t at = 0; at < whole.size(); at += 97) {
      Bytes changed = whole;
      changed[at] = ~changed[at];
      const auto all = decode_podman_database(changed);
      EXPECT_TRUE(!all || all->size() <= 9) << name << at;
    }
  }
}

TEST(BoltFile, TheSecondMetaPageCountsIfTheFirstIsDamaged) {
  Bytes file = testdata("podman-bolt.bin");
  file[20] = std::byte{0};
  EXPECT_TRUE(decode_podman_database(file));
  file[4096 + 20] = std::byte{0};
  EXPECT_FALSE(decode_podman_database(file));
}

TEST(SqliteFile, ATableThatIsNotThere) {
  std::size_t rows = 0;
  const Bytes file = testdata("podman-sqlite.bin");
  EXPECT_TRUE(read_sqlite_table(file, "Nothing", [&](SqliteRow) { ++rows; }));
  EXPECT_EQ(rows, 0U);
}

}  // namespace
}  // namespace hark::decode
