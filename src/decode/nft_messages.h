// What the messages of nf_tables share: nfnetlink's header, and the family in it.
#pragma once

#include <linux/netfilter/nfnetlink.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "decode/nft_attributes.h"
#include "decode/nft_ruleset.h"

namespace hark::decode::nft {

/// NFNL_SUBSYS_NFTABLES in the upper half, an NFT_MSG_* in the lower.
[[nodiscard]] constexpr std::uint16_t message_type(int message) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
}

/// A request for a family (NFPROTO_*; 0: all of them).
[[nodiscard]] Bytes nft_request(int message, std::uint16_t flags, std::uint8_t family,
                                ByteView attributes = {});

/// Nothing: no family that nf_tables has.
[[nodiscard]] std::optional<TableFamily> family_of(std::uint8_t number);

/// What is wrong with a message, in words.
[[nodiscard]] std::string words_of(const Found& found);

/// Calls `record` with family and attributes of each message of the answer; its fault ends the walk
/// with an error.
template <typename Record>
[[nodiscard]] Result<void> each_message(ByteView messages, int message, std::string what,
                                        const Record& record) {
  NetlinkAnswer answer(messages, message_type(message), std::move(what));
  while (const auto body = answer.next()) {
    ByteReader reader(*body);
    const auto header = reader.value<nfgenmsg>();
    if (!reader.ok()) return fail(answer.reject("the message is too short"));
    const std::string fault = record(header.nfgen_family, reader.take(reader.left()));
    if (!fault.empty()) return fail(answer.reject(fault));
  }
  if (answer.error()) return fail(*answer.error());
  return {};
}

/// One record a message, with its family, from a table of attributes. `finish` turns what stands on
/// the wire into the record and gives its fault.
template <typename Record, typename Wire, typename Finish>
[[nodiscard]] Result<std::vector<Record>> read_records(ByteView messages, int message,
                                                       std::string what,
                                                       std::span<const Field<Wire>> fields,
                                                       const Finish& finish) {
  std::vector<Record> out;
  const auto record = [&](std::uint8_t number, ByteView attributes) -> std::string {
    const auto family = family_of(number);
    if (!family) return "family " + std::to_string(number);
    Wire wire;
    const Found found = read_fields<Wire>(attributes, fields, wire, Others::Passed);
    if (found.fault != Fault::None) return words_of(found);
    Record& made = out.emplace_back();
    std::string fault = finish(std::move(wire), made);
    made.family = *family;
    return fault;
  };
  const auto done = each_message(messages, message, std::move(what), record);
  if (!done) return fail(done.error());
  return out;
}

/// Text of one type among the user data that nft keeps with rules, chains and sets: type, length,
/// bytes (libnftnl's udata). Empty: none of that type.
[[nodiscard]] std::string user_text(ByteView data, std::uint8_t type);

}  // namespace hark::decode::nft
