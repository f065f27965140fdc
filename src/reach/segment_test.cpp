// Who gets a frame, on links of kinds that not every kernel has: made hosts. macvlan is judged with
// real packets as well, in tests/differential/forwarding.cases.
#include "reach/segment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/netns_parts.h"
#include "base/text.h"
#include "host/fake_source.h"
#include "host/networks.h"
#include "reach/fib.h"

namespace hark::reach {
namespace {

constexpr std::int32_t kFirstNumber = 10;
constexpr std::uint32_t kSpaces = 4;

/// Namespaces a, b, c, d with links by lines such as
///   b eth0 vlan on=a/e0 id=7
/// where on= names the link below or the other end of a pair, master= one of the same namespace.
class Wires {
 public:
  explicit Wires(std::string_view lines) {
    for (std::uint32_t i = 0; i < kSpaces; ++i) {
      host_.namespaces.push_back({.inode = i + 1, .name = name(i), .own = i == 0, .entered = true});
      ways_.push_back({.inode = i + 1, .paths = {}});
      networks_.emplace_back().netns = host::NetnsId{i};
    }
    for (std::uint32_t i = 0; i < kSpaces; ++i) {
      Bytes numbers;
      for (std::uint32_t other = 0; other < kSpaces; ++other) {
        append_value(numbers, NetnsNumber{.inode = other + 1,
                                          .number = kFirstNumber + static_cast<int>(other)});
      }
      source_.netns_numbers(i + 1, std::move(numbers));
    }
    std::vector<std::vector<std::string_view>> all;
    while (!lines.empty()) {
      std::string_view line = lines.substr(0, lines.find('\n'));
      lines.remove_prefix(std::min(line.size() + 1, lines.size()));
      std::vector<std::string_view>& words = all.emplace_back();
      while (!line.empty()) {
        words.push_back(next_word(line));
        if (words.back().empty()) words.pop_back();
      }
      if (words.empty()) {
        all.pop_back();
      } else {
        add(words);
      }
    }
    for (const auto& words : all) {
      for (std::size_t i = 3; i < words.size(); ++i) say(words, words[i]);
    }
  }

  /// "b/eth0 c/eth0", in their order; with what is in doubt, and where frames are lost from sight.
  std::string behind(std::string_view words) {
    host::Networks networks(source_, host_, ways_);
    for (const host::Network& one : networks_) networks.know(one);
    Spaces spaces(host_, networks_[0], &networks);
    const Segment segment = segment_behind(spaces, in(words), link(words).index);
    std::vector<std::string> out;
    for (const Station& one : segment.stations) {
      const host::Network& network = networks_[static_cast<std::size_t>(one.at.netns)];
      out.push_back(network_name(network) + "/" + network.link(one.at.link)->name +
                    (one.doubt.empty() ? "" : "?"));
    }
    std::ranges::sort(out);
    if (segment.open) out.emplace_back("...");
    for (const auto& [address, name] : segment.diverted) out.push_back(address.text() + ">" + name);
    return join(out, " ");
  }

 private:
  static std::string name(std::uint32_t i) { return std::string(1, static_cast<char>('a' + i)); }
  static std::string network_name(const host::Network& network) {
    return name(static_cast<std::uint32_t>(network.netns));
  }
  host::Network& in(std::string_view words) {
    return networks_[static_cast<std::size_t>(words[0] - 'a')];
  }
  host::Link& link(std::string_view words) {
    auto& links = in(words).links;
    return *std::ranges::find(links, words.substr(2), &host::Link::name);
  }

  void add(const std::vector<std::string_view>& words) {
    auto& links = in(words[0]).links;
    host::Link& out = links.emplace_back();
    out.index = static_cast<std::uint32_t>(links.size());
    out.name = words[1];
    out.kind = words[2];
    out.flags = fib::kLinkUp;
    out.vlan_protocol = out.kind == "vlan" ? 0x8100 : 0;
    if (out.kind == "macvlan") out.stacked.mode = 4;
    if (out.kind == "ipvlan") out.stacked.mode = 0;
  }

