// What the writer and the reader of recordings share (docs/recording.md). Not for others.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace hark::kernel::format {

constexpr std::string_view kMagic = "hark recording ";  ///< the first line: this and the version
constexpr std::string_view kVersion = "1";
constexpr std::string_view kVersionName = "hark";
constexpr std::string_view kHostName = "host";
constexpr std::string_view kTakenAtName = "taken_at";
constexpr std::string_view kRedactedName = "redacted";
constexpr std::string_view kBlocksName = "blocks";
constexpr std::string_view kAnswersName = "answers";
constexpr std::string_view kBlockHeading = "block stored holds xxh64";
constexpr std::string_view kAnswerHeading = "block offset length error request";
constexpr std::string_view kEnd = "end ";  ///< the last line of the text: this and its checksum

/// XXH64 with seed 0, written as xxh64sum(1) does: 16 lower-case digits.
[[nodiscard]] std::string checksum(ByteView bytes);

/// Printable ASCII as it is; a backslash and every other byte as \xHH. One line whatever comes in,
/// and nothing that a terminal would obey.
[[nodiscard]] std::string escape(std::string_view raw);

/// Undoes `escape`; nothing if that could not have written `line`.
[[nodiscard]] std::optional<std::string> unescape(std::string_view line);

}  // namespace hark::kernel::format
