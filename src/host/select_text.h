// How filters compare texts: without regard to ASCII case, and without making copies, because each
// comparison is done for every listener of a host.
#pragma once

#include <string>
#include <string_view>

namespace hark::host {

/// True if the text has a `*` or `?`.
[[nodiscard]] bool is_glob(std::string_view text);

/// The same letters, in any case.
[[nodiscard]] bool same_letters(std::string_view a, std::string_view b);

/// `pattern` is `text` in any case, or a glob that matches all of it.
[[nodiscard]] bool same_text(std::string_view pattern, std::string_view text);

/// `part` occurs in `text`, in any case.
[[nodiscard]] bool contains_text(std::string_view text, std::string_view part);

/// What stands behind the last slash; the text itself if there is none.
[[nodiscard]] std::string_view last_part(std::string_view path);

/// "ssh.service" → "ssh"; a name without a unit's type stays as it is.
[[nodiscard]] std::string_view without_unit_type(std::string_view unit);

}  // namespace hark::host
