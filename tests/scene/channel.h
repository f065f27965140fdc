// Messages between the stage and its actors: one line of text, and with it perhaps a descriptor.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace hark::scene {

struct Message {
  std::string text;
  UniqueFd descriptor;  ///< empty: none came along
};

constexpr std::size_t kLongestMessage = 8192;

[[nodiscard]] Result<void> send_message(int channel, std::string_view text, int descriptor = -1);

/// Waits for one. An error with code 0 means that the other side is gone.
[[nodiscard]] Result<Message> receive_message(int channel);

}  // namespace hark::scene
