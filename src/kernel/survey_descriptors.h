// Which descriptors of tasks are the files that are looked for: every slot of their tables is
// compared (include/linux/fdtable.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernel/kernel_layout.h"
#include "kernel/kernel_reader.h"
#include "kernel/wanted_files.h"

namespace hark::kernel {

/// Some tasks next to each other.
struct TaskRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

struct FoundDescriptor {
  std::uint32_t task = 0;  ///< position among all tasks
  std::uint32_t fd = 0;
  std::uint32_t file = 0;  ///< position among the wanted files
};

/// Of some of the tasks, ascending. What came of it is only valid if reader.state() is.
[[nodiscard]] std::vector<FoundDescriptor> survey_descriptors(KernelReader& reader,
                                                              const KernelLayout& layout,
                                                              const WantedFiles& wanted,
                                                              std::span<const hark_task> tasks,
                                                              TaskRange range);

}  // namespace hark::kernel
