#include "show/list_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "reach/test_classes.h"
#include "show/test_host.h"

namespace hark::show {
namespace {

using nlohmann::ordered_json;
using testing::HostBuilder;
using testing::utf8;

std::string written(const HostBuilder& b, const std::vector<std::size_t>& selected,
                    std::span<const host::Near> near = {}) {
  std::string out;
  write_list_json(b.host(), selected, near, [&](std::string_view piece) { out += piece; });
  return out;
}

ordered_json parsed(const HostBuilder& b) {
  return ordered_json::parse(written(b, b.all()));
}

std::string keys_of(const ordered_json& object) {
  std::string out;
  for (const auto& [key, value] : object.items()) out += key + " ";
  return out;
}

HostBuilder one_server() {
  HostBuilder b;
  const auto p = b.process(812, "nginx", "nginx.service");
  b.at(p).command_line = std::vector<std::string>{"nginx:", "master"};
  auto& l = b.owned(Protocol::Tcp, "::", 8080, {p});
  l.socket.inode = 635;
  l.socket.cookie = 1;
  l.socket.cgroup = "/system.slice/nginx.service";
  return b;
}

TEST(ListJson, WholeText) {
  HostBuilder b = one_server();
  b.gap("hidepid", "processes", "");
  EXPECT_EQ(
      written(b, b.all()),
      "{\n"
      "  \"schema\": \"hark.list/1\",\n"
      "  \"taken_at\": \"2026-09-21T14:13:20Z\",\n"
      "  \"host\": \"box\",\n"
      "  \"kernel\": \"6.1.0\",\n"
      "  \"listeners\": [\n"
      "    {\"protocol\":\"tcp\",\"family\":\"inet6\",\"address\":\"::\",\"port\":8080,"
      "\"v6only\":false,\"interface\":null,\"netns\":{\"inode\":4026531840,\"name\":\"host\"},"
      "\"state\":\"LISTEN\",\"socket\":{\"inode\":635,\"cookie\":\"0x1\",\"uid\":0,"
      "\"user\":\"root\",\"cgroup\":\"/system.slice/nginx.service\"},"
      "\"queue\":{\"length\":0,\"limit\":128,\"drops\":0},\"unit\":\"nginx.service\","
      "\"unit_facts\":null,\"socket_units\":[],"
      "\"container\":null,\"owners\":[{\"pid\":812,\"fds\":[6],\"name\":\"nginx\","
      "\"program\":\"nginx\",\"cmdline\":[\"nginx:\",\"master\"],"
      "\"exe\":\"/usr/bin/nginx\",\"exe_deleted\":false,"
      "\"user\":\"root\",\"uid\":0,\"started_at\":\"2026-05-28T20:40:12Z\",\"state\":\"S\","
      "\"door\":null,\"parents\":null,\"kernel\":null}],\"held_by\":null,"
      "\"probable_client\":false,\"scope\":\"all\",\"reach\":null,\"reachable_from\":null,"
      "\"findings\":[]}\n"
      "  ],\n"
      "  \"published\": null,\n"
      "  \"gaps\": [\n"
      "    {\"code\":\"hidepid\",\"what\":\"processes\",\"hides\":\"something\",\"remedy\":null}\n"
      "  ]\n"
      "}\n");
}

TEST(ListJson, EveryKeyOfTheContractIsThere) {
  HostBuilder b = one_server();
  b.listener(Protocol::Udp, "10.0.0.5", 53).container = host::Container{"docker", "abc", ""};
  const ordered_json json = parsed(b);
  EXPECT_EQ(keys_of(json), "schema taken_at host kernel listeners published gaps ");
  for (const auto& l : json["listeners"]) {
    EXPECT_EQ(keys_of(l),
              "protocol family address port v6only interface netns state socket queue unit "
              "unit_facts socket_units "
              "container owners held_by probable_client scope reach reachable_from findings ");
    EXPECT_EQ(keys_of(l["netns"]), "inode name ");
    EXPECT_EQ(keys_of(l["socket"]), "inode cookie uid user cgroup ");
    EXPECT_EQ(keys_of(l["queue"]), "length limit drops ");
  }
  EXPECT_EQ(keys_of(json["listeners"][0]["owners"][0]),
            "pid fds name program cmdline exe exe_deleted user uid started_at state door parents "
            "kernel ");
  EXPECT_EQ(keys_of(json["listeners"][1]["container"]), "runtime id name image pod namespace ");
}

TEST(ListJson, ReachIsClassesAndNullWhereUnreadRulesDecide) {
  using reach::testing::Place;
  HostBuilder b;
  b.listener(Protocol::Tcp, "0.0.0.0", 80);
  b.listener(Protocol::Raw, "0.0.0.0", 1);
  const auto listed = [&b](const host::Network& network, reach::Outcome outcome) {
    reach::ReachTable table(b.host());
    table.add(network, b.all(),
              [outcome](const host::Host&, const host::Network&,
                        const std::vector<reach::Destination>& to, host::Networks*) {
                std::vector<std::vector<reach::ReachClass>> out;
                for (const reach::Destination& one : to) {
                  Place place(one.interface, one.address.text().c_str());
                  place.of(reach::testing::set_of({"10.0.0.0/8"}), reach::Outcome::Refused, "x");
                  place.others(outcome, "y");
                  out.push_back(place.classes());
                }
                return out;
              });
    std::string text;
    write_list_json(
        b.host(), b.all(), {}, [&text](std::string_view piece) { text += piece; }, &table);
    return ordered_json::parse(text)["listeners"];
  };
  host::Network network = reach::testing::two_links();
  const auto known = listed(network, reach::Outcome::Answered);
  ASSERT_EQ(known[0]["reach"].size(), 6U);  // two classes at each of three interfaces
  const auto& first = known[0]["reach"][2];
  EXPECT_EQ(first["sources"]["interface"], "eth0");
  EXPECT_EQ(first["sources"]["addresses"], ordered_json({"10.0.0.0/8"}));
  EXPECT_EQ(first["sources"]["ports"], ordered_json({"0-65535"}));
  EXPECT_EQ(first["outcome"], "refused");
  EXPECT_EQ(first["destination"], "10.0.0.5");
  EXPECT_EQ(first["witness"]["source"], "10.0.0.0");
  EXPECT_EQ(known[0]["reachable_from"], "anywhere but 10.0.0.0/8");
  EXPECT_EQ(known[1]["reach"], nullptr);
  network.unread = {{host::NetworkFact::Nftables, {"nftables-not-read", "nftables", "", ""}}};
  EXPECT_EQ(listed(network, reach::Outcome::Silent)[0]["reach"].size(), 6U);
  EXPECT_EQ(listed(network, reach::Outcome::Unknown)[0]["reach"], nullptr);
}

TEST(ListJson, WhatIsNotKnownIsNull) {
  HostBuilder b;
  const auto p = b.process(5, "p");
  b.at(p) = {};
  b.at(p).pid = 5;
  b.host().name.clear();
  b.host().kernel.clear();
  b.host().taken_at_ms = 0;
  b.host().namespaces[0].name.clear();
  b.host().namespaces[0].inode.reset();
  auto& l = b.owned(Protocol::Tcp, "::", 1, {p});
  l.v6only.reset();
  l.socket.cookie.reset();
  l.socket.user.clear();
  l.queue = {};
  l.container = host::Container{"docker", "abc", ""};
  b.listener(Protocol::Tcp, "127.0.0.1", 2).v6only = false;
  b.owned(Protocol::Tcp, "127.0.0.1", 3, {});
  const ordered_json json = parsed(b);
  for (const char* at : {"/taken_at",
                         "/host",
                         "/kernel",
                         "/published",
                         "/listeners/0/v6only",
                         "/listeners/0/interface",
                         "/listeners/0/netns/inode",
                         "/listeners/0/netns/name",
                         "/listeners/0/socket/cookie",
                         "/listeners/0/socket/user",
                         "/listeners/0/socket/cgroup",
                         "/listeners/0/queue/length",
                         "/listeners/0/queue/limit",
                         "/listeners/0/queue/drops",
                         "/listeners/0/unit",
                         "/listeners/0/container/name",
                         "/listeners/0/container/image",
                         "/listeners/0/container/pod",
                         "/listeners/0/container/namespace",
                         "/listeners/0/owners/0/cmdline",
                         "/listeners/0/owners/0/exe",
                         "/listeners/0/owners/0/user",
                         "/listeners/0/owners/0/uid",
                         "/listeners/0/owners/0/started_at",
                         "/listeners/0/owners/0/state",
                         "/listeners/0/owners/0/door",
                         "/listeners/0/owners/0/parents",
                         "/listeners/0/owners/0/kernel",
                         "/listeners/0/reach",
                         "/listeners/1/v6only",
                         "/listeners/1/owners",
                         "/listeners/1/container"}) {
    const ordered_json::json_pointer pointer(at);
    ASSERT_TRUE(json.contains(pointer)) << at;
    EXPECT_TRUE(json.at(pointer).is_null()) << at;
  }
  EXPECT_EQ(json["listeners"][2]["owners"], ordered_json::array());
}

TEST(ListJson, DoorsAndParents) {
  HostBuilder b;
  const auto proxy = b.process(812, "docker-proxy");
  b.owned(Protocol::Tcp, "0.0.0.0", 8080, {proxy});
  b.at(proxy).door = host::Door{.kind = "docker-proxy",
                                .address = IpAddress::parse("fd00::2"),
                                .ports = {{Protocol::Tcp, 8000, 8099, 80}},
                                .container = host::Container{"docker", "abc", "web"}};
  b.at(proxy).started_by = {
      {.pid = 800, .name = "dockerd", .role = host::AncestorRole::ContainerRuntime},
      {.role = host::AncestorRole::Outside}};
  const auto owner = parsed(b)["listeners"][0]["owners"][0];
  EXPECT_EQ(owner["door"].dump(),
            R"({"kind":"docker-proxy","to":"[fd00::2]:160","container":{"runtime":"docker",)"
            R"("id":"abc","name":"web","image":null,"pod":null,"namespace":null},)"
            R"("netns":null})");
  EXPECT_EQ(owner["parents"].dump(), R"([{"pid":800,"name":"dockerd","role":"container-runtime"},)"
                                     R"({"pid":null,"name":null,"role":"outside"}])");
  b.at(proxy).door = host::Door{.kind = "slirp4netns"};
  b.at(proxy).started_by.emplace();
  const auto other = parsed(b)["listeners"][0]["owners"][0];
  EXPECT_EQ(other["door"].dump(),
            R"({"kind":"slirp4netns","to":null,"container":null,"netns":null})");
  EXPECT_EQ(other["parents"].dump(), "[]");
}

TEST(ListJson, AFullQueueIsAFinding) {
  HostBuilder b = one_server();
  b.host().listeners[0].queue.length = 128;
  EXPECT_EQ(parsed(b)["listeners"][0]["findings"], ordered_json::array());
  b.host().listeners[0].queue.length = 129;
  EXPECT_EQ(parsed(b)["listeners"][0]["findings"], ordered_json({"accept-queue-full"}));
  b.host().listeners[0].state = host::State::Unconn;
  EXPECT_EQ(parsed(b)["listeners"][0]["findings"], ordered_json::array());
}

TEST(ListJson, HostileTextSurvives) {
  HostBuilder b;
  const auto p = b.process(5, "a\n\"\\\x1b\x7f");
  b.at(p).command_line = std::vector<std::string>{"\xff\\", utf8(0x202E), ""};
  b.owned(Protocol::Tcp, "::", 1, {p});
  const std::string text = written(b, b.all());
  EXPECT_EQ(text.find_first_of("\x1b\x7f\xe2\xff"), std::string::npos);
  const ordered_json owner = ordered_json::parse(text)["listeners"][0]["owners"][0];
  EXPECT_EQ(owner["name"], "a\n\"\\\x1b\x7f");
  EXPECT_EQ(owner["cmdline"], ordered_json({"\\xff\\\\", utf8(0x202E), ""}));
}

TEST(ListJson, NearMissesOnlyWhereNothingMatched) {
  const HostBuilder b = one_server();
  const std::vector<host::Near> near = {{"other-port", 0, "nginx listens on tcp 8080"},
                                        {"gone", {}, "x"}};
  EXPECT_FALSE(ordered_json::parse(written(b, b.all(), near)).contains("near"));
  const ordered_json json = ordered_json::parse(written(b, {}, near));
  EXPECT_EQ(json["listeners"], ordered_json::array());
  ASSERT_EQ(json["near"].size(), 2U);
  EXPECT_EQ(json["near"][0]["relation"], "other-port");
  EXPECT_EQ(json["near"][0]["listener"]["port"], 8080);
  EXPECT_EQ(json["near"][0]["text"], "nginx listens on tcp 8080");
  EXPECT_TRUE(json["near"][1]["listener"].is_null());
  EXPECT_EQ(ordered_json::parse(written(b, {}))["near"], ordered_json::array());
}

TEST(ListJson, AsManyPiecesAsListenersNoneGrowing) {
  HostBuilder b;
  for (std::uint16_t port = 1; port <= 2000; ++port) b.listener(Protocol::Tcp, "::", port);
  std::size_t longest = 0;
  std::size_t lines = 0;
  write_list_json(b.host(), b.all(), {}, [&](std::string_view piece) {
    longest = std::max(longest, piece.size());
    lines += static_cast<std::size_t>(std::count(piece.begin(), piece.end(), '\n'));
  });
  EXPECT_LT(longest, 1000U);
  EXPECT_EQ(lines, 2000U + 10U);
}

}  // namespace
}  // namespace hark::show
