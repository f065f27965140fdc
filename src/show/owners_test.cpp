// Rows and JSON of listeners that are no process's, and programs by their names.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "show/list_facts.h"
#include "show/list_json.h"
#include "show/list_rows.h"
#include "show/test_host.h"

namespace hark::show {
namespace {

using host::HeldBy;
using testing::HostBuilder;

/// A socket that nobody has a descriptor of.
host::Listener& unheld(HostBuilder& b, std::string_view address, std::uint16_t port) {
  return b.owned(Protocol::Udp, address, port, {});
}

std::string who(const HostBuilder& b, std::vector<std::size_t> listeners) {
  return who_words(b.host(), {std::move(listeners), {1}, false});
}

TEST(Owners, TheKernelsOwnInWords) {
  HostBuilder b;
  unheld(b, "0.0.0.0", 4789).kernel_owners = {{"vxlan", "vx0", "device vx0"}};
  EXPECT_EQ(who(b, {0}), "kernel: vxlan device vx0");
  b.host().listeners[0].kernel_owners.push_back({"vxlan", "vx1", "device vx1"});
  EXPECT_EQ(who(b, {0}), "kernel: vxlan device vx0, vxlan device vx1");
  b.host().listeners[0].kernel_owners.push_back({"vxlan", "vx2", "device vx2"});
  EXPECT_EQ(who(b, {0}), "kernel: vxlan device vx0, vxlan device vx1 and 1 more");
  b.host().listeners[0].kernel_owners = {{"iscsi", "a  (b)", "target a  (b)"}};
  EXPECT_EQ(who(b, {0}), "kernel: \"iscsi target a  (b)\"");
  b.host().listeners[0].kernel_owners.clear();
  b.host().listeners[0].held_by = HeldBy{HeldBy::How::Kernel, "kernel: unknown part", {}};
  EXPECT_EQ(who(b, {0}), "kernel: unknown part");
}

TEST(Owners, WhatIsKeptWithoutADescriptorInWords) {
  HostBuilder b;
  unheld(b, "0.0.0.0", 80).held_by = HeldBy{HeldBy::How::Unknown, "registered or in flight", {}};
  EXPECT_EQ(who(b, {0}), "nobody's descriptor: registered or in flight");
  b.host().listeners[0].owners.reset();
  b.host().listeners[0].held_by = HeldBy{HeldBy::How::Unreadable, "perhaps held by 7", {}};
  EXPECT_EQ(who(b, {0}), "user root  owner not readable");
  b.host().listeners[0].held_by = HeldBy{HeldBy::How::IoUring, "registered by x (1)", {}};
  EXPECT_EQ(who(b, {0}), "nobody's descriptor: registered by x (1)");
}

TEST(Owners, FamiliesOfOneDeviceAreOneRowAndDevicesAreTwo) {
  HostBuilder b;
  unheld(b, "0.0.0.0", 4789).kernel_owners = {{"vxlan", "vx0", "device vx0"}};
  unheld(b, "::", 4789).kernel_owners = {{"vxlan", "vx0", "device vx0"}};
  b.host().listeners[1].v6only = true;
  EXPECT_EQ(fold(b.host(), b.all(), {}, false).size(), 1U);
  b.host().listeners[1].kernel_owners = {{"geneve", "gn0", "device gn0"}};
  EXPECT_EQ(fold(b.host(), b.all(), {}, false).size(), 2U);
}

TEST(Owners, ProgramsByTheirNames) {
  HostBuilder b;
  const auto java = b.process(4121, "java");
  b.owned(Protocol::Tcp, "0.0.0.0", 8080, {java});
  b.at(java).program = "billing.jar";
  EXPECT_EQ(who(b, {0}), "billing.jar (4121)");
  b.at(java).program = "kernel: vxlan";
  EXPECT_EQ(who(b, {0}), "\"kernel: vxlan\" (4121)");
  b.at(java).program.clear();
  EXPECT_EQ(who(b, {0}), "java (4121)");
}

TEST(Owners, InJson) {
  HostBuilder b;
  const auto java = b.process(4121, "java");
  b.at(java).program = "billing.jar";
  b.owned(Protocol::Tcp, "0.0.0.0", 8080, {java});
  host::Listener& kernel = unheld(b, "0.0.0.0", 4789);
  kernel.kernel_owners = {{"vxlan", "vx0", "device vx0"}};
  kernel.held_by = HeldBy{HeldBy::How::Kernel, "kernel: vxlan device vx0", {}};
  unheld(b, "0.0.0.0", 53).held_by =
      HeldBy{HeldBy::How::InFlight, "in flight", {{7, "a\x1b[2J", "it may be"}}};
  std::string text;
  write_list_json(b.host(), b.all(), {}, [&](std::string_view piece) { text += piece; });
  const auto listeners = nlohmann::ordered_json::parse(text)["listeners"];
  EXPECT_EQ(listeners[0]["owners"][0]["name"], "java");
  EXPECT_EQ(listeners[0]["owners"][0]["program"], "billing.jar");
  EXPECT_TRUE(listeners[0]["held_by"].is_null());
  const auto owner = listeners[1]["owners"][0];
  EXPECT_EQ(owner.size(), listeners[0]["owners"][0].size());
  for (const auto& [field, value] : owner.items()) {
    if (field == "fds") {
      EXPECT_EQ(value, nlohmann::ordered_json::array());
    } else if (field == "name" || field == "kernel") {
      EXPECT_EQ(value, "vxlan vx0");
    } else {
      EXPECT_TRUE(value.is_null()) << field;
    }
  }
  EXPECT_EQ(listeners[1]["held_by"]["how"], "kernel");
  EXPECT_EQ(listeners[2]["owners"], nlohmann::ordered_json::array());
  EXPECT_EQ(listeners[2]["held_by"]["how"], "in-flight");
  EXPECT_EQ(listeners[2]["held_by"]["candidates"][0]["pid"], 7);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace hark::show
