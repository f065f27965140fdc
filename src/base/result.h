// Errors are values. A survey of a live host fails in part all the time, and the partial answer
// is the product, so nothing here throws.
//
//   Result<Bytes> read_file(...);
//   auto text = source.read_file(path);
//   if (!text) return tl::unexpected(text.error());   // pass it on
//   use(*text);
//
// `Result` is an alias so that it can become std::expected when the compiler has it. Every
// function returning it is [[nodiscard]].
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace hark {

/// Why something could not be done. Printed as `hark: what: why`, then the hint on a line of its
/// own. All three are lower case, without a final period.
struct Error {
  int code = 0;      ///< errno of the kernel's refusal; 0 when the kernel was not asked
  std::string what;  ///< the thing concerned: a path, a request, a word of the command line
  std::string why;   ///< the reason; empty: the text of `code`
  std::string hint;  ///< a remedy, or empty

  bool operator==(const Error&) const = default;
};

/// `why`, or the kernel's own text for `code`.
[[nodiscard]] std::string reason(const Error& error);

/// An error of the kernel: `code` is an errno value.
[[nodiscard]] Error kernel_error(int code, std::string what);

/// An error that is not the kernel's.
[[nodiscard]] Error plain_error(std::string what, std::string why, std::string hint = {});

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace hark
