// The sentences of `hark why`. Not escaped: names in them are hostile text, and only the medium
// knows how to show them.
#pragma once

#include <string>
#include <string_view>

#include "host/holders.h"
#include "host/host.h"
#include "reach/trace.h"
#include "show/why.h"

namespace hark::show {

using host::holder_words;

/// "tcp/5432"
[[nodiscard]] std::string port_words(const reach::Question& question);

/// "10.0.0.5:5432", "[::1]:80"
[[nodiscard]] std::string endpoint_words(const IpAddress& address, std::uint16_t port);

/// The sentence that answers, with its full stop: "10.0.0.9 is refused: postgres (733) listens on
/// 127.0.0.1 and ::1 only."
[[nodiscard]] std::string verdict_words(const AnswerFacts& facts, const reach::Answer& answer);

/// What decides, in words a tired person understands: "postgres (733) listens on 127.0.0.1 and ::1
/// only".
[[nodiscard]] std::string reason_words(const AnswerFacts& facts, const reach::Answer& answer);

/// What the program at the other end is told: "The client sees: Connection refused
/// (ECONNREFUSED)". Empty where that is clear from the verdict.
[[nodiscard]] std::string client_words(const reach::Answer& answer);

/// "ECONNREFUSED"; empty for 0, "errno 200" for one that has no name here.
[[nodiscard]] std::string errno_name(int error);

/// The errno that the client gets: what the answer says, or what its outcome implies for TCP;
/// 0: none.
[[nodiscard]] int errno_of(const reach::Answer& answer);

/// "answered", "refused", "no answer", "connected, then nothing" … for a table
[[nodiscard]] std::string_view short_words(reach::Outcome outcome);

}  // namespace hark::show
