#include "kernel/module_guard.h"

#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "base/text.h"
#include "kernel/live_files.h"

namespace hark::kernel {
namespace {

constexpr std::size_t kLargest = std::size_t{64} << 20U;

/// What a subsystem of nfnetlink is in, and a function of it that is there as long as it is.
struct Subsystem {
  std::uint8_t number;
  const char* module;
  const char* symbol;
};
constexpr std::array<Subsystem, 3> kSubsystems = {{
    {NFNL_SUBSYS_CTNETLINK, "nf_conntrack_netlink", "ctnetlink_dump_table"},
    {NFNL_SUBSYS_IPSET, "ip_set", "ip_set_type_register"},
    {NFNL_SUBSYS_NFTABLES, "nf_tables", "nft_register_expr"},
}};

/// The subsystem of a message: the high byte of its type.
std::uint8_t subsystem_of(ByteView request) {
  ByteReader reader(request);
  const auto header = reader.value<nlmsghdr>();
  return reader.ok() ? static_cast<std::uint8_t>(header.nlmsg_type >> 8U) : std::uint8_t{0};
}

/// A file, or nothing.
std::string text_of(const std::string& path) {
  Bytes out;
  return read_at(AT_FDCWD, path.c_str(), out, kLargest) == 0 ? std::string(as_text(out))
                                                             : std::string();
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

bool ModuleGuard::would_load(int protocol, ByteView request) {
  // hark asks these of every host from its first second on.
  if (protocol == NETLINK_ROUTE || protocol == NETLINK_SOCK_DIAG || protocol == NETLINK_GENERIC) {
    return false;
  }
  const std::uint8_t subsystem = protocol == NETLINK_NETFILTER ? subsystem_of(request) : 0;
  const auto [place, added] = known_.try_emplace({protocol, subsystem}, false);
  if (added) place->second = looked(protocol, subsystem);
  return place->second;
}

bool ModuleGuard::looked(int protocol, std::uint8_t subsystem) {
  if (!can_load()) return false;
  if (!has_protocol(protocol)) return true;
  if (protocol != NETLINK_NETFILTER) return false;
  for (const Subsystem& one : kSubsystems) {
    if (one.number == subsystem) return !has_module(one.module, one.symbol);
  }
  return true;
}

/// A kernel without modules has no /proc/modules; one that may load no more says so in two ways.
bool ModuleGuard::can_load() const {
  Bytes out;
  const std::string modules = proc_root_ + "/modules";
  if (read_at(AT_FDCWD, modules.c_str(), out, kLargest) == ENOENT) return false;
  if (first_line(text_of(proc_root_ + "/sys/kernel/modules_disabled")) == "1") return false;
  Bytes program;
  const std::string modprobe = proc_root_ + "/sys/kernel/modprobe";
  return read_at(AT_FDCWD, modprobe.c_str(), program, kLargest) != 0 ||
         !first_line(as_text(program)).empty();
}

/// The kernel has a socket of each of its protocols in every namespace, and shows it to all. The
/// second word of a line is the protocol.
bool ModuleGuard::has_protocol(int protocol) const {
  const std::string all = text_of(proc_root_ + "/self/net/netlink");
  std::string_view rest = all;
  while (!rest.empty()) {
    std::string_view line = next_piece(rest, '\n');
    next_word(line);
    if (next_word(line) == std::to_string(protocol)) return true;
  }
  return false;
}

/// Loaded; or built in, which a file beside the modules tells, and where that is missing the list
/// of all of the kernel's functions.
bool ModuleGuard::has_module(const std::string& module, const std::string& symbol) const {
  const std::string loaded = "\n" + text_of(proc_root_ + "/modules");
  if (loaded.find("\n" + module + " ") != std::string::npos) return true;
  const std::string release = text_of(proc_root_ + "/sys/kernel/osrelease");
  const std::string built_in =
      text_of(root_ + "/lib/modules/" + std::string(first_line(release)) + "/modules.builtin");
  if (!built_in.empty()) return built_in.find("/" + module + ".ko") != std::string::npos;
  const std::string symbols = text_of(proc_root_ + "/kallsyms");
  return symbols.find(" " + symbol + "\n") != std::string::npos;
}

}  // namespace hark::kernel
