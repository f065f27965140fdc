// What a server says is any bytes, cut anywhere. The first bytes choose the port and the scheme;
// after that each piece begins with its length, and an empty piece is a silence.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "probe/conversation.h"

namespace {

using namespace hark;

void require(bool holds) {
  if (!holds) std::abort();
}

bool printable(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

void check(const probe::Conversation& talk) {
  const std::optional<probe::Service> service = talk.service();
  if (!service) return;
  require(!service->protocol.empty() && service->protocol.size() < 40);
  require(service->detail.size() < 2000 && printable(service->detail));
  require(talk.patience().count() > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  probe::Asked asked;
  asked.protocol = (data[0] & 1U) != 0 ? Protocol::Udp : Protocol::Tcp;
  asked.scheme = static_cast<probe::Scheme>((data[0] >> 1U) & 3U);
  asked.port = static_cast<std::uint16_t>(data[1] << 8U | data[2]);
  probe::Conversation talk(asked);
  talk.begin();
  std::string_view rest(reinterpret_cast<const char*>(data) + 3, size - 3);
  while (!rest.empty() && !talk.finished()) {
    require(talk.take_output().size() < 4096);
    const std::size_t length = static_cast<std::uint8_t>(rest.front());
    rest.remove_prefix(1);
    const std::string_view piece = rest.substr(0, length);
    rest.remove_prefix(piece.size());
    if (piece.empty()) {
      talk.quiet();
    } else {
      talk.receive(piece);
    }
    check(talk);
  }
  talk.end_of_stream();
  require(talk.finished());
  check(talk);
  return 0;
}
