// A source that answers from a recording and never touches this machine.
#pragma once

#include <map>

#include "kernel/recording.h"
#include "kernel/source.h"

namespace hark::kernel {

class Replay final : public Source {
 public:
  explicit Replay(Recording recording);

  [[nodiscard]] const RecordingHeader& header() const { return header_; }

  // A request that was made n times while recording is answered n times, in order; after that its
  // last answer stands. One that was never made is an error with code 0 and why "not recorded".
  Result<Bytes> netlink(const NetnsRef& netns, int protocol, ByteView request) override;
  Result<Bytes> read_file(const std::string& path) override;
  Result<std::string> read_link(const std::string& path) override;
  Result<std::vector<std::string>> list_folder(const std::string& path) override;
  Result<Bytes> read_net_table(const NetTablePlace& place, NetTable table) override;
  Result<Bytes> scan_processes(bool descriptors) override;
  /// Answers from the union of what was recorded, narrowed to the processes asked for.
  Result<Bytes> read_processes(std::span<const ProcessWanted> wanted) override;
  Result<std::string> cgroup_path(std::uint64_t id) override;
  Result<Clock> clock() override;

 private:
  struct Answers {
    std::vector<RecordedAnswer> list;
    std::size_t next = 0;
  };
  Result<Bytes> answer(const std::string& key);

  RecordingHeader header_;
  std::map<std::string, Answers> answers_;
};

}  // namespace hark::kernel