  void say(const std::vector<std::string_view>& words, std::string_view word) {
    host::Link& one = link(std::string(words[0]) + "/" + std::string(words[1]));
    const std::string_view key = word.substr(0, word.find('='));
    const std::string_view value = word.substr(std::min(key.size() + 1, word.size()));
    const auto number = [&] { return parse_number<std::uint16_t>(value).value_or(0); };
    if (key == "on") {
      one.peer = link(value).index;
      if (value[0] != words[0][0]) one.peer_netns = kFirstNumber + (value[0] - 'a');
    } else if (key == "master") {
      const host::Link& master = link(std::string(words[0]) + "/" + std::string(value));
      one.master = master.index;
      one.slave_kind = master.kind;
    } else if (key == "id") {
      one.vlan_id = number();
    } else if (key == "mode") {
      one.stacked.mode = number();
    } else if (key == "flags") {
      one.stacked.flags = number();
    } else if (key == "state") {
      one.bond_state = static_cast<std::uint8_t>(number());
    } else if (key == "ip") {
      host::InterfaceAddress own;
      own.link = one.index;
      own.address = *IpAddress::parse(value);
      in(words[0]).addresses.push_back(own);
    } else if (key == "hairpin") {
      one.port.hairpin = true;
    } else if (key == "isolated") {
      one.port.isolated = true;
    } else if (key == "down") {
      one.flags = 0;
    }
  }

  host::Host host_;
  host::FakeSource source_;
  std::vector<kernel::NetnsRef> ways_;
  std::vector<host::Network> networks_;
};

TEST(Segments, PortsOfABridge) {
  constexpr std::string_view kBridge = R"(
a br0 bridge
a v1 veth on=b/eth0 master=br0
a v2 veth on=c/eth0 master=br0
a v3 veth on=d/eth0 master=br0
b eth0 veth on=a/v1
c eth0 veth on=a/v2
d eth0 veth on=a/v3
)";
  Wires wires(kBridge);
  EXPECT_EQ(wires.behind("a/br0"), "b/eth0 c/eth0 d/eth0");
  EXPECT_EQ(wires.behind("b/eth0"), "a/br0 c/eth0 d/eth0");
  std::string isolated(kBridge);
  isolated.insert(isolated.find("\na v2"), " isolated hairpin");
  isolated.insert(isolated.find("\na v3"), " isolated");
  EXPECT_EQ(Wires(isolated).behind("b/eth0"), "a/br0 d/eth0");
  EXPECT_EQ(Wires(isolated).behind("d/eth0"), "a/br0 b/eth0 c/eth0");
  EXPECT_EQ(Wires(isolated).behind("a/br0"), "b/eth0 c/eth0 d/eth0");
}

TEST(Segments, Vlans) {
  Wires pair(R"(
a e0 veth on=d/e0
a e0.7 vlan on=a/e0 id=7
b eth0 vlan on=a/e0 id=8
d e0 veth on=a/e0
d e0.7 vlan on=d/e0 id=7
c eth0 vlan on=d/e0 id=8
c eth0.9 vlan on=c/eth0 id=9
b eth0.9 vlan on=b/eth0 id=9
)");
  EXPECT_EQ(pair.behind("a/e0"), "d/e0");
  EXPECT_EQ(pair.behind("a/e0.7"), "d/e0.7");
  EXPECT_EQ(pair.behind("b/eth0"), "c/eth0");
  EXPECT_EQ(pair.behind("b/eth0.9"), "c/eth0.9");
  Wires bridge(R"(
a br0 bridge
a br0.7 vlan on=a/br0 id=7
a v1 veth on=b/e0 master=br0
b e0 veth on=a/v1
b e0.7 vlan on=b/e0 id=7
b e0.8 vlan on=b/e0 id=8
)");
  EXPECT_EQ(bridge.behind("b/e0.7"), "a/br0.7");
  EXPECT_EQ(bridge.behind("b/e0.8"), "");
  EXPECT_EQ(bridge.behind("a/br0.7"), "b/e0.7");
}

TEST(Segments, Macvlans) {
  // MACVLAN_MODE_*: 1 private, 2 vepa, 4 bridge, 8 passthru, 16 source
  constexpr std::string_view kLines = R"(
a e0 veth on=d/e0
a shim macvlan on=a/e0
b eth0 macvlan on=a/e0
b private macvlan on=a/e0 mode=1
c vepa macvlan on=a/e0 mode=2
c source macvlan on=a/e0 mode=16
d e0 veth on=a/e0 )";
  Wires plain(kLines);
  EXPECT_EQ(plain.behind("a/e0"), "d/e0");
  EXPECT_EQ(plain.behind("a/shim"), "b/eth0 d/e0");
  EXPECT_EQ(plain.behind("b/private"), "d/e0");
  EXPECT_EQ(plain.behind("c/vepa"), "d/e0");
  EXPECT_EQ(plain.behind("d/e0"), "a/e0 a/shim b/eth0 b/private c/vepa");
  Wires reflected(std::string(kLines) + "master=br0 hairpin\nd br0 bridge\n");
  EXPECT_EQ(reflected.behind("a/e0"), "a/shim b/eth0 b/private c/vepa d/br0");
  EXPECT_EQ(reflected.behind("a/shim"), "a/e0 b/eth0 c/vepa d/br0");
  EXPECT_EQ(reflected.behind("b/private"), "d/br0");
  EXPECT_EQ(reflected.behind("c/vepa"), "a/e0 a/shim b/eth0 d/br0");
  Wires alone("a e0 veth on=d/e0\nb eth0 macvlan on=a/e0 mode=8\nd e0 veth on=a/e0\n");
  EXPECT_EQ(alone.behind("d/e0"), "b/eth0");
  Wires tap("a e0 veth on=d/e0\nb eth0 macvtap on=a/e0 mode=4\nd e0 veth on=a/e0\n");
  EXPECT_EQ(tap.behind("d/e0"), "a/e0 ...");
}

