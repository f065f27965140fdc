#include "kernel/bpf_calls.h"

#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "kernel/live_files.h"

namespace hark::kernel {
namespace {

// BPF programs are licensed under Apache-2.0 or GPL-2.0: the helpers that read the kernel's memory
// are for the latter.
constexpr const char* kLicense = "GPL";

long call(int command, bpf_attr& attributes) {
  return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

std::uint64_t address(const void* of) {
  return reinterpret_cast<std::uintptr_t>(of);
}

template <std::size_t N>
void set_name(char (&to)[N], const char* name) {
  std::memcpy(to, name, std::min(std::strlen(name), N - 1));
}

Result<UniqueFd> load(const char* name, std::span<const std::uint64_t> code, bpf_attr& attributes) {
  attributes.insns = address(code.data());
  attributes.insn_cnt = static_cast<std::uint32_t>(code.size());
  attributes.license = address(kLicense);
  set_name(attributes.prog_name, name);
  UniqueFd fd(static_cast<int>(call(BPF_PROG_LOAD, attributes)));
  if (!fd.valid()) return fail(kernel_error(errno, std::string("BPF program ") + name));
  return fd;
}

}  // namespace

Result<BpfArea> BpfArea::create(const char* name, std::size_t size) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  size = (size + page - 1) / page * page;
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = sizeof(std::uint32_t);
  attributes.value_size = static_cast<std::uint32_t>(size);
  attributes.max_entries = 1;
  attributes.map_flags = BPF_F_MMAPABLE;
  set_name(attributes.map_name, name);
  UniqueFd fd(static_cast<int>(call(BPF_MAP_CREATE, attributes)));
  if (!fd.valid()) return fail(kernel_error(errno, std::string("BPF map ") + name));
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) return fail(kernel_error(errno, std::string("BPF map ") + name));
  return BpfArea(std::move(fd), memory, size);
}

BpfArea::BpfArea(BpfArea&& other) noexcept
    : fd_(std::move(other.fd_)),
      memory_(std::exchange(other.memory_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

BpfArea& BpfArea::operator=(BpfArea&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(memory_, other.memory_);
  std::swap(size_, other.size_);
  return *this;
}

BpfArea::~BpfArea() {
  if (memory_ != nullptr) ::munmap(memory_, size_);
}

Result<UniqueFd> load_bpf_syscall(const char* name, std::span<const std::uint64_t> code) {
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_SYSCALL;
  attributes.prog_flags = BPF_F_SLEEPABLE;
  return load(name, code, attributes);
}

Result<std::uint32_t> run_bpf(int program, std::span<std::byte> told) {
  bpf_attr attributes{};
  attributes.test.prog_fd = static_cast<std::uint32_t>(program);
  attributes.test.ctx_in = address(told.data());
  attributes.test.ctx_size_in = static_cast<std::uint32_t>(told.size());
  if (call(BPF_PROG_TEST_RUN, attributes) != 0) {
    return fail(kernel_error(errno, "running a BPF program"));
  }
  return attributes.test.retval;
}

Result<UniqueFd> load_bpf_iterator(const char* name, std::span<const std::uint64_t> code,
                                   std::uint32_t attach) {
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_TRACING;
  attributes.expected_attach_type = BPF_TRACE_ITER;
  attributes.attach_btf_id = attach;
  return load(name, code, attributes);
}

Result<Bytes> read_bpf_iterator(int program, std::size_t limit) {
  bpf_attr link{};
  link.link_create.prog_fd = static_cast<std::uint32_t>(program);
  link.link_create.attach_type = BPF_TRACE_ITER;
  const UniqueFd link_fd(static_cast<int>(call(BPF_LINK_CREATE, link)));
  if (!link_fd.valid()) return fail(kernel_error(errno, "BPF iterator"));
  bpf_attr iterator{};
  iterator.iter_create.link_fd = static_cast<std::uint32_t>(link_fd.get());
  const UniqueFd fd(static_cast<int>(call(BPF_ITER_CREATE, iterator)));
  if (!fd.valid()) return fail(kernel_error(errno, "BPF iterator"));
  Bytes out;
  if (const int error = read_all(fd.get(), out, limit); error != 0) {
    return fail(kernel_error(error, "BPF iterator"));
  }
  return out;
}

}  // namespace hark::kernel
