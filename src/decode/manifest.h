// The name of a package in the manifest beside its sources. Anybody may have written one.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"

namespace hark::decode {

/// The member "name" of the object that package.json, deno.json or composer.json is: RFC 8259, as
/// far as it takes to find the member; comments are passed over. Nothing where there is no such
/// text, or it is empty or longer than 255 bytes.
[[nodiscard]] std::optional<std::string> name_in_json(ByteView text);

/// `name` of the table [project] of pyproject.toml, or of [tool.poetry] (packaging.python.org,
/// "pyproject.toml specification"; toml.io for basic and literal strings).
[[nodiscard]] std::optional<std::string> name_in_toml(ByteView text);

}  // namespace hark::decode
