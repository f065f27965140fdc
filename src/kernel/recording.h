// A recording: what one host's kernel said, in a file. The format is documented in
// docs/recording.md; this is its reader and writer. Contents are hostile until the checksums and
// every bound have been looked at: nothing here trusts a length.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::kernel {

/// One answered request. Requests are told apart by `key`, a readable line such as
/// "file /proc/self/status"; the same key may come several times, in the order it was asked.
struct RecordedAnswer {
  std::string key;
  int error = 0;  ///< errno instead of bytes
  Bytes bytes;
};

/// What is said about a recording as a whole, as `name: value` lines.
struct RecordingHeader {
  std::string hark_version;
  std::string host;       ///< /proc/sys/kernel/hostname
  std::string taken_at;   ///< RFC 3339, UTC
  bool redacted = false;  ///< command-line arguments that look like secrets were taken out
};

struct Recording {
  RecordingHeader header;
  std::vector<RecordedAnswer> answers;
};

/// The bytes of a recording file.
[[nodiscard]] Bytes encode_recording(const Recording& recording);

/// Why a file is no usable recording.
enum class RecordingFault : std::uint8_t {
  NotARecording,  ///< it does not begin like one: exit status 2
  Damaged,        ///< it does, but is cut off, altered, too large or of a later version: exit 3
};
struct RecordingError {
  RecordingFault fault = RecordingFault::NotARecording;
  Error error;  ///< `why` names the place: "byte 4711: block 3: checksum differs"
};

/// Takes a recording apart. Never gives half of one. Work and memory are bounded by
/// kLargestRecording whatever the bytes say.
[[nodiscard]] tl::expected<Recording, RecordingError> decode_recording(ByteView file);

constexpr std::uint64_t kLargestRecording = 1ULL << 30;  ///< bytes after decompression

}  // namespace hark::kernel
