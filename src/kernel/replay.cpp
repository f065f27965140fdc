#include "kernel/replay.h"

#include "base/text.h"
#include "kernel/answer_form.h"
#include "kernel/request_key.h"

namespace hark::kernel {
namespace {

Error not_recorded(const std::string& what) {
  return plain_error(what, "not recorded");
}

Error malformed(const std::string& what) {
  return plain_error(what, "malformed in the recording");
}

Result<std::string> to_text(const Result<Bytes>& answer) {
  if (!answer) return fail(answer.error());
  return std::string(as_text(*answer));
}

}  // namespace

Replay::Replay(Recording recording) : header_(std::move(recording.header)) {
  for (RecordedAnswer& answer : recording.answers) {
    Answers& answers = answers_[answer.key];
    answer.key = {};
    answers.list.push_back(std::move(answer));
  }
  index_processes();
}

/// Done once: a process may be asked for alone, thousands of times.
void Replay::index_processes() {
  const auto found = answers_.find(processes_key());
  if (found == answers_.end()) {
    processes_error_ = not_recorded(processes_what());
    return;
  }
  bool any = false;
  for (const RecordedAnswer& answer : found->second.list) {
    if (answer.error != 0) {
      processes_error_ = kernel_error(answer.error, processes_what());
    } else if (processes_.add(answer.bytes)) {
      any = true;
    } else {
      processes_error_ = malformed(processes_what());
      return;
    }
  }
  if (any) processes_error_.reset();
}

Result<Bytes> Replay::answer(const std::string& key, const std::string& what) {
  const auto found = answers_.find(key);
  if (found == answers_.end()) return fail(not_recorded(what));
  Answers& answers = found->second;
  RecordedAnswer& current = answers.list[answers.next];
  const bool last = answers.next + 1 == answers.list.size();
  if (!last) ++answers.next;
  if (current.error != 0) return fail(kernel_error(current.error, what));
  if (last) return current.bytes;
  return std::move(current.bytes);
}

Result<Bytes> Replay::netlink(const NetnsRef& netns, int protocol, ByteView request) {
  return answer(netlink_key(netns, protocol, request), netlink_what());
}

Result<Bytes> Replay::read_file(const std::string& path) {
  return answer(file_key(path), path_what(path));
}

Result<std::int64_t> Replay::file_time(const std::string& path) {
  const Result<Bytes> bytes = answer(file_time_key(path), path_what(path));
  if (!bytes) return fail(bytes.error());
  const auto time = parse_number<std::int64_t>(as_text(*bytes));
  if (!time) return fail(malformed(path_what(path)));
  return *time;
}

Result<std::string> Replay::read_link(const std::string& path) {
  return to_text(answer(link_key(path), path_what(path)));
}

Result<std::vector<std::string>> Replay::list_folder(const std::string& path) {
  const Result<Bytes> bytes = answer(folder_key(path), path_what(path));
  if (!bytes) return fail(bytes.error());
  auto names = names_of_form(*bytes);
  if (!names) return fail(malformed(path_what(path)));
  return std::move(*names);
}

Result<Bytes> Replay::read_net_table(const NetTablePlace& place, NetTable table) {
  return answer(net_table_key(place, table), net_table_what(table));
}

Result<Bytes> Replay::read_net_file(const NetnsRef& netns, const std::string& path) {
  return answer(net_file_key(netns, path), path_what(path));
}

Result<Bytes> Replay::legacy_table(const NetnsRef& netns, Family family, const std::string& name) {
  return answer(legacy_table_key(netns, family, name), legacy_table_what(family, name));
}

Result<Bytes> Replay::attached_programs(const ProgramPlace& place) {
  return answer(programs_key(place), programs_what(place));
}

Result<Bytes> Replay::socket_options(const SocketHolder& holder) {
  return answer(options_key(holder), options_what(holder));
}

Result<Bytes> Replay::scan_sockets(SurveyDepth depth) {
  return answer(sockets_key(depth), sockets_what());
}

Result<Bytes> Replay::bound_sockets(const BoundPlace& place) {
  return answer(bound_key(place), bound_what());
}

Result<Bytes> Replay::netns_ids(const NetnsRef& in, std::span<const NetnsRef> /*of*/) {
  return answer(netns_ids_key(in), netns_ids_what());
}

Result<Bytes> Replay::scan_namespaces() {
  return answer(namespaces_key(), processes_what());
}

Result<Bytes> Replay::scan_descriptors(std::span<const std::uint32_t> /*wanted*/) {
  return answer(descriptors_key(), processes_what());
}

Result<Bytes> Replay::read_processes(std::span<const ProcessWanted> wanted,
                                     ProcessDetail /*detail*/) {
  if (processes_error_) return fail(*processes_error_);
  return processes_.narrowed(wanted);
}

Result<std::string> Replay::cgroup_path(std::uint64_t id) {
  return to_text(answer(cgroup_key(id), cgroup_what(id)));
}

Result<Clock> Replay::clock() {
  const Result<Bytes> bytes = answer(clock_key(), clock_what());
  if (!bytes) return fail(bytes.error());
  const auto clock = clock_of_form(*bytes);
  if (!clock) return fail(malformed(clock_what()));
  return *clock;
}

Result<Bytes> Replay::ask_units(std::span<const std::string> /*names*/) {
  return answer(units_key(), units_what());
}

}  // namespace hark::kernel
