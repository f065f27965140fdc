#include "kernel/work_pair.h"

namespace hark::kernel {

void WorkPair::Work::take_part(Hand hand) {
  for (;;) {
    const std::uint32_t i = next.fetch_add(1);
    if (i >= count) return;
    job(hand, i);
  }
}

void WorkPair::each(std::uint32_t count, const Job& job) {
  if (count < 2) {  // to wake somebody would take longer
    if (count == 1) job(Hand::First, 0);
    return;
  }
  Work work{.job = job, .count = count};
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
  }
  changed_.notify_all();
  work.take_part(Hand::First);
  std::unique_lock lock(mutex_);
  work_ = nullptr;
  changed_.wait(lock, [this] { return !helping_; });
}

void WorkPair::finish() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  changed_.notify_all();
}

void WorkPair::help() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return work_ != nullptr || finished_; });
    if (work_ == nullptr) return;
    Work& work = *work_;
    work_ = nullptr;  // once is enough
    helping_ = true;
    lock.unlock();
    work.take_part(Hand::Second);
    lock.lock();
    helping_ = false;
    changed_.notify_all();
  }
}

}  // namespace hark::kernel
