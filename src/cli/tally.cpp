#include "cli/tally.h"

#include <cerrno>

#include "base/text.h"
#include "show/escape.h"

namespace hark::cli {
namespace {

enum Kind : std::size_t {
  kNetlink,
  kFile,
  kLink,
  kFolder,
  kTable,
  kScan,
  kSurvey,
  kProcesses,
  kCgroup,
  kClock,
  kUnits,
  kNetFile,
  kLegacyTable,
  kPrograms,
  kOptions,
  kBound,
  kNetnsIds
};

constexpr std::array kNames = {
    "netlink requests",
    "files",
    "links",
    "folders",
    "/proc/net tables",
    "process scans",
    "socket surveys",
    "process reads",
    "cgroup lookups",
    "clock",
    "questions to systemd",
    "files of namespaces",
    "iptables tables",
    "BPF queries",
    "sockets' options",
    "searches for a port",
    "numbers of namespaces",
};

}  // namespace

template <typename T>
Result<T> Tally::count(std::size_t kind, Result<T> answer) {
  Count& to = counts_[kind];
  if (answer) {
    ++to.answered;
  } else {
    ++to.refused;
    to.last = answer.error();
  }
  return answer;
}

Result<Bytes> Tally::netlink(const kernel::NetnsRef& netns, int protocol, ByteView request) {
  return count(kNetlink, inner_.netlink(netns, protocol, request));
}

Result<Bytes> Tally::read_file(const std::string& path) {
  return count(kFile, inner_.read_file(path));
}

Result<std::int64_t> Tally::file_time(const std::string& path) {
  return count(kFile, inner_.file_time(path));
}

Result<std::string> Tally::read_link(const std::string& path) {
  Result<std::string> answer = inner_.read_link(path);
  if (answer || answer.error().code != EINVAL) return count(kLink, std::move(answer));
  ++counts_[kLink].answered;  // that it is no link
  return answer;
}

Result<std::vector<std::string>> Tally::list_folder(const std::string& path) {
  return count(kFolder, inner_.list_folder(path));
}

Result<Bytes> Tally::read_net_table(const kernel::NetTablePlace& place, kernel::NetTable table) {
  return count(kTable, inner_.read_net_table(place, table));
}

Result<Bytes> Tally::read_net_file(const kernel::NetnsRef& netns, const std::string& path) {
  return count(kNetFile, inner_.read_net_file(netns, path));
}

Result<Bytes> Tally::legacy_table(const kernel::NetnsRef& netns, Family family,
                                  const std::string& name) {
  return count(kLegacyTable, inner_.legacy_table(netns, family, name));
}

Result<Bytes> Tally::attached_programs(const kernel::ProgramPlace& place) {
  return count(kPrograms, inner_.attached_programs(place));
}

Result<Bytes> Tally::socket_options(const kernel::SocketHolder& holder) {
  return count(kOptions, inner_.socket_options(holder));
}

Result<Bytes> Tally::scan_sockets(SurveyDepth depth) {
  return count(kSurvey, inner_.scan_sockets(depth));
}

Result<Bytes> Tally::netns_ids(const kernel::NetnsRef& in, std::span<const kernel::NetnsRef> of) {
  return count(kNetnsIds, inner_.netns_ids(in, of));
}

Result<Bytes> Tally::bound_sockets(const kernel::BoundPlace& place) {
  return count(kBound, inner_.bound_sockets(place));
}

Result<Bytes> Tally::scan_namespaces() {
  return count(kScan, inner_.scan_namespaces());
}

Result<Bytes> Tally::scan_descriptors(std::span<const std::uint32_t> wanted) {
  return count(kScan, inner_.scan_descriptors(wanted));
}

Result<Bytes> Tally::read_processes(std::span<const kernel::ProcessWanted> wanted,
                                    kernel::ProcessDetail detail) {
  return count(kProcesses, inner_.read_processes(wanted, detail));
}

Result<std::string> Tally::cgroup_path(std::uint64_t id) {
  return count(kCgroup, inner_.cgroup_path(id));
}

Result<kernel::Clock> Tally::clock() {
  return count(kClock, inner_.clock());
}

Result<Bytes> Tally::ask_units(std::span<const std::string> names) {
  return count(kUnits, inner_.ask_units(names));
}

std::string Tally::text() const {
  static_assert(kNames.size() == std::tuple_size_v<decltype(counts_)>);
  std::string out;
  for (std::size_t kind = 0; kind < counts_.size(); ++kind) {
    const Count& count = counts_[kind];
    if (count.answered + count.refused == 0) continue;
    out +=
        "hark: " + std::string(kNames[kind]) + ": " + std::to_string(count.answered) + " answered";
    if (count.refused > 0) {
      out += ", " + std::to_string(count.refused) +
             " refused (last: " + show::for_terminal(count.last.what) + ": " +
             show::for_terminal(reason(count.last)) + ")";
    }
    out += "\n";
  }
  if (const std::string how = inner_.how(); !how.empty()) {
    std::string_view rest = how;
    while (!rest.empty()) {
      out += "hark: " + show::for_terminal(next_piece(rest, '\n')) + "\n";
    }
  }
  return out;
}

}  // namespace hark::cli
