#include "cli/source.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/bytes.h"
#include "base/unique_fd.h"
#include "kernel/live.h"
#include "kernel/recording.h"
#include "kernel/replay.h"

namespace hark::cli {
namespace {

constexpr std::size_t kPiece = 65'536;

using kernel::RecordingError;
using kernel::RecordingFault;

UniqueFd open_to_read(const std::string& path) {
  if (path == "-") return UniqueFd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
}

/// Appends one piece of the file. False at its end; an errno if the kernel refuses.
Result<bool> read_piece(int fd, const std::string& path, Bytes& into) {
  std::array<std::byte, kPiece> piece{};
  for (;;) {
    const ssize_t count = ::read(fd, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(kernel_error(errno, path));
    append(into, ByteView(piece).first(static_cast<std::size_t>(count)));
    return count > 0;
  }
}

/// Is this no recording, whatever may follow?
bool is_foreign(ByteView beginning) {
  const auto decoded = kernel::decode_recording(beginning);
  return !decoded && decoded.error().fault == RecordingFault::NotARecording;
}

/// The whole file; a foreign one is left after its first piece, however long it is.
tl::expected<Bytes, Failure> read_recording(const std::string& path) {
  const UniqueFd fd = open_to_read(path);
  if (!fd.valid()) return fail_with(ExitStatus::Usage, kernel_error(errno, path));
  Bytes bytes;
  bool judged = false;
  for (;;) {
    const Result<bool> more = read_piece(fd.get(), path, bytes);
    if (!more) return fail_with(ExitStatus::Usage, more.error());
    if (!*more) return bytes;
    if (!judged && bytes.size() >= kPiece) {
      judged = true;
      if (is_foreign(bytes)) return bytes;
    }
    if (bytes.size() > kernel::kLargestRecording) {
      return fail_with(ExitStatus::CannotTell, plain_error(path, "larger than any recording"));
    }
  }
}

Failure as_failure(RecordingError fault, const std::string& path) {
  Failure out{.status = fault.fault == RecordingFault::NotARecording ? ExitStatus::Usage
                                                                     : ExitStatus::CannotTell,
              .error = std::move(fault.error)};
  // The decoder knows the place, not the file.
  if (out.error.what.empty()) {
    out.error.what = path;
  } else if (out.error.what.find(path) == std::string::npos) {
    out.error.what = path + ": " + out.error.what;
  }
  if (out.error.hint.empty() && out.status == ExitStatus::Usage) {
    out.error.hint = "hark save FILE makes a recording";
  }
  return out;
}

}  // namespace

tl::expected<OpenedSource, Failure> open_source(const Invocation& asked) {
  OpenedSource out;
  if (!asked.recording) {
    out.source = kernel::make_live("/proc", asked.search);
    out.name = "this host";
    return out;
  }
  const std::string path = *asked.recording == "-" ? "standard input" : *asked.recording;
  tl::expected<Bytes, Failure> bytes = read_recording(*asked.recording);
  if (!bytes) {
    bytes.error().error.what = path;
    return tl::unexpected<Failure>(bytes.error());
  }
  auto recording = kernel::decode_recording(*bytes);
  if (!recording) return tl::unexpected<Failure>(as_failure(recording.error(), path));
  out.recorded = true;
  out.name = path + ": " + recording->header.host + " at " + recording->header.taken_at;
  out.source = std::make_unique<kernel::Replay>(std::move(*recording));
  return out;
}

bool begins_like_recording(const std::string& path) {
  const UniqueFd fd = open_to_read(path);
  Bytes bytes;
  if (!fd.valid() || !read_piece(fd.get(), path, bytes)) return false;
  return !is_foreign(bytes);
}

}  // namespace hark::cli
