#include "kernel/bpf_survey.h"

#include <linux/netlink.h>

#include <array>
#include <cerrno>

#include "kernel/live_netlink.h"

namespace hark::kernel {

Result<BpfSurvey> BpfSurvey::load(const KernelTypes& types, BpfArea area) {
  constexpr std::array kImages = {&bpf::kReadKernel};
  auto facts = KernelFacts::ask(kImages, layout_labels(), types);
  if (!facts) return fail(facts.error());
  const auto layout = KernelLayout::from(*facts);
  if (!layout) return fail(layout.error());
  auto reader = KernelReader::load(std::move(*facts), *layout, std::move(area));
  if (!reader) return fail(reader.error());
  // Any socket leads to the namespace and to the ring of protocols.
  UniqueFd own(open_netlink(NETLINK_SOCK_DIAG));
  if (!own.valid()) return fail(kernel_error(errno, "a socket of hark's own"));
  return BpfSurvey(*layout, std::move(*reader), std::move(own));
}

Result<void> BpfSurvey::look_at_sockets(SurveyDepth depth) {
  sockets_ = survey_sockets(reader_, layout_, own_socket_.get(), depth);
  return reader_.state();
}

Result<void> BpfSurvey::look_for_holders(WorkPair& pair) {
  holders_ = survey_holders(reader_, pair, layout_, sockets_.sockets);
  return reader_.state();
}

}  // namespace hark::kernel
