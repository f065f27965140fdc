// A recording: what one host's kernel said, in a file. The format is documented in
// docs/recording.md; this is its reader and writer. Contents are hostile until the checksums and
// every bound have been looked at: nothing here trusts a length.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::kernel {

/// One answered request. Requests are told apart by `key`, a readable line such as
/// "file /proc/self/status" (kernel/request_key.h); the same key may come several times, in the
/// order it was asked.
struct RecordedAnswer {
  std::string key;
  int error = 0;  ///< errno instead of bytes
  Bytes bytes;

  bool operator==(const RecordedAnswer&) const = default;
};

/// What is said about a recording as a whole, as `name: value` lines.
struct RecordingHeader {
  std::string hark_version;
  std::string host;       ///< /proc/sys/kernel/hostname
  std::string taken_at;   ///< RFC 3339, UTC
  bool redacted = false;  ///< command-line arguments that look like secrets were taken out

  bool operator==(const RecordingHeader&) const = default;
};

struct Recording {
  RecordingHeader header;
  std::vector<RecordedAnswer> answers;

  bool operator==(const Recording&) const = default;
};

/// The bytes of a recording file: the same for the same recording and zstd release. The bytes of an
/// answer with an error are left out. What is larger than the bounds below, or has an error above
/// kLargestError, becomes a file that decode_recording refuses.
[[nodiscard]] Bytes encode_recording(const Recording& recording);

/// Why a file is no usable recording.
enum class RecordingFault : std::uint8_t {
  NotARecording,  ///< it does not begin like one: exit status 2
  Damaged,        ///< it does, but is cut off, altered, too large or of a later version: exit 3
};
struct RecordingError {
  RecordingFault fault = RecordingFault::NotARecording;
  Error error;  ///< `why` names the place: "byte 4711: block 3: checksum differs"; `what` is empty
};

/// Takes a recording apart. Never gives half of one. Work and memory are bounded by
/// kLargestRecording whatever the bytes say.
[[nodiscard]] tl::expected<Recording, RecordingError> decode_recording(ByteView file);

constexpr std::uint64_t kLargestRecording = 1ULL << 30;  ///< bytes after decompression, and index
constexpr std::uint64_t kLargestBlock = 64ULL << 20;     ///< bytes after decompression
constexpr std::uint64_t kMostAnswers = 1ULL << 20;
constexpr int kLargestError = 4095;  ///< MAX_ERRNO of the kernel's include/linux/err.h

}  // namespace hark::kernel
