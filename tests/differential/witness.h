// Which rules of nf_tables dropped whose packets, as the kernel itself traces them: a table of our
// own marks every packet early (`meta nftrace set 1`), and the kernel reports each rule that
// matched. It is loaded after hark has read its facts.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "base/address.h"
#include "base/bytes.h"
#include "base/unique_fd.h"
#include "place.h"

namespace hark::differential {

class Witness {
 public:
  /// Loads the table and listens. Without nf_tables it sees nothing.
  explicit Witness(const Place& place);
  /// Takes what the kernel has reported so far.
  void collect();
  /// Where packets from or to this client were dropped or rejected, in hark's words:
  /// "inet filter input handle 7", "the policy of ip nat prerouting".
  [[nodiscard]] const std::set<std::string>& drops(bool udp, const IpAddress& client,
                                                   std::uint16_t port) const;
  [[nodiscard]] bool works() const { return socket_.valid(); }

 private:
  using End = std::tuple<bool, IpAddress, std::uint16_t>;
  void take_message(ByteView message);
  UniqueFd socket_;
  std::map<std::uint32_t, std::pair<End, End>> packets_;  ///< by the kernel's id of a packet
  std::map<End, std::set<std::string>> drops_;
};

}  // namespace hark::differential
