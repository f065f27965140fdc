#include "kernel/survey_descriptors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <utility>

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

class DescriptorSearch {
 public:
  DescriptorSearch(KernelReader& reader, const KernelLayout& layout, const WantedFiles& wanted,
                   std::span<const hark_task> all)
      : reader_(reader), layout_(layout), wanted_(wanted), all_(all) {}

  [[nodiscard]] std::vector<FoundDescriptor> search(TaskRange range);

 private:
  void find_tables(TaskRange range);
  void find_runs();
  void add_runs(const Words& words, const Piece& bitmap);
  void compare(const Run& run, const Piece& slots);

  KernelReader& reader_;
  const KernelLayout& layout_;
  const WantedFiles& wanted_;
  std::span<const hark_task> all_;
  std::vector<Table> tables_;
  std::vector<Run> runs_;  ///< descriptors of which some are open
  std::vector<FoundDescriptor> found_;
};

std::vector<FoundDescriptor> DescriptorSearch::search(TaskRange range) {
  find_tables(range);
  find_runs();
  reader_.read_each(
      runs_.size(),
      [&](std::size_t i) {
        return KernelReader::Read{runs_[i].slots, runs_[i].count * kSlot};
      },
      [&](std::size_t i, const Piece& slots) { compare(runs_[i], slots); });
  std::ranges::sort(found_, {},
                    [](const FoundDescriptor& one) { return std::pair(one.task, one.fd); });
  return std::move(found_);
}

/// A small table, which most are, lies in the files_struct; a larger one outside.
void DescriptorSearch::find_tables(TaskRange range) {
  const auto& l = layout_;
  const std::span tasks = all_.subspan(range.first, range.count);
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
        const std::uint32_t task = range.first + static_cast<std::uint32_t>(i);
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
void DescriptorSearch::find_runs() {
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

void DescriptorSearch::add_runs(const Words& words, const Piece& bitmap) {
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

void DescriptorSearch::compare(const Run& run, const Piece& slots) {
  constexpr std::uint32_t kGroup = WantedFiles::kAtOnce;
  const auto look = [&](std::uint32_t begin, const std::byte* group) {
    for (unsigned maybe = wanted_.maybe(group); maybe != 0; maybe &= maybe - 1) {
      const std::uint32_t at = begin + static_cast<std::uint32_t>(std::countr_zero(maybe));
      const auto file = wanted_.find(Piece(group).pointer((at - begin) * kSlot));
      if (file) found_.push_back({.task = run.task, .fd = run.first + at, .file = *file});
    }
  };
  std::uint32_t begin = 0;
  for (; begin + kGroup <= run.count; begin += kGroup) look(begin, slots.memory() + begin * kSlot);
  if (begin == run.count) return;
  std::array<std::byte, kGroup * kSlot> rest{};
  std::memcpy(rest.data(), slots.memory() + begin * kSlot, (run.count - begin) * kSlot);
  look(begin, rest.data());
}

}  // namespace

std::vector<FoundDescriptor> survey_descriptors(KernelReader& reader, const KernelLayout& layout,
                                                const WantedFiles& wanted,
                                                std::span<const hark_task> tasks, TaskRange range) {
  return DescriptorSearch(reader, layout, wanted, tasks).search(range);
}

}  // namespace hark::kernel
