// Replay over made-up answers: whatever a recording holds, each call gives an answer or an error,
// and recording the replay gives the same answers once more.
//
// The input is lines: a letter for the kind of request, then the answer in which %XX stands for any
// byte; a '!' after the letter is a refusal.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "base/parts.h"
#include "base/text.h"
#include "kernel/recorder.h"
#include "kernel/replay.h"
#include "kernel/request_key.h"

namespace hark::kernel {
namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

const NetnsRef kNetns{.inode = 1, .paths = {"/x"}};
const NetTablePlace kPlace{.netns = kNetns, .pid = 0};

std::string key_of(char kind) {
  switch (kind) {
    case 'n':
      return netlink_key(kNetns, 4, {});
    case 'l':
      return link_key("/a");
    case 'd':
      return folder_key("/a");
    case 't':
      return net_table_key(kPlace, NetTable::Tcp);
    case 's':
      return descriptors_key();
    case 'S':
      return namespaces_key();
    case 'p':
      return processes_key();
    case 'g':
      return cgroup_key(1);
    case 'c':
      return clock_key();
    default:
      return file_key("/a");
  }
}

Recording recording_of(std::string_view input) {
  Recording recording;
  while (!input.empty()) {
    std::string_view line = next_piece(input, '\n');
    if (line.empty()) continue;
    RecordedAnswer answer{.key = key_of(line.front()), .error = 0, .bytes = {}};
    line.remove_prefix(1);
    if (line.starts_with('!')) {
      answer.error = static_cast<int>(line.size());
      line = {};
    }
    while (!line.empty()) {
      const auto byte = line.front() == '%' && line.size() >= 3
                            ? parse_number<std::uint8_t>(line.substr(1, 2), 16)
                            : std::nullopt;
      answer.bytes.push_back(static_cast<std::byte>(byte ? *byte : line.front()));
      line.remove_prefix(byte ? 3 : 1);
    }
    recording.answers.push_back(std::move(answer));
  }
  return recording;
}

template <typename T>
void note(std::vector<std::string>& out, const Result<T>& result, const std::string& text) {
  out.push_back(result ? "+" + text
                       : "-" + std::to_string(result.error().code) + result.error().what);
}

std::string text_of(const Result<Bytes>& answer) {
  return answer ? std::string(as_text(*answer)) : std::string();
}

/// Whole parts, of asked-for processes only, each once, with asked-for sockets only.
void check_processes(ByteView bytes) {
  std::set<std::uint32_t> seen;
  PartReader reader(bytes);
  while (const auto part = reader.next()) {
    if (part->tag == static_cast<std::uint16_t>(ProcessPart::Pid)) {
      const auto pid = ByteReader(part->bytes).value<std::uint32_t>();
      require(pid <= 2 && seen.insert(pid).second);
    }
    require(!seen.empty());
    if (part->tag != static_cast<std::uint16_t>(ProcessPart::Sockets)) continue;
    ByteReader sockets(part->bytes);
    while (!sockets.empty()) {
      const auto socket = sockets.value<FdInode>();
      require(socket.fd == socket.inode && socket.fd <= 2);
    }
    require(sockets.ok());
  }
  require(!reader.broken());
}

std::vector<std::string> ask(Source& source) {
  const std::vector<FdInode> sockets = {
      {.fd = 0, .inode = 0}, {.fd = 1, .inode = 1}, {.fd = 2, .inode = 2}};
  const std::vector<ProcessWanted> wanted = {
      {.pid = 2, .sockets = sockets}, {.pid = 0, .sockets = {}}, {.pid = 1, .sockets = sockets}};
  std::vector<std::string> out;
  for (const auto& answer : {source.netlink(kNetns, 4, {}), source.read_file("/a"),
                             source.read_net_table(kPlace, NetTable::Tcp),
                             source.scan_descriptors({}), source.scan_namespaces()}) {
    note(out, answer, text_of(answer));
  }
  const auto processes = source.read_processes(wanted, hark::kernel::ProcessDetail::All);
  if (processes) check_processes(*processes);
  note(out, processes, text_of(processes));
  for (const auto& answer : {source.read_link("/a"), source.cgroup_path(1)}) {
    note(out, answer, answer.value_or(""));
  }
  const auto names = source.list_folder("/a");
  note(out, names, names ? join(*names, "/") : "");
  const auto clock = source.clock();
  note(out, clock,
       clock ? std::to_string(clock->realtime_ms) + " " + std::to_string(clock->boottime_ms) : "");
  return out;
}

}  // namespace
}  // namespace hark::kernel

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hark::kernel::Replay first(
      hark::kernel::recording_of({reinterpret_cast<const char*>(data), size}));
  hark::kernel::Recorder recorder(
      first, [](hark::ByteView line) { return hark::Bytes(line.rbegin(), line.rend()); });
  std::vector<std::vector<std::string>> answers;
  for (int round = 0; round < 3; ++round) answers.push_back(hark::kernel::ask(recorder));
  hark::kernel::Replay second({.header = {}, .answers = recorder.take_answers()});
  for (const auto& expected : answers) hark::kernel::require(hark::kernel::ask(second) == expected);
  return 0;
}
