#include "kernel/survey_holders.h"

#include <algorithm>
#include <cstddef>
#include <unordered_set>

#include "kernel/process_facts.h"
#include "kernel/survey_descriptors.h"
#include "kernel/wanted_files.h"

namespace hark::kernel {
namespace {

constexpr std::size_t kSlot = 8;  ///< bytes of a descriptor in its table

/// A descriptor that is one of the files, and its task among those that are told of.
struct Hit {
  FoundDescriptor found;
  std::uint32_t subject = 0;
  bool stays = false;  ///< it still is
};

class HolderSearch {
 public:
  HolderSearch(KernelReader& reader, WorkPair& pair, const KernelLayout& layout,
               const WantedFiles& wanted)
      : reader_(reader), second_(reader.second()), pair_(pair), layout_(layout), wanted_(wanted) {}

  void search();
  /// Whether every file was found with somebody.
  [[nodiscard]] bool found_all() const;
  /// Whether who was chosen for a set of namespaces has gone.
  [[nodiscard]] bool lost_first() const;
  /// Whether there are processes that were not there when the search began.
  [[nodiscard]] bool has_newcomers();
  [[nodiscard]] FoundHolders take();

 private:
  void find_descriptors();
  void choose_first();
  void describe();
  void check_files();
  void check_tables();

  /// Does the job, which reads, for each number below `count`.
  template <typename Job>
  void each(std::size_t count, const Job& job);

