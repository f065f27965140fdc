// Counts what a source was asked and what it refused: what --verbose tells of a run.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "kernel/source.h"

namespace hark::cli {

class Tally final : public kernel::Source {
 public:
  /// `inner` must outlive the tally.
  explicit Tally(kernel::Source& inner) : inner_(inner) {}

  Result<Bytes> netlink(const kernel::NetnsRef& netns, int protocol, ByteView request) override;
  Result<Bytes> read_file(const std::string& path) override;
  Result<std::int64_t> file_time(const std::string& path) override;
  Result<std::string> read_link(const std::string& path) override;
  Result<std::vector<std::string>> list_folder(const std::string& path) override;
  Result<Bytes> read_net_table(const kernel::NetTablePlace& place, kernel::NetTable table) override;
  Result<Bytes> read_net_file(const kernel::NetnsRef& netns, const std::string& path) override;
  void visit(const kernel::NetnsRef& netns, const std::function<void()>& work) override {
    inner_.visit(netns, work);
  }
  Result<Bytes> legacy_table(const kernel::NetnsRef& netns, Family family,
                             const std::string& name) override;
  Result<Bytes> attached_programs(const kernel::ProgramPlace& place) override;
  Result<Bytes> socket_options(const kernel::SocketHolder& holder) override;
  void expect_scan_sockets() override { inner_.expect_scan_sockets(); }
  Result<Bytes> scan_sockets(SurveyDepth depth) override;
  Result<Bytes> bound_sockets(const kernel::BoundPlace& place) override;
  Result<Bytes> netns_ids(const kernel::NetnsRef& in,
                          std::span<const kernel::NetnsRef> of) override;
  Result<Bytes> scan_namespaces() override;
  Result<Bytes> scan_descriptors(std::span<const std::uint32_t> wanted) override;
  Result<Bytes> read_processes(std::span<const kernel::ProcessWanted> wanted,
                               kernel::ProcessDetail detail) override;
  Result<std::string> cgroup_path(std::uint64_t id) override;
  Result<kernel::Clock> clock() override;
  Result<Bytes> ask_units(std::span<const std::string> names) override;
  std::string how() const override { return inner_.how(); }

  /// A line for each kind of question that was asked: how many were answered, how many refused,
  /// and the last refusal's reason.
  [[nodiscard]] std::string text() const;

 private:
  struct Count {
    std::uint64_t answered = 0;
    std::uint64_t refused = 0;
    Error last;
  };
  template <typename T>
  Result<T> count(std::size_t kind, Result<T> answer);

  kernel::Source& inner_;
  std::array<Count, 17> counts_;
};

}  // namespace hark::cli
