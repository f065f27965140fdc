// Forms of bytes that several services share: BER (LDAP, SNMP), DNS messages and RPC calls (over
// TCP and UDP).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "probe/probes.h"

namespace hark::probe {

/// A BER element of less than 64 KiB (X.690 8.1).
[[nodiscard]] std::string ber(std::uint8_t tag, std::string_view content);

/// The size of the whole element that `bytes` begin with; nothing: it cannot be told.
[[nodiscard]] std::optional<std::size_t> ber_size(std::string_view bytes);

/// Reads elements one after another; what is not there, or not of that tag, is nothing. An element
/// that is cut off is as long as what there is of it.
class BerReader {
 public:
  explicit BerReader(std::string_view bytes) : left_(bytes) {}

  /// The tag of the next element; 0: there is none.
  [[nodiscard]] std::uint8_t next() const { return byte_at(left_, 0); }
  [[nodiscard]] std::optional<std::string_view> take(std::uint8_t tag);
  /// A reader of what is inside the next element; of nothing, if it has another tag.
  [[nodiscard]] BerReader inside(std::uint8_t tag) { return BerReader(take(tag).value_or("")); }

 private:
  std::string_view left_;
};

/// A number of at most 4 bytes; 0 for any other.
[[nodiscard]] std::uint32_t ber_number(std::string_view content);

/// NS of the root, not to be looked up elsewhere (RFC 1035 4.1): a server that serves nothing of
/// the kind refuses, and has answered all the same. To mDNS, what services there are (RFC 6763 9).
[[nodiscard]] std::string dns_question(const Asked& asked);
[[nodiscard]] Reading read_dns_message(const Heard& heard);

struct RpcProgram {
  std::uint32_t number = 0;
  std::uint32_t version = 0;
};
constexpr RpcProgram kRpcBind{100000, 2};
constexpr RpcProgram kRpcNfs{100003, 4};

/// A call of procedure 0, which does nothing (RFC 5531 9, 12.1).
[[nodiscard]] std::string rpc_null(const RpcProgram& program);
/// The same as a record of a stream (RFC 5531 11).
[[nodiscard]] std::string rpc_record(const std::string& call);
[[nodiscard]] Reading read_rpc_reply(const Heard& heard);

}  // namespace hark::probe
