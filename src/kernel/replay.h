// A source that answers from a recording and never touches this machine.
#pragma once

#include <map>
#include <optional>

#include "kernel/process_records.h"
#include "kernel/recording.h"
#include "kernel/source.h"

namespace hark::kernel {

/// A request that was made n times while recording is answered n times, in order; after that its
/// last answer stands. One that was never made is an error with code 0 and why "not recorded"; one
/// whose recorded answer makes no sense, with why "malformed in the recording". One thread only.
class Replay final : public Source {
 public:
  explicit Replay(Recording recording);

  [[nodiscard]] const RecordingHeader& header() const { return header_; }

  Result<Bytes> netlink(const NetnsRef& netns, int protocol, ByteView request) override;
  Result<Bytes> read_file(const std::string& path) override;
  Result<std::int64_t> file_time(const std::string& path) override;
  Result<std::string> read_link(const std::string& path) override;
  Result<std::vector<std::string>> list_folder(const std::string& path) override;
  Result<Bytes> read_net_table(const NetTablePlace& place, NetTable table) override;
  Result<Bytes> read_net_file(const NetnsRef& netns, const std::string& path) override;
  Result<Bytes> legacy_table(const NetnsRef& netns, Family family,
                             const std::string& name) override;
  Result<Bytes> attached_programs(const ProgramPlace& place) override;
  Result<Bytes> socket_options(const SocketHolder& holder) override;
  /// A recording made with descriptors answers both ways; the parts too many do no harm.
  Result<Bytes> scan_sockets(SurveyDepth depth) override;
  Result<Bytes> bound_sockets(const BoundPlace& place) override;
  Result<Bytes> netns_ids(const NetnsRef& in, std::span<const NetnsRef> of) override;
  Result<Bytes> scan_namespaces() override;
  Result<Bytes> scan_descriptors(std::span<const std::uint32_t> wanted) override;
  /// Answers from the union of what was recorded, narrowed to the processes asked for.
  Result<Bytes> read_processes(std::span<const ProcessWanted> wanted,
                               ProcessDetail detail) override;
  Result<std::string> cgroup_path(std::uint64_t id) override;
  Result<Clock> clock() override;
  Result<Bytes> ask_units(std::span<const std::string> names) override;

 private:
  struct Answers {
    std::vector<RecordedAnswer> list;
    std::size_t next = 0;
  };
  Result<Bytes> answer(const std::string& key, const std::string& what);
  void index_processes();

  RecordingHeader header_;
  std::map<std::string, Answers> answers_;
  ProcessRecords processes_;  ///< looks into answers_
  std::optional<Error> processes_error_;
};

}  // namespace hark::kernel
