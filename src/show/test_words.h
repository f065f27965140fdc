// The sentences of `hark test`. Not escaped.
#pragma once

#include <span>
#include <string>

#include "show/test.h"

namespace hark::show {

/// "tcp 127.0.0.1:8080", "tcp [fe80::1%eth0]:22"
[[nodiscard]] std::string place_words(const TestReport& report, const TestedAttempt& tested);

/// "0.3 ms", "4.2 s"
[[nodiscard]] std::string time_words(double milliseconds);

/// What was seen: "connects in 0.1 ms, then silence: no byte in 3 s".
[[nodiscard]] std::string seen_words(const TestedAttempt& tested);

/// "as predicted", "predicted: answered"; empty: nothing was.
[[nodiscard]] std::string predicted_words(const TestedAttempt& tested);

/// The sentences that make it make sense: why it is as it is, and whose doing that is. Empty where
/// it is answered as predicted.
[[nodiscard]] std::string explanation_words(const TestReport& report, const TestedAttempt& tested);

/// The same for attempts that one explanation serves, though it names an address of one of them.
[[nodiscard]] std::string explanation_key(const TestReport& report, const TestedAttempt& tested);

/// One character for each time, the lowest for the shortest; a cross where there is none.
[[nodiscard]] std::string spark(std::span<const std::optional<double>> times, bool ascii);

}  // namespace hark::show
