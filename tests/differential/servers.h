// The listeners of a case, in processes of their own. Each answers with its own name, so that a
// client learns which one has it.
//
//   listen NAME tcp|udp ADDRESS PORT [WORD…]
//
//   v6only=0|1   dev=INTERFACE   reuseport   backlog=N   transparent   bound (no listen)
//   stopped      its process is stopped by SIGSTOP
//   full         accept queue, or receive buffer, full and not read from
//   idle         one connection waits, nobody takes it
//   to=ADDRESS,PORT   connected to that peer
//   minttl=N (255 without a number)   filter=drop|accept|short (drop without a word; short: what is
//   longer than 1000 bytes is dropped)   defer   mark=N   md5=ADDRESS (of a peer that has to sign)
//   nopktinfo   of udp: does not learn at which address it was asked
//   in=NAME      in that container
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "place.h"

namespace hark::differential {

struct ListenSpec {
  std::string name;
  bool udp = false;
  IpAddress address;
  std::uint16_t port = 0;
  std::optional<bool> v6only = {};
  std::string device = {};
  bool reuseport = false, transparent = false, bound = false, stopped = false, full = false;
  bool idle = false, defer = false, packet_info = true;
  int min_ttl = 0, mark = 0;
  std::string filter = {};
  int backlog = 4096;
  std::optional<IpAddress> peer = {};
  std::uint16_t peer_port = 0;
  std::optional<IpAddress> md5 = {};
  std::string box = {};
};
[[nodiscard]] Result<ListenSpec> parse_listener(std::string_view line);

/// A client whose data or datagram a listener has got.
struct Delivery {
  std::string listener;
  bool udp = false;
  IpAddress peer;
  std::uint16_t port = 0;
};

class Servers {
 public:
  Servers() = default;
  Servers(Servers&&) = default;
  Servers& operator=(Servers&&) = default;
  ~Servers();

  /// Opens them all, each in its namespace. An error names the listener; `loose`: one that cannot
  /// be opened is left out.
  [[nodiscard]] static Result<Servers> start(const Place& place,
                                             const std::vector<std::string>& lines, bool loose);
  /// Waits until everything that has arrived was served; who was served since the last time.
  [[nodiscard]] std::vector<Delivery> settle();
  /// The listener's name by the inode of its socket.
  [[nodiscard]] const std::map<std::uint32_t, std::string>& by_inode() const { return by_inode_; }

 private:
  struct Process {
    pid_t pid = 0;
    UniqueFd control;
    bool stopped = false;
  };
  [[nodiscard]] Result<void> start_process(int netns, const std::vector<ListenSpec>& specs,
                                           bool stopped, bool loose);
  std::vector<Process> processes_;
  std::map<std::uint32_t, std::string> by_inode_;
};

}  // namespace hark::differential
