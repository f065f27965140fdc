#include "kernel/survey_holders.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <unordered_set>

#include "kernel/process_facts.h"
#include "kernel/wanted_files.h"

namespace hark::kernel {
namespace {

constexpr std::uint32_t kWordFds = 64;  ///< descriptors of one word of the bitmap of open ones
constexpr std::size_t kSlot = 8;        ///< bytes of one in the table itself
/// More than any table can have (fs.nr_open): what says so is memory of something else by now.
constexpr std::uint32_t kMostFds = 1U << 28U;

/// A descriptor table.
struct Table {
  std::uint32_t task = 0;
  std::uint32_t fds = 0;
  std::uint64_t slots = 0;
  std::uint64_t open = 0;  ///< which of them are open, a bit each
};

/// Some words of a table's bitmap.
struct Words {
  std::uint32_t table = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// Descriptors next to each other.
struct Run {
  std::uint32_t task = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::uint64_t slots = 0;  ///< address of the first one's
};

/// A descriptor that is one of the files.
struct Hit {
  std::uint32_t task = 0;
  std::uint32_t fd = 0;
  std::uint32_t file = 0;     ///< among the wanted ones
  std::uint32_t subject = 0;  ///< the task among those that are told of
  bool stays = false;         ///< it still is
};

class HolderSearch {
 public:
  HolderSearch(KernelReader& reader, const KernelLayout& layout, const WantedFiles& wanted)
      : reader_(reader), layout_(layout), wanted_(wanted) {}

  void search();
  /// Whether every file was found with somebody.
  [[nodiscard]] bool found_all() const;
  /// Whether who was chosen for a set of namespaces has gone.
  [[nodiscard]] bool lost_first() const;
  /// Whether there are processes that were not there when the search began.
  [[nodiscard]] bool has_newcomers();
  [[nodiscard]] FoundHolders take();

 private:
  void search_some(std::uint32_t first_task, std::uint32_t count);
  void find_tables(std::uint32_t first_task, std::uint32_t count);
  void find_runs();
  void add_runs(const Words& words, const Piece& bitmap);
  void compare(const Run& run, const Piece& slots);
  void choose_first();
  void describe();
  void check_files();
  void check_tables();

