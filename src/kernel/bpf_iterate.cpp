#include "kernel/bpf_iterate.h"

#include <fcntl.h>
#include <linux/netlink.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "kernel/bpf_calls.h"
#include "kernel/bpf_link.h"
#include "kernel/live_netlink.h"

extern "C" {
#include "bpf/shared.h"
}

namespace hark::kernel {
namespace {

constexpr std::size_t kMostBytes = 256U << 20U;

Result<std::vector<hark_found>> iterate(const bpf::BpfImage& image, std::string_view function,
                                        const KernelTypes& types, const BpfGiven& given) {
  const std::array images = {&image};
  const std::array labels = {function};
  const auto facts = KernelFacts::ask(images, labels, types);
  if (!facts) return fail(facts.error());
  const auto code = facts->link(image, given);
  if (!code) return fail(code.error());
  const auto program = load_bpf_iterator(image.name, *code, facts->find(function).value_or(0));
  if (!program) return fail(program.error());
  const auto bytes = read_bpf_iterator(program->get(), kMostBytes);
  if (!bytes) return fail(bytes.error());
  std::vector<hark_found> out(bytes->size() / sizeof(hark_found));
  if (bytes->size() % sizeof(hark_found) != 0) return fail(kernel_error(EBADMSG, "BPF iterator"));
  if (!out.empty()) std::memcpy(out.data(), bytes->data(), bytes->size());
  return out;
}

}  // namespace

Result<std::vector<hark_found>> iterate_tasks(const KernelTypes& types) {
  const auto area = BpfArea::create("task_state", sizeof(hark_task_state));
  if (!area) return fail(area.error());
  const UniqueFd socket(open_netlink(NETLINK_SOCK_DIAG));
  const UniqueFd netns(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!socket.valid() || !netns.valid()) return fail(kernel_error(errno, "a file of hark's own"));
  const BpfGiven given{.numbers = {{"own_fd", static_cast<std::uint32_t>(socket.get())},
                                   {"own_netns_fd", static_cast<std::uint32_t>(netns.get())}},
                       .areas = {{"task_state", area->fd()}}};
  return iterate(bpf::kWalkTask, "bpf_iter_task", types, given);
}

Result<std::vector<hark_found>> iterate_files(const KernelTypes& types) {
  return iterate(bpf::kWalkTaskFile, "bpf_iter_task_file", types, {});
}

}  // namespace hark::kernel
