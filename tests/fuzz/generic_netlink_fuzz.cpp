// Answers of generic netlink and of sock_diag for UNIX sockets. The first byte chooses the decoder.
#include <cstdint>
#include <cstdlib>

#include "decode/generic_netlink.h"
#include "decode/unix_diag.h"
#include "kernel/wireguard_keys.h"

namespace {

using namespace hark;
using namespace hark::decode;

void require(bool truth) {
  if (!truth) std::abort();
}

constexpr std::uint16_t kFamily = 40;

void check(const Result<std::vector<KernelSocket>>& sockets) {
  if (!sockets) return require(!sockets.error().what.empty());
  for (const KernelSocket& socket : *sockets) {
    require(socket.port != 0 && socket.name.size() <= 255);
    require(!socket.address || socket.family.has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes = std::as_bytes(std::span(data + 1, size - 1));
  using Decode = Result<std::vector<KernelSocket>> (*)(ByteView, std::uint16_t);
  constexpr Decode kDecoders[] = {decode_fou, decode_l2tp, decode_tipc, decode_mptcp, decode_nfsd};
  constexpr unsigned kAll = std::size(kDecoders);
  const unsigned which = data[0] % (kAll + 3);
  if (which < kAll) {
    check(kDecoders[which](bytes, kFamily));
  } else if (which == kAll) {
    if (const auto families = decode_families(bytes)) {
      for (const GenericFamily& family : *families) {
        require(family.id >= 16 && !family.name.empty() && family.name.size() <= 15);
      }
    }
  } else if (which == kAll + 1) {
    if (const auto sockets = decode_unix_diag(bytes)) {
      require(sockets->size() <= bytes.size() / 32);
    }
  } else {
    // What is blanked says the same of the port, and blanking twice is blanking once.
    Bytes answer(bytes.begin(), bytes.end());
    const auto before = decode_wireguard_port(answer, kFamily);
    kernel::blank_wireguard_keys(wireguard_request(kFamily, 1), answer);
    require(answer.size() == bytes.size());
    const auto after = decode_wireguard_port(answer, kFamily);
    if (before) require(after && *after == *before);
    Bytes again = answer;
    kernel::blank_wireguard_keys(wireguard_request(kFamily, 1), again);
    require(again == answer);
  }
  return 0;
}
