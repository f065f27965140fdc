#include "kernel/search_parts.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <tuple>

#include "base/parts.h"
#include "base/process_parts.h"
#include "base/socket_parts.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "kernel/live_files.h"

namespace hark::kernel {
namespace {

// IPPROTO_* of linux/in.h.
constexpr std::uint16_t kTcp = 6;
constexpr std::uint16_t kMptcp = 262;
constexpr std::uint64_t kNsPerTick = 10'000'000;  ///< of /proc/PID/stat: USER_HZ is 100

template <typename T>
void append_number(Bytes& to, ProcessPart tag, T number) {
  append_part(to, static_cast<std::uint16_t>(tag), std::as_bytes(std::span(&number, 1)));
}

template <std::size_t N>
void copy_text(std::array<char, N>& to, const char (&from)[N]) {
  std::memcpy(to.data(), from, N);
  to.back() = '\0';
}

ProcessFacts facts_of(const hark_process& process, std::uint32_t group) {
  ProcessFacts out;
  out.start_ns = process.start_ns;
  out.uid = process.uid;
  out.group = group;
  out.state = static_cast<char>(process.state);
  out.exe_deleted = process.exe_deleted;
  copy_text(out.name, process.name);
  copy_text(out.exe, process.exe);
  return out;
}

/// When the process that now has this number was started, in ticks; 0: there is none.
std::uint64_t start_ticks(int process) {
  constexpr int kStartAfterName = 20;
  Bytes text;
  if (read_at(process, "stat", text, 4096) != 0) return 0;
  std::string_view rest = as_text(text);
  const std::size_t name_end = rest.rfind(')');
  if (name_end == std::string_view::npos) return 0;
  rest.remove_prefix(name_end + 1);
  std::string_view word;
  for (int i = 0; i < kStartAfterName; ++i) word = next_word(rest);
  return parse_number<std::uint64_t>(word).value_or(0);
}

/// Process 1, if there is one whose descriptors may not be looked at. Where one of them may, all
/// may; to list them would cost more than the search.
Bytes unreadable_first_process(const std::string& proc_root) {
  Bytes out;
  int error = 0;
  std::string link;
  for (const char* name : {"/1/fd/0", "/1/fd/1", "/1/fd/2", "/1/fd/3"}) {
    error = read_link_at(AT_FDCWD, (proc_root + name).c_str(), link);
    if (error != ENOENT) break;
  }
  if (error != EACCES && error != EPERM) return out;
  append_number(out, ProcessPart::Pid, std::uint32_t{1});
  append_failed_part(out, static_cast<std::uint16_t>(ProcessPart::Sockets), error);
  return out;
}

/// /proc/PID/cgroup of a member of the group that still is who it was.
Bytes cgroup_of(const std::string& proc_root, std::span<const hark_process* const> members) {
  constexpr std::size_t kMostTries = 8;
  constexpr std::size_t kLongest = 65'536;
  Bytes out;
  for (const hark_process* member : members.first(std::min(members.size(), kMostTries))) {
    const std::string path = proc_root + "/" + std::to_string(member->pid);
    UniqueFd process;
    if (open_at(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY, process) != 0) continue;
    if (start_ticks(process.get()) != member->start_ns / kNsPerTick) continue;
    if (read_at(process.get(), "cgroup", out, kLongest) == 0) return out;
  }
  out.clear();
  return out;
}

}  // namespace

Bytes socket_parts(std::span<const SurveyedNetns> namespaces, std::span<const FoundSocket> sockets,
                   SurveyDepth depth) {
  Bytes out;
  append_part(out, static_cast<std::uint16_t>(SocketPart::Namespaces), std::as_bytes(namespaces));
  std::vector<SurveyedFile> files;
  files.reserve(sockets.size());
  for (const auto& [told, file] : sockets) {
    files.push_back(
        {.netns = told.netns,
         .inode = told.inode,
         .state = told.state,
         .has_file = told.has_file,
         .family = static_cast<std::uint8_t>(told.family),
         .protocol = static_cast<std::uint8_t>(told.protocol == kMptcp ? kTcp : told.protocol)});
  }
  append_part(out, static_cast<std::uint16_t>(SocketPart::Files), std::as_bytes(std::span(files)));
  if (depth != SurveyDepth::Full) return out;
  std::vector<SurveyedSocket> all;
  all.reserve(sockets.size());
  for (const FoundSocket& socket : sockets) all.push_back(socket.told);
  append_part(out, static_cast<std::uint16_t>(SocketPart::Sockets), std::as_bytes(std::span(all)));
  return out;
}

Bytes namespace_parts(const std::string& proc_root, std::vector<const hark_process*> first) {
  std::ranges::sort(first, {}, &hark_process::pid);
  Bytes out;
  std::map<std::uint64_t, std::uint32_t> numbers;
  std::uint32_t last = 0;
  for (const hark_process* process : first) {
    if (process->pid == last) continue;
    last = process->pid;
    append_number(out, ProcessPart::Pid, process->pid);
    if (process->netns != 0) {
      append_number(out, ProcessPart::NetnsInode, std::uint64_t{process->netns});
    }
    if (process->mntns != 0) {
      append_number(out, ProcessPart::MntnsInode, std::uint64_t{process->mntns});
    }
    const auto [number, is_new] =
        numbers.try_emplace(process->group, static_cast<std::uint32_t>(numbers.size()));
    append_number(out, ProcessPart::Facts, facts_of(*process, number->second));
    if (!is_new) continue;
    append_part(out, static_cast<std::uint16_t>(ProcessPart::Cgroup),
                cgroup_of(proc_root, std::span(&process, 1)));
  }
  return out;
}

Bytes holder_parts(const std::string& proc_root, std::vector<Held> held) {
  std::ranges::sort(held, [](const Held& a, const Held& b) {
    return std::tie(a.process->pid, a.process->start_ns, a.is_netns, a.fd) <
           std::tie(b.process->pid, b.process->start_ns, b.is_netns, b.fd);
  });
  std::map<std::uint64_t, std::vector<const hark_process*>> groups;
  for (const Held& one : held) {
    auto& members = groups[one.process->group];
    if (members.empty() || members.back()->pid != one.process->pid) members.push_back(one.process);
  }
  std::map<std::uint64_t, std::uint32_t> numbers;
  Bytes out;
  // What the kernel hides from all but itself is not in the programs' sight either: the first
  // process of some machines. /proc says so.
  const bool has_first = !held.empty() && held.front().process->pid == 1;
  if (!has_first) append(out, unreadable_first_process(proc_root));
  for (std::size_t begin = 0, end = 0; begin < held.size(); begin = end) {
    const hark_process& process = *held[begin].process;
    std::array<std::vector<FdInode>, 2> kinds;  // sockets, namespaces
    for (end = begin; end < held.size() && held[end].process->pid == process.pid; ++end) {
      if (held[end].process->start_ns != process.start_ns) continue;  // two had the number in turn
      kinds[held[end].is_netns ? 1 : 0].push_back({held[end].fd, held[end].inode});
    }
    append_number(out, ProcessPart::Pid, process.pid);
    const auto [number, is_new] =
        numbers.try_emplace(process.group, static_cast<std::uint32_t>(numbers.size()));
    append_number(out, ProcessPart::Facts, facts_of(process, number->second));
    if (is_new) {
      append_part(out, static_cast<std::uint16_t>(ProcessPart::Cgroup),
                  cgroup_of(proc_root, groups.at(process.group)));
    }
    for (const auto& [tag, list] : {std::pair(ProcessPart::Sockets, &kinds[0]),
                                    std::pair(ProcessPart::NetnsFds, &kinds[1])}) {
      if (list->empty()) continue;
      append_part(out, static_cast<std::uint16_t>(tag), std::as_bytes(std::span(*list)));
    }
  }
  return out;
}

}  // namespace hark::kernel
