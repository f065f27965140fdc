// A source that keeps what another source says.
#pragma once

#include <functional>

#include "kernel/recording.h"
#include "kernel/source.h"

namespace hark::kernel {

/// Changes a command line (its NUL-parted arguments, as /proc/PID/cmdline has them) before it is
/// recorded and before the asker sees it, so that a live answer and its replay stay the same.
using Redactor = std::function<Bytes(ByteView cmdline)>;

/// Changes what a file says, likewise; empty: it stays as it is.
using FileRedactor = std::function<Bytes(const std::string& path, ByteView text)>;

/// What the asker gets is what Replay will give for the same request: command lines and files are
/// redacted, and of an error the errno stays, with the `what` of kernel/request_key.h. An error
/// without errno becomes EIO. One thread only.
class Recorder final : public Source {
 public:
  /// `inner` must outlive the recorder. An empty redactor keeps everything.
  explicit Recorder(Source& inner, Redactor redactor = {}, FileRedactor file_redactor = {});

  Result<Bytes> netlink(const NetnsRef& netns, int protocol, ByteView request) override;
  Result<Bytes> read_file(const std::string& path) override;
  Result<std::int64_t> file_time(const std::string& path) override;
  Result<std::string> read_link(const std::string& path) override;
  Result<std::vector<std::string>> list_folder(const std::string& path) override;
  Result<Bytes> read_net_table(const NetTablePlace& place, NetTable table) override;
  Result<Bytes> read_net_file(const NetnsRef& netns, const std::string& path) override;
  void visit(const NetnsRef& netns, const std::function<void()>& work) override {
    inner_.visit(netns, work);
  }
  Result<Bytes> legacy_table(const NetnsRef& netns, Family family,
                             const std::string& name) override;
  Result<Bytes> attached_programs(const ProgramPlace& place) override;
  Result<Bytes> socket_options(const SocketHolder& holder) override;
  void expect_scan_sockets() override { inner_.expect_scan_sockets(); }
  Result<Bytes> scan_sockets(SurveyDepth depth) override;
  Result<Bytes> bound_sockets(const BoundPlace& place) override;
  Result<Bytes> netns_ids(const NetnsRef& in, std::span<const NetnsRef> of) override;
  Result<Bytes> scan_namespaces() override;
  Result<Bytes> scan_descriptors(std::span<const std::uint32_t> wanted) override;
  Result<Bytes> read_processes(std::span<const ProcessWanted> wanted,
                               ProcessDetail detail) override;
  Result<std::string> cgroup_path(std::uint64_t id) override;
  Result<Clock> clock() override;
  Result<Bytes> ask_units(std::span<const std::string> names) override;
  std::string how() const override { return inner_.how(); }

  /// Everything said so far, in order. The recorder is empty afterwards.
  [[nodiscard]] std::vector<RecordedAnswer> take_answers();

 private:
  Result<Bytes> keep(std::string key, std::string what, Result<Bytes> answer);
  Error keep_error(std::string key, std::string what, const Error& error);

  Source& inner_;
  Redactor redactor_;
  FileRedactor file_redactor_;
  std::vector<RecordedAnswer> answers_;
};

}  // namespace hark::kernel
