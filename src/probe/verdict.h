// What was seen beside what was predicted.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "probe/attempt.h"
#include "reach/trace.h"

namespace hark::probe {

/// Does what was seen fit what was predicted? Nothing where the prediction leaves it open (it ends
/// where this host's part of the way ends, or a fact that decides could not be read), or where
/// nothing was seen. A UDP answer that does not come contradicts no prediction of one, since the
/// server need not give any; nor does a connection without a word that of one that hangs, where
/// nobody can tell whether it was taken. One that was taken, and owes an answer, was predicted as
/// far as can be.
[[nodiscard]] std::optional<bool> agrees(const reach::Answer& predicted, const Attempt& attempt,
                                         const Seen& seen);

/// Which of the addresses of one name, in the resolver's order, a client ends up at that goes by
/// RFC 8305: families in turn, the next one tried when the one before has failed or has not
/// answered for 250 ms. Nothing: none answered. Only of TCP.
[[nodiscard]] std::optional<std::size_t> winner(std::span<const Attempt> attempts,
                                                std::span<const Seen> seen);

}  // namespace hark::probe
