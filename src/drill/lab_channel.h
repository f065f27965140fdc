// Between `hark lab hint` … in the person's shell and the session around it: a UNIX socket on the
// sandbox's own /run. One question, one answer, both short.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace hark::drill {

struct LabReply {
  std::uint8_t status = 0;  ///< the exit status of hark
  std::string text;         ///< paragraphs, each a line; "  " at its start: not to be broken
};

/// Asks the session that this process is in. Nothing: there is none.
[[nodiscard]] Result<std::optional<LabReply>> ask_lab(const std::vector<std::string>& words);

/// The session's end; nothing and errno where it cannot be made.
[[nodiscard]] UniqueFd listen_for_lab();

/// Takes one question and answers it. Who says nothing for a second is left alone.
void answer_lab(const UniqueFd& listener,
                const std::function<LabReply(const std::vector<std::string>&)>& answer);

}  // namespace hark::drill
