// A line of these tables, as get_tcp4_sock (net/ipv4/tcp_ipv4.c), udp4_format_sock (udp.c),
// raw_sock_seq_show (raw.c), get_tcp6_sock and __ip6_dgram_sock_seq_show (net/ipv6) print it:
//
//   sl: local:port remote:port st tx:rx tr:when retrnsmt uid timeout inode ref pointer …
//
// Addresses are the words of the address in network order, each printed as a number of this
// machine: 127.0.0.1 is 0100007F on a little endian one. Ports are ordinary numbers. Datagram and
// raw tables end with the drops; those of TCP go on with timers that nobody here needs.
#include "decode/proc_net.h"

#include <array>
#include <cstring>

#include "base/text.h"
#include "decode/text_lines.h"

namespace hark::decode {
namespace {

constexpr std::size_t kWordDigits = 8;

// Positions of the columns that are read.
enum Column : std::size_t {
  kLocal = 1,
  kRemote = 2,
  kState = 3,
  kQueues = 4,
  kUid = 7,
  kInode = 9,
  kPointer = 11,
  kDrops = 12,
  kColumns = 13,
};

using Columns = std::array<std::string_view, kColumns>;

bool read_address(std::string_view hex, Family family, IpAddress& out) {
  out = IpAddress{.family = family};
  const std::size_t words = out.bits() / 32;
  if (hex.size() != words * kWordDigits) return false;
  for (std::size_t i = 0; i < words; ++i) {
    const auto value = parse_number<std::uint32_t>(hex.substr(i * kWordDigits, kWordDigits), 16);
    if (!value) return false;
    std::memcpy(out.bytes.data() + i * sizeof *value, &*value, sizeof *value);
  }
  return true;
}

bool read_end(std::string_view text, Family family, IpAddress& address, std::uint16_t& port) {
  const std::string_view hex = next_piece(text, ':');
  const auto number = parse_number<std::uint16_t>(text, 16);
  if (!number) return false;
  port = *number;
  return read_address(hex, family, address);
}

/// A counter of 32 bits. Older kernels print it as a signed number: a large one comes out negative.
std::optional<std::uint64_t> read_drops(std::string_view text) {
  if (const auto number = parse_number<std::uint32_t>(text)) return *number;
  const auto number = parse_number<std::int32_t>(text);
  if (!number) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

/// The name of the column that is malformed; empty: none is, and `record` is filled.
std::string_view read_columns(const Columns& columns, Family family, SocketRecord& record) {
  if (!read_end(columns[kLocal], family, record.local, record.local_port)) return "local address";
  if (!read_end(columns[kRemote], family, record.remote, record.remote_port)) {
    return "remote address";
  }
  const auto state = parse_number<std::uint8_t>(columns[kState], 16);
  if (!state) return "state";
  record.state = *state;
  std::string_view receive = columns[kQueues];
  next_piece(receive, ':');
  record.queue_length = parse_number<std::uint32_t>(receive, 16);
  if (!record.queue_length) return "queues";
  const auto uid = parse_number<std::uint32_t>(columns[kUid]);
  if (!uid) return "uid";
  record.uid = *uid;
  const auto inode = parse_number<std::uint32_t>(columns[kInode]);
  if (!inode) return "inode";
  record.inode = *inode;
  if (columns[kPointer].empty()) return "pointer";
  return {};
}

std::string_view read_line(std::string_view line, Family family, SocketRecord& record) {
  Columns columns;
  for (std::string_view& column : columns) column = next_word(line);
  const std::string_view fault = read_columns(columns, family, record);
  if (!fault.empty()) return fault;
  if (record.protocol == Protocol::Tcp || record.protocol == Protocol::Mptcp) return {};
  record.drops = read_drops(columns[kDrops]);
  return record.drops ? std::string_view{} : "drops";
}

}  // namespace

Result<SocketDump> decode_proc_net(ByteView text, Protocol protocol, Family family) {
  SocketDump dump;
  TextLines lines(text, "socket table of /proc/net");
  auto line = lines.next();
  if (!line || next_word(*line) != "sl") {
    return fail(lines.error() ? *lines.error() : lines.reject("no heading"));
  }
  while ((line = lines.next())) {
    SocketRecord record;
    record.protocol = protocol;
    // Never told here, but known: see inet_diag.cpp.
    if (protocol == Protocol::Raw && family == Family::Inet6) record.v6only = true;
    const std::string_view fault = read_line(*line, family, record);
    if (!fault.empty()) return fail(lines.reject("bad " + std::string(fault)));
    dump.sockets.push_back(record);
  }
  if (lines.error()) return fail(*lines.error());
  return dump;
}

bool has_mptcp(ByteView protocols) {
  std::string_view rest = as_text(protocols);
  if (!rest.starts_with("protocol")) return true;
  while (!rest.empty()) {
    std::string_view line = next_piece(rest, '\n');
    if (!next_word(line).starts_with("MPTCP")) continue;
    next_word(line);  // size
    if (parse_number<std::uint64_t>(next_word(line)) != std::uint64_t{0}) return true;
  }
  return false;
}

}  // namespace hark::decode
