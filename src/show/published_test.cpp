// A published port in the listing: its row, its place among the others, its JSON, its filters.
#include "reach/published.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/select.h"
#include "reach/nft_test_rules.h"
#include "reach/select_published.h"
#include "reach/test_classes.h"
#include "show/list_json.h"
#include "show/list_view.h"
#include "show/test_host.h"

namespace hark::show {
namespace {

using nlohmann::ordered_json;
using reach::Outcome;
using reach::testing::Place;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::HostBuilder;
using ::testing::IsEmpty;

const host::Container kWeb{.runtime = "docker", .id = std::string(64, 'a'), .name = "web"};

using reach::operator+;

reach::Rules tcp_8080() {
  return reach::Rules{reach::load_meta(reach::nft::MetaKey::L4proto),
                      reach::is(reach::hex_bytes({6}))} +
         reach::destination_port(8080);
}
reach::Rules dnat_to_web() {
  return {
      reach::value(reach::hex_bytes({172, 17, 0, 2}), 0), reach::value(reach::port_bytes(80), 4),
      reach::expression(reach::nft::Nat{
          .destination = true, .family = 2, .address_min = 0, .address_max = 0, .port_min = 4})};
}

/// tcp 8080 of the host leads to 172.17.0.2:80 in the namespace of a container.
class PublishedRows : public ::testing::Test {
 protected:
  PublishedRows() {
    const host::NetnsId inside = builder_.netns("docker web", 4026532177);
    const auto sshd = builder_.process(812, "sshd");
    const auto nginx = builder_.process(901, "nginx");
    const auto app = builder_.process(950, "app");
    builder_.owned(Protocol::Tcp, "0.0.0.0", 22, {sshd});
    builder_.owned(Protocol::Tcp, "0.0.0.0", 9000, {app});
    host::Listener& web = builder_.owned(Protocol::Tcp, "0.0.0.0", 80, {nginx});
    web.netns = inside;
    web.container = kWeb;
    reach::TestRules rules;
    rules.table("nat", reach::nft::TableFamily::Ip);
    rules.base("pre", reach::kAtPrerouting, -100, "nat");
    rules.rule("pre", tcp_8080() + dnat_to_web());
    network_.nft = rules.network.nft;
    handle_ = rules.handle;
    inside_.netns = inside;
    inside_.addresses.push_back(
        {.link = 2, .address = reach::ip("172.17.0.2"), .subnet = *Prefix::parse("172.17.0.0/16")});
  }

  [[nodiscard]] std::vector<std::vector<reach::ReachClass>> ask(
      const std::vector<reach::Destination>& to) const {
    std::vector<std::vector<reach::ReachClass>> out;
    for (const reach::Destination& one : to) {
      Place place(one.interface, one.address.text().c_str());
      reach::ReachClass& all = place.others(Outcome::Answered, "listener-answers");
      if (one.port == 8080) {
        all.answer.path.push_back({reach::Stage::Prerouting, "rewrite",
                                   "dnat to 172.17.0.2:80 by ip nat pre handle " + handle_text()});
        if (builder_.host().listeners[2].port == 80) all.answer.delivers_to = 2;
      }
      out.push_back(place.classes());
    }
    return out;
  }
  [[nodiscard]] std::string handle_text() const { return std::to_string(handle_); }

  void make() {
    table_.emplace(builder_.host());
    table_->add(network_, {0, 1},
                [this](const auto&, const auto&, const auto& to, auto...) { return ask(to); });
    table_->add_addresses(inside_.netns, inside_);
    table_->find_published();
  }
  [[nodiscard]] std::vector<std::size_t> selected(const std::string& words) const {
    const std::vector<std::string> all = {words};
    return reach::select_published(*table_, *host::parse_filter(all));
  }

  HostBuilder builder_;
  host::Network network_ = reach::testing::two_links();
  host::Network inside_;
  std::uint64_t handle_ = 0;
  std::optional<reach::ReachTable> table_;
};

TEST_F(PublishedRows, StandAmongTheOthers) {
  make();
  ASSERT_EQ(table_->published().size(), 1U);
  const std::string text = list_text(
      builder_.host(), {0, 1},
      {.style = {.width = std::nullopt, .ascii = true}, .reach = &*table_, .published = {0}});
  EXPECT_THAT(text, HasSubstr("tcp 8080 ->  172.17.0.2:80"));
  EXPECT_THAT(text, HasSubstr("nginx (901)  container web"));
  EXPECT_THAT(text, HasSubstr("anywhere (DNAT)"));
  EXPECT_LT(text.find("tcp 22"), text.find("tcp 8080"));
  EXPECT_LT(text.find("tcp 8080"), text.find("tcp 9000"));
  EXPECT_THAT(text, HasSubstr("2 services on 2 sockets and 1 published port."));
  const std::string columns = list_text(builder_.host(), {},
                                        {.columns = {"address", "pid", "container", "family"},
                                         .style = {.width = std::nullopt, .ascii = true},
                                         .reach = &*table_,
                                         .published = {0}});
  EXPECT_THAT(columns, HasSubstr("0.0.0.0:8080  901  web"));
}

TEST_F(PublishedRows, AreSelected) {
  make();
  for (const char* words : {"8080", "tcp", "published", "container:web", "nginx", "pid:901",
                            "172.17.0.2", "reachable:anywhere", "tcp/8080", "kind:published"}) {
    EXPECT_THAT(selected(words), ElementsAre(0)) << words;
  }
  for (const char* words : {"80", "udp", "kind:listener", "container:db", "sshd", "ipv6",
                            "reachable:none", "udp/8080", "10.0.0.9"}) {
    EXPECT_THAT(selected(words), IsEmpty()) << words;
  }
}

TEST_F(PublishedRows, InJson) {
  make();
  std::string text;
  write_list_json(builder_.host(), {0}, {}, [&text](std::string_view piece) { text += piece; },
                  &*table_, {0});
  const ordered_json one = ordered_json::parse(text)["published"][0];
  EXPECT_EQ(one["addresses"], ordered_json({"0.0.0.0"}));
  EXPECT_EQ(one["port"], 8080);
  EXPECT_EQ(one["rules"][0]["chain"], "pre");
  EXPECT_EQ(one["rules"][0]["handle"], handle_);
  const ordered_json lead = one["leads_to"][0];
  EXPECT_EQ(lead["address"], "172.17.0.2");
  EXPECT_EQ(lead["port"], 80);
  EXPECT_EQ(lead["container"]["name"], "web");
  EXPECT_EQ(lead["listener"]["port"], 80);
  EXPECT_EQ(lead["somebody_listens"], true);
  EXPECT_EQ(one["bypasses_input"], true);
  EXPECT_TRUE(one["input_denies"].is_null());
}

TEST_F(PublishedRows, NobodyListensBehind) {
  builder_.host().listeners[2].port = 81;
  make();
  ASSERT_EQ(table_->published().size(), 1U);
  const reach::LeadsTo& lead = table_->published()[0].leads_to[0];
  EXPECT_EQ(lead.somebody_listens, false);
  EXPECT_FALSE(lead.listener);
  EXPECT_TRUE(lead.container);
}

TEST_F(PublishedRows, RulesThatNoPacketMeetsPublishNothing) {
  handle_ += 1;  // another rule rewrites it
  make();
  EXPECT_THAT(table_->published(), IsEmpty());
}

}  // namespace
}  // namespace hark::show
