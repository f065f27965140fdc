#include "kernel/kernel_reader.h"

#include <cerrno>
#include <utility>

namespace hark::kernel {
namespace {

constexpr std::size_t kMostRoom = 64U << 20U;

Result<BpfArea> area_with(std::size_t room) {
  return BpfArea::create("reader", 2 * (sizeof(hark_reader) + room));
}

}  // namespace

Result<BpfArea> KernelReader::make_area(std::size_t tasks) {
  constexpr std::size_t kLeast = 96U << 10U;
  constexpr std::size_t kMost = 4U << 20U;  // to begin with
  return area_with(std::clamp(tasks * sizeof(hark_task), kLeast, kMost));
}

/// The program is made for one area of one size.
Result<void> KernelReader::Loaded::load_for(BpfArea of) {
  half = of.as<std::byte>().size() / 2;
  given.numbers["out_bytes"] = static_cast<std::uint32_t>(room());
  given.numbers["half_bytes"] = static_cast<std::uint32_t>(half);
  given.areas["reader"] = of.fd();
  const auto code = facts.link(bpf::kReadKernel, given);
  if (!code) return fail(code.error());
  auto made = load_bpf_syscall(bpf::kReadKernel.name, *code);
  if (!made) return fail(made.error());
  area = std::move(of);
  program = std::move(*made);
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
  auto out = std::make_shared<Loaded>(Loaded{.facts = std::move(facts), .given = std::move(given)});
  if (const auto fine = out->load_for(std::move(area)); !fine) return fail(fine.error());
  return KernelReader(std::move(out), 0);
}

Result<void> KernelReader::state() const {
  if (error_) return fail(*error_);
  return {};
}

hark_reader& KernelReader::shared() const {
  std::byte* const memory = loaded_->area->as<std::byte>().data() + half_ * loaded_->half;
  return *static_cast<hark_reader*>(static_cast<void*>(memory));
}

std::byte* KernelReader::out() const {
  return loaded_->area->as<std::byte>().data() + half_ * loaded_->half + sizeof(hark_reader);
}

/// False: it did not come to its end; for want of room if shared().lost says so.
bool KernelReader::run(std::uint32_t work, std::uint32_t requests) {
  if (error_) return false;
  hark_reader& reader = shared();
  std::memset(&reader, 0, offsetof(hark_reader, window));
  reader.work = work;
  reader.requests = requests;
  hark_turn turn{.half = half_};
  const auto told = std::as_writable_bytes(std::span(&turn, 1));
  if (const auto ran = run_bpf(loaded_->program.get(), told); !ran) {
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
  const auto fine = area ? loaded_->load_for(std::move(*area)) : Result<void>(fail(area.error()));
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
      if (error_ || !grow(loaded_->room() * 4)) return {};
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
