#include "host/process_waits.h"

#include <algorithm>

#include "base/text.h"

namespace hark::host {
namespace {

std::vector<std::uint32_t> numbers_in(kernel::Source& source, const std::string& folder,
                                      bool& whole) {
  std::vector<std::uint32_t> out;
  const auto names = source.list_folder(folder);
  whole = whole && names.has_value();
  if (!names) return out;
  for (const std::string& name : *names) {
    if (const auto number = parse_number<std::uint32_t>(name)) out.push_back(*number);
  }
  std::ranges::sort(out);
  return out;
}

void cut(std::vector<std::uint32_t>& numbers, std::size_t most, bool& whole) {
  if (numbers.size() <= most) return;
  numbers.resize(most);
  whole = false;
}

void read_threads(kernel::Source& source, const std::string& proc, ProcessWaits& out) {
  std::vector<std::uint32_t> tids = numbers_in(source, proc + "/task", out.whole);
  cut(tids, kMostWaitThreads, out.whole);
  for (const std::uint32_t tid : tids) {
    const std::string task = proc + "/task/" + std::to_string(tid);
    const auto text = source.read_file(task + "/status");
    if (!text) continue;
    const decode::TaskStatus status = decode::decode_task_status(*text);
    ThreadWait thread{.tid = tid, .state = status.state, .switches = status.switches};
    if (const auto wchan = source.read_file(task + "/wchan")) {
      const std::string_view name = as_text(*wchan);
      if (name != "0") thread.wchan = std::string(name);
    }
    if (const auto call = source.read_file(task + "/syscall")) {
      thread.call = decode::decode_task_call(*call);
    }
    out.threads.push_back(std::move(thread));
  }
}

void read_descriptors(kernel::Source& source, const std::string& proc, ProcessWaits& out) {
  std::vector<std::uint32_t> fds = numbers_in(source, proc + "/fd", out.whole);
  cut(fds, kMostWaitFds, out.whole);
  for (const std::uint32_t fd : fds) {
    const auto target = source.read_link(proc + "/fd/" + std::to_string(fd));
    if (!target) continue;
    if (*target == "anon_inode:[io_uring]") out.io_uring = true;
    if (*target != "anon_inode:[eventpoll]") continue;
    const auto info = source.read_file(proc + "/fdinfo/" + std::to_string(fd));
    out.whole = out.whole && info.has_value();
    if (!info) continue;
    const auto inodes = decode::decode_epoll_inodes(*info);
    out.polled.insert(out.polled.end(), inodes.begin(), inodes.end());
  }
  std::ranges::sort(out.polled);
}

}  // namespace

std::vector<ProcessWaits> read_process_waits(kernel::Source& source,
                                             const std::vector<WaitQuestion>& questions) {
  std::vector<ProcessWaits> out;
  for (const WaitQuestion& question : questions) {
    ProcessWaits waits{.pid = question.pid, .whole = true};
    const std::string proc = "/proc/" + std::to_string(question.pid);
    read_threads(source, proc, waits);
    if (waits.threads.empty()) continue;
    read_descriptors(source, proc, waits);
    for (const std::uint32_t fd : question.fds) {
      constexpr std::uint32_t kAsync = 020000;  // O_ASYNC of asm-generic/fcntl.h, as FASYNC
      const auto info = source.read_file(proc + "/fdinfo/" + std::to_string(fd));
      const auto flags = info ? decode::decode_descriptor_flags(*info) : std::nullopt;
      waits.whole = waits.whole && flags.has_value();
      waits.signalled = waits.signalled || (flags.value_or(0) & kAsync) != 0;
    }
    out.push_back(std::move(waits));
  }
  std::ranges::sort(out, {}, &ProcessWaits::pid);
  return out;
}

}  // namespace hark::host
