#include "place.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/bytes.h"
#include "base/text.h"

namespace hark::differential {

namespace {

UniqueFd own_netns() {
  return UniqueFd(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
}

UniqueFd text_file(std::string_view text) {
  UniqueFd file(memfd_create("input", MFD_CLOEXEC));
  if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return {};
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::string contents(int file) {
  std::string text(4096, '\0');
  const ssize_t got = pread(file, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

// A fresh namespace takes IPv4's settings from the first one: what matters here is set by hand. The
// limits on ICMP and RST would make answers a matter of chance.
struct Setting {
  const char* path;
  const char* value;
};
constexpr std::array<Setting, 19> kSettings = {{
    {"ipv4/conf/all/rp_filter", "0"},
    {"ipv4/conf/default/rp_filter", "0"},
    {"ipv4/conf/all/accept_local", "0"},
    {"ipv4/conf/default/accept_local", "0"},
    {"ipv4/conf/all/route_localnet", "0"},
    {"ipv4/conf/default/route_localnet", "0"},
    {"ipv4/conf/all/arp_ignore", "0"},
    {"ipv4/conf/default/arp_ignore", "0"},
    {"ipv4/conf/all/arp_filter", "0"},
    {"ipv4/conf/all/log_martians", "0"},
    {"ipv4/ip_forward", "0"},
    {"ipv4/icmp_ratemask", "0"},  // a limit of 0 takes from those who are refused by a route
    {"ipv4/icmp_msgs_per_sec", "1000000"},
    {"ipv4/icmp_msgs_burst", "1000000"},
    {"ipv6/icmp/ratelimit", "0"},
    {"ipv6/conf/default/dad_transmits", "0"},
    {"ipv6/conf/default/accept_dad", "0"},
    {"ipv6/conf/default/router_solicitations", "0"},
    {"core/somaxconn", "4096"},
}};

bool write_sysctl(const std::string& path, std::string_view value) {
  const UniqueFd file(open(("/proc/sys/net/" + path).c_str(), O_WRONLY | O_CLOEXEC));
  return write(file.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

Result<void> set_sysctl(std::string_view words) {
  const std::string path(next_word(words));
  if (write_sysctl(path, next_word(words))) return {};
  return fail(kernel_error(errno, path));
}

std::string hexadecimal(const IpAddress& address) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : address.bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::string_view word = next_word(text); !word.empty(); word = next_word(text)) {
    words.emplace_back(word);
  }
  return words;
}

std::string link_commands(const std::string& host) {
  std::string text;
  for (unsigned i = 0; i < kLinks; i++) {
    const std::string n = std::to_string(i);
    const std::string mac = " address 02:00:00:00:0" + std::to_string(i + 1);
    text += "link add w" + n + mac + ":02 type veth peer name eth" + n + mac + ":01 netns " + host +
            "\n";
  }
  return text + "link add s0 type veth peer name s1\n";
}

// The wire's ends come last: an end that comes up second is ready at once, and the first is then
// what linkwatch hurries for. The other way round IPv6 may wait a second for the host's links.
constexpr std::string_view kHostUp =
    "link set lo up\nlink set eth0 up\nlink set eth1 up\nlink set eth2 up\n";
constexpr std::string_view kWireUp =
    "link set w0 up\nlink set w1 up\nlink set w2 up\nlink set s0 up\nlink set s1 up\n";

// IFF_LOWER_UP of linux/if.h: the carrier as it is; IFF_RUNNING follows up to a second later.
constexpr unsigned kLowerUp = 0x10000;

// A link sends nothing until the kernel has dealt with its carrier, which it does a little later
// (linkwatch). Then it has IFF_RUNNING, and who listens is told.
bool is_running(const std::string& name) {
  const UniqueFd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq ask{};
  name.copy(ask.ifr_name, sizeof ask.ifr_name - 1);
  return ioctl(any.get(), SIOCGIFFLAGS, &ask) == 0 && (ask.ifr_flags & IFF_RUNNING) != 0;
}

// In the namespace of the host.
Result<void> wait_for_links() {
  const UniqueFd changes(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  sockaddr_nl here{};
  here.nl_family = AF_NETLINK;
  here.nl_groups = RTMGRP_LINK;
  if (bind(changes.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) {
    return fail(kernel_error(errno, "rtnetlink"));
  }
  for (unsigned i = 0; i < kLinks; i++) {
    const std::string name = "eth" + std::to_string(i);
    while (!is_running(name)) {
      pollfd waker{.fd = changes.get(), .events = POLLIN, .revents = 0};
      if (poll(&waker, 1, 5000) != 1) return fail(plain_error(name, "does not come up"));
      std::array<char, 8192> message{};
      if (recv(changes.get(), message.data(), message.size(), 0) < 0) break;
    }
  }
  return {};
}

// In the namespace of whoever calls: a link with a carrier that is not running sends nothing yet.
bool waits_for_carrier() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return false;
  bool waits = false;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    const bool carrier = (one->ifa_flags & IFF_UP) != 0 && (one->ifa_flags & kLowerUp) != 0;
    waits = waits || (carrier && (one->ifa_flags & IFF_RUNNING) == 0);
  }
  freeifaddrs(list);
  return waits;
}

// Of links that steps made: a second is what linkwatch may take.
void wait_for_carriers() {
  for (int turns = 0; turns < 600 && waits_for_carrier(); turns++) poll(nullptr, 0, 2);
}

}  // namespace

Result<void> run_program(int netns, const std::vector<std::string>& words, std::string_view input) {
  const UniqueFd in = text_file(input);
  const UniqueFd error = text_file("");
  std::vector<std::string> copies = words;
  std::vector<char*> arguments;
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setns(netns, CLONE_NEWNET);
    dup2(in.get(), 0);
    dup2(error.get(), 1);
    dup2(error.get(), 2);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
    return fail(plain_error(join(words, " "), contents(error.get())));
  }
  return {};
}

Result<Place> Place::make() {
  Place place;
  if (unshare(CLONE_NEWNET) != 0) return fail(kernel_error(errno, "unshare"));
  place.wire_ = own_netns();
  for (const char* path : {"ipv6/conf/default/disable_ipv6", "ipv6/conf/all/disable_ipv6"}) {
    write_sysctl(path, "1");
  }
  if (unshare(CLONE_NEWNET) != 0) return fail(kernel_error(errno, "unshare"));
  place.host_ = own_netns();
  for (const Setting& setting : kSettings) write_sysctl(setting.path, setting.value);
  setns(place.wire_.get(), CLONE_NEWNET);
  const std::string path =
      "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(place.host_.get());
  auto made = run_program(place.wire_.get(), {"ip", "-batch", "-"}, link_commands(path));
  if (made) made = run_program(place.host_.get(), {"ip", "-batch", "-"}, kHostUp);
  if (made) made = run_program(place.wire_.get(), {"ip", "-batch", "-"}, kWireUp);
  if (made) place.in_host([&] { made = wait_for_links(); });
  if (!made) return fail(made.error());
  return place;
}

namespace {

std::string path_of(int fd) {
  return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd);
}

}  // namespace

Result<void> Place::make_boxes(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (unshare(CLONE_NEWNET) != 0) return fail(kernel_error(errno, "unshare"));
    Box box{.name = name, .netns = own_netns(), .path = {}};
    box.path = path_of(box.netns.get());
    for (const Setting& setting : kSettings) write_sysctl(setting.path, setting.value);
    setns(wire_.get(), CLONE_NEWNET);
    auto made = run_program(box.netns.get(), {"ip", "link", "set", "lo", "up"}, "");
    if (!made) return made;
    boxes_.push_back(std::move(box));
  }
  return {};
}

int Place::netns_of(const std::string& name) const {
  const auto box = std::ranges::find(boxes_, name, &Box::name);
  return box == boxes_.end() ? host_.get() : box->netns.get();
}

std::string Place::host_path() const {
  return path_of(host_.get());
}

std::string Place::with_paths(std::string text) const {
  for (const Box& box : boxes_) {
    const std::string word = "@" + box.name;
    const std::size_t at = text.find(word);
    if (at != std::string::npos) text.replace(at, word.size(), box.path);
  }
  return text;
}

void Place::in_netns(int netns, const std::function<void()>& work) const {
  setns(netns, CLONE_NEWNET);
  work();
  setns(wire_.get(), CLONE_NEWNET);
}

Result<void> Place::run_batch(const std::string& batch, bool six, bool loose) const {
  if (batch.empty()) return {};
  std::vector<std::string> words = {"ip"};
  if (six) words.emplace_back("-6");
  if (loose) words.emplace_back("-force");
  words.insert(words.end(), {"-batch", "-"});
  return run_program(host_.get(), words, batch);
}

Result<void> Place::run_step(const Step& step) const {
  Result<void> done;
  switch (step.kind) {
    case Step::Kind::Nft:
      return run_program(host_.get(), {"nft", "-f", "-"}, step.text);
    case Step::Kind::Restore:
      return run_program(host_.get(), {step.program, "-w"}, step.text);
    case Step::Kind::Run:
      return run_program(host_.get(), words_of(step.text), "");
    case Step::Kind::Wire:
      return run_program(wire_.get(), words_of(step.text), "");
    case Step::Kind::Sysctl:
      in_host([&] { done = set_sysctl(step.text); });
      break;
    case Step::Kind::In: {
      std::string_view rest = step.text;
      const int netns = netns_of(step.program);
      if (netns == host_.get()) return fail(plain_error(step.program, "no such box"));
      if (rest.starts_with("nft\n")) return run_program(netns, {"nft", "-f", "-"}, rest.substr(4));
      if (!rest.starts_with("sysctl ")) {
        return run_program(netns, words_of(with_paths(step.text)), "");
      }
      in_netns(netns, [&] { done = set_sysctl(rest.substr(7)); });
      break;
    }
    case Step::Kind::Ip:
      break;  // run_batch
  }
  return done;
}

Result<void> Place::apply(const std::vector<Step>& steps, bool late, bool loose,
                          std::vector<std::string>& missed) const {
  std::string batch;
  bool six = false;
  const auto keep = [&](const Result<void>& done) {
    if (!done) missed.push_back(done.error().what + ": " + reason(done.error()));
    return loose || done;
  };
  for (const Step& step : steps) {
    if (step.late != late) continue;
    const bool is_ip = step.kind == Step::Kind::Ip;
    const bool wants_six = is_ip && step.text.starts_with("-6 ");
    if (!is_ip || wants_six != six) {
      const auto done = run_batch(std::exchange(batch, {}), six, loose);
      if (!keep(done)) return done;
    }
    six = wants_six;
    if (is_ip) {
      batch += with_paths(step.text.substr(six ? 3 : 0)) + "\n";
      continue;
    }
    const auto done = run_step(step);
    if (!keep(done)) return done;
  }
  const auto done = run_batch(batch, six, loose);
  if (!keep(done)) return done;
  return {};
}

void Place::wait_for_steps() const {
  in_host(wait_for_carriers);
  for (const Box& box : boxes_) in_netns(box.netns.get(), wait_for_carriers);
  wait_for_addresses();
}

void Place::wait_for_addresses() const {
  std::vector<std::string> wanted;
  for (const InterfaceNow& one : interfaces()) {
    for (const IpAddress& address : one.addresses) {
      if (!one.up || address.family != Family::Inet6 || address.is_link_local()) continue;
      wanted.push_back(hexadecimal(address) + " 80 ");
    }
  }
  const auto there = [&] {
    std::ifstream file("/proc/thread-self/net/ipv6_route");
    const std::string table((std::istreambuf_iterator<char>(file)), {});
    return std::ranges::all_of(
        wanted, [&](const std::string& route) { return table.find(route) != std::string::npos; });
  };
  in_host([&] {
    // A tentative address gets no route, and is waited for in vain.
    for (int turns = 0; turns < 250 && !there(); turns++) poll(nullptr, 0, 2);
  });
}

void Place::forget() const {
  forget_in(host_.get());
  for (const Box& box : boxes_) forget_in(box.netns.get());
}

void Place::forget_in(int netns) const {
  (void)run_program(netns, {"ip", "neigh", "flush", "all"}, "");
  in_netns(netns, [] {
    const UniqueFd netlink(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
    struct {
      nlmsghdr header{.nlmsg_len = sizeof(nlmsghdr) + sizeof(nfgenmsg),
                      .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8U | IPCTNL_MSG_CT_DELETE,
                      .nlmsg_flags = NLM_F_REQUEST,
                      .nlmsg_seq = 0,
                      .nlmsg_pid = 0};
      nfgenmsg family{};
    } request;
    // Answered without an acknowledgement, and done when send() comes back.
    (void)send(netlink.get(), &request, request.header.nlmsg_len, 0);
  });
}

std::vector<InterfaceNow> Place::interfaces() const {
  std::vector<InterfaceNow> found;
  ifaddrs* list = nullptr;
  in_host([&] {
    if (getifaddrs(&list) != 0) list = nullptr;
  });
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    auto here = std::ranges::find(found, std::string_view(one->ifa_name), &InterfaceNow::name);
    if (here == found.end()) here = found.insert(here, {.name = one->ifa_name});
    here->up = (one->ifa_flags & IFF_UP) != 0 && (one->ifa_flags & kLowerUp) != 0;
    if (one->ifa_addr == nullptr || one->ifa_netmask == nullptr) continue;
    const bool v4 = one->ifa_addr->sa_family == AF_INET;
    if (!v4 && one->ifa_addr->sa_family != AF_INET6) continue;
    IpAddress address{.family = v4 ? Family::Inet : Family::Inet6};
    std::array<std::uint8_t, 16> mask{};
    const std::size_t offset =
        v4 ? offsetof(sockaddr_in, sin_addr) : offsetof(sockaddr_in6, sin6_addr);
    const std::size_t size = address.bits() / 8;
    std::memcpy(address.bytes.data(), reinterpret_cast<const char*>(one->ifa_addr) + offset, size);
    std::memcpy(mask.data(), reinterpret_cast<const char*>(one->ifa_netmask) + offset, size);
    unsigned length = 0;
    for (const std::uint8_t byte : mask) length += static_cast<unsigned>(__builtin_popcount(byte));
    here->addresses.push_back(address);
    if (length >= address.bits()) continue;
    const auto subnet = Prefix::parse(address.text() + "/" + std::to_string(length));
    if (subnet) here->subnets.push_back(*subnet);
  }
  freeifaddrs(list);
  return found;
}

}  // namespace hark::differential
