// decode_stat, decode_status and decode_cmdline, each on the whole input. What is accepted is
// written as a file again and must come back the same.
#include <cstdio>
#include <cstdlib>

#include "decode/process.h"

namespace {

using namespace hark;
using namespace hark::decode;

void require(bool truth) {
  if (!truth) std::abort();
}

void check_stat(ByteView text) {
  const auto stat = decode_stat(text);
  if (!stat) return;
  require(stat->name.size() < text.size());
  std::string again = "1 (" + stat->name + ") " + stat->state + " ";
  again += std::to_string(stat->parent_pid) + " 0 0 " + std::to_string(stat->terminal) + " 0 " +
           std::to_string(stat->flags);
  for (int field = 10; field < 22; ++field) again += " 0";
  again += " " + std::to_string(stat->start_ticks) + " 0\n";
  require(decode_stat(as_bytes(again)) == stat);
}

void check_status(ByteView text) {
  const auto status = decode_status(text);
  if (!status) return;
  char again[128];
  std::snprintf(again, sizeof again, "Name:\tx\nUid:\t0\t%u\t0\t0\nCapEff:\t%016llx\n",
                status->effective_uid,
                static_cast<unsigned long long>(status->effective_capabilities));
  require(decode_status(as_bytes(again)) == status);
}

void check_cmdline(ByteView text) {
  const auto arguments = decode_cmdline(text);
  std::string again;
  for (const std::string& argument : arguments) again += argument + '\0';
  require(arguments.empty() || !arguments.back().empty());
  require(again.size() <= text.size() + 1);
  require(decode_cmdline(as_bytes(again)) == arguments);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView text = std::as_bytes(std::span(data, size));
  check_stat(text);
  check_status(text);
  check_cmdline(text);
  return 0;
}
