// The two layers that every netlink answer has: messages, and the attributes inside a message.
// linux/netlink.h, netlink(7); nlmsg_parse and nla_ok of include/net/netlink.h. Bounded by the
// bytes given, whatever the lengths in them say.
#pragma once

#include <linux/netlink.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

/// NETLINK_SOCK_DIAG: the protocol of netlink by which sockets are asked for.
constexpr int kNetlinkSockDiag = 4;

/// One message without its header.
struct NetlinkMessage {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  ByteView body;
};

/// Walks over messages that lie back to back. After the last one, or at the first whose length is
/// impossible, next() gives nothing; broken() tells the two apart.
class NetlinkMessages {
 public:
  explicit NetlinkMessages(ByteView answer) : size_(answer.size()), reader_(answer) {}
  [[nodiscard]] std::optional<NetlinkMessage> next();
  [[nodiscard]] bool broken() const { return broken_; }
  /// Where the message that next() came upon last begins, in bytes.
  [[nodiscard]] std::size_t offset() const { return offset_; }

 private:
  std::size_t size_;
  std::size_t offset_ = 0;
  ByteReader reader_;
  bool broken_ = false;
};

/// One attribute. `type` is without the two flag bits (nested, network byte order).
struct NetlinkAttribute {
  std::uint16_t type = 0;
  ByteView bytes;

  /// The content as one value; nothing unless it is exactly that long.
  template <typename T>
  [[nodiscard]] std::optional<T> value() const {
    if (bytes.size() != sizeof(T)) return std::nullopt;
    return ByteReader(bytes).value<T>();
  }
  /// The content up to its first NUL.
  [[nodiscard]] std::string_view text() const;
};

/// Walks over attributes, as NetlinkMessages does over messages.
class NetlinkAttributes {
 public:
  explicit NetlinkAttributes(ByteView attributes) : left_(attributes) {}
  [[nodiscard]] std::optional<NetlinkAttribute> next();
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  ByteView left_;
  bool broken_ = false;
};

/// Here, because rulesets have millions of them.
inline std::optional<NetlinkAttribute> NetlinkAttributes::next() {
  constexpr std::size_t kAligned = 3;  // NLA_ALIGNTO - 1
  if (broken_ || left_.empty()) return std::nullopt;
  nlattr header{};
  broken_ = left_.size() < sizeof header;
  if (broken_) return std::nullopt;
  std::memcpy(&header, left_.data(), sizeof header);
  const std::size_t length = header.nla_len;
  broken_ = length < sizeof header || length > left_.size();
  if (broken_) return std::nullopt;
  const ByteView bytes = left_.subspan(sizeof header, length - sizeof header);
  // The last one may come without its padding.
  left_ = left_.subspan(std::min((length + kAligned) & ~kAligned, left_.size()));
  return NetlinkAttribute{static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK), bytes};
}

/// Gives the bodies of an answer whose messages must all be of one type. NLMSG_NOOP and a
/// successful NLMSG_DONE are passed over. An NLMSG_DONE or NLMSG_ERROR with an errno (a dump that
/// fails half way says so in its last message), another type or a bad length ends the walk with an
/// error.
class NetlinkAnswer {
 public:
  /// `what` names the answer in errors: "sock_diag answer".
  NetlinkAnswer(ByteView messages, std::uint16_t type, std::string what)
      : messages_(messages), type_(type), what_(std::move(what)) {}

  [[nodiscard]] std::optional<ByteView> next();
  /// Why next() gave nothing; empty at the proper end.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  /// Some message so far said that the dump is inconsistent (NLM_F_DUMP_INTR).
  [[nodiscard]] bool interrupted() const { return interrupted_; }
  /// An error about the message given last, with its place.
  [[nodiscard]] Error reject(std::string_view why) const;

 private:
  [[nodiscard]] std::optional<Error> judge(const NetlinkMessage& message) const;

  NetlinkMessages messages_;
  std::uint16_t type_;
  std::string what_;
  std::optional<Error> error_;
  bool interrupted_ = false;
};

/// A request: header (sequence number and port are the sender's to fill in) and body.
[[nodiscard]] Bytes netlink_request(std::uint16_t type, std::uint16_t flags, ByteView body);

/// Appends an attribute and its padding. `value` is at most 65531 bytes long.
void append_attribute(Bytes& to, std::uint16_t type, ByteView value);

}  // namespace hark::decode
