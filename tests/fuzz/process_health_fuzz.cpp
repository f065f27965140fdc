// The decoders of decode/process_health.h and oom_kill.h: bounded answers, whatever the text.
#include <cstdlib>

#include "decode/oom_kill.h"
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
  for (const OomKillLine& one : decode_oom_kills(text)) {
    require(one.program.size() <= 15 && one.cgroup.size() < size);
    require(!one.since_boot_ms || *one.since_boot_ms >= 0);
  }
  return 0;
}
