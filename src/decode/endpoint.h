// "HOST:PORT" as people write it on command lines and in configuration files.
#pragma once

#include <optional>
#include <string_view>

namespace hark::decode {

/// Parts of the text that was split; a part that is not there is empty.
struct Endpoint {
  std::string_view host;  ///< without brackets
  std::string_view port;  ///< a number or a name, as it stands there
  bool operator==(const Endpoint&) const = default;
};

/// "1.2.3.4:80", "[::1]:80", "*:80", ":80", "[::1]", "::1", "localhost", "80" (a host: the caller
/// knows whether a lone word is a port). Nothing for what has blanks, slashes or other characters
/// that neither a host nor a port has, and for a bracket or colon in the wrong place.
[[nodiscard]] std::optional<Endpoint> split_endpoint(std::string_view text);

}  // namespace hark::decode
