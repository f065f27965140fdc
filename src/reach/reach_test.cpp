#include "reach/reach.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>

#include "reach/nft_test_rules.h"
#include "reach/routing_testing.h"
#include "reach/rule_words.h"

namespace hark::reach {
namespace {

using testing::kEth0;
using testing::kEth1;
using testing::SmallHost;

using testing::ip;

nft::Expression mask_off(Bytes mask) {
  Bytes none(mask.size());
  const auto length = static_cast<std::uint32_t>(mask.size());
  return expression(nft::Bitwise{.length = length, .mask = std::move(mask), .xored = none});
}

/// Numbers that repeat.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  unsigned below(unsigned most) { return static_cast<unsigned>(engine_() % most); }
  bool percent(unsigned chance) { return below(100) < chance; }

 private:
  std::mt19937 engine_;
};

/// SmallHost with two listeners, a table, and chains that a test fills.
struct Scene : SmallHost {
  std::uint64_t handle = 0;

  Scene() {
    host.namespaces.push_back({.inode = 1, .name = "host", .own = true, .entered = true});
    listen(Protocol::Tcp, "0.0.0.0", 80);
    listen(Protocol::Tcp, "::", 80);
    network.nft.tables.push_back({.family = nft::TableFamily::Inet, .name = "t", .handle = 1});
    chain("pre", kAtPrerouting, -300);
    chain("in", kAtInput, 0);
    chain("out", kAtOutput, 0);
  }

  void listen(Protocol protocol, const char* address, std::uint16_t port) {
    host::Listener listener;
    listener.protocol = protocol;
    listener.address = ip(address);
    listener.port = port;
    listener.state = protocol == Protocol::Tcp ? host::State::Listen : host::State::Unconn;
    if (listener.address.family == Family::Inet6) listener.v6only = true;
    listener.socket.inode = static_cast<std::uint32_t>(100 + host.listeners.size());
    host.listeners.push_back(listener);
  }
  nft::Chain& chain(const char* name, std::optional<std::uint32_t> hook,
                    std::int32_t priority = 0) {
    nft::Chain made{
        .family = nft::TableFamily::Inet, .table = "t", .name = name, .handle = ++handle};
    if (hook) {
      made.hook = nft::Hook{.number = *hook, .priority = priority, .devices = {}};
      made.type = "filter";
    }
    network.nft.chains.push_back(made);
    return network.nft.chains.back();
  }
  void rule(const char* chain, Rules expressions) {
    network.nft.rules.push_back({.family = nft::TableFamily::Inet,
                                 .table = "t",
                                 .chain = chain,
                                 .handle = ++handle,
                                 .expressions = std::move(expressions)});
  }
  nft::Set& set(const char* name, std::uint32_t flags, std::uint32_t key_length) {
    network.nft.sets.push_back({.family = nft::TableFamily::Inet, .table = "t", .name = name});
    nft::Set& made = network.nft.sets.back();
    made.flags = flags;
    made.key_length = key_length;
    made.elements.emplace();
    return made;
  }

