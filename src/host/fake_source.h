// A source for tests: answers what it was told to answer, and ENOENT to everything else.
#pragma once

#include <cerrno>
#include <map>
#include <string>

#include "base/parts.h"
#include "kernel/request_key.h"
#include "kernel/source.h"

namespace hark::host {

class FakeSource : public kernel::Source {
 public:
  void file(const std::string& path, std::string_view text) {
    answers_[kernel::file_key(path)] = to_bytes(text);
  }
  void folder(const std::string& path, std::vector<std::string> names) {
    folders_[path] = std::move(names);
  }
  void units(Bytes parts) { answers_[kernel::units_key()] = std::move(parts); }
  void link(const std::string& path, std::string_view target) {
    answers_[kernel::link_key(path)] = to_bytes(target);
  }
  /// When a file was last written.
  void time(const std::string& path, std::int64_t ms) { times_[path] = ms; }
  /// Reading this file or listing this folder fails with `error`.
  void refuse(const std::string& path, int error) { refused_paths_[path] = error; }
  /// How often each file was read.
  [[nodiscard]] const std::map<std::string, int>& reads() const { return reads_; }
  /// A table of a namespace (0: our own) with a heading that is added.
  void table(std::uint64_t netns, kernel::NetTable table, std::string_view lines) {
    const kernel::NetTablePlace place{.netns = {.inode = netns, .paths = {}}, .pid = 0};
    answers_[kernel::net_table_key(place, table)] = to_bytes(heading() + std::string(lines));
  }
  /// A table that has no heading of its own.
  void raw_table(std::uint64_t netns, kernel::NetTable table, std::string_view text) {
    const kernel::NetTablePlace place{.netns = {.inode = netns, .paths = {}}, .pid = 0};
    answers_[kernel::net_table_key(place, table)] = to_bytes(text);
  }
  void table_of_process(std::uint32_t pid, kernel::NetTable table, std::string_view lines) {
    const kernel::NetTablePlace place{.netns = {}, .pid = pid};
    answers_[kernel::net_table_key(place, table)] = to_bytes(heading() + std::string(lines));
  }
  /// A file of /proc/net or /proc/sys/net of a namespace (0: our own).
  void net_file(std::uint64_t netns, const std::string& path, std::string_view text) {
    answers_[kernel::net_file_key({.inode = netns, .paths = {}}, path)] = to_bytes(text);
  }
  void legacy_table(std::uint64_t netns, Family family, const std::string& name, Bytes table) {
    answers_[kernel::legacy_table_key({.inode = netns, .paths = {}}, family, name)] =
        std::move(table);
  }
  void programs(const kernel::ProgramPlace& place, Bytes parts) {
    answers_[kernel::programs_key(place)] = std::move(parts);
  }
  void options(const kernel::SocketHolder& holder, Bytes parts) {
    answers_[kernel::options_key(holder)] = std::move(parts);
  }
  /// What sockets answer of which options() was not told.
  void refuse_options(int error) { options_refused_ = error; }
  /// This namespace may not be entered, or is gone: every question inside it fails with `error`.
  void refuse_netns(std::uint64_t netns, int error) { refused_[netns] = error; }
  void bound(const kernel::BoundPlace& place, Bytes parts) {
    answers_[kernel::bound_key(place)] = std::move(parts);
  }
  /// What one namespace calls others: NetnsNumber[].
  void netns_numbers(std::uint64_t netns, Bytes numbers) {
    answers_[kernel::netns_ids_key({.inode = netns, .paths = {}})] = std::move(numbers);
  }
  void namespaces(Bytes parts) { answers_[kernel::namespaces_key()] = std::move(parts); }
  void descriptors(Bytes parts) { answers_[kernel::descriptors_key()] = std::move(parts); }
  void processes(Bytes parts) { answers_[kernel::processes_key()] = std::move(parts); }
  /// The answer to a netlink request in a namespace (0: our own).
  void answer(std::uint64_t netns, int protocol, ByteView request, Bytes messages) {
    const kernel::NetnsRef ref{.inode = netns, .paths = {}};
    answers_[kernel::netlink_key(ref, protocol, request)] = std::move(messages);
  }
  /// Every question of this protocol that has no answer fails with `error`.
  void refuse_protocol(int protocol, int error) { refused_protocols_[protocol] = error; }
  void cgroup(std::uint64_t id, std::string_view path) {
    answers_[kernel::cgroup_key(id)] = to_bytes(path);
  }

