#include "kernel/kernel_log.h"

#include <sys/klog.h>

#include <algorithm>
#include <cerrno>
#include <deque>

#include "base/text.h"

namespace hark::kernel {

std::string kill_lines(std::string_view log) {
  std::deque<std::string_view> lines;
  while (!log.empty()) {
    const std::string_view line = next_piece(log, '\n');
    if (line.find("oom-kill:") == std::string_view::npos) continue;
    if (lines.size() == kMostKillLines) lines.pop_front();
    lines.push_back(line);
  }
  std::string out;
  for (const std::string_view line : lines) out.append(line).append("\n");
  return out;
}

Result<Bytes> read_kernel_log() {
  constexpr int kReadAll = 3;      // SYSLOG_ACTION_READ_ALL
  constexpr int kSizeBuffer = 10;  // SYSLOG_ACTION_SIZE_BUFFER
  constexpr int kMost = 4 << 20;
  const int size = ::klogctl(kSizeBuffer, nullptr, 0);
  if (size < 0) return fail(kernel_error(errno, std::string(kKernelLog)));
  std::string log(static_cast<std::size_t>(std::min(size, kMost)), '\0');
  const int got = ::klogctl(kReadAll, log.data(), static_cast<int>(log.size()));
  if (got < 0) return fail(kernel_error(errno, std::string(kKernelLog)));
  return to_bytes(kill_lines(std::string_view(log).substr(0, static_cast<std::size_t>(got))));
}

}  // namespace hark::kernel
