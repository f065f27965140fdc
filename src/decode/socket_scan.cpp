#include "decode/socket_scan.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <tuple>
#include <utility>

#include "base/parts.h"

namespace hark::decode {
namespace {

// Of linux/socket.h.
constexpr std::uint16_t kInet = 2;
constexpr std::uint16_t kInet6 = 10;
constexpr std::size_t kV4Size = 4;

template <typename T>
bool read_array(ByteView bytes, std::vector<T>& out) {
  if (bytes.size() % sizeof(T) != 0) return false;
  out.resize(bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  return true;
}

/// Nothing: there cannot be such a socket.
std::optional<SurveyRecord> to_record(const SurveyedSocket& from) {
  const auto protocol = surveyed_protocol(from.protocol);
  if (!protocol || (from.family != kInet && from.family != kInet6)) return std::nullopt;
  const bool v6 = from.family == kInet6;
  SurveyRecord out;
  out.netns_inode = from.netns;
  SocketRecord& socket = out.socket;
  socket.protocol = *protocol;
  const ByteView address = std::as_bytes(std::span(from.address));
  socket.local.family = v6 ? Family::Inet6 : Family::Inet;
  std::memcpy(socket.local.bytes.data(), address.data(), v6 ? address.size() : kV4Size);
  socket.local_port = from.port;
  socket.remote.family = socket.local.family;
  socket.remote_port = from.remote_port;
  socket.state = from.state;
  socket.interface_index = from.interface_index;
  socket.uid = from.uid;
  socket.inode = from.inode;
  if (from.cookie != 0) socket.cookie = from.cookie;
  socket.queue_length = from.queue_length;
  socket.queue_limit = from.queue_limit;
  socket.drops = from.drops;
  if (v6) socket.v6only = from.v6only != 0 || *protocol == Protocol::Raw;
  if (from.cgroup_id != 0) socket.cgroup_id = from.cgroup_id;
  socket.has_file = from.has_file != 0;
  return out;
}

auto order(const SurveyRecord& record) {
  return std::tuple(record.netns_inode, record.socket.inode,
                    static_cast<std::uint16_t>(record.socket.protocol), record.socket.local_port);
}

}  // namespace

std::optional<Protocol> surveyed_protocol(std::uint16_t number) {
  constexpr std::array<std::pair<std::uint16_t, Protocol>, 5> kNumbers = {{
      {6, Protocol::Tcp},
      {262, Protocol::Mptcp},
      {17, Protocol::Udp},
      {136, Protocol::Udplite},
      {255, Protocol::Raw},
  }};
  const auto found = std::ranges::find(kNumbers, number, &decltype(kNumbers)::value_type::first);
  if (found == kNumbers.end()) return std::nullopt;
  return found->second;
}

Result<SocketSurvey> decode_socket_survey(ByteView parts) {
  const auto broken = [](const char* why) { return fail(plain_error("socket survey", why)); };
  SocketSurvey out;
  PartReader reader(parts);
  while (const auto part = reader.next()) {
    if (part->tag == static_cast<std::uint16_t>(SocketPart::Namespaces)) {
      if (!read_array(part->bytes, out.namespaces)) return broken("its length is wrong");
    } else if (part->tag == static_cast<std::uint16_t>(SocketPart::Files)) {
      if (!read_array(part->bytes, out.files)) return broken("its length is wrong");
    } else if (part->tag == static_cast<std::uint16_t>(SocketPart::Sockets)) {
      out.full = true;
      std::vector<SurveyedSocket> sockets;
      if (!read_array(part->bytes, sockets)) return broken("its length is wrong");
      out.sockets.reserve(sockets.size());
      for (const SurveyedSocket& socket : sockets) {
        auto record = to_record(socket);
        if (!record) return broken("a socket of no known family or protocol");
        out.sockets.push_back(std::move(*record));
      }
    }
  }
  if (reader.broken()) return broken("a part is cut off");
  std::ranges::sort(out.namespaces, {}, &SurveyedNetns::inode);
  std::ranges::sort(out.files, {}, &SurveyedFile::inode);
  std::ranges::sort(out.sockets, [](const SurveyRecord& a, const SurveyRecord& b) {
    return order(a) < order(b);
  });
  const auto same = [](const SurveyRecord& a, const SurveyRecord& b) {
    return order(a) == order(b) && a.socket.inode != 0;
  };
  out.sockets.erase(std::unique(out.sockets.begin(), out.sockets.end(), same), out.sockets.end());
  return out;
}

}  // namespace hark::decode