TEST(Segments, Ipvlans) {
  constexpr std::string_view kLines = R"(
a e0 veth on=d/e0
b eth0 ipvlan on=a/e0 ip=10.0.0.2)";
  constexpr std::string_view kRest = R"(
c eth0 ipvlan on=a/e0 ip=10.0.0.3
d e0 veth on=a/e0
)";
  const auto with = [&](const std::string& words) {
    std::string all = std::string(kLines) + words + std::string(kRest);
    all.insert(all.find("\nd e0"), words);
    return Wires(all);
  };
  EXPECT_EQ(with("").behind("b/eth0"), "c/eth0 d/e0");
  EXPECT_EQ(with("").behind("d/e0"), "a/e0 b/eth0 c/eth0");
  EXPECT_EQ(with(" flags=1").behind("b/eth0"), "d/e0");
  EXPECT_EQ(with(" mode=1").behind("b/eth0"), "...");
  EXPECT_EQ(with(" mode=2").behind("d/e0"), "a/e0 10.0.0.2>eth0 10.0.0.3>eth0");
}

TEST(Segments, Bonds) {
  constexpr std::string_view kLines = R"(
a bond0 bond
a s1 veth on=b/s1 master=bond0 state=0
a s2 veth on=b/s2 master=bond0 state=STATE
b bond0 bond
b s1 veth on=a/s1 master=bond0
b s2 veth on=a/s2 master=MASTER
c eth0 macvlan on=b/bond0
)";
  const auto with = [&](const std::string& state, const std::string& master) {
    std::string all(kLines);
    all.replace(all.find("STATE"), 5, state);
    all.replace(all.find("MASTER"), 6, master);
    if (master.empty()) all.replace(all.find(" master=\n"), 8, "");
    return Wires(all);
  };
  EXPECT_EQ(with("0", "bond0").behind("a/bond0"), "b/bond0 c/eth0");
  EXPECT_EQ(with("1", "").behind("a/bond0"), "b/bond0 c/eth0");
  EXPECT_EQ(with("0", "").behind("a/bond0"), "b/bond0? b/s2? c/eth0?");
  EXPECT_EQ(with("1", "").behind("b/s2"), "");
}

}  // namespace
}  // namespace hark::reach
