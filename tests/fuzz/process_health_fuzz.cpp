// The decoders of decode/process_health.h: bounded answers, whatever the text.
#include <cstdlib>

#include "decode/process_health.h"

namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hark;
  using namespace hark::decode;
  const ByteView text = std::as_bytes(std::span(data, size));
  (void)decode_task_status(text);
  for (const std::string& library : decode_deleted_libraries(text)) {
    require(library.starts_with('/') && library.find(".so") != std::string::npos);
  }
  require(decode_deleted_libraries(text).size() <= 16);
  if (const auto call = decode_task_call(text)) require(call->number >= 0);
  require(decode_flat_numbers(text).size() <= size);
  require(decode_counters(text).size() <= size);
  return 0;
}
