// The other ends of the host's links: sends and reads frames, and plays every neighbour that the
// host asks for.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/unique_fd.h"
#include "frames.h"
#include "place.h"

namespace hark::differential {

class Wire {
 public:
  /// `dead`: addresses that nobody answers for.
  Wire(const Place& place, std::vector<IpAddress> dead);

  void send(unsigned link, const Bytes& frame) const;
  /// Gives every frame that has come to `take` and answers neighbour questions; how many there
  /// were. Waits up to `wait_ms` for the first one.
  unsigned read(const std::function<void(unsigned link, const Seen&)>& take, int wait_ms);
  /// Waits until everything sent before has been received and dealt with by the kernel.
  void drain() const;

  [[nodiscard]] static Mac host_mac(unsigned link) {
    return {2, 0, 0, 0, static_cast<std::uint8_t>(link + 1), 1};
  }
  [[nodiscard]] static Mac client_mac(unsigned link) {
    return {2, 0, 0, 0, static_cast<std::uint8_t>(link + 1), 2};
  }

 private:
  void answer(unsigned link, const Seen& seen) const;
  /// Those that are there.
  unsigned read_waiting(const std::function<void(unsigned link, const Seen&)>& take);
  std::vector<IpAddress> dead_;
  std::vector<InterfaceNow> interfaces_;
  std::array<int, kLinks> index_{};
  int sentinel_ = 0;
  UniqueFd frames_, sentinels_;
};

}  // namespace hark::differential
