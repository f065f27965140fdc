#include "probe/frames.h"

#include <algorithm>
#include <array>

namespace hark::probe {
namespace {

/// Tag and length of an element, and how many bytes they take; nothing: cut off, or a form that
/// nobody here uses (tags of several bytes, indefinite lengths, more than 4 bytes of length).
struct BerHead {
  std::size_t head = 0;
  std::size_t content = 0;
};
std::optional<BerHead> ber_head(std::string_view bytes) {
  if (bytes.size() < 2 || (byte_at(bytes, 0) & 0x1fU) == 0x1f) return std::nullopt;
  const std::uint8_t first = byte_at(bytes, 1);
  if (first < 0x80) return BerHead{2, first};
  const std::size_t count = first & 0x7fU;
  if (count == 0 || count > 4 || bytes.size() < 2 + count) return std::nullopt;
  std::size_t content = 0;
  for (std::size_t i = 0; i < count; ++i) content = content << 8U | byte_at(bytes, 2 + i);
  return BerHead{2 + count, content};
}

constexpr std::uint16_t kDnsId = 0x4861;
constexpr std::uint16_t kMdnsPort = 5353;

struct ResponseCode {
  std::uint8_t code = 0;
  std::string_view words;
};
constexpr std::array kResponseCodes = {
    ResponseCode{0, "answers"},
    ResponseCode{1, "answers: format error"},
    ResponseCode{2, "answers: it failed"},
    ResponseCode{3, "answers: no such name"},
    ResponseCode{4, "answers: not implemented"},
    ResponseCode{5, "answers: refused"},
};

constexpr std::uint32_t kRpcId = 0x6861726b;

}  // namespace

std::string ber(std::uint8_t tag, std::string_view content) {
  std::string out(1, static_cast<char>(tag));
  if (content.size() < 0x80) {
    out += static_cast<char>(content.size());
  } else {
    out += '\x82';
    put_be16(out, static_cast<std::uint16_t>(content.size()));
  }
  out += content;
  return out;
}

std::optional<std::size_t> ber_size(std::string_view bytes) {
  const std::optional<BerHead> head = ber_head(bytes);
  if (!head) return std::nullopt;
  return head->head + head->content;
}

std::optional<std::string_view> BerReader::take(std::uint8_t tag) {
  const std::optional<BerHead> head = ber_head(left_);
  if (!head || next() != tag) return std::nullopt;
  const std::string_view content = left_.substr(head->head, head->content);
  left_.remove_prefix(head->head + content.size());
  return content;
}

std::uint32_t ber_number(std::string_view content) {
  if (content.size() > 4) return 0;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < content.size(); ++i) value = value << 8U | byte_at(content, i);
  return value;
}

std::string dns_question(const Asked& asked) {
  std::string out;
  put_be16(out, kDnsId);
  out += raw("\0\0\0\1\0\0\0\0\0\0");
  if (asked.port == kMdnsPort) {
    // PTR, and the answer to us alone rather than to everybody (RFC 6762 5.4).
    return out + raw("\x09_services\x07_dns-sd\x04_udp\x05local\0\0\x0c\x80\1");
  }
  return out + raw("\0\0\2\0\1");
}

Reading read_dns_message(const Heard& heard) {
  const std::string_view all = heard.bytes;
  constexpr std::size_t kHead = 12;
  if (all.size() < kHead || (byte_at(all, 2) & 0x80U) == 0) return not_mine();
  const bool mdns = heard.port == kMdnsPort;
  if (be16(all, 0) != kDnsId && !(mdns && be16(all, 0) == 0)) return not_mine();
  const std::uint8_t code = byte_at(all, 3) & 0x0fU;
  const auto row = std::ranges::find(kResponseCodes, code, &ResponseCode::code);
  std::string words = row == kResponseCodes.end() ? "answers: code " + std::to_string(code)
                                                  : std::string(row->words);
  if (mdns) return known("mdns", words + " with " + std::to_string(be16(all, 6)) + " records");
  const bool recursive = (byte_at(all, 3) & 0x80U) != 0;
  const bool authoritative = (byte_at(all, 2) & 0x04U) != 0;
  words += recursive ? ", looks names up for others (RA)" : ", does not look names up for others";
  if (authoritative) words += ", authoritative for the root";
  return known("dns", std::move(words));
}

std::string rpc_null(const RpcProgram& program) {
  std::string out;
  // Id, CALL, RPC version 2, the procedure, no credentials and no verifier.
  for (const std::uint32_t value :
       {kRpcId, 0U, 2U, program.number, program.version, 0U, 0U, 0U, 0U, 0U}) {
    put_be32(out, value);
  }
  return out;
}

std::string rpc_record(const std::string& call) {
  std::string out;
  constexpr std::uint32_t kLastFragment = 0x80000000U;
  put_be32(out, kLastFragment | static_cast<std::uint32_t>(call.size()));
  return out + call;
}

Reading read_rpc_reply(const Heard& heard) {
  const std::string_view all = heard.bytes;
  const std::string_view name = heard.port == 2049 ? "nfs" : "rpcbind";
  if (all.size() < 12 || be32(all, 0) != kRpcId || be32(all, 4) != 1) return not_mine();
  if (be32(all, 8) != 0) return known(name, "refuses the call");
  // A verifier of any length, then how it went.
  const std::size_t status = 20 + (static_cast<std::size_t>(be32(all, 16)) + 3U) / 4U * 4U;
  if (status + 4 > all.size()) return not_mine();
  constexpr std::uint32_t kVersionMismatch = 2;
  const std::uint32_t said = be32(all, status);
  if (said == 0) return known(name, name == "nfs" ? "NFS 4" : "answers");
  if (said == kVersionMismatch) {
    return known(name, "versions " + std::to_string(be32(all, status + 4)) + " to " +
                           std::to_string(be32(all, status + 8)));
  }
  return known(name, "RPC without that program");
}

}  // namespace hark::probe
