// The options of somebody else's socket, read through a duplicate of his descriptor: pidfd_open(2),
// pidfd_getfd(2) (Linux 5.6), getsockopt(2). kernel/pid.c, net/core/sock.c.
//
// The duplicate is asked and closed; nothing is accepted, received or set. Two things could be felt
// outside all the same, and are left alone:
//
//  - Where cgroups of net_cls or net_prio are in use, whoever receives a socket gives it his own
//    class (__receive_sock): hark does not ask then.
//  - Yama writes a line to the kernel's log for each attempt that it refuses: what it will refuse
//    is not tried.
//
// A socket that its holder closes in these microseconds stays until the duplicate is closed.
#pragma once

#include <string>

#include "base/bytes.h"
#include "kernel/source.h"

namespace hark::kernel {

class SocketOptions {
 public:
  explicit SocketOptions(std::string proc_root) : proc_root_(std::move(proc_root)) {}

  /// What Source::socket_options promises. 0 or errno.
  [[nodiscard]] int read(const SocketHolder& holder, Bytes& out);

 private:
  [[nodiscard]] int forbidden() const;

  std::string proc_root_;
  int forbidden_ = -1;  ///< errno of why nobody is asked, 0: everybody is; -1: not looked yet
};

/// Could receiving a socket change its class? `own` and `all` are /proc/self/cgroup and
/// /proc/cgroups.
[[nodiscard]] bool would_change_class(std::string_view own, std::string_view all);
/// Does Yama refuse an attempt to look at a process that is no child? `scope` is
/// /proc/sys/kernel/yama/ptrace_scope, `status` is /proc/self/status.
[[nodiscard]] bool yama_refuses(std::string_view scope, std::string_view status);

}  // namespace hark::kernel
