// The answers about BPF programs: base/program_parts.h.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/program_parts.h"
#include "base/result.h"

namespace hark::decode {

struct AttachedPrograms {
  ProgramPart part{};
  int error = 0;  ///< errno; 0: `programs` are all of them
  std::vector<AttachedBpf> programs = {};
  std::vector<AttachedSocket> sockets = {};  ///< of SkLookupSockets
  bool operator==(const AttachedPrograms&) const = default;
};

/// Parts of kinds that are not known are passed over.
[[nodiscard]] Result<std::vector<AttachedPrograms>> decode_attached_programs(ByteView parts);

[[nodiscard]] std::string name_of(const AttachedBpf& program);

}  // namespace hark::decode
