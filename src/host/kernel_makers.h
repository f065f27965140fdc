// Which parts of the kernel open sockets, and how they tell of them. See kernel_owners.h.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "decode/generic_netlink.h"
#include "decode/rtnetlink.h"
#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

/// What a part of the kernel says it has opened. What is empty was not told and fits everything.
struct KernelClaim {
  KernelOwner owner;
  decode::KernelSocket socket;
  /// A known port, but not told by the kernel: counts only where no process can have the socket.
  bool guessed = false;
};

/// Asks in one namespace, each thing at most once.
class KernelAsker {
 public:
  /// `hosts`: it is the namespace of process 1, or nothing better is known; what the kernel tells
  /// once for the machine is meant for it.
  KernelAsker(kernel::Source& source, const kernel::NetnsRef& netns, bool hosts)
      : source_(source), netns_(netns), hosts_(hosts) {}

  [[nodiscard]] kernel::Source& source() const { return source_; }
  [[nodiscard]] const kernel::NetnsRef& netns() const { return netns_; }
  [[nodiscard]] bool is_hosts() const { return hosts_; }

  /// All links; none if the kernel does not answer.
  [[nodiscard]] const std::vector<decode::LinkRecord>& links();
  /// Asks something of generic netlink. A refusal is kept as what was refused of `whom`.
  [[nodiscard]] Result<Bytes> ask_generic(ByteView request, const std::string& whom);
  /// Of whom the ports could not be read for want of a right.
  [[nodiscard]] const std::vector<std::string>& refused() const { return refused_; }
  /// The message type of a family of generic netlink; 0: this kernel has it not, or not yet.
  [[nodiscard]] std::uint16_t family(std::string_view name);

 private:
  kernel::Source& source_;
  const kernel::NetnsRef& netns_;
  bool hosts_;
  std::optional<std::vector<decode::LinkRecord>> links_;
  std::optional<std::vector<decode::GenericFamily>> families_;
  std::vector<std::string> refused_;
};

/// Of which transport a maker's sockets are.
enum class Transport : std::uint8_t { Udp = 1, Tcp = 2, Both = 3 };

struct KernelMaker {
  const char* kind;
  Transport transport;
  void (*find)(KernelAsker& asker, std::vector<KernelClaim>& out);
};
[[nodiscard]] const std::vector<KernelMaker>& kernel_makers();

/// Links that were moved here and left their sockets where they were made, as WireGuard devices of
/// containers do. Asked for only where a socket is left that nothing else explains.
void find_moved_links(KernelAsker& asker, std::vector<KernelClaim>& out);

}  // namespace hark::host
