#include "kernel/process_facts.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace hark::kernel {
namespace {

/// The letter of proc(5), as task_state_index of include/linux/sched.h finds it.
hark_u8 letter_of(std::uint32_t state) {
  if ((state & 0x402) == 0x402) return 'I';
  if ((state & 0x40) != 0) return 'P';
  if ((state & 0x20) != 0) return 'Z';
  if ((state & 0x10) != 0) return 'X';
  if ((state & 0x8) != 0) return 't';
  if ((state & 0x4) != 0) return 'T';
  if ((state & 0x9002) != 0) return 'D';  // also waiting for a lock of PREEMPT_RT, and frozen
  return (state & 0x1) != 0 ? 'S' : 'R';
}

/// Copies a text that ends with a zero, or is cut; the rest becomes zeros.
template <std::size_t N>
void copy_text(char (&to)[N], const std::byte* from) {
  const void* end = std::memchr(from, 0, N - 1);
  const std::size_t size =
      end == nullptr ? N - 1 : static_cast<std::size_t>(static_cast<const std::byte*>(end) - from);
  std::memset(to, 0, N);
  std::memcpy(to, from, size);
}

/// Addresses that many tasks have in common, each once.
class Shared {
 public:
  explicit Shared(std::vector<std::uint64_t> of_each)
      : of_each_(std::move(of_each)), all_(of_each_) {
    std::ranges::sort(all_);
    all_.erase(std::unique(all_.begin(), all_.end()), all_.end());
  }
  [[nodiscard]] const std::vector<std::uint64_t>& all() const { return all_; }
  /// Which of all() a task has.
  [[nodiscard]] std::size_t of(std::size_t task) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(all_, of_each_[task]) - all_.begin());
  }
  [[nodiscard]] bool has(std::size_t task) const { return of_each_[task] != 0; }

 private:
  std::vector<std::uint64_t> of_each_;
  std::vector<std::uint64_t> all_;
};

class Describer {
 public:
  Describer(KernelReader& reader, const KernelLayout& layout, std::span<DescribedTask> tasks)
      : reader_(reader),
        layout_(layout),
        tasks_(tasks),
        memory_(tasks.size()),
        cred_(tasks.size()),
        states_(tasks.size()) {}

  void describe() {
    read_tasks();
    read_leaders();
    read_users();
    tell_namespaces();
    tell_programs(Shared(pointers(memory_, layout_.mm_exe_file)));
  }

 private:
  std::vector<std::uint64_t> pointers(const std::vector<std::uint64_t>& from,
                                      std::uint32_t offset) {
    std::vector<std::uint64_t> out(from.size());
    reader_.read_each(
        from.size(), 8, [&](std::size_t i) { return from[i] == 0 ? 0 : from[i] + offset; },
        [&](std::size_t i, const Piece& piece) { out[i] = piece.pointer(0); });
    return out;
  }

  void read_tasks() {
    const auto& l = layout_.task;
    const Window window({{l.mm, 8}, {l.exit_state, 4}, {l.tgid, 4}, {l.group_leader, 8}});
    reader_.read_each(
        tasks_.size(), window.size(),
        [&](std::size_t i) { return tasks_[i].task + window.begin(); },
        [&](std::size_t i, const Piece& piece) {
          memory_[i] = window.get<std::uint64_t>(piece, l.mm);
          states_[i] = window.get<std::uint32_t>(piece, l.exit_state);
          tasks_[i].leader = window.get<std::uint64_t>(piece, l.group_leader);
          tasks_[i].process.pid = window.get<std::uint32_t>(piece, l.tgid);
        });
    reader_.read_each(
        tasks_.size(), 8, [&](std::size_t i) { return tasks_[i].task + l.cgroups; },
        [&](std::size_t i, const Piece& piece) { tasks_[i].process.group = piece.pointer(0); });
  }

