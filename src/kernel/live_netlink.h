// Netlink questions to the running kernel: sending, receiving and framing.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace hark::kernel {

/// Opens a netlink socket for one protocol in the calling thread's namespace: a descriptor, or -1
/// and errno.
[[nodiscard]] int open_netlink(int protocol);

/// A netlink socket and the number of its last question.
class NetlinkSocket {
 public:
  explicit NetlinkSocket(UniqueFd fd) : fd_(std::move(fd)) {}

  /// One exchange, as Source::netlink promises it.
  [[nodiscard]] Result<Bytes> ask(ByteView request);

 private:
  UniqueFd fd_;
  std::uint32_t sequence_ = 0;
  std::unique_ptr<char[]> buffer_;  ///< for datagrams; made at the first question
};

}  // namespace hark::kernel
