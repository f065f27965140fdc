// Asking must not change the host: some questions make the kernel load a module first. socket(2) of
// AF_NETLINK loads the protocol's (netlink_create of net/netlink/af_netlink.c), a message of
// nfnetlink the subsystem's (nfnetlink_rcv_msg of net/netfilter/nfnetlink.c).
#pragma once

#include <map>
#include <string>

#include "base/bytes.h"

namespace hark::kernel {

class ModuleGuard {
 public:
  /// `root` stands before /lib/modules; for tests.
  explicit ModuleGuard(std::string proc_root, std::string root = {})
      : proc_root_(std::move(proc_root)), root_(std::move(root)) {}

  /// Would this request load a module, or could it, as far as can be told? Never for protocols and
  /// subsystems that are there, and nowhere on a kernel that cannot load any. What such a module
  /// would tell of is not there either.
  [[nodiscard]] bool would_load(int protocol, ByteView request);

 private:
  [[nodiscard]] bool looked(int protocol, std::uint8_t subsystem);
  [[nodiscard]] bool can_load() const;
  [[nodiscard]] bool has_protocol(int protocol) const;
  [[nodiscard]] bool has_module(const std::string& module, const std::string& symbol) const;

  std::string proc_root_;
  std::string root_;
  std::map<std::pair<int, std::uint8_t>, bool> known_;
};

}  // namespace hark::kernel
