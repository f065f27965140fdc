// Listeners of every network namespace and who holds them, found in the kernel's own memory: the
// best rung of the ladder. Needs CAP_BPF and CAP_PERFMON, Linux 6.7, and a kernel that describes
// its types.
#pragma once

#include <span>
#include <utility>

#include "base/result.h"
#include "base/socket_parts.h"
#include "base/unique_fd.h"
#include "kernel/bpf_link.h"
#include "kernel/kernel_layout.h"
#include "kernel/kernel_reader.h"
#include "kernel/survey_bound.h"
#include "kernel/survey_holders.h"
#include "kernel/survey_sockets.h"

namespace hark::kernel {

class BpfSurvey {
 public:
  /// `area` is from KernelReader::make_area().
  [[nodiscard]] static Result<BpfSurvey> load(const KernelTypes& types, BpfArea area);

  /// Goes through sockets, at least as deep.
  [[nodiscard]] Result<void> look_at_sockets(SurveyDepth depth);
  /// Goes through the descriptors of all tasks, for the files of the sockets last seen.
  [[nodiscard]] Result<void> look_for_holders(WorkPair& pair);

  /// Who has a port.
  [[nodiscard]] Result<FoundBound> look_at_bound(const BoundQuestion& asked) {
    return survey_bound(reader_, layout_, own_socket_.get(), asked);
  }

  /// How much was last told of sockets.
  [[nodiscard]] SurveyDepth depth() const { return sockets_.depth; }
  [[nodiscard]] std::span<const FoundSocket> sockets() const { return sockets_.sockets; }
  [[nodiscard]] std::span<const SurveyedNetns> namespaces() const { return sockets_.namespaces; }
  [[nodiscard]] std::span<const hark_process> processes() const { return holders_.processes; }
  [[nodiscard]] std::span<const Holding> holdings() const { return holders_.holdings; }

 private:
  BpfSurvey(const KernelLayout& layout, KernelReader reader, UniqueFd own)
      : layout_(layout), reader_(std::move(reader)), own_socket_(std::move(own)) {}

  KernelLayout layout_;
  KernelReader reader_;
  UniqueFd own_socket_;  ///< where all begins
  FoundSockets sockets_;
  FoundHolders holders_;
};

}  // namespace hark::kernel
