// Matches that ask conntrack: xt_conntrack.c, xt_state.c, xt_connmark.c, xt_connlabel.c,
// xt_connlimit.c, xt_connbytes.c, xt_helper.c, xt_cluster.c of net/netfilter.
#include <array>
#include <utility>

#include "reach/client_tests.h"
#include "reach/conntrack.h"
#include "reach/xt_ask.h"

namespace hark::reach {
namespace {

// XT_CONNTRACK_*: which parts of the structure count.
constexpr unsigned kState = 1U << 0U;
constexpr unsigned kProtocol = 1U << 1U;
constexpr unsigned kOriginalSource = 1U << 2U;
constexpr unsigned kOriginalDestination = 1U << 3U;
constexpr unsigned kReplySource = 1U << 4U;
constexpr unsigned kReplyDestination = 1U << 5U;
constexpr unsigned kStatus = 1U << 6U;
constexpr unsigned kExpires = 1U << 7U;
constexpr unsigned kOriginalSourcePort = 1U << 8U;
constexpr unsigned kOriginalDestinationPort = 1U << 9U;
constexpr unsigned kReplySourcePort = 1U << 10U;
constexpr unsigned kReplyDestinationPort = 1U << 11U;
constexpr unsigned kDirection = 1U << 12U;
// XT_CONNTRACK_STATE_*
constexpr unsigned kInvalid = 1U << 0U;
constexpr unsigned kEstablished = 1U << 1U;
constexpr unsigned kRelated = 1U << 2U;
constexpr unsigned kNew = 1U << 3U;
constexpr unsigned kSourceNat = 1U << 6U;
constexpr unsigned kDestinationNat = 1U << 7U;
constexpr unsigned kUntracked = 1U << 8U;
constexpr unsigned kStateUntracked = 1U << 6U;  ///< of -m state

unsigned state_bit(const Packet& packet, unsigned untracked) {
  switch (packet.ct) {
    case CtState::New:
      return kNew;
    case CtState::Established:
      return kEstablished;
    case CtState::Related:
      return kRelated;
    case CtState::Untracked:
      return untracked;
    case CtState::None:
    case CtState::Invalid:
      return kInvalid;
  }
  return kInvalid;
}

struct AddressTest {
  unsigned flag;
  Field address, mask;
  bool reply, destination;
};
constexpr std::array<AddressTest, 4> kAddressTests = {{
    {kOriginalSource, Field::SourceAddress, Field::SourceMask, false, false},
    {kOriginalDestination, Field::DestinationAddress, Field::DestinationMask, false, true},
    {kReplySource, Field::ReplySource, Field::ReplySourceMask, true, false},
    {kReplyDestination, Field::ReplyDestination, Field::ReplyDestinationMask, true, true},
}};
struct PortTest {
  unsigned flag;
  Field low, high;
  bool reply, destination;
};
constexpr std::array<PortTest, 4> kPortTests = {{
    {kOriginalSourcePort, Field::SourcePort, Field::SourcePortHigh, false, false},
    {kOriginalDestinationPort, Field::DestinationPort, Field::DestinationPortHigh, false, true},
    {kReplySourcePort, Field::ReplySourcePort, Field::ReplySourcePortHigh, true, false},
    {kReplyDestinationPort, Field::ReplyDestinationPort, Field::ReplyDestinationPortHigh, true,
     true},
}};

bool tuple_matches(const Ask& ask, const Connection& connection, unsigned wants, unsigned inverts) {
  for (const AddressTest& test : kAddressTests) {
    if ((wants & test.flag) == 0) continue;
    const Tuple& tuple = test.reply ? connection.reply : connection.original;
    const bool equal = masked_equal(ask.world, test.destination ? tuple.destination : tuple.source,
                                    ask.blob.address(test.address, ask.packet.family),
                                    ask.blob.address(test.mask, ask.packet.family));
    if (equal == ((inverts & test.flag) != 0)) return false;
  }
  if ((wants & kProtocol) != 0) {
    const bool equal = connection.protocol == ask.blob.number(Field::Protocol);
    if (equal == ((inverts & kProtocol) != 0)) return false;
  }
  for (const PortTest& test : kPortTests) {
    if ((wants & test.flag) == 0) continue;
    const Tuple& tuple = test.reply ? connection.reply : connection.original;
    const std::uint16_t port = test.destination ? tuple.destination_port : tuple.source_port;
    const bool inside =
        lies_between(ask.world, port, ask.blob.u32(test.low), ask.blob.u32(test.high));
    if (inside == ((inverts & test.flag) != 0)) return false;
  }
  return true;
}

bool status_matches(const Ask& ask, const Connection& connection) {
  return (ask.blob.u32(Field::Status) & status_bits(connection)) != 0;
}

XtMatched conntrack(const Ask& ask) {
  const unsigned wants = ask.blob.u32(Field::MatchFlags);
  const unsigned inverts = ask.blob.u32(Field::InvertFlags);
  const Connection* connection = ask.connection();
  if ((wants & kState) != 0) {
    unsigned bits = state_bit(ask.packet, kUntracked);
    if (connection != nullptr && connection->source_nat) bits |= kSourceNat;
    if (connection != nullptr && connection->destination_nat) bits |= kDestinationNat;
    const bool matches = (ask.blob.u32(Field::State) & bits) != 0;
    if (matches == ((inverts & kState) != 0)) return XtMatched::No;
  }
  if (connection == nullptr) return when((wants & kState) != 0);
  if ((wants & kDirection) != 0 && !ask.packet.ct_reply == ((inverts & kDirection) != 0))
    return XtMatched::No;
  if (!tuple_matches(ask, *connection, wants, inverts)) return XtMatched::No;
  if ((wants & kStatus) != 0 && status_matches(ask, *connection) == ((inverts & kStatus) != 0))
    return XtMatched::No;
  if ((wants & kExpires) != 0) return when(ask.unsure("conntrack", Doubt::Time));
  return XtMatched::Yes;
}

XtMatched state(const Ask& ask) {
  return when((ask.blob.u32(Field::State) & state_bit(ask.packet, kStateUntracked)) != 0);
}

XtMatched connmark(const Ask& ask) {
  const Connection* connection = ask.connection();
  if (connection == nullptr) return XtMatched::No;
  const bool equal = (connection->mark & ask.blob.u32(Field::Mask)) == ask.blob.u32(Field::Value);
  return when(equal != (ask.blob.number(Field::Invert) != 0));
}

XtMatched connlabel(const Ask& ask) {
  const unsigned options = ask.blob.u32(Field::Flags);
  const bool invert = (options & 1U) != 0;
  const bool sets = (options & 2U) != 0;
  const Connection* connection = ask.connection();
  if (connection == nullptr) return when(invert);
  const std::size_t bit = ask.blob.number(Field::Value);
  const bool set = bit / 8 < connection->labels.size() &&
                   (std::to_integer<unsigned>(connection->labels[bit / 8]) >> bit % 8 & 1U) != 0;
  return when((set || sets) != invert);
}

/// How many connections there are is not read. The one that asks is counted: there is always one.
XtMatched connlimit(const Ask& ask) {
  const bool invert = (ask.blob.number(Field::Flags) & 1U) != 0;
  if (ask.blob.number(Field::Most) == 0) return when(!invert);
  return when(ask.unsure("connection-limit", Doubt::Time));
}

constexpr unsigned kCountPackets = 0;
constexpr unsigned kCountReply = 1;
/// Of a first packet what it counted itself is known: one packet there, none back.
XtMatched connbytes(const Ask& ask) {
  const Connection* connection = ask.connection();
  if (connection == nullptr) return XtMatched::No;
  const bool first = !connection->confirmed && !connection->replied && !ask.packet.reply;
  const bool back = ask.blob.number(Field::Direction) == kCountReply;
  if (!first || (!back && ask.blob.number(Field::What) != kCountPackets))
    return when(ask.unsure("connection-bytes", Doubt::Time));
  const std::uint64_t count = back ? 0 : 1;
  const std::uint64_t from = ask.blob.number(Field::From);
  const std::uint64_t to = ask.blob.number(Field::To);
  return when(to >= from ? count <= to && count >= from : count < to || count > from);
}

/// Only a connection that another one's helper expected has a helper to be asked for.
XtMatched helper(const Ask& ask) {
  const bool invert = ask.blob.number(Field::Invert) != 0;
  if (ask.connection() != nullptr && ask.packet.ct == CtState::Related && !ask.packet.related)
    return when(ask.unsure("conntrack", Doubt::Time));
  return when(invert);
}

XtMatched cluster(const Ask& ask) {
  if (ask.connection() == nullptr) return XtMatched::No;
  return when(ask.unsure("hash", Doubt::Chance));
}

constexpr std::array<std::pair<std::string_view, Judge>, 8> kJudges = {{
    {"conntrack", conntrack},
    {"state", state},
    {"connmark", connmark},
    {"connlabel", connlabel},
    {"connlimit", connlimit},
    {"connbytes", connbytes},
    {"helper", helper},
    {"cluster", cluster},
}};

}  // namespace

Judge connection_judge(std::string_view name) {
  for (const auto& [known, judge] : kJudges)
    if (known == name) return judge;
  return nullptr;
}

}  // namespace hark::reach
