// A thread on another processor.
//
// A new thread is often put on the processor of its maker, and cannot run there while that one sits
// inside long system calls: it must be told to use any other.
#pragma once

#include <pthread.h>

#include <optional>

namespace hark::kernel {

/// Starts run(argument) on any processor but this one; nothing if there is none or it cannot be
/// had. To be joined.
[[nodiscard]] std::optional<pthread_t> start_elsewhere(void* (*run)(void*), void* argument);

}  // namespace hark::kernel
