#include "kernel/thread_elsewhere.h"

#include <sched.h>

#include <cstddef>

namespace hark::kernel {

std::optional<pthread_t> start_elsewhere(void* (*run)(void*), void* argument) {
  cpu_set_t others;
  CPU_ZERO(&others);
  if (sched_getaffinity(0, sizeof others, &others) != 0) return std::nullopt;
  const int here = sched_getcpu();
  if (here < 0 || CPU_COUNT(&others) < 2) return std::nullopt;
  CPU_CLR(static_cast<std::size_t>(here), &others);
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return std::nullopt;
  pthread_t thread{};
  const bool started = pthread_attr_setaffinity_np(&attributes, sizeof others, &others) == 0 &&
                       pthread_create(&thread, &attributes, run, argument) == 0;
  pthread_attr_destroy(&attributes);
  if (!started) return std::nullopt;
  return thread;
}

}  // namespace hark::kernel
