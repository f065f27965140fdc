// What an error message of a network program means: which errno or other outcome is behind it, what
// that excludes, and what to ask next. Pure: a table, and the text that somebody pasted.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hark::diagnose {

/// A question that goes on from there. In `command` {target} stands for HOST:PORT, {port} for the
/// port, {name} for the host.
struct NextQuestion {
  std::string_view command;
  std::string_view why;
};

/// One outcome. `code` is the errno's name, or a word of hark's own in lower case.
struct ErrorMeaning {
  std::string_view code;
  int number = 0;  ///< the errno; 0: no errno
  std::string_view text;
  std::string_view means;
  std::string_view excludes;  ///< empty: nothing worth saying
  std::span<const NextQuestion> next;
};
[[nodiscard]] std::span<const ErrorMeaning> error_meanings();
/// Null: no such code.
[[nodiscard]] const ErrorMeaning* meaning_of(std::string_view code);

/// What programs print, and what is behind it. The first row whose text occurs is the one.
struct MessageRow {
  std::string_view text;  ///< lower case
  std::string_view code;
};
[[nodiscard]] std::span<const MessageRow> message_rows();
/// Those that say less than an errno does, and count only where there is none.
[[nodiscard]] std::span<const MessageRow> vague_message_rows();

/// Whom the message is about, as far as it says.
struct MessageTarget {
  std::string host;
  std::optional<std::uint16_t> port;

  bool operator==(const MessageTarget&) const = default;
};
/// HOST:PORT, [ADDRESS]:PORT, "host X port N", "at "X", port N", URLs; bounded by the text.
[[nodiscard]] MessageTarget target_in(std::string_view message);

struct Explained {
  std::string question;  ///< as it was asked
  std::string code;      ///< empty: not known
  int number = 0;
  std::string text;
  std::string means;
  std::string excludes;
  MessageTarget target;
  struct Next {
    std::string command;
    std::string why;
  };
  std::vector<Next> next;
  std::vector<std::string> near;  ///< of what is not known: the most alike
};
/// An errno by name or number, the text of strerror(3), or a message of a program around one of
/// them. Looks at the first 16 KiB.
[[nodiscard]] Explained explain(std::string_view question);

}  // namespace hark::diagnose