  KernelReader& reader_;
  const KernelLayout& layout_;
  const WantedFiles& wanted_;
  KernelReader::Tasks all_;
  std::vector<Table> tables_;  ///< of the tasks that are being searched
  std::vector<Run> runs_;      ///< their descriptors of which some are open
  std::vector<Hit> hits_;
  std::vector<std::uint32_t> first_;      ///< tasks that are the first met in their namespaces
  std::vector<std::uint32_t> subjects_;   ///< tasks to be told of, ascending
  std::vector<DescribedTask> described_;  ///< each of these
};

void HolderSearch::search() {
  constexpr std::uint32_t kBlock = 2048;  // what is noted of so many need not be much
  all_ = reader_.tasks();
  const auto count = static_cast<std::uint32_t>(all_.tasks.size());
  for (std::uint32_t task = 0; task < count; task += kBlock) {
    search_some(task, std::min(kBlock, count - task));
  }
  std::ranges::sort(hits_, [](const Hit& a, const Hit& b) {
    return std::pair(a.task, a.fd) < std::pair(b.task, b.fd);
  });
  choose_first();
  describe();
  check_tables();
  check_files();
}

void HolderSearch::search_some(std::uint32_t first_task, std::uint32_t count) {
  tables_.clear();
  runs_.clear();
  find_tables(first_task, count);
  find_runs();
  reader_.read_each(
      runs_.size(),
      [&](std::size_t i) {
        return KernelReader::Read{runs_[i].slots, runs_[i].count * kSlot};
      },
      [&](std::size_t i, const Piece& slots) { compare(runs_[i], slots); });
}

/// A small table, which most are, lies in the files_struct; a larger one outside.
void HolderSearch::find_tables(std::uint32_t first_task, std::uint32_t count) {
  const auto& l = layout_;
  const std::span tasks = std::span(all_.tasks).subspan(first_task, count);
  const Window window({{l.files.fdt, 8}, {l.files.fdtab, l.fdtable.size}});
  const auto add = [&](std::uint32_t task, const Piece& piece, std::uint32_t at) {
    const Table table{.task = task,
                      .fds = piece.at<std::uint32_t>(at + l.fdtable.max_fds),
                      .slots = piece.pointer(at + l.fdtable.fd),
                      .open = piece.pointer(at + l.fdtable.open_fds)};
    if (table.fds <= kMostFds) tables_.push_back(table);
  };
  std::vector<std::pair<std::uint32_t, std::uint64_t>> moved;
  reader_.read_each(
      tasks.size(), window.size(), [&](std::size_t i) { return tasks[i].files + window.begin(); },
      [&](std::size_t i, const Piece& piece) {
        const std::uint32_t task = first_task + static_cast<std::uint32_t>(i);
        const auto table = window.get<std::uint64_t>(piece, l.files.fdt);
        if (table == tasks[i].files + l.files.fdtab) {
          add(task, piece, l.files.fdtab - window.begin());
        } else if (table != 0) {
          moved.emplace_back(task, table);
        }
      });
  reader_.read_each(
      moved.size(), l.fdtable.size, [&](std::size_t i) { return moved[i].second; },
      [&](std::size_t i, const Piece& piece) { add(moved[i].first, piece, 0); });
}

/// A table may be huge and nearly empty: of it only those descriptors are read that are open, or
/// lie between such. The smallest are read as they are.
void HolderSearch::find_runs() {
  constexpr std::uint32_t kMostWords = KernelReader::kMostAtOnce / kSlot;
  std::vector<Words> bitmaps;
  for (std::uint32_t i = 0; i < tables_.size(); ++i) {
    const Table& table = tables_[i];
    if (table.fds <= kWordFds) {
      runs_.push_back({table.task, 0, table.fds, table.slots});
      continue;
    }
    const std::uint32_t words = (table.fds + kWordFds - 1) / kWordFds;
    for (std::uint32_t word = 0; word < words; word += kMostWords) {
      bitmaps.push_back({i, word, std::min(kMostWords, words - word)});
    }
  }
  reader_.read_each(
      bitmaps.size(),
      [&](std::size_t i) {
        const Words& words = bitmaps[i];
        return KernelReader::Read{tables_[words.table].open + std::uint64_t{words.first} * 8,
                                  std::size_t{words.count} * 8};
      },
      [&](std::size_t i, const Piece& bitmap) { add_runs(bitmaps[i], bitmap); });
}

void HolderSearch::add_runs(const Words& words, const Piece& bitmap) {
  constexpr std::uint32_t kMostCount = KernelReader::kMostAtOnce / kSlot;
  const Table& table = tables_[words.table];
  std::uint32_t first = 0;
  std::uint32_t end = 0;  // as first: no run
  const auto finish = [&] {
    if (first == end) return;
    runs_.push_back({table.task, first, end - first, table.slots + std::uint64_t{first} * kSlot});
    first = end = 0;
  };
  for (std::uint32_t i = 0; i < words.count; ++i) {
    const auto open = bitmap.at<std::uint64_t>(std::size_t{i} * 8);
    const std::uint32_t fd = (words.first + i) * kWordFds;
    if (open == 0 || fd + kWordFds - first > kMostCount) finish();
    if (open == 0) continue;
    if (first == end) first = fd + static_cast<std::uint32_t>(std::countr_zero(open));
    end = std::min(fd + kWordFds - static_cast<std::uint32_t>(std::countl_zero(open)), table.fds);
    if (end <= first) first = end = 0;
  }
  finish();
}

void HolderSearch::compare(const Run& run, const Piece& slots) {
  constexpr std::uint32_t kGroup = WantedFiles::kAtOnce;
  const auto look = [&](std::uint32_t begin, const std::byte* group) {
    for (unsigned maybe = wanted_.maybe(group); maybe != 0; maybe &= maybe - 1) {
      const std::uint32_t at = begin + static_cast<std::uint32_t>(std::countr_zero(maybe));
      const auto file = wanted_.find(Piece(group).pointer((at - begin) * kSlot));
      if (file) hits_.push_back({.task = run.task, .fd = run.first + at, .file = *file});
    }
  };
  std::uint32_t begin = 0;
  for (; begin + kGroup <= run.count; begin += kGroup) look(begin, slots.memory() + begin * kSlot);
  if (begin == run.count) return;
  std::array<std::byte, kGroup * kSlot> rest{};
  std::memcpy(rest.data(), slots.memory() + begin * kSlot, (run.count - begin) * kSlot);
  look(begin, rest.data());
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
  for (const Hit& hit : hits_) subjects_.push_back(hit.task);
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
    for (; hit != hits_.end() && hit->task == subjects_[i]; ++hit) hit->subject = i;
  }
  describe_tasks(reader_, layout_, described_);
}

/// Are the descriptors still those files? Of a process that has ended, or is another one by now,
/// check_tasks() knows.
void HolderSearch::check_tables() {
  const auto& l = layout_;
  std::vector<std::uint64_t> tables(subjects_.size());
  reader_.read_each(
      tables.size(), 8, [&](std::size_t i) { return described_[i].files + l.files.fdt; },
      [&](std::size_t i, const Piece& piece) { tables[i] = piece.pointer(0); });
  std::vector<Table> now(subjects_.size());
  reader_.read_each(
      tables.size(), l.fdtable.size, [&](std::size_t i) { return tables[i]; },
      [&](std::size_t i, const Piece& piece) {
        now[i].fds = piece.at<std::uint32_t>(l.fdtable.max_fds);
        now[i].slots = piece.pointer(l.fdtable.fd);
      });
  reader_.read_each(
      hits_.size(), kSlot,
      [&](std::size_t i) { return now[hits_[i].subject].slots + hits_[i].fd * kSlot; },
      [&](std::size_t i, const Piece& piece) {
        Hit& hit = hits_[i];
        hit.stays =
            piece.pointer(0) == wanted_.files()[hit.file].address && hit.fd < now[hit.subject].fds;
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
  for (Hit& hit : hits_) hit.stays = hit.stays && stays[hit.file];
}

bool HolderSearch::found_all() const {
  std::vector<bool> held(wanted_.files().size());
  for (const Hit& hit : hits_) {
    if (hit.stays) held[hit.file] = true;
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
                              .fd = hit->fd,
                              .inode = wanted_.files()[hit->file].inode});
    }
    const DescribedTask& one = described_[i];
    if (!one.stays || (one.process.first == 0 && out.holdings.size() == before)) continue;
    out.processes.push_back(one.process);
  }
  return out;
}

}  // namespace

FoundHolders survey_holders(KernelReader& reader, const KernelLayout& layout,
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
    HolderSearch search(reader, layout, wanted);
    search.search();
    const bool again = search.lost_first() || (!search.found_all() && search.has_newcomers());
    if (i == kMostTries || !again) return search.take();
  }
}

}  // namespace hark::kernel
