#include "decode/netlink_attributes.h"

#include <linux/netlink.h>

#include <algorithm>

namespace hark::decode {
namespace {

constexpr std::size_t kAlignment = 4;  // NLMSG_ALIGNTO and NLA_ALIGNTO
constexpr int kLargestErrno = 4095;    // MAX_ERRNO of linux/err.h

/// The bytes between `length` and the next multiple of the alignment.
std::size_t padding(std::size_t length) {
  return (kAlignment - length % kAlignment) % kAlignment;
}

/// Takes padding; the last piece of a buffer may come without it.
void skip_padding(ByteReader& reader, std::size_t length) {
  reader.take(std::min(padding(length), reader.left()));
}

}  // namespace

std::optional<NetlinkMessage> NetlinkMessages::next() {
  if (broken_ || reader_.empty()) return std::nullopt;
  offset_ = size_ - reader_.left();
  const auto header = reader_.value<nlmsghdr>();
  broken_ = !reader_.ok() || header.nlmsg_len < sizeof header ||
            header.nlmsg_len - sizeof header > reader_.left();
  if (broken_) return std::nullopt;
  const ByteView body = reader_.take(header.nlmsg_len - sizeof header);
  skip_padding(reader_, header.nlmsg_len);
  return NetlinkMessage{header.nlmsg_type, header.nlmsg_flags, body};
}

std::string_view NetlinkAttribute::text() const {
  const std::string_view all = as_text(bytes);
  return all.substr(0, all.find('\0'));
}

std::optional<ByteView> NetlinkAnswer::next() {
  while (!error_) {
    const auto message = messages_.next();
    if (!message) {
      if (messages_.broken()) error_ = reject("a message is cut off or has an impossible length");
      return std::nullopt;
    }
    interrupted_ = interrupted_ || (message->flags & NLM_F_DUMP_INTR) != 0;
    if (message->type == type_) return message->body;
    error_ = judge(*message);
  }
  return std::nullopt;
}

/// What a message of another type means: nothing, or the end.
std::optional<Error> NetlinkAnswer::judge(const NetlinkMessage& message) const {
  if (message.type == NLMSG_NOOP) return std::nullopt;
  if (message.type == NLMSG_DONE || message.type == NLMSG_ERROR) {
    // Both begin with zero or a negative errno. A DONE without it is as good as one with zero.
    const auto status = ByteReader(message.body).value<std::int32_t>();
    if (status < 0 && status >= -kLargestErrno) return kernel_error(-status, what_);
    if (message.type == NLMSG_DONE && status == 0) return std::nullopt;
  }
  return reject("a message of type " + std::to_string(message.type) + " does not belong here");
}

Error NetlinkAnswer::reject(std::string_view why) const {
  return plain_error(what_, "byte " + std::to_string(messages_.offset()) + ": " + std::string(why));
}

Bytes netlink_request(std::uint16_t type, std::uint16_t flags, ByteView body) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + body.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  Bytes out;
  append_value(out, header);
  append(out, body);
  return out;
}

void append_attribute(Bytes& to, std::uint16_t type, ByteView value) {
  nlattr header{};
  header.nla_len = static_cast<std::uint16_t>(sizeof header + value.size());
  header.nla_type = type;
  append_value(to, header);
  append(to, value);
  to.resize(to.size() + padding(value.size()));
}

}  // namespace hark::decode
