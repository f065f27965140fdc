// TOML 1.0 (https://toml.io/en/v1.0.0): files that people write for hark. Parsed by toml++, which
// is included in toml.cpp alone, since it takes seconds to compile; what comes out is plain data in
// which everything knows its place in the file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

namespace hark::decode {

/// Counted from 1; columns are code points.
struct TextPlace {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  auto operator<=>(const TextPlace&) const = default;
};

struct TomlValue;
struct TomlEntry;
using TomlArray = std::vector<TomlValue>;
/// In the order of the file; each key once.
using TomlTable = std::vector<TomlEntry>;
/// A date or time: nothing of hark's has any.
struct TomlTime {};

struct TomlValue {
  TextPlace place;
  std::variant<std::string, std::int64_t, double, bool, TomlTime, TomlArray, TomlTable> value;
};
struct TomlEntry {
  std::string key;
  TextPlace place;  ///< of the key
  TomlValue value;
};

/// "text", "a number", "a list" …
[[nodiscard]] std::string_view kind_of(const TomlValue& value);

struct TomlError {
  TextPlace place;
  std::string what;  ///< lower case, no period, on one line
};

/// Bounds: of a file; of a line, which bounds dotted keys; of values in values.
constexpr std::size_t kLargestToml = std::size_t{1} << 20U;
constexpr std::size_t kLongestTomlLine = 2048;
constexpr std::size_t kDeepestToml = 16;

/// Any bytes. The parser stops at the first error.
[[nodiscard]] tl::expected<TomlTable, TomlError> decode_toml(std::string_view text);

}  // namespace hark::decode
