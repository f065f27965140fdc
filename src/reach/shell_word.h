// Commands that hark shows are copied into shells, and the names in them are other people's: an
// interface or a chain may be called `$(reboot)`.
#pragma once

#include <string>
#include <string_view>

namespace hark::reach {

/// `text` as one word of a POSIX shell: as it is where no character of it is special, else quoted.
/// What a terminal cannot show (control characters, invalid UTF-8) stays, for the screen to escape.
[[nodiscard]] std::string shell_word(std::string_view text);

/// Is it a name that nft(8) can be given in a command? The kernel takes any.
[[nodiscard]] bool is_nft_name(std::string_view text);

}  // namespace hark::reach