  KernelReader& reader_;
  KernelReader second_;
  WorkPair& pair_;
  const KernelLayout& layout_;
  const WantedFiles& wanted_;
  KernelReader::Tasks all_;
  std::vector<Hit> hits_;
  std::vector<std::uint32_t> first_;      ///< tasks that are the first met in their namespaces
  std::vector<std::uint32_t> subjects_;   ///< tasks to be told of, ascending
  std::vector<DescribedTask> described_;  ///< each of these
};

void HolderSearch::search() {
  all_ = reader_.tasks();
  find_descriptors();
  choose_first();
  describe();
  check_tables();
  check_files();
}

template <typename Job>
void HolderSearch::each(std::size_t count, const Job& job) {
  pair_.each(static_cast<std::uint32_t>(count), [&](WorkPair::Hand hand, std::uint32_t i) {
    job(hand == WorkPair::Hand::First ? reader_ : second_, i);
  });
  reader_.take_state(second_);
}

void HolderSearch::find_descriptors() {
  constexpr std::uint32_t kBlock = 128;
  const auto count = static_cast<std::uint32_t>(all_.tasks.size());
  std::vector<std::vector<FoundDescriptor>> found((count + kBlock - 1) / kBlock);
  each(found.size(), [&](KernelReader& reader, std::uint32_t i) {
    const std::uint32_t first = i * kBlock;
    found[i] = survey_descriptors(reader, layout_, wanted_, all_.tasks,
                                  {first, std::min(kBlock, count - first)});
  });
  for (const auto& some : found) {
    for (const FoundDescriptor& one : some) hits_.push_back({.found = one});
  }
}

/// Of each set of namespaces a process; of one whose leader has exited, a thread.
void HolderSearch::choose_first() {
  std::unordered_set<std::uint64_t> met;
  std::uint64_t last = 0;
  for (std::uint32_t i = 0; i < all_.tasks.size(); ++i) {
    const hark_task& task = all_.tasks[i];
    if (task.nsproxy == 0 || task.nsproxy == last) continue;
    if (task.leaders_files != 0 && task.leaders_files != task.files) continue;
    last = task.nsproxy;
    if (met.insert(task.nsproxy).second) first_.push_back(i);
  }
}

void HolderSearch::describe() {
  for (const Hit& hit : hits_) subjects_.push_back(hit.found.task);
  subjects_.insert(subjects_.end(), first_.begin(), first_.end());
  std::ranges::sort(subjects_);
  subjects_.erase(std::unique(subjects_.begin(), subjects_.end()), subjects_.end());
  described_.resize(subjects_.size());
  auto first = first_.begin();
  auto hit = hits_.begin();
  for (std::uint32_t i = 0; i < subjects_.size(); ++i) {
    DescribedTask& one = described_[i];
    one.task = all_.tasks[subjects_[i]].task;
    one.files = all_.tasks[subjects_[i]].files;
    if (first != first_.end() && *first == subjects_[i]) {
      one.process.first = 1;
      ++first;
    }
    for (; hit != hits_.end() && hit->found.task == subjects_[i]; ++hit) hit->subject = i;
  }
  constexpr std::size_t kBlock = 128;
  each((described_.size() + kBlock - 1) / kBlock, [&](KernelReader& reader, std::uint32_t i) {
    const auto rest = std::span(described_).subspan(i * kBlock);
    describe_tasks(reader, layout_, rest.first(std::min(kBlock, rest.size())));
  });
}

/// Are the descriptors still those files? Of a process that has ended, or is another one by now,
/// check_tasks() knows.
void HolderSearch::check_tables() {
  const auto& l = layout_;
  std::vector<std::uint64_t> tables(subjects_.size());
  reader_.read_each(
      tables.size(), 8, [&](std::size_t i) { return described_[i].files + l.files.fdt; },
      [&](std::size_t i, const Piece& piece) { tables[i] = piece.pointer(0); });
  struct Table {
    std::uint32_t fds = 0;
    std::uint64_t slots = 0;
  };
  std::vector<Table> now(subjects_.size());
  reader_.read_each(
      tables.size(), l.fdtable.size, [&](std::size_t i) { return tables[i]; },
      [&](std::size_t i, const Piece& piece) {
        now[i].fds = piece.at<std::uint32_t>(l.fdtable.max_fds);
        now[i].slots = piece.pointer(l.fdtable.fd);
      });
  reader_.read_each(
      hits_.size(), kSlot,
      [&](std::size_t i) {
        return now[hits_[i].subject].slots + std::uint64_t{hits_[i].found.fd} * kSlot;
      },
      [&](std::size_t i, const Piece& piece) {
        Hit& hit = hits_[i];
        hit.stays = piece.pointer(0) == wanted_.files()[hit.found.file].address &&
                    hit.found.fd < now[hit.subject].fds;
      });
  check_tasks(reader_, layout_, described_);
  for (Hit& hit : hits_) hit.stays = hit.stays && described_[hit.subject].stays;
}

/// Are the files still those of the sockets?
void HolderSearch::check_files() {
  const auto& files = wanted_.files();
  std::vector<std::uint64_t> inodes(files.size());
  std::vector<bool> stays(files.size());
  reader_.read_each(
      files.size(), 8, [&](std::size_t i) { return files[i].address + layout_.file.f_inode; },
      [&](std::size_t i, const Piece& piece) { inodes[i] = piece.pointer(0); });
  reader_.read_each(
      files.size(), 4, [&](std::size_t i) { return inodes[i] + layout_.inode_number; },
      [&](std::size_t i, const Piece& piece) {
        stays[i] = piece.at<std::uint32_t>(0) == files[i].inode;
      });
  for (Hit& hit : hits_) hit.stays = hit.stays && stays[hit.found.file];
}

bool HolderSearch::found_all() const {
  std::vector<bool> held(wanted_.files().size());
  for (const Hit& hit : hits_) {
    if (hit.stays) held[hit.found.file] = true;
  }
  return std::ranges::find(held, false) == held.end();
}

bool HolderSearch::lost_first() const {
  return std::ranges::any_of(
      described_, [](const DescribedTask& one) { return one.process.first != 0 && !one.stays; });
}

/// A new process is the last of the kernel's list, which is a ring.
bool HolderSearch::has_newcomers() {
  constexpr std::uint32_t kPrevious = 8;  // of struct list_head
  const std::uint64_t last = reader_.pointer(all_.first + layout_.task.tasks + kPrevious);
  return last - layout_.task.tasks != all_.last_process;
}

FoundHolders HolderSearch::take() {
  FoundHolders out;
  auto hit = hits_.begin();
  for (std::uint32_t i = 0; i < described_.size(); ++i) {
    const std::size_t before = out.holdings.size();
    for (; hit != hits_.end() && hit->subject == i; ++hit) {
      if (!hit->stays) continue;
      out.holdings.push_back({.process = static_cast<std::uint32_t>(out.processes.size()),
                              .fd = hit->found.fd,
                              .inode = wanted_.files()[hit->found.file].inode});
    }
    const DescribedTask& one = described_[i];
    if (!one.stays || (one.process.first == 0 && out.holdings.size() == before)) continue;
    out.processes.push_back(one.process);
  }
  return out;
}

}  // namespace

FoundHolders survey_holders(KernelReader& reader, WorkPair& pair, const KernelLayout& layout,
                            std::span<const FoundSocket> sockets) {
  constexpr int kMostTries = 3;
  std::vector<WantedFiles::File> files;
  files.reserve(sockets.size());
  for (const FoundSocket& socket : sockets) {
    if (socket.told.inode != 0) files.push_back({socket.file, socket.told.inode});
  }
  const WantedFiles wanted(std::move(files));
  // Who forks and ends meanwhile passes its descriptors on to a process that was not visited.
  for (int i = 1;; ++i) {
    HolderSearch search(reader, pair, layout, wanted);
    search.search();
    const bool again = search.lost_first() || (!search.found_all() && search.has_newcomers());
    if (i == kMostTries || !again) return search.take();
  }
}

}  // namespace hark::kernel
