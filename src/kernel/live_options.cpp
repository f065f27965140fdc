#include "kernel/live_options.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <thread>
#include <vector>

#include "base/option_parts.h"
#include "base/parts.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "kernel/live_files.h"

namespace hark::kernel {
namespace {

constexpr std::size_t kLargestFile = 1U << 20U;
constexpr int kTries = 4;

// Not in the headers of every system that hark is built on.
constexpr int kBindToIfIndex = 62;         // SO_BINDTOIFINDEX
constexpr int kMinHopCount = 73;           // IPV6_MINHOPCOUNT
constexpr int kOldPacketInfo6 = 2;         // IPV6_2292PKTINFO
constexpr int kOriginalDestination6 = 74;  // IPV6_RECVORIGDSTADDR

struct Option {
  OptionPart part;
  int level;
  int name;
};

constexpr std::array<Option, 15> kOptions = {{
    {OptionPart::ReuseAddress, SOL_SOCKET, SO_REUSEADDR},
    {OptionPart::ReusePort, SOL_SOCKET, SO_REUSEPORT},
    {OptionPart::DontRoute, SOL_SOCKET, SO_DONTROUTE},
    {OptionPart::Broadcast, SOL_SOCKET, SO_BROADCAST},
    {OptionPart::Mark, SOL_SOCKET, SO_MARK},
    {OptionPart::BoundDevice, SOL_SOCKET, kBindToIfIndex},
    {OptionPart::LockFilter, SOL_SOCKET, SO_LOCK_FILTER},
    {OptionPart::Tos, IPPROTO_IP, IP_TOS},
    {OptionPart::Ttl, IPPROTO_IP, IP_TTL},
    {OptionPart::MinTtl, IPPROTO_IP, IP_MINTTL},
    {OptionPart::PacketInfo, IPPROTO_IP, IP_PKTINFO},
    {OptionPart::OriginalDestination, IPPROTO_IP, IP_RECVORIGDSTADDR},
    {OptionPart::FreeBind, IPPROTO_IP, IP_FREEBIND},
    {OptionPart::Transparent, IPPROTO_IP, IP_TRANSPARENT},
    {OptionPart::MulticastAll, IPPROTO_IP, IP_MULTICAST_ALL},
}};
constexpr std::array<Option, 7> kOptions6 = {{
    {OptionPart::V6Only, IPPROTO_IPV6, IPV6_V6ONLY},
    {OptionPart::TrafficClass, IPPROTO_IPV6, IPV6_TCLASS},
    {OptionPart::HopLimit, IPPROTO_IPV6, IPV6_UNICAST_HOPS},
    {OptionPart::MinHopCount, IPPROTO_IPV6, kMinHopCount},
    {OptionPart::PacketInfo6, IPPROTO_IPV6, IPV6_RECVPKTINFO},
    {OptionPart::OldPacketInfo6, IPPROTO_IPV6, kOldPacketInfo6},
    {OptionPart::OriginalDestination6, IPPROTO_IPV6, kOriginalDestination6},
}};
constexpr std::array<Option, 2> kOptionsTcp = {{
    {OptionPart::DeferAccept, IPPROTO_TCP, TCP_DEFER_ACCEPT},
    {OptionPart::FastOpen, IPPROTO_TCP, TCP_FASTOPEN},
}};

std::uint16_t tag(OptionPart part) {
  return static_cast<std::uint16_t>(part);
}

/// 0 or errno.
int get(int fd, int level, int name, int& value) {
  socklen_t size = sizeof value;
  return ::getsockopt(fd, level, name, &value, &size) == 0 ? 0 : errno;
}

void append_options(int fd, std::span<const Option> options, Bytes& out) {
  for (const Option& option : options) {
    int value = 0;
    const int error = get(fd, option.level, option.name, value);
    if (error != 0) {
      append_failed_part(out, tag(option.part), error);
    } else {
      append_part(out, tag(option.part), std::as_bytes(std::span(&value, 1)));
    }
  }
}

/// SO_GET_FILTER counts instructions, not bytes; with room for none it only tells how many there
/// are, and with room for too few it refuses with EINVAL.
int get_filter(int fd, std::vector<sock_filter>& out) {
  for (int i = 0; i < kTries; ++i) {
    socklen_t count = 0;
    if (::getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, nullptr, &count) != 0) return errno;
    out.resize(count);
    if (count == 0) return 0;
    if (::getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, out.data(), &count) == 0) {
      out.resize(std::min<std::size_t>(count, out.size()));
      return 0;
    }
    if (errno != EINVAL) return errno;
  }
  return EAGAIN;
}

