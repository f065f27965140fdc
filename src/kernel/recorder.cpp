#include "kernel/recorder.h"

#include <cerrno>

#include "base/parts.h"
#include "kernel/answer_form.h"
#include "kernel/request_key.h"

namespace hark::kernel {
namespace {

constexpr auto kCmdline = static_cast<std::uint16_t>(ProcessPart::Cmdline);

/// The answer of read_processes with every command line redacted; an error where the buffer is cut
/// off, since a command line could hide in the rest.
Result<Bytes> redact_processes(ByteView parts, const Redactor& redactor) {
  Bytes out;
  out.reserve(parts.size());
  PartReader reader(parts);
  while (const auto part = reader.next()) {
    if (part->error != 0) {
      append_failed_part(out, part->tag, part->error);
    } else if (part->tag == kCmdline) {
      append_part(out, part->tag, redactor(part->bytes));
    } else {
      append_part(out, part->tag, part->bytes);
    }
  }
  if (reader.broken()) return fail(kernel_error(EBADMSG, processes_what()));
  return out;
}

}  // namespace

Recorder::Recorder(Source& inner, Redactor redactor, FileRedactor file_redactor)
    : inner_(inner), redactor_(std::move(redactor)), file_redactor_(std::move(file_redactor)) {}

Error Recorder::keep_error(std::string key, std::string what, const Error& error) {
  const bool has_errno = error.code > 0 && error.code <= kLargestError;
  const int code = has_errno ? error.code : EIO;
  answers_.push_back({.key = std::move(key), .error = code, .bytes = {}});
  return kernel_error(code, std::move(what));
}

Result<Bytes> Recorder::keep(std::string key, std::string what, Result<Bytes> answer) {
  if (!answer) return fail(keep_error(std::move(key), std::move(what), answer.error()));
  answers_.push_back({.key = std::move(key), .error = 0, .bytes = *answer});
  return answer;
}

Result<Bytes> Recorder::netlink(const NetnsRef& netns, int protocol, ByteView request) {
  return keep(netlink_key(netns, protocol, request), netlink_what(),
              inner_.netlink(netns, protocol, request));
}

Result<Bytes> Recorder::read_file(const std::string& path) {
  Result<Bytes> answer = inner_.read_file(path);
  // What a process's own files hold besides what is looked for is nobody's business either.
  const bool redacted = path.ends_with("/cmdline") || path.find("/root/") != std::string::npos;
  if (answer && redactor_ && redacted) answer = redactor_(*answer);
  if (answer && file_redactor_) answer = file_redactor_(path, *answer);
  return keep(file_key(path), path_what(path), std::move(answer));
}

Result<std::int64_t> Recorder::file_time(const std::string& path) {
  Result<std::int64_t> answer = inner_.file_time(path);
  if (!answer) return fail(keep_error(file_time_key(path), path_what(path), answer.error()));
  answers_.push_back(
      {.key = file_time_key(path), .error = 0, .bytes = to_bytes(std::to_string(*answer))});
  return answer;
}

Result<std::string> Recorder::read_link(const std::string& path) {
  Result<std::string> answer = inner_.read_link(path);
  if (!answer) return fail(keep_error(link_key(path), path_what(path), answer.error()));
  answers_.push_back({.key = link_key(path), .error = 0, .bytes = to_bytes(*answer)});
  return answer;
}

Result<std::vector<std::string>> Recorder::list_folder(const std::string& path) {
  Result<std::vector<std::string>> answer = inner_.list_folder(path);
  if (!answer) return fail(keep_error(folder_key(path), path_what(path), answer.error()));
  answers_.push_back({.key = folder_key(path), .error = 0, .bytes = form_of_names(*answer)});
  return answer;
}

Result<Bytes> Recorder::read_net_table(const NetTablePlace& place, NetTable table) {
  return keep(net_table_key(place, table), net_table_what(table),
              inner_.read_net_table(place, table));
}

Result<Bytes> Recorder::read_net_file(const NetnsRef& netns, const std::string& path) {
  return keep(net_file_key(netns, path), path_what(path), inner_.read_net_file(netns, path));
}

Result<Bytes> Recorder::legacy_table(const NetnsRef& netns, Family family,
                                     const std::string& name) {
  return keep(legacy_table_key(netns, family, name), legacy_table_what(family, name),
              inner_.legacy_table(netns, family, name));
}

Result<Bytes> Recorder::attached_programs(const ProgramPlace& place) {
  return keep(programs_key(place), programs_what(place), inner_.attached_programs(place));
}

Result<Bytes> Recorder::socket_options(const SocketHolder& holder) {
  return keep(options_key(holder), options_what(holder), inner_.socket_options(holder));
}

Result<Bytes> Recorder::scan_sockets(SurveyDepth depth) {
  return keep(sockets_key(depth), sockets_what(), inner_.scan_sockets(depth));
}

Result<Bytes> Recorder::bound_sockets(const BoundPlace& place) {
  return keep(bound_key(place), bound_what(), inner_.bound_sockets(place));
}

Result<Bytes> Recorder::netns_ids(const NetnsRef& in, std::span<const NetnsRef> of) {
  return keep(netns_ids_key(in), netns_ids_what(), inner_.netns_ids(in, of));
}

Result<Bytes> Recorder::scan_namespaces() {
  return keep(namespaces_key(), processes_what(), inner_.scan_namespaces());
}

Result<Bytes> Recorder::scan_descriptors(std::span<const std::uint32_t> /*wanted*/) {
  // Everything, for questions that are asked of the recording later.
  return keep(descriptors_key(), processes_what(), inner_.scan_descriptors({}));
}

Result<Bytes> Recorder::read_processes(std::span<const ProcessWanted> wanted,
                                       ProcessDetail /*detail*/) {
  // All of it, for questions that are asked of the recording later.
  Result<Bytes> answer = inner_.read_processes(wanted, ProcessDetail::All);
  if (answer && redactor_) answer = redact_processes(*answer, redactor_);
  return keep(processes_key(), processes_what(), std::move(answer));
}

Result<std::string> Recorder::cgroup_path(std::uint64_t id) {
  Result<std::string> answer = inner_.cgroup_path(id);
  if (!answer) return fail(keep_error(cgroup_key(id), cgroup_what(id), answer.error()));
  answers_.push_back({.key = cgroup_key(id), .error = 0, .bytes = to_bytes(*answer)});
  return answer;
}

Result<Clock> Recorder::clock() {
  Result<Clock> answer = inner_.clock();
  if (!answer) return fail(keep_error(clock_key(), clock_what(), answer.error()));
  answers_.push_back({.key = clock_key(), .error = 0, .bytes = form_of_clock(*answer)});
  return answer;
}

Result<Bytes> Recorder::ask_units(std::span<const std::string> names) {
  return keep(units_key(), units_what(), inner_.ask_units(names));
}

std::vector<RecordedAnswer> Recorder::take_answers() {
  return std::exchange(answers_, {});
}

}  // namespace hark::kernel
