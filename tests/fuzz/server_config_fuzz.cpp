// The decoders of decode/server_config.h, endpoint.h and services.h: bounded answers, whatever the
// text, and of what is left for a recording nothing more is left the next time.
#include <cstdlib>

#include "decode/endpoint.h"
#include "decode/server_config.h"
#include "decode/services.h"

namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hark;
  using namespace hark::decode;
  const ByteView text = std::as_bytes(std::span(data, size));
  for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(ServerFormat::Haproxy); ++i) {
    const auto settings = decode_server_config(static_cast<ServerFormat>(i), text);
    require(settings.size() <= kMostServerSettings);
    for (const ServerSetting& one : settings) {
      require(one.line > 0 && one.line <= size + 1);
      require(one.value.size() <= kLongestServerValue);
      require(one.value.find('\n') == std::string::npos);
    }
  }
  const Bytes kept = without_other_settings(text);
  require(kept.size() <= size);
  require(without_other_settings(kept) == kept);
  for (const auto& [name, port] : decode_services(text)) require(!name.empty() && port != 0);
  require(decode_hosts(text, "localhost").size() <= size);
  if (const auto at = split_endpoint(as_text(text))) {
    require(at->host.size() + at->port.size() <= size && !(at->host.empty() && at->port.empty()));
  }
  return 0;
}
