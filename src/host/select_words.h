// The words that filters know: fields with their synonyms, and values with a name. Data only; the
// grammar is in select_parse.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "host/select.h"

namespace hark::host {

struct FieldRow {
  Field field;
  FieldWord shown;
  std::array<const char*, 5> synonyms;  ///< nullptr: no more
};

/// A value with a name: `tcp` of the field proto. `value` is the enumerator's number.
struct ValueWord {
  const char* word;
  Field field;
  std::uint8_t value;
  bool bare;   ///< also understood without its field
  bool shown;  ///< the name to teach, not a synonym
};

/// The field called `word` in lower case, or nullptr.
[[nodiscard]] const FieldRow* find_field(std::string_view word);

/// The value of `field` called `word` in lower case, or nullptr.
[[nodiscard]] const ValueWord* find_value(Field field, std::string_view word);
[[nodiscard]] const ValueWord* find_bare_value(std::string_view word);

/// Makes `term` say what the value says.
void put_value(Term& term, const ValueWord& value);

/// What to say of a field or value that does not exist, with the nearest one as a hint.
[[nodiscard]] Error unknown_field(std::string_view word, std::string_view field);
[[nodiscard]] Error unknown_value(std::string_view word, Field field, std::string_view value);

}  // namespace hark::host
