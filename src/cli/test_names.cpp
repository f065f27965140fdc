#include "cli/test_names.h"

#include <poll.h>

#include <cerrno>
#include <chrono>
#include <mutex>
#include <set>

#include "base/parallel.h"

namespace hark::cli {
namespace {

constexpr std::size_t kMostThreads = 32;

bool is_stopped(int stop) {
  pollfd wait{.fd = stop, .events = POLLIN, .revents = 0};
  return stop >= 0 && ::poll(&wait, 1, 0) == 1;
}

double since(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - then).count();
}

}  // namespace

ResolvedNames resolve_names(
    const std::vector<std::string>& names,
    const std::function<Result<std::vector<IpAddress>>(const std::string&, int)>& resolve,
    int stop) {
  const std::set<std::string> once(names.begin(), names.end());
  const std::vector<std::string> work(once.begin(), once.end());
  ResolvedNames out;
  std::mutex mutex;
  do_each(work.size(), kMostThreads, [&](std::size_t i) {
    if (is_stopped(stop)) return;
    const auto began = std::chrono::steady_clock::now();
    ResolvedName one{.addresses = resolve(work[i], stop), .elapsed_ms = 0};
    one.elapsed_ms = since(began);
    if (!one.addresses && one.addresses.error().code == ECANCELED) return;
    const std::lock_guard lock(mutex);
    out.emplace(work[i], std::move(one));
  });
  return out;
}

}  // namespace hark::cli
