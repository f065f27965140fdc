// The ladder: by which means processes and sockets are searched, best first. Which one can be used
// is found out by trying, and said (Source::how).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hark::kernel {

enum class Search : std::uint8_t {
  Survey,  ///< sockets and holders from the kernel's own tables (bpf_survey.h)
  Tasks,   ///< holders by walking descriptor tables in an iterator (bpf_iterate.h)
  Files,   ///< holders from the iterator over files
  Proc,    ///< holders from /proc: needs nothing
};

/// "survey", "tasks", "files", "proc"
[[nodiscard]] std::string_view name_of(Search search);
[[nodiscard]] std::optional<Search> search_named(std::string_view name);

}  // namespace hark::kernel