  void read_leaders() {
    const auto& l = layout_.task;
    const Window window({{l.start_boottime, 8}, {l.real_cred, 8}, {l.comm, 16}});
    reader_.read_each(
        tasks_.size(), window.size(),
        [&](std::size_t i) { return tasks_[i].leader + window.begin(); },
        [&](std::size_t i, const Piece& piece) {
          hark_process& out = tasks_[i].process;
          out.start_ns = window.get<std::uint64_t>(piece, l.start_boottime);
          cred_[i] = window.get<std::uint64_t>(piece, l.real_cred);
          copy_text(out.name, piece.memory() + (l.comm - window.begin()));
        });
    std::vector<std::size_t> others;  // threads, whose own state is of no interest
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (tasks_[i].task != tasks_[i].leader) others.push_back(i);
    }
    reader_.read_each(
        others.size(), 4, [&](std::size_t i) { return tasks_[others[i]].leader + l.exit_state; },
        [&](std::size_t i, const Piece& piece) {
          states_[others[i]] = piece.at<std::uint32_t>(0);
        });
    reader_.read_each(
        tasks_.size(), 4, [&](std::size_t i) { return tasks_[i].leader + l.state; },
        [&](std::size_t i, const Piece& piece) {
          tasks_[i].process.state = letter_of(states_[i] | piece.at<std::uint32_t>(0));
        });
  }

  void read_users() {
    reader_.read_each(
        tasks_.size(), 4, [&](std::size_t i) { return cred_[i] + layout_.cred_euid; },
        [&](std::size_t i, const Piece& piece) {
          tasks_[i].process.uid = piece.at<std::uint32_t>(0);
        });
  }

  void tell_namespaces() {
    std::vector<std::uint64_t> spaces;
    std::vector<hark_process*> of;
    for (DescribedTask& task : tasks_) {
      if (task.process.first == 0) continue;
      spaces.push_back(task.task);
      of.push_back(&task.process);
    }
    spaces = pointers(spaces, layout_.task.nsproxy);
    const auto tell = [&](std::uint32_t member, std::uint32_t inode,
                          hark_u32 hark_process::*place) {
      const auto found = pointers(spaces, member);
      reader_.read_each(
          found.size(), 4, [&](std::size_t i) { return found[i] == 0 ? 0 : found[i] + inode; },
          [&](std::size_t i, const Piece& piece) { of[i]->*place = piece.at<std::uint32_t>(0); });
    };
    tell(layout_.nsproxy_net, layout_.net.inum, &hark_process::netns);
    tell(layout_.nsproxy_mnt, layout_.mnt_inum, &hark_process::mntns);
  }

  /// The last part of the path of each one's program, and whether it was removed.
  void tell_programs(const Shared& files) {
    struct Program {
      bool deleted = false;
      char name[sizeof(hark_process::exe)] = {};
    };
    const auto entries = pointers(files.all(), layout_.file.dentry);
    const auto hashed = pointers(entries, layout_.dentry_pprev);
    const auto names = pointers(entries, layout_.dentry_name);
    std::vector<Program> programs(entries.size());
    reader_.read_each(
        entries.size(), sizeof(Program::name), [&](std::size_t i) { return names[i]; },
        [&](std::size_t i, const Piece& piece) {
          programs[i].deleted = hashed[i] == 0;
          copy_text(programs[i].name, piece.memory());
        });
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (!files.has(i)) continue;
      const Program& program = programs[files.of(i)];
      tasks_[i].process.exe_deleted = program.deleted ? 1 : 0;
      std::memcpy(tasks_[i].process.exe, program.name, sizeof program.name);
    }
  }

  KernelReader& reader_;
  const KernelLayout& layout_;
  std::span<DescribedTask> tasks_;
  std::vector<std::uint64_t> memory_;  ///< of each task its mm_struct
  std::vector<std::uint64_t> cred_;    ///< of its leader
  std::vector<std::uint32_t> states_;  ///< exit state of its leader
};

}  // namespace

void describe_tasks(KernelReader& reader, const KernelLayout& layout,
                    std::span<DescribedTask> tasks) {
  Describer(reader, layout, tasks).describe();
}

void check_tasks(KernelReader& reader, const KernelLayout& layout, std::span<DescribedTask> tasks) {
  reader.read_each(
      tasks.size(), 8, [&](std::size_t i) { return tasks[i].leader + layout.task.start_boottime; },
      [&](std::size_t i, const Piece& piece) {
        tasks[i].stays = piece.at<std::uint64_t>(0) == tasks[i].process.start_ns;
      });
  reader.read_each(
      tasks.size(), 8, [&](std::size_t i) { return tasks[i].task + layout.task.files; },
      [&](std::size_t i, const Piece& piece) {
        tasks[i].stays = tasks[i].stays && piece.pointer(0) == tasks[i].files;
      });
}

}  // namespace hark::kernel
