// What a secret is called, and what it looks like: the tables behind redact.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hark::host {

enum class NameSays : std::uint8_t {
  Nothing,
  Secret,  ///< password, token: the value is one
  Key,     ///< key: the value is one unless it is a path
};

/// What the name of an option, variable or header says of its value. Dashes in front do not count;
/// words are told apart by '-', '_', '.' and by camelCase.
[[nodiscard]] NameSays name_says(std::string_view name);

/// True for values that give nothing away: empty, yes and no.
[[nodiscard]] bool is_harmless_value(std::string_view value);
/// "/etc/x.key", "./x", "x.pem"
[[nodiscard]] bool is_path_like(std::string_view value);

/// Which part of an option's value is secret.
enum class SecretPart : std::uint8_t { All, AfterColon, AfterPercent, AfterComma };

/// A short option of a certain program that takes a secret.
struct ShortOption {
  std::string_view program;  ///< a glob of its file name
  std::string_view option;
  bool attached;  ///< -pX
  bool separate;  ///< -p X
  bool once;      ///< only its first occurrence: what follows is another command
  SecretPart part;
};
/// Bit i stands for the i-th row of short_option(). None: the word names no such program.
[[nodiscard]] std::uint64_t options_of_program(std::string_view word);
[[nodiscard]] const ShortOption* short_option(std::size_t row);

/// True for programs in whose command lines 64 hexadecimal digits are a container's id.
[[nodiscard]] bool handles_containers(std::string_view program);

/// `text`, with known token shapes and random-looking words taken out.
[[nodiscard]] std::string without_tokens(std::string_view text, bool keep_ids);

inline constexpr std::string_view kRedacted = "[redacted]";

}  // namespace hark::host
