// decode_socket_details: whatever it accepts has prefixes that fit their family, and none more
// sockets than messages could lie in the bytes.
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "decode/socket_details.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const hark::ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto read = hark::decode::decode_socket_details(bytes);
  if (!read) return 0;
  if (read->size() > size / 16) std::abort();
  for (const auto& socket : *read) {
    for (const hark::Prefix& peer : socket.md5) {
      if (peer.length > peer.address.bits()) std::abort();
    }
  }
  return 0;
}
