#include "show/bind_view.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "show/bind_json.h"
#include "show/test_host.h"

namespace hark::show {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr std::uint8_t kTimeWait = 6;
constexpr std::uint8_t kEstablished = 1;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value_or(IpAddress{});
}

class BindView : public ::testing::Test {
 protected:
  BindView() {
    const auto web = builder_.process(901, "nginx", "nginx.service");
    (void)builder_.owned(Protocol::Tcp, "::", 8080, {web});
    facts_.user = {.uid = 0, .name = "root", .low_ports = true};
    answer_.question.address = ip("0.0.0.0");
    answer_.question.port = 8080;
    answer_.question.reuseaddr = true;
  }

  void holder(const char* address, std::uint8_t state, const char* remote = nullptr) {
    host::PortSocket one;
    decode::SocketRecord& socket = one.bound.socket;
    socket.local = ip(address);
    socket.local_port = 8080;
    socket.state = state;
    socket.v6only = false;
    if (remote != nullptr) {
      socket.remote = ip(remote);
      socket.remote_port = 40000;
    }
    one.bound.time_wait = state == kTimeWait;
    if (!one.bound.time_wait) one.listener = 0;
    answer_.conflicts.push_back(facts_.sockets.size());
    facts_.sockets.push_back(std::move(one));
  }

  void taken(const char* code, const char* text) {
    answer_.error = EADDRINUSE;
    answer_.cause = {code, text, {{"sockets with the port", "sock_diag", "ss -Hanpt"}}};
  }

  BindReport report() {
    return {builder_.host(), network_,      facts_,      answer_,
            "0.0.0.0:8080",  answer_.notes, answer_.gaps};
  }
  std::string text(TableStyle style = {}) { return bind_text(report(), style); }
  json object() {
    std::string out;
    write_bind_json(report(), [&out](std::string_view piece) { out += piece; });
    return json::parse(out, nullptr, false);
  }

  testing::HostBuilder builder_;
  host::Network network_;
  host::BindFacts facts_;
  diagnose::BindAnswer answer_;
};

TEST_F(BindView, AFreePort) {
  answer_.error = 0;
  EXPECT_EQ(text(),
            "Yes: tcp 0.0.0.0:8080 can be bound.\n\n"
            "Taken for granted: SO_REUSEADDR set, SO_REUSEPORT not set, user root.\n");
  const json said = object();
  EXPECT_EQ(said["outcome"], "succeeds");
  EXPECT_EQ(said["call"], nullptr);
  EXPECT_EQ(said["conflicts"], json::array());
  EXPECT_EQ(said["nearest_free"], nullptr);
}

TEST_F(BindView, ADualStackHolderIsExplained) {
  taken("dual-stack-holder", "[::]:8080 is taken, and takes IPv4 as well");
  holder("::", kTcpListen);
  answer_.nearest_free = 8081;
  EXPECT_EQ(text(),
            "No: [::]:8080 is taken, and takes IPv4 as well.\n\n"
            "  \u2717 nginx (901), nginx.service listens on [::]:8080, which takes IPv4 as well\n"
            "    see: ss -Hanpt\n\n"
            "The program sees: bind: Address already in use (EADDRINUSE).\n"
            "Nearest free port: 8081.\n"
            "Taken for granted: SO_REUSEADDR set, SO_REUSEPORT not set, user root.\n");
  const json said = object();
  EXPECT_EQ(said["schema"], "hark.bind/1");
  EXPECT_EQ(said["outcome"], "EADDRINUSE");
  EXPECT_EQ(said["call"], "bind");
  EXPECT_EQ(said["question"]["v6only"], nullptr);
  EXPECT_EQ(said["question"]["reuseaddr"], true);
  EXPECT_EQ(said["conflicts"][0]["state"], "LISTEN");
  EXPECT_EQ(said["conflicts"][0]["owners"][0]["pid"], 901);
}

TEST_F(BindView, ConnectionsAreToldTogether) {
  taken("port-in-use", "10.0.0.1:8080 is taken");
  for (const char* peer : {"10.0.0.7", "10.0.0.8", "10.0.0.9", "10.0.0.10"}) {
    holder("10.0.0.1", kEstablished, peer);
  }
  holder("10.0.0.1", kTimeWait, "10.0.0.9");
  const std::string out = text();
  EXPECT_THAT(out, HasSubstr("nginx (901), nginx.service has 4 connections in ESTABLISHED, with "
                             "10.0.0.7:40000, 10.0.0.8:40000, 10.0.0.9:40000, ...\n"));
  EXPECT_THAT(out,
              HasSubstr("1 connection in TIME_WAIT, with 10.0.0.9:40000: over within a minute"));
  const json said = object();
  ASSERT_EQ(said["conflicts"].size(), 5U);
  EXPECT_EQ(said["conflicts"][4]["state"], "TIME_WAIT");
  EXPECT_EQ(said["conflicts"][4]["owners"], json::array());
  EXPECT_EQ(said["conflicts"][4]["remote"]["address"], "10.0.0.9");
  EXPECT_EQ(said["conflicts"][4]["remote"]["port"], 40000);
}

TEST_F(BindView, OneThatOnlyHasThePort) {
  taken("bound-not-listening", "10.0.0.1:8080 is bound by a socket that does not listen");
  holder("10.0.0.1", kTcpClose);
  EXPECT_THAT(text(), HasSubstr("has bound 10.0.0.1:8080 and does not listen\n"));
  const json said = object();
  EXPECT_EQ(said["conflicts"][0]["state"], "BOUND");
  EXPECT_EQ(said["conflicts"][0]["remote"], nullptr);
}

TEST_F(BindView, WhatCannotBeToldSaysWhy) {
  answer_.error.reset();
  answer_.cause = {
      "socket-flags-not-read", "it depends on flags of sockets that have the port", {}};
  answer_.gaps.push_back(
      {"socket-flags-not-read", "SO_REUSEADDR of sockets", "the answer", "be root"});
  EXPECT_EQ(text(),
            "It is not known whether tcp 0.0.0.0:8080 can be bound: it depends on flags of sockets "
            "that have the port.\n\n"
            "Taken for granted: SO_REUSEADDR set, SO_REUSEPORT not set, user root.\n"
            "Not seen: SO_REUSEADDR of sockets (be root).\n");
  EXPECT_EQ(object()["outcome"], "unknown");
  EXPECT_EQ(object()["gaps"][0]["code"], "socket-flags-not-read");
}

TEST_F(BindView, NarrowAndPlain) {
  taken("port-in-use", "[::]:8080 is taken");
  holder("::", kTcpListen);
  const std::string out = text({.width = 40, .ascii = true});
  EXPECT_THAT(out, HasSubstr("No: [::]:8080 is taken by nginx (901),\nnginx.service.\n"));
  EXPECT_THAT(out, HasSubstr("  !! nginx (901), nginx.service listens\n     on [::]:8080"));
  EXPECT_THAT(out, HasSubstr("     see: ss -Hanpt\n"));
}

}  // namespace
}  // namespace hark::show