  Result<Bytes> netlink(const kernel::NetnsRef& netns, int protocol, ByteView request) override {
    const auto refused = refused_.find(netns.inode);
    const auto known = answers_.find(kernel::netlink_key(netns, protocol, request));
    if (refused == refused_.end() && known != answers_.end()) return known->second;
    const auto unanswered = refused_protocols_.find(protocol);
    if (unanswered != refused_protocols_.end()) {
      return fail(kernel_error(unanswered->second, "netlink"));
    }
    return fail(kernel_error(refused == refused_.end() ? ENOENT : refused->second, "netlink"));
  }
  Result<Bytes> read_file(const std::string& path) override {
    ++reads_[path];
    const auto refused = refused_paths_.find(path);
    if (refused != refused_paths_.end()) return fail(kernel_error(refused->second, path));
    return find(kernel::file_key(path));
  }
  Result<std::int64_t> file_time(const std::string& path) override {
    const auto found = times_.find(path);
    if (found == times_.end()) return fail(kernel_error(ENOENT, path));
    return found->second;
  }
  Result<std::string> read_link(const std::string& path) override {
    const bool is_file = answers_.contains(kernel::file_key(path));
    if (is_file && !answers_.contains(kernel::link_key(path))) {
      return fail(kernel_error(EINVAL, path));  // there, and no link
    }
    return text(find(kernel::link_key(path)));
  }
  Result<std::vector<std::string>> list_folder(const std::string& path) override {
    ++folders_asked_;
    const auto refused = refused_paths_.find(path);
    if (refused != refused_paths_.end()) return fail(kernel_error(refused->second, path));
    const auto found = folders_.find(path);
    if (found == folders_.end()) return fail(kernel_error(ENOENT, path));
    return found->second;
  }
  Result<Bytes> read_net_table(const kernel::NetTablePlace& place,
                               kernel::NetTable table) override {
    const auto refused = refused_.find(place.netns.inode);
    if (place.pid == 0 && refused != refused_.end()) {
      return fail(kernel_error(refused->second, "table"));
    }
    return find(kernel::net_table_key(place, table));
  }
  Result<Bytes> read_net_file(const kernel::NetnsRef& netns, const std::string& path) override {
    const auto refused = refused_.find(netns.inode);
    if (refused != refused_.end()) return fail(kernel_error(refused->second, path));
    return find(kernel::net_file_key(netns, path));
  }
  Result<Bytes> legacy_table(const kernel::NetnsRef& netns, Family family,
                             const std::string& name) override {
    return find(kernel::legacy_table_key(netns, family, name));
  }
  Result<Bytes> attached_programs(const kernel::ProgramPlace& place) override {
    return find(kernel::programs_key(place));
  }
  Result<Bytes> socket_options(const kernel::SocketHolder& holder) override {
    const auto found = answers_.find(kernel::options_key(holder));
    if (found == answers_.end()) return fail(kernel_error(options_refused_, "socket options"));
    return found->second;
  }
  Result<Bytes> scan_sockets(SurveyDepth depth) override {
    return find(kernel::sockets_key(depth));
  }
  Result<Bytes> bound_sockets(const kernel::BoundPlace& place) override {
    return find(kernel::bound_key(place));
  }
  Result<Bytes> netns_ids(const kernel::NetnsRef& in,
                          std::span<const kernel::NetnsRef> /*of*/) override {
    return find(kernel::netns_ids_key(in));
  }
  Result<Bytes> scan_namespaces() override { return find(kernel::namespaces_key()); }
  Result<Bytes> scan_descriptors(std::span<const std::uint32_t> /*wanted*/) override {
    return find(kernel::descriptors_key());
  }
  Result<Bytes> read_processes(std::span<const kernel::ProcessWanted> wanted,
                               kernel::ProcessDetail /*detail*/) override {
    wanted_.assign(wanted.begin(), wanted.end());
    return find(kernel::processes_key());
  }
  Result<std::string> cgroup_path(std::uint64_t id) override {
    return text(find(kernel::cgroup_key(id)));
  }
  Result<kernel::Clock> clock() override {
    return kernel::Clock{.realtime_ms = 1'000'000, .boottime_ms = 400'000};
  }

  Result<Bytes> ask_units(std::span<const std::string> names) override {
    units_asked_.assign(names.begin(), names.end());
    return find(kernel::units_key());
  }
  /// The names of the last ask_units().
  [[nodiscard]] const std::vector<std::string>& units_asked() const { return units_asked_; }
  [[nodiscard]] unsigned folders_asked() const { return folders_asked_; }

  [[nodiscard]] const std::vector<kernel::ProcessWanted>& wanted() const { return wanted_; }

 private:
  static std::string heading() {
    return "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
           "timeout inode\n";
  }
  Result<Bytes> find(const std::string& key) const {
    const auto found = answers_.find(key);
    if (found == answers_.end()) return fail(kernel_error(ENOENT, key));
    return found->second;
  }
  static Result<std::string> text(Result<Bytes> bytes) {
    if (!bytes) return fail(bytes.error());
    return std::string(as_text(*bytes));
  }

  std::map<std::string, Bytes> answers_;
  std::map<std::string, std::vector<std::string>> folders_;
  std::map<std::uint64_t, int> refused_;
  std::map<int, int> refused_protocols_;
  std::map<std::string, int> refused_paths_;
  std::map<std::string, std::int64_t> times_;
  std::map<std::string, int> reads_;
  std::vector<kernel::ProcessWanted> wanted_;
  std::vector<std::string> units_asked_;
  unsigned folders_asked_ = 0;
  int options_refused_ = ESRCH;
};

/// Puts the buffers of base/process_parts.h together.
class PartsBuilder {
 public:
  PartsBuilder& pid(std::uint32_t pid) { return number(ProcessPart::Pid, pid); }
  PartsBuilder& inode(ProcessPart tag, std::uint64_t inode) { return number(tag, inode); }
  PartsBuilder& pairs(ProcessPart tag, const std::vector<FdInode>& pairs) {
    append_part(bytes_, static_cast<std::uint16_t>(tag), std::as_bytes(std::span(pairs)));
    return *this;
  }
  PartsBuilder& text(ProcessPart tag, std::string_view text) {
    append_part(bytes_, static_cast<std::uint16_t>(tag), as_bytes(text));
    return *this;
  }
  PartsBuilder& failed(ProcessPart tag, int error) {
    append_failed_part(bytes_, static_cast<std::uint16_t>(tag), error);
    return *this;
  }
  [[nodiscard]] Bytes done() const { return bytes_; }

 private:
  template <typename T>
  PartsBuilder& number(ProcessPart tag, T value) {
    append_part(bytes_, static_cast<std::uint16_t>(tag), std::as_bytes(std::span(&value, 1)));
    return *this;
  }
  Bytes bytes_;
};

}  // namespace hark::host