void append_filter(int fd, Bytes& out) {
  std::vector<sock_filter> filter;
  const int error = get_filter(fd, filter);
  if (error != 0) return append_failed_part(out, tag(OptionPart::Filter), error);
  append_part(out, tag(OptionPart::Filter), std::as_bytes(std::span(filter)));
}

/// Closing a file may wait for whoever serves its file system, and a process chooses what it puts
/// behind its descriptors. Nobody waits for this thread; it ends with the program.
void close_apart(UniqueFd fd) {
  try {
    std::thread([file = std::move(fd)]() mutable { file.reset(); }).detach();
  } catch (const std::system_error&) {
    // No thread to be had: it was closed with what was moved.
  }
}

/// Is it the socket that is meant? A file that is none is asked nothing more: an answer of it could
/// be waited for.
int check(UniqueFd& fd, std::uint32_t inode, int& domain) {
  const int error = get(fd.get(), SOL_SOCKET, SO_DOMAIN, domain);
  if (error != 0) {
    close_apart(std::move(fd));
    return ESTALE;
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return errno;
  const bool wanted = S_ISSOCK(status.st_mode) && status.st_ino == inode;
  return wanted && (domain == AF_INET || domain == AF_INET6) ? 0 : ESTALE;
}

/// The number behind the first word of the line that begins with `name`.
std::string_view line_of(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = next_piece(text, '\n');
    if (next_word(line) == name) return line;
  }
  return {};
}

}  // namespace

bool would_change_class(std::string_view own, std::string_view all) {
  for (const std::string_view controller : {"net_cls", "net_prio"}) {
    bool mounted = false;
    std::string_view rest = own;
    while (!rest.empty()) {  // "5:net_cls,net_prio:/"
      std::string_view line = next_piece(rest, '\n');
      static_cast<void>(next_piece(line, ':'));
      const std::vector<std::string_view> names = split(next_piece(line, ':'), ',');
      mounted = mounted || std::ranges::find(names, controller) != names.end();
    }
    if (!mounted) continue;
    // "net_cls 5 12 1": its hierarchy, how many cgroups that has. All are in the only one, if so.
    std::string_view line = line_of(all, controller);
    static_cast<void>(next_word(line));
    if (parse_number<std::uint64_t>(next_word(line)) != 1) return true;
  }
  return false;
}

bool yama_refuses(std::string_view scope, std::string_view status) {
  constexpr unsigned kNobody = 3;
  const unsigned level = parse_number<unsigned>(next_piece(scope, '\n')).value_or(0);
  if (level == 0) return false;
  if (level >= kNobody) return true;
  std::string_view line = line_of(status, "CapEff:");
  const auto rights = parse_number<std::uint64_t>(next_word(line), 16).value_or(0);
  return (rights >> CAP_SYS_PTRACE & 1U) == 0;
}

int SocketOptions::forbidden() const {
  const auto text = [this](const char* path) {
    Bytes out;
    static_cast<void>(read_at(AT_FDCWD, (proc_root_ + path).c_str(), out, kLargestFile));
    return out;
  };
  if (would_change_class(as_text(text("/self/cgroup")), as_text(text("/cgroups")))) {
    return EOPNOTSUPP;
  }
  const Bytes scope = text("/sys/kernel/yama/ptrace_scope");
  return yama_refuses(as_text(scope), as_text(text("/self/status"))) ? EPERM : 0;
}

int SocketOptions::read(const SocketHolder& holder, Bytes& out) {
  if (forbidden_ < 0) forbidden_ = forbidden();
  if (forbidden_ != 0) return forbidden_;
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, holder.pid, 0)));
  if (!process.valid()) return errno;
  UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), holder.fd, 0)));
  if (!fd.valid()) return errno;
  int domain = 0;
  if (const int error = check(fd, holder.inode, domain); error != 0) return error;
  append_options(fd.get(), kOptions, out);
  if (domain == AF_INET6) append_options(fd.get(), kOptions6, out);
  int protocol = 0;
  if (get(fd.get(), SOL_SOCKET, SO_PROTOCOL, protocol) == 0 && protocol == IPPROTO_TCP) {
    append_options(fd.get(), kOptionsTcp, out);
  }
  append_filter(fd.get(), out);
  return 0;
}

}  // namespace hark::kernel
