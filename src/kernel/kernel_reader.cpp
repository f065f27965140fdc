#include "kernel/kernel_reader.h"

#include <cerrno>
#include <utility>

namespace hark::kernel {
namespace {

constexpr std::size_t kMostRoom = 64U << 20U;

Result<BpfArea> area_with(std::size_t room) {
  return BpfArea::create("reader", sizeof(hark_reader) + room);
}

}  // namespace

Result<BpfArea> KernelReader::make_area(std::size_t tasks) {
  constexpr std::size_t kLeast = 96U << 10U;
  constexpr std::size_t kMost = 4U << 20U;  // to begin with
  return area_with(std::clamp(tasks * sizeof(hark_task), kLeast, kMost));
}

/// The program is made for one area of one size.
Result<void> KernelReader::load_for(BpfArea area) {
  const std::size_t room = area.as<std::byte>().size() - sizeof(hark_reader);
  given_.numbers["out_bytes"] = static_cast<std::uint32_t>(room);
  given_.areas["reader"] = area.fd();
  const auto code = facts_.link(bpf::kReadKernel, given_);
  if (!code) return fail(code.error());
  auto program = load_bpf_syscall(bpf::kReadKernel.name, *code);
  if (!program) return fail(program.error());
  area_ = std::move(area);
  program_ = std::move(*program);
  room_ = room;
  return {};
}

Result<KernelReader> KernelReader::load(KernelFacts facts, const KernelLayout& layout,
                                        BpfArea area) {
  constexpr std::uint32_t kWord = 8;
  const auto& task = layout.task;
  const Window window({{task.files, kWord}, {task.signal, kWord}, {task.nsproxy, kWord}});
  if (window.size() > HARK_WINDOW_WORDS * kWord) {
    return fail(plain_error("BPF", "this kernel's tasks are laid out in another way"));
  }
  const auto word = [&](std::uint32_t offset) { return (offset - window.begin()) / kWord; };
  BpfGiven given;
  given.numbers = {{"window", window.begin()},
                   {"window_size", window.size()},
                   {"files_in_window", word(task.files)},
                   {"signal_in_window", word(task.signal)},
                   {"nsproxy_in_window", word(task.nsproxy)}};
  KernelReader out(std::move(facts), std::move(given));
  if (const auto fine = out.load_for(std::move(area)); !fine) return fail(fine.error());
  return out;
}

Result<void> KernelReader::state() const {
  if (error_) return fail(*error_);
  return {};
}

hark_reader& KernelReader::shared() const {
  return area_->as<hark_reader>().front();
}

std::byte* KernelReader::out() const {
  return area_->as<std::byte>().data() + sizeof(hark_reader);
}

/// False: it did not come to its end; for want of room if shared().lost says so.
bool KernelReader::run(std::uint32_t work, std::uint32_t requests) {
  if (error_) return false;
  hark_reader& reader = shared();
  std::memset(&reader, 0, offsetof(hark_reader, window));
  reader.work = work;
  reader.requests = requests;
  if (const auto ran = run_bpf(program_.get()); !ran) {
    error_ = ran.error();
    return false;
  }
  if (reader.lost != 0) return false;
  if (reader.whole == 0) error_ = plain_error("BPF", "the walk did not come to its end");
  return reader.whole != 0;
}

bool KernelReader::grow(std::size_t room) {
  if (room > kMostRoom) {
    error_ = kernel_error(ENOSPC, "survey");
    return false;
  }
  auto area = area_with(room);
  const auto fine = area ? load_for(std::move(*area)) : Result<void>(fail(area.error()));
  if (!fine) error_ = fine.error();
  return fine.has_value();
}

std::vector<std::uint64_t> KernelReader::follow(std::span<const std::uint64_t> heads) {
  std::vector<std::uint64_t> nodes;
  while (!heads.empty()) {
    const std::size_t count = std::min<std::size_t>(heads.size(), HARK_MOST_REQUESTS);
    for (std::size_t i = 0; i < count; ++i) {
      shared().request[i] = {.address = heads[i], .to = 0, .size = 0};
    }
    if (!run(HARK_LISTS, static_cast<std::uint32_t>(count))) {
      if (error_ || !grow(room_ * 4)) return {};
      continue;
    }
    const std::size_t before = nodes.size();
    nodes.resize(before + shared().used / sizeof(std::uint64_t));
    std::memcpy(nodes.data() + before, out(), shared().used);
    heads = heads.subspan(count);
  }
  return nodes;
}

KernelReader::Tasks KernelReader::tasks() {
  while (!run(HARK_TASKS, 0)) {
    // With some to spare for those that come in the meantime.
    const std::size_t needed = (std::size_t{shared().used} / sizeof(hark_task) + shared().lost) *
                               sizeof(hark_task) * 5 / 4;
    if (error_ || !grow(needed + kMostAtOnce)) return {};
  }
  Tasks out;
  out.first = shared().first_task;
  out.last_process = shared().leader;
  out.tasks.resize(shared().used / sizeof(hark_task));
  std::memcpy(out.tasks.data(), this->out(), shared().used);
  return out;
}

std::uint64_t KernelReader::self() {
  return run(HARK_COPY, 0) ? shared().self : 0;
}

}  // namespace hark::kernel
