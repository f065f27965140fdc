#include "decode/toml.h"

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#define TOML_MAX_NESTED_VALUES 16
#include <toml++/toml.h>

#include <algorithm>
#include <array>

namespace hark::decode {
namespace {

static_assert(kDeepestToml == TOML_MAX_NESTED_VALUES);

TextPlace place_of(const toml::source_region& region) {
  return {.line = std::max(region.begin.line, 1U), .column = std::max(region.begin.column, 1U)};
}

// Depth is bounded: by kDeepestToml for values, by kLongestTomlLine for the keys of each.
TomlValue value_of(const toml::node& node);

TomlTable table_of(const toml::table& table) {
  TomlTable out;
  out.reserve(table.size());
  for (const auto& [key, node] : table) {
    out.push_back(
        {.key = std::string(key.str()), .place = place_of(key.source()), .value = value_of(node)});
  }
  std::ranges::stable_sort(out, {}, &TomlEntry::place);
  return out;
}

TomlArray array_of(const toml::array& array) {
  TomlArray out;
  out.reserve(array.size());
  for (const toml::node& node : array) out.push_back(value_of(node));
  return out;
}

TomlValue value_of(const toml::node& node) {
  TomlValue out{.place = place_of(node.source()), .value = TomlTime{}};
  if (const auto* table = node.as_table()) {
    out.value = table_of(*table);
  } else if (const auto* array = node.as_array()) {
    out.value = array_of(*array);
  } else if (const auto* text = node.as_string()) {
    out.value = text->get();
  } else if (const auto* whole = node.as_integer()) {
    out.value = whole->get();
  } else if (const auto* broken = node.as_floating_point()) {
    out.value = broken->get();
  } else if (const auto* truth = node.as_boolean()) {
    out.value = truth->get();
  }
  return out;
}

/// What toml++ says, in our manner.
std::string words_of(std::string_view said) {
  std::string out(said);
  while (!out.empty() && (out.back() == '.' || out.back() == '\n')) out.pop_back();
  std::ranges::replace(out, '\n', ' ');
  if (!out.empty() && out[0] >= 'A' && out[0] <= 'Z')
    out[0] = static_cast<char>(out[0] + 'a' - 'A');
  return out;
}

std::optional<TomlError> out_of_bounds(std::string_view text) {
  if (text.size() > kLargestToml) {
    return TomlError{.place = {}, .what = "the file is larger than 1 MiB"};
  }
  std::uint32_t line = 1;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    if (length > kLongestTomlLine) {
      return TomlError{.place = {.line = line, .column = kLongestTomlLine + 1},
                       .what = "the line is longer than 2048 bytes"};
    }
    text.remove_prefix(std::min(length + 1, text.size()));
    ++line;
  }
  return std::nullopt;
}

}  // namespace

std::string_view kind_of(const TomlValue& value) {
  constexpr std::array<std::string_view, 7> kKinds = {
      "text",   "a number", "a number with a fraction", "true or false", "a date or time",
      "a list", "a table"};
  return kKinds[value.value.index()];
}

tl::expected<TomlTable, TomlError> decode_toml(std::string_view text) {
  if (auto bound = out_of_bounds(text)) return tl::unexpected<TomlError>(std::move(*bound));
  const toml::parse_result parsed = toml::parse(text);
  if (parsed) return table_of(parsed.table());
  const toml::parse_error& error = parsed.error();
  return tl::unexpected<TomlError>(
      TomlError{.place = place_of(error.source()), .what = words_of(error.description())});
}

}  // namespace hark::decode
