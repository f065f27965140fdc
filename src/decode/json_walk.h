// JSON that others wrote, read without building a tree: RFC 8259, by nlohmann/json's event parser.
// docs/adr/0005-json-in-decode.md says why the library may be used here.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

/// The names that lead to a place in a document, from the outside in; a place in an array is "".
using JsonPath = std::span<const std::string>;

/// What is told of a document as it is read.
struct JsonEvents {
  /// A text value. Null and other numbers are passed over.
  std::function<void(JsonPath path, const std::string& value)> text;
  /// An object begins here; may be empty.
  std::function<void(JsonPath path)> object = {};
  /// A whole number that is not negative; may be empty.
  std::function<void(JsonPath path, std::uint64_t value)> number = {};
  /// true or false; may be empty.
  std::function<void(JsonPath path, bool value)> truth = {};
};

/// Reads the whole document once, in linear time; memory for the path and one value. An error:
/// no JSON, text that is no UTF-8, more than 16 MiB, nested more than 64 deep. What was told before
/// an error was found does not count. The error never quotes the document, which may hold secrets.
[[nodiscard]] Result<void> walk_json(ByteView document, const JsonEvents& events);

/// True if the path has these names; "*" stands for any one.
[[nodiscard]] bool is_path(JsonPath path, std::span<const std::string_view> names);

}  // namespace hark::decode