  std::vector<ReachClass> reach(const char* to, std::uint32_t link = kEth0) const {
    const Tracer tracer(host, network);
    return reach::reach(
        tracer, {.protocol = Protocol::Tcp, .address = ip(to), .port = 80, .interface = link});
  }
};

Bytes bytes_of(const char* address) {
  const IpAddress parsed = ip(address);
  Bytes out;
  for (unsigned i = 0; i < parsed.bits() / 8; ++i) out.push_back(std::byte{parsed.bytes[i]});
  return out;
}

/// The class that a client is in; there is just one.
const ReachClass* class_of(const std::vector<ReachClass>& classes, const IpAddress& source,
                           std::uint16_t port) {
  const ReachClass* found = nullptr;
  for (const ReachClass& one : classes) {
    if (!one.addresses.contains(source) || !one.ports.contains(port)) continue;
    EXPECT_EQ(found, nullptr) << source.text() << " is in two classes";
    found = &one;
  }
  EXPECT_NE(found, nullptr) << source.text() << " is in no class";
  return found;
}

/// Does the class say what a trace of one of its clients says?
::testing::AssertionResult agrees(const ReachClass& one, const Answer& traced) {
  const auto differs = [&](const char* what) {
    return ::testing::AssertionFailure()
           << what << " of " << traced.question.source.text() << " port "
           << *traced.question.source_port << ": class " << name_of(one.answer.outcome) << " "
           << one.answer.cause.code << " " << one.answer.place << ", trace "
           << name_of(traced.outcome) << " " << traced.cause.code << " " << traced.place;
  };
  if (one.answer.certainty == Certainty::Depends || one.answer.certainty == Certainty::Unknown) {
    // A class may leave open what one client's address decides, but it names what can come out.
    if (traced.outcome == one.answer.outcome) return ::testing::AssertionSuccess();
    const auto& possible = one.answer.possible;
    if (std::ranges::find(possible, traced.outcome) == possible.end()) return differs("possible");
    return ::testing::AssertionSuccess();
  }
  if (one.answer.outcome != traced.outcome) return differs("outcome");
  if (one.answer.icmp != traced.icmp) return differs("icmp");
  if (one.answer.place != traced.place) return differs("place");
  if (one.answer.delivers_to != traced.delivers_to) return differs("listener");
  return ::testing::AssertionSuccess();
}

/// Edges of every class, a step beyond them, and some clients by chance, against trace().
void expect_like_traces(const Scene& scene, const char* to, std::uint32_t link, Dice& dice) {
  const Tracer tracer(scene.host, scene.network);
  const Destination destination{
      .protocol = Protocol::Tcp, .address = ip(to), .port = 80, .interface = link};
  const std::vector<ReachClass> classes = reach(tracer, destination);
  std::set<IpAddress> addresses;
  std::set<std::uint16_t> ports = {40'000, 80, 0, 65'535};
  for (const ReachClass& one : classes) {
    for (const AddressRange& range : one.addresses.ranges()) {
      addresses.insert(range.first);
      addresses.insert(range.last);
      if (addresses.size() > 400) break;
    }
    for (const auto& range : one.ports.ranges()) {
      ports.insert(range.first);
      ports.insert(range.last);
    }
  }
  for (unsigned i = 0; i < 10; ++i) {
    IpAddress any = ip(to);
    any.bytes[dice.below(any.bits() / 8)] = static_cast<std::uint8_t>(dice.below(256));
    addresses.insert(any);
  }
  for (const IpAddress& address : addresses) {
    for (const std::uint16_t port : ports) {
      const ReachClass* one = class_of(classes, address, port);
      ASSERT_NE(one, nullptr);
      const Answer traced = tracer.trace({.protocol = Protocol::Tcp,
                                          .source = address,
                                          .destination = destination.address,
                                          .source_port = port,
                                          .port = 80,
                                          .interface = link});
      ASSERT_TRUE(agrees(*one, traced));
      if (dice.percent(60)) break;
    }
  }
}

TEST(Reach, WithoutRulesEverybodyWhoHasAWayBack) {
  Scene scene;
  const auto classes = scene.reach("10.1.0.1");
  const ReachClass* one = class_of(classes, ip("192.0.2.7"), 40'000);
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(one->answer.outcome, Outcome::Answered);
  EXPECT_TRUE(one->addresses.contains(ip("8.8.8.8")));
  EXPECT_FALSE(one->addresses.contains(ip("127.0.0.1")));
  EXPECT_FALSE(one->addresses.contains(ip("10.1.0.1")));
  EXPECT_EQ(one->ports, all_ports());
}

TEST(Reach, OnePrefixAndOneRangeOfPorts) {
  Scene scene;
  scene.rule("in", {load_network(12, 1), is(hex_bytes({10}), nft::CmpOp::Neq), drop()});
  scene.rule("in", {load_transport(0, 2), is(port_bytes(1023), nft::CmpOp::Lte), drop()});
  const auto classes = scene.reach("10.1.0.1");
  EXPECT_EQ(class_of(classes, ip("10.9.0.2"), 40'000)->answer.outcome, Outcome::Answered);
  EXPECT_EQ(class_of(classes, ip("10.9.0.2"), 1023)->answer.outcome, Outcome::Silent);
  EXPECT_EQ(class_of(classes, ip("10.9.0.2"), 1024)->answer.outcome, Outcome::Answered);
  EXPECT_EQ(class_of(classes, ip("11.0.0.1"), 40'000)->answer.place, "nft:inet:t:in:4");
  Dice dice(1);
  expect_like_traces(scene, "10.1.0.1", kEth0, dice);
}

// Its packets have the same tuple as its answer, for which conntrack takes them.
TEST(Reach, AClientWithTheServersOwnAddressAndPortIsAnother) {
  constexpr std::uint32_t kEstablished = 2;
  Scene scene;
  scene.listen(Protocol::Udp, "0.0.0.0", 80);
  Rules low = state(kEstablished) + load_transport(2, 2);
  low = low + is(port_bytes(1023), nft::CmpOp::Lte) + drop();
  scene.rule("in", std::move(low));
  const Tracer tracer(scene.host, scene.network);
  const auto classes = reach(
      tracer, {.protocol = Protocol::Udp, .address = ip("10.1.0.1"), .port = 80, .interface = 1});
  const auto outcome = [&](std::uint16_t port) {
    return class_of(classes, ip("10.1.0.1"), port)->answer.outcome;
  };
  EXPECT_EQ(outcome(40'000), Outcome::Answered);
  EXPECT_EQ(outcome(79), Outcome::Silent);
  EXPECT_EQ(outcome(80), Outcome::Silent);
  EXPECT_EQ(outcome(81), Outcome::Silent);
}

TEST(Reach, AListOfAddressesIsOneQuestion) {
  Scene scene;
  for (unsigned i = 0; i < 100; ++i) {
    Bytes address = bytes_of("10.9.0.0");
    address[3] = static_cast<std::byte>(i * 2);
    // Rules about another port stand between them, and do not count.
    if (i % 3 == 0) scene.rule("in", destination_port(81) + accept());
    scene.rule("in", Rules{load_network(12, 4), is(address)} + destination_port(80) + drop());
  }
  scene.rule("in", Rules{load_network(12, 2), is(hex_bytes({10, 9}))} + accept());
  scene.rule("in", {drop()});
  const Tracer tracer(scene.host, scene.network);
  const auto classes = scene.reach("10.1.0.1");
  EXPECT_LT(classes.size(), 30U);
  std::set<const ReachClass*> dropped;
  for (unsigned i = 0; i < 202; ++i) {
    IpAddress source = ip("10.9.0.0");
    source.bytes[3] = static_cast<std::uint8_t>(i);
    const ReachClass* one = class_of(classes, source, 40'000);
    const Answer traced = tracer.trace({.protocol = Protocol::Tcp,
                                        .source = source,
                                        .destination = ip("10.1.0.1"),
                                        .source_port = 40'000,
                                        .port = 80,
                                        .interface = kEth0});
    ASSERT_EQ(one->answer.outcome, traced.outcome) << source.text();
    EXPECT_EQ(traced.outcome, i < 200 && i % 2 == 0 ? Outcome::Silent : Outcome::Answered);
    if (traced.outcome == Outcome::Silent) dropped.insert(one);
  }
  ASSERT_EQ(dropped.size(), 1U);
  // The rule that is told is the one that the witness meets.
  const Answer& told = (*dropped.begin())->answer;
  EXPECT_EQ(tracer.trace(told.question).place, told.place);
}

/// One condition on the client, as nft compiles them, and others.
Rules any_match(Scene& scene, Dice& dice, bool v6) {
  const unsigned begin = v6 ? 8 : 12;
  const unsigned length = v6 ? 16 : 4;
  const auto near = [&] {
    Bytes out = bytes_of(v6 ? "fd01::" : "10.1.0.0");
    for (unsigned i = 0; i < 2; ++i) {
      const unsigned at = v6 ? 12 + dice.below(4) : dice.below(4);
      out[at] = static_cast<std::byte>(dice.below(4) * 85);
    }
    return out;
  };
  const auto op = static_cast<nft::CmpOp>(dice.below(6));
  switch (dice.below(9)) {
    case 0: {
      const unsigned bytes = 1 + dice.below(length);
      Bytes value = near();
      value.resize(bytes);
      return {load_network(begin, bytes), is(std::move(value), op)};
    }
    case 1: {
      Bytes mask(length, std::byte{0xff});
      mask[length - 1] = static_cast<std::byte>(0xff00U >> dice.below(8) & 0xffU);
      // Bits in the midst can be told for "is", not for an order.
      const bool holes = dice.percent(30);
      if (holes) mask[length - 2] = std::byte{0xf0};
      Bytes value = near();
      for (unsigned i = 0; i < length; ++i) value[i] &= mask[i];
      return {load_network(begin, length), mask_off(mask),
              is(std::move(value), holes ? nft::CmpOp::Eq : op)};
    }
    case 2: {
      Bytes from = near();
      Bytes to = near();
      if (to < from) std::swap(from, to);
      return {
          load_network(begin, length),
          expression(nft::Range{.sreg = 0, .negated = dice.percent(30), .from = from, .to = to})};
    }
    case 3:
      return {load_transport(0, 2), is(port_bytes(dice.below(8) * 9'000), op)};
    case 4: {
      const std::string name = "s" + std::to_string(scene.network.nft.sets.size());
      nft::Set& set = scene.set(name.c_str(), 0, length);
      for (unsigned i = dice.below(6); i > 0; --i) set.elements->push_back({.key = near()});
      return {load_network(begin, length),
              expression(nft::Lookup{.set = name, .sreg = 0, .inverted = dice.percent(30)})};
    }
    case 5: {
      const std::string name = "s" + std::to_string(scene.network.nft.sets.size());
      nft::Set& set = scene.set(name.c_str(), 4, length);
      for (unsigned i = dice.below(5); i > 0; --i) {
        set.elements->push_back({.key = near(), .interval_end = dice.percent(40)});
      }
      return {load_network(begin, length),
              expression(nft::Lookup{.set = name, .sreg = 0, .inverted = dice.percent(30)})};
    }
    case 6: {
      // Verdicts by address and port, ranges of both.
      const std::string name = "s" + std::to_string(scene.network.nft.sets.size());
      nft::Set& set = scene.set(name.c_str(), 4 | 8, length + 4);
      set.fields = {length, 2};
      for (unsigned i = dice.below(5); i > 0; --i) {
        Bytes first = near();
        Bytes last = dice.percent(40) ? first : near();
        if (last < first) std::swap(first, last);
        const unsigned low = dice.below(8) * 9'000;
        const unsigned high = low + dice.below(2) * 500;
        for (const std::byte b : port_bytes(low)) first.push_back(b);
        for (const std::byte b : port_bytes(high)) last.push_back(b);
        first.resize(length + 4);
        last.resize(length + 4);
        set.elements->push_back(
            {.key = first,
             .key_end = last,
             .verdict = nft::VerdictTo{
                 .verdict = dice.percent(50) ? nft::Verdict::Drop : nft::Verdict::Accept,
                 .chain = {}}});
      }
      return {load_network(begin, length, 0),
              load_transport(0, 2, static_cast<nft::Reg>(length / 4)),
              expression(nft::Lookup{.set = name, .sreg = 0, .verdict = true})};
    }
    case 7:
      return {load_ct(v6 ? nft::CtKey::SourceIp6 : nft::CtKey::SourceIp), is(near(), op)};
    default:
      return destination_port(dice.percent(50) ? 80 : 81);
  }
}

void random_rules(Scene& scene, Dice& dice, bool v6) {
  scene.chain("sub", std::nullopt);
  for (const char* chain : {"pre", "in", "out", "sub"}) {
    for (unsigned i = dice.below(4); i > 0; --i) {
      Rules rule;
      for (unsigned n = dice.below(3); n > 0; --n) rule = rule + any_match(scene, dice, v6);
      switch (dice.below(5)) {
        case 0:
          rule = rule + accept();
          break;
        case 1:
          rule = rule + verdict(nft::Verdict::Return);
          break;
        case 2:
          if (std::string_view(chain) == "in") rule = rule + verdict(nft::Verdict::Jump, "sub");
          break;
        case 3:
          rule = rule + value(host_number(7), 0) + set_meta(nft::MetaKey::Mark, 0);
          break;
        default:
          rule = rule + drop();
      }
      if (dice.percent(15)) {
        rule = Rules{load_meta(nft::MetaKey::Mark), is(host_number(7))} + rule;
      }
      scene.rule(chain, rule);
    }
  }
}

TEST(Reach, AgreesWithTracesOnRandomRules) {
  const char* more = std::getenv("REACH_SEEDS");  // thousands, by hand
  const unsigned seeds = more == nullptr ? 100 : static_cast<unsigned>(std::atoi(more));
  for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Dice dice(seed);
    Scene scene;
    const bool v6 = dice.percent(40);
    random_rules(scene, dice, v6);
    if (dice.percent(30)) scene.eth1().ipv4->rp_filter = 1;
    if (dice.percent(30)) scene.route("10.9.0.0/16", kEth1);
    if (dice.percent(20)) scene.route("10.1.0.64/26", kEth0, 254, fib::kProhibit);
    const std::uint32_t link = dice.percent(70) ? kEth0 : kEth1;
    expect_like_traces(scene, v6 ? "fd01::1" : "10.1.0.1", link, dice);
    if (HasFatalFailure() || HasNonfatalFailure()) {
      for (const nft::Rule& rule : scene.network.nft.rules) {
        ADD_FAILURE() << rule.chain << " " << rule.handle << ": "
                      << rule_words(scene.network, rule);
      }
      return;
    }
  }
}

/// Rules of a tiny world: what each adds to a chain.
std::vector<Rules> tiny_rules() {
  const auto from = [](const char* address, unsigned bytes) {
    Bytes value = bytes_of(address);
    value.resize(bytes);
    return Rules{load_network(12, bytes), is(std::move(value))};
  };
  const auto in_set = [](const char* name) {
    return Rules{load_network(12, 4), expression(nft::Lookup{.set = name, .sreg = 0})};
  };
  const Rules low_port = {load_transport(0, 2), is(port_bytes(1024), nft::CmpOp::Lt)};
  return {
      from("10.9.0.0", 2) + drop(),
      from("10.9.1.0", 3) + accept(),
      in_set("s") + drop(),
      in_set("s") + accept(),
      low_port + drop(),
      from("10.9.0.0", 2) + low_port + accept(),
      Rules{load_network(12, 4), expression(nft::Lookup{.set = "v", .sreg = 0, .verdict = true})},
      from("10.9.0.0", 2) + verdict(nft::Verdict::Jump, "sub"),
      in_set("s") + value(host_number(7)) + set_meta(nft::MetaKey::Mark),
      Rules{load_meta(nft::MetaKey::Mark), is(host_number(7))} + drop(),
      destination_port(81) + drop(),
      Rules{drop()},
  };
}

/// Every ruleset of these rules up to a length, at points on both sides of all that they ask for.
/// REACH_LENGTH=5: 271,000 rulesets.
TEST(Reach, AgreesWithTracesOnEveryTinyRuleset) {
  const char* more = std::getenv("REACH_LENGTH");
  const unsigned longest = more == nullptr ? 2 : static_cast<unsigned>(std::atoi(more));
  const std::vector<Rules> all = tiny_rules();
  Scene scene;
  scene.chain("sub", std::nullopt);
  scene.set("s", 0, 4).elements = {{.key = bytes_of("10.9.1.1")}, {.key = bytes_of("10.8.0.1")}};
  nft::Set& verdicts = scene.set("v", 4 | 8, 4);
  verdicts.elements->push_back(
      {.key = bytes_of("10.9.1.0"), .verdict = nft::VerdictTo{.verdict = nft::Verdict::Return}});
  verdicts.elements->push_back(
      {.key = bytes_of("10.9.1.2"), .verdict = nft::VerdictTo{.verdict = nft::Verdict::Drop}});
  verdicts.elements->push_back({.key = bytes_of("10.9.3.0"), .interval_end = true});
  scene.rule("sub", Rules{load_network(12, 4), expression(nft::Lookup{.set = "s", .sreg = 0})} +
                        verdict(nft::Verdict::Return));
  scene.rule("sub", {load_transport(0, 2), is(port_bytes(50'000), nft::CmpOp::Gte), drop()});
  const std::vector<nft::Rule> base = scene.network.nft.rules;
  const std::uint64_t handle = scene.handle;
  std::size_t rulesets = 0;
  for (unsigned length = 0; length <= longest; ++length) {
    std::vector<std::size_t> chosen(length, 0);
    while (true) {
      scene.network.nft.rules = base;
      scene.handle = handle;
      for (const std::size_t number : chosen) scene.rule("in", all[number]);
      ++rulesets;
      const Tracer tracer(scene.host, scene.network);
      const Destination to{
          .protocol = Protocol::Tcp, .address = ip("10.1.0.1"), .port = 80, .interface = kEth0};
      const std::vector<ReachClass> classes = reach(tracer, to);
      for (const char* source : {"10.8.0.1", "10.8.0.2", "10.8.255.255", "10.9.0.0", "10.9.0.255",
                                 "10.9.1.0", "10.9.1.1", "10.9.1.2", "10.9.1.255", "10.9.2.255",
                                 "10.9.3.0", "10.9.255.255", "10.10.0.0"}) {
        for (const std::uint16_t port :
             std::initializer_list<std::uint16_t>{1023, 1024, 49999, 50000}) {
          const ReachClass* one = class_of(classes, ip(source), port);
          ASSERT_NE(one, nullptr);
          const Answer traced = tracer.trace({.protocol = Protocol::Tcp,
                                              .source = ip(source),
                                              .destination = to.address,
                                              .source_port = port,
                                              .port = to.port,
                                              .interface = to.interface});
          ASSERT_TRUE(agrees(*one, traced)) << rulesets;
        }
      }
      std::size_t at = 0;
      while (at < length && ++chosen[at] == all.size()) chosen[at++] = 0;
      if (at == length) break;
    }
  }
  EXPECT_GT(rulesets, all.size());
}

}  // namespace
}  // namespace hark::reach
