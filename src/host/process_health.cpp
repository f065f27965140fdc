#include "host/process_health.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "host/cgroup_folders.h"

namespace hark::host {
namespace {

using decode::TaskStatus;

std::string without_end(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text);
}

std::optional<std::uint64_t> number_in(kernel::Source& source, const std::string& path) {
  const auto text = source.read_file(path);
  return text ? parse_number<std::uint64_t>(without_end(as_text(*text))) : std::nullopt;
}

class Examiner {
 public:
  Examiner(kernel::Source& source, const HealthRequest& request)
      : source_(source), request_(request) {
    if (request.cgroups) folders_.emplace(source);
  }

  ProcessHealth examine(const Process& process) {
    ProcessHealth out;
    out.pid = process.pid;
    const std::string proc = "/proc/" + std::to_string(process.pid);
    if (const auto status = source_.read_file(proc + "/status")) {
      out.status = decode::decode_task_status(*status);
    }
    if (out.status.tracer_pid.value_or(0) != 0) out.tracer = name_of(*out.status.tracer_pid);
    if (request_.libraries) {
      if (const auto maps = source_.read_file(proc + "/maps")) {
        out.deleted_libraries = decode::decode_deleted_libraries(*maps);
      }
    }
    constexpr std::string_view kServing = "RS";
    if (kServing.find(out.status.state) == std::string_view::npos) {
      out.threads = threads_of(process.pid);
    }
    if (request_.cgroups) out.cgroup = cgroup_of(process);
    return out;
  }

 private:
  std::string name_of(std::uint32_t pid) {
    const auto name = source_.read_file("/proc/" + std::to_string(pid) + "/comm");
    return name ? without_end(as_text(*name)) : std::string();
  }

  std::vector<ThreadHealth> threads_of(std::uint32_t pid) {
    std::vector<ThreadHealth> out;
    const std::string folder = "/proc/" + std::to_string(pid) + "/task";
    const auto names = source_.list_folder(folder);
    if (!names) return out;
    std::vector<std::uint32_t> tids;
    for (const std::string& name : *names) {
      if (const auto tid = parse_number<std::uint32_t>(name)) tids.push_back(*tid);
    }
    std::ranges::sort(tids);
    // After a wrap of the pids the first thread may not have the least number.
    const auto first = std::ranges::find(tids, pid);
    if (first != tids.end()) std::rotate(tids.begin(), first, first + 1);
    if (tids.size() > ProcessHealth::kMostThreads) tids.resize(ProcessHealth::kMostThreads);
    for (const std::uint32_t tid : tids) {
      const std::string task = folder + "/" + std::to_string(tid);
      const auto status = source_.read_file(task + "/status");
      if (!status) continue;
      out.push_back({.tid = tid, .state = decode::decode_task_status(*status).state});
    }
    return out;
  }

  /// Processes of one cgroup share what was read of it.
  std::optional<CgroupHealth> cgroup_of(const Process& process) {
    const std::string v2 = folders_->v2(process);
    const std::string memory = folders_->v1(process, "memory");
    const std::string cpu = folders_->v1(process, "cpu");
    if (v2.empty() && memory.empty() && cpu.empty()) return std::nullopt;
    std::string key = v2;
    key.append("\n").append(memory).append("\n").append(cpu);
    const auto known = cgroups_.find(key);
    if (known != cgroups_.end()) return known->second;
    CgroupHealth out;
    out.cpu_path = cpu.empty() ? v2 : cpu;
    read_cpu(out.cpu_path, out);
    if (memory.empty()) {
      read_memory(v2, out);
    } else {
      read_old_memory(memory, out);
    }
    out.memory_v1 = !memory.empty();
    out.path = memory.empty() ? v2 : memory;
    return cgroups_.emplace(std::move(key), std::move(out)).first->second;
  }

  std::map<std::string, std::uint64_t> numbers_in(const std::string& path) {
    const auto text = source_.read_file(path);
    return text ? decode::decode_flat_numbers(*text) : std::map<std::string, std::uint64_t>();
  }

  static std::optional<std::uint64_t> value_of(const std::map<std::string, std::uint64_t>& all,
                                               const char* name) {
    const auto found = all.find(name);
    return found == all.end() ? std::nullopt : std::optional(found->second);
  }

  /// Of those that are there; nothing if none is.
  static std::optional<std::uint64_t> sum_of(const std::map<std::string, std::uint64_t>& all,
                                             std::initializer_list<const char*> names) {
    std::optional<std::uint64_t> out;
    for (const char* name : names) {
      if (const auto value = value_of(all, name)) out = out.value_or(0) + *value;
    }
    return out;
  }

  void read_cpu(const std::string& folder, CgroupHealth& out) {
    const auto numbers = numbers_in(folder + "/cpu.stat");
    out.periods = value_of(numbers, "nr_periods");
    out.throttled = value_of(numbers, "nr_throttled");
  }

  void read_memory(const std::string& folder, CgroupHealth& out) {
    out.memory_used = number_in(source_, folder + "/memory.current");
    out.memory_limit = number_in(source_, folder + "/memory.max");  // "max" is no number
    if (out.memory_limit) {
      out.memory_held =
          sum_of(numbers_in(folder + "/memory.stat"),
                 {"anon", "shmem", "kernel_stack", "pagetables", "slab_unreclaimable"});
    }
    const auto events = numbers_in(folder + "/memory.events");
    out.memory_refused = value_of(events, "max");
    out.oom_kills = value_of(events, "oom_kill");
  }

  void read_old_memory(const std::string& folder, CgroupHealth& out) {
    constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 62U;
    out.memory_used = number_in(source_, folder + "/memory.usage_in_bytes");
    out.memory_limit = number_in(source_, folder + "/memory.limit_in_bytes");
    if (out.memory_limit && *out.memory_limit >= kNoLimit) out.memory_limit.reset();
    if (out.memory_limit) {
      out.memory_held = sum_of(numbers_in(folder + "/memory.stat"), {"total_rss", "total_shmem"});
    }
    out.memory_refused = number_in(source_, folder + "/memory.failcnt");
    out.oom_kills = value_of(numbers_in(folder + "/memory.oom_control"), "oom_kill");
  }

  kernel::Source& source_;
  HealthRequest request_;
  std::optional<CgroupFolders> folders_;
  std::map<std::string, CgroupHealth> cgroups_;
};

}  // namespace

std::vector<ProcessHealth> read_process_health(kernel::Source& source,
                                               const std::vector<const Process*>& processes,
                                               const HealthRequest& request) {
  std::vector<ProcessHealth> out;
  Examiner examiner(source, request);
  for (const Process* process : processes) {
    if (out.size() == kMostExamined) break;
    out.push_back(examiner.examine(*process));
  }
  std::ranges::sort(out, {}, &ProcessHealth::pid);
  return out;
}

}  // namespace hark::host
