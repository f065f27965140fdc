// The judge of routing: namespaces by chance, and for thousands of packets the way that hark
// predicts from its facts against the way that the kernel says it would take.
//
// By hand: HARK_ROUTING_SEED=7 HARK_ROUTING_CASES=500 hark_netns_test --gtest_filter='Routing.*'
//
// What RTM_GETROUTE does not tell: which check refused a packet (EINVAL is all of them; EXDEV for
// the reverse path on kernels before 6.14); of IPv6 it looks at nothing but rules and tables; and
// it does not ask for a source address first where only that finds a route.
#include "reach/routing.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "host/network.h"
#include "kernel/live.h"
#include "random_routes.h"
#include "reach/choices.h"
#include "reach/fib.h"
#include "reach/routing_index.h"
#include "route_questions.h"
#include "scene.h"

namespace hark::netns {
namespace {

using reach::Flow;
using reach::RouteIn;

constexpr unsigned kQuestions = 400;

void run(const std::string& command, const std::string& input) {
  std::FILE* pipe = popen((command + " >/dev/null 2>&1").c_str(), "we");
  ASSERT_NE(pipe, nullptr);
  std::fwrite(input.data(), 1, input.size(), pipe);
  pclose(pipe);
}

void write_setting(const std::string& path, const std::string& value) {
  const UniqueFd file(open(("/proc/sys/net/" + path).c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid()) return;  // a setting that this kernel does not have
  EXPECT_GE(write(file.get(), value.data(), value.size()), 0) << path;
}

std::string words_of(const KernelRoute& route) {
  if (route.error != 0) return "errno " + std::to_string(route.error);
  return "type " + std::to_string(route.type) + " link " + std::to_string(route.link) +
         (route.gateway ? " via " + route.gateway->text() : "") +
         (route.source ? " source " + route.source->text() : "");
}

std::string words_of(const Flow& flow) {
  return (flow.source_given ? flow.source.text() : "any") + " to " + flow.destination.text() +
         " in " + std::to_string(flow.in) + " out " + std::to_string(flow.out) + " mark " +
         std::to_string(flow.mark) + " tos " + std::to_string(flow.tos) + " protocol " +
         std::to_string(flow.protocol) + " ports " + std::to_string(flow.source_port) + " " +
         std::to_string(flow.destination_port) + " uid " + std::to_string(flow.uid);
}

/// One namespace, and what hark has read there.
struct Lab {
  host::Network network;
  host::Host host;
  bool rules4 = false;         ///< rules of IPv4 were added
  bool rules4_unsure = false;  ///< perhaps
  std::unique_ptr<reach::RoutingIndex> index;
};

/// What hark says, in the kernel's words.
KernelRoute from_input4(const Lab& lab, const Flow& flow, const RouteIn& got) {
  KernelRoute out;
  if (got.to == RouteIn::To::Local || got.to == RouteIn::To::Forward) {
    out.type = got.fib.type;
    const bool local = got.to == RouteIn::To::Local;
    out.link = local ? reach::fib::kLo : got.fib.link;
    if (!local) out.gateway = got.fib.gateway;
    return out;
  }
  const host::Link* link = lab.network.link(flow.in);
  const bool forwards = link != nullptr && link->ipv4 && link->ipv4->forwarding != 0;
  const std::string& code = got.cause.code;
  const bool unrouted = code == "not-local" || code == "local-route-missing" ||
                        code == "forward-no-route" || code.starts_with("rule-");
  out.error = unrouted && !forwards ? EHOSTUNREACH : EINVAL;
  if (got.to == RouteIn::To::Reject) {
    out.error = got.icmp_code == 13 ? EACCES : got.icmp_code == 0 ? ENETUNREACH : EHOSTUNREACH;
  }
  return out;
}

KernelRoute from_lookup6(const reach::FibResult& got) {
  KernelRoute out{.type = got.type, .link = got.link, .gateway = got.gateway};
  if (got.type == 0) return {.error = ENETUNREACH};
  if (got.from_rule && got.type == reach::fib::kRuleUnreachable) return {.error = ENETUNREACH};
  const int error = reach::fib::error_of_route(got.type);
  if (error != 0) return {.error = error};
  const bool own_anycast = got.type == reach::fib::kAnycast && got.route->protocol == 2;
  if (got.type == reach::fib::kLocal || own_anycast) {
    out.link = reach::fib::kLo;
    out.gateway.reset();
  }
  return out;
}

KernelRoute from_output(const Flow& flow, const reach::RouteOut& got) {
  KernelRoute out;
  if (!got.ok) {
    out.error = got.error;
    return out;
  }
  out.type = got.fib.type;
  out.link = got.fib.link;
  out.gateway = got.fib.gateway;
  if (!flow.source_given && !got.source.is_unspecified()) out.source = got.source;
  return out;
}

KernelRoute predict(reach::World& world, const Lab& lab, const Flow& flow) {
  if (flow.in != 0) {
    if (flow.family == Family::Inet6) return from_lookup6(fib_lookup(world, flow));
    return from_input4(lab, flow, route_input(world, flow));
  }
  if (flow.family == Family::Inet) return from_output(flow, route_output(world, flow));
  // The kernel's answer is of one lookup alone.
  const KernelRoute first = from_lookup6(fib_lookup(world, flow));
  if (first.error != 0) return first;
  KernelRoute out = from_output(flow, route_output(world, flow));
  if (out.error != EADDRNOTAVAIL) return out;
  return first;  // it has a way and no address to send from
}

struct Prediction {
  std::vector<KernelRoute> all;
  unsigned ways = 0;
};

/// Every way it may go by what is left to chance. What the kernel remembers is known here.
Prediction predict_all(const Lab& lab, const Flow& flow, bool with_index) {
  Prediction out;
  EXPECT_TRUE(reach::explore([&](reach::Choices& choices) {
    std::vector<reach::Step> path;
    std::vector<std::string> assumptions;
    const std::vector<std::string> waived;
    reach::World world{lab.host, lab.network, choices, path, assumptions, waived};
    if (with_index) world.routes = lab.index.get();
    const KernelRoute route = predict(world, lab, flow);
    for (const auto& taken : choices.taken()) {
      const bool remembered = taken.condition.code == "rules-once-changed";
      if (remembered && !lab.rules4_unsure && (taken.way != 0) != lab.rules4) return;
    }
    ++out.ways;
    if (std::ranges::find(out.all, route) == out.all.end()) out.all.push_back(route);
  }));
  return out;
}

Flow random_flow(const Lab& lab, Dice& dice) {
  Flow flow;
  flow.family = dice.chance(50) ? Family::Inet : Family::Inet6;
  flow.source = random_address(dice, flow.family);
  flow.destination = random_address(dice, flow.family);
  const std::string name = "v" + std::to_string(dice.roll(kRandomLinks));
  const std::uint32_t link = lab.network.link(name)->index;
  if (dice.chance(60)) {
    flow.in = link;
  } else {
    flow.source_given = dice.chance(50);
    const bool may_bind = flow.family == Family::Inet || !flow.source_given;
    if (may_bind && dice.chance(25)) flow.out = link;
  }
  if (dice.chance(40)) flow.mark = dice.roll(4);
  if (dice.chance(20)) flow.tos = dice.of<std::uint8_t>({0x10, 0x08, 0x04});
  flow.protocol = dice.chance(70) ? reach::kTcp : reach::kUdp;
  flow.source_port = dice.of<std::uint16_t>({40000, 500, 53});
  flow.destination_port = dice.of<std::uint16_t>({80, 150, 8080});
  if (flow.in == 0) flow.uid = dice.of<std::uint32_t>({0, 0, 7, 2000});
  return flow;
}

/// The kernel makes an address's local route a little later than the address.
bool has_local_routes(const host::Network& network) {
  return std::ranges::all_of(network.addresses, [&network](const host::InterfaceAddress& own) {
    return std::ranges::any_of(network.routes, [&own](const host::Route& route) {
      return route.table == reach::fib::kTableLocal && route.destination.address == own.address &&
             route.destination.length == own.address.bits();
    });
  });
}

/// Has every link the state that follows from which ends were set down?
bool has_settled(const host::Network& network, const RandomRoutes& made) {
  if (!has_local_routes(network)) return false;
  constexpr std::uint8_t kOperUp = 6;
  const auto is_down = [&made](const std::string& name) {
    return std::ranges::find(made.links_down, name) != made.links_down.end();
  };
  return std::ranges::all_of(network.links, [&](const host::Link& link) {
    if (link.name == "lo") return true;
    const std::string number = link.name.substr(1);
    const bool up = !is_down("v" + number) && !is_down("w" + number);
    return (link.operstate == kOperUp) == up;
  });
}

Lab make_lab(Dice& dice) {
  Lab lab;
  EXPECT_EQ(unshare(CLONE_NEWNET), 0);
  const RandomRoutes made = random_routes(dice);
  // Without waiting for duplicate addresses what is read now is what will be asked.
  write_setting("ipv6/conf/default/accept_dad", "0");
  run("ip -force -batch -", made.links);
  // Settings before routes: which source address a route has is found out when it is made.
  for (const auto& [path, value] : made.settings) write_setting(path, value);
  run("ip -force -batch -", made.batch4);
  run("ip -6 -force -batch -", made.batch6);
  for (const std::string& link : made.links_down) run("ip link set " + link + " down", "");
  struct stat status {};
  const std::string path = "/proc/self/task/" + std::to_string(gettid()) + "/ns/net";
  EXPECT_EQ(stat(path.c_str(), &status), 0);
  const auto source = kernel::make_live();
  const kernel::NetnsRef netns{.inode = status.st_ino, .paths = {path}};
  // That a link's other end is down gets known a little later, and changes its routes.
  for (unsigned tries = 0; tries < 400; ++tries) {
    lab.network = host::read_network(*source, netns, host::NetnsId{0}, {});
    if (has_settled(lab.network, made)) break;
    poll(nullptr, 0, 5);
  }
  lab.rules4 = !reach::fib::only_default_rules(lab.network, nullptr);
  // Some rules are refused, and the kernel may remember them all the same.
  lab.rules4_unsure = made.rules4 && !lab.rules4;
  lab.index = std::make_unique<reach::RoutingIndex>(lab.network);
  return lab;
}

/// Of an address that several links have the kernel takes the link that got it last, which it does
/// not tell. It only matters for groups.
bool is_ambiguous(const Lab& lab, const Flow& flow) {
  const IpAddress limited{.bytes = {255, 255, 255, 255}};
  if (flow.in != 0 || (!flow.destination.is_multicast() && flow.destination != limited))
    return false;
  return std::ranges::count(lab.network.addresses, flow.source, &host::InterfaceAddress::address) >
         1;
}

struct Tally {
  unsigned questions = 0, several = 0, wrong = 0;
};

void judge(std::uint32_t seed, Tally& tally) {
  Dice dice(seed);
  const Lab lab = make_lab(dice);
  ASSERT_TRUE(lab.network.unread.empty());
  ASSERT_EQ(lab.network.links.size(), 1 + 2 * kRandomLinks);
  kernel::NetlinkSocket socket{UniqueFd(kernel::open_netlink(NETLINK_ROUTE))};
  for (unsigned i = 0; i < kQuestions; ++i) {
    Flow flow = random_flow(lab, dice);
    if (!flow.source_given) flow.source = IpAddress{.family = flow.family};
    // Without a source IPv6 asks another question, and of IPv4 none was given then.
    if (flow.source.is_unspecified() && (flow.in == 0 || flow.family == Family::Inet6)) {
      flow.source_given = false;
      if (flow.in != 0) continue;
    }
    // For groups of IPv6 the answer is of multicast routing, and always an error.
    const bool group = flow.family == Family::Inet6 && flow.destination.is_multicast();
    if ((group && flow.in != 0) || is_ambiguous(lab, flow)) continue;
    KernelRoute right = ask_kernel(socket, flow);
    // Of IPv6 it tells which source it would have chosen even where one was given.
    if (flow.source_given) right.source.reset();
    const Prediction got = predict_all(lab, flow, i % 2 == 0);
    ++tally.questions;
    tally.several += got.all.size() > 1 ? 1U : 0U;
    if (std::ranges::find(got.all, right) != got.all.end()) continue;
    ++tally.wrong;
    std::string said;
    for (const KernelRoute& route : got.all) said += "\n    " + words_of(route);
    ADD_FAILURE() << "seed " << seed << ": " << words_of(flow) << "\n  kernel: " << words_of(right)
                  << "\n  hark:" << said;
    if (tally.wrong > 20) return;
  }
}

std::uint32_t number_from(const char* name, std::uint32_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<std::uint32_t>(std::strtoul(text, nullptr, 0));
}

class Routing : public NetnsTest {};

TEST_F(Routing, IsAsTheKernelSays) {
  const std::uint32_t first = number_from("HARK_ROUTING_SEED", 1);
  const std::uint32_t cases = number_from("HARK_ROUTING_CASES", 10);
  Tally tally;
  for (std::uint32_t seed = first; seed < first + cases && tally.wrong <= 20; ++seed) {
    // The namespace is the thread's, and ends with it.
    std::thread([&] { judge(seed, tally); }).join();
  }
  std::printf("seeds %u to %u: %u questions, %u with several answers, %u wrong\n", first,
              first + cases - 1, tally.questions, tally.several, tally.wrong);
  EXPECT_GT(tally.questions, 200 * cases);
  // Chance may widen a prediction, but not make it say anything.
  if (cases < 10) return;
  EXPECT_LT(tally.several * 5, tally.questions);
}

}  // namespace
}  // namespace hark::netns
