// How hark ends, and the failures that end it. What the numbers mean is part of docs/contract.md.
#pragma once

#include <cstdint>
#include <utility>

#include "base/result.h"

namespace hark::cli {

enum class ExitStatus : std::uint8_t {
  Yes = 0,         ///< answered, and the answer is yes: rows were shown, the file was written
  No = 1,          ///< answered, and the answer is no: nothing matches
  Usage = 2,       ///< the question was not understood, or names something that does not exist
  CannotTell = 3,  ///< the question is clear; what decides it could not be read, or not be written
  Interrupted = 130,  ///< SIGINT; its default action gives a shell this number
  ClosedPipe = 141,   ///< what SIGPIPE's default action gives a shell, where SIGPIPE is ignored
};

/// Why a command gave no answer: nothing of it was written to standard output.
struct Failure {
  ExitStatus status = ExitStatus::Usage;
  Error error;
};

/// What a command comes to.
using Outcome = tl::expected<ExitStatus, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> fail_with(ExitStatus status, Error error) {
  return tl::unexpected<Failure>(Failure{.status = status, .error = std::move(error)});
}

}  // namespace hark::cli
