// decode_bound_sockets and decode_bound_dump: what they accept has no more sockets than could lie
// in the bytes, of families that there are.
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "decode/bound_sockets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const hark::ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
  for (const hark::Protocol protocol : {hark::Protocol::Tcp, hark::Protocol::Udp}) {
    if (const auto parts = hark::decode::decode_bound_sockets(bytes, protocol)) {
      const std::size_t most = size / sizeof(hark::BindEntry);
      if (parts->sockets.size() > most) std::abort();
      if (parts->buckets.size() > size / sizeof(hark::BindBucket)) std::abort();
    }
    const auto dump = hark::decode::decode_bound_dump(bytes, protocol);
    if (dump && dump->size() > size / 16) std::abort();
  }
  return 0;
}
