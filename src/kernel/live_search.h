// The scans of the seam, by the best rung of the ladder that works here.
#pragma once

#include <pthread.h>

#include <array>
#include <atomic>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "kernel/bpf_iterate.h"
#include "kernel/bpf_survey.h"
#include "kernel/search.h"
#include "kernel/search_parts.h"
#include "kernel/source.h"

namespace hark::kernel {

/// The kernel's description of its types, as long as it is needed.
class BtfFile {
 public:
  BtfFile() = default;
  BtfFile(const BtfFile&) = delete;
  BtfFile& operator=(const BtfFile&) = delete;
  ~BtfFile();
  /// Opened at the first use. ENOENT: a kernel without it.
  [[nodiscard]] Result<KernelTypes> types();

 private:
  [[nodiscard]] Result<ByteView> view();
  void* memory_ = nullptr;
  std::size_t size_ = 0;
  std::optional<KernelTypes> types_;
  Bytes read_;  ///< where the kernel cannot map it (before Linux 6.16)
};

class LiveSearch {
 public:
  /// `best`: the first rung that is tried.
  LiveSearch(std::string proc_root, Search best) : proc_root_(std::move(proc_root)), best_(best) {}

  LiveSearch(const LiveSearch&) = delete;
  LiveSearch& operator=(const LiveSearch&) = delete;
  ~LiveSearch();

  /// Begins with the survey, in a thread of its own.
  void begin();

  /// As the calls of Source with these names.
  [[nodiscard]] Result<Bytes> scan_sockets(SurveyDepth depth);
  [[nodiscard]] Result<Bytes> scan_namespaces();
  [[nodiscard]] Result<Bytes> scan_descriptors(std::span<const std::uint32_t> wanted);
  [[nodiscard]] Result<Bytes> bound_sockets(const BoundPlace& place);
  [[nodiscard]] std::string how() const;

 private:
  [[nodiscard]] bool allowed(Search rung) const;
  void refuse(Search rung, const Error& error);
  [[nodiscard]] std::optional<Error> unfit();
  [[nodiscard]] BpfSurvey* survey();
  [[nodiscard]] bool may_survey();
  void end_beginning();
  [[nodiscard]] Result<void> load();
  [[nodiscard]] Result<void> survey_again();
  void rest();
  [[nodiscard]] Result<void> look();
  [[nodiscard]] bool knows(std::span<const std::uint32_t> wanted) const;
  [[nodiscard]] std::optional<std::vector<Held>> from_survey(std::span<const std::uint32_t> wanted);
  [[nodiscard]] std::optional<std::vector<Held>> from_iterator(
      Search rung, std::span<const std::uint32_t> wanted);

  std::string proc_root_;
  Search best_;
  BtfFile btf_;
  std::optional<BpfSurvey> survey_;
  WorkPair pair_;                       ///< who makes the survey, and who waits for it
  std::optional<pthread_t> beginning_;  ///< makes the survey, if it comes to it before us
  std::atomic<bool> is_begun_ = false;  ///< one of us has come to it
  Result<void> begun_;                  ///< what came of it
  bool is_surveyed_ = false;            ///< whatever came of it is known
  std::optional<SurveyDepth> told_;     ///< how much of the survey was told to somebody last
  std::vector<hark_process> first_;     ///< after rest(): who was the first in its namespaces
  std::vector<hark_found> iterated_;
  std::array<std::string, 4> why_not_;  ///< of each rung; empty: nothing against it
  std::optional<Search> answered_;      ///< the rung that scan_descriptors used
};

}  // namespace hark::kernel
