// The reader of recordings, from three sides, since a checksum keeps plain bytes from going deep:
//   as a file         the input as it is
//   resealed          the input with every checksum made right, so that what is behind them (the
//                     lines of the text, the zstd frames, the sharing out of blocks) is reached
//   as answers        the input as the contents of a recording, written and read again
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "kernel/recording.h"
#include "kernel/recording_format.h"

namespace {

using hark::kernel::decode_recording;
using hark::kernel::encode_recording;
using hark::kernel::Recording;
namespace format = hark::kernel::format;

/// A claim of more than this is a right one too (the limit is 1 GiB), but costs the fuzzer its
/// speed: such inputs are left alone.
constexpr std::uint64_t kMostClaimed = 1U << 20;

void require(bool truth) {
  if (!truth) std::abort();
}

void check(std::string_view file) {
  const auto recording = decode_recording(hark::as_bytes(file));
  if (!recording) {
    require(!recording.error().error.why.empty() && recording.error().error.what.empty());
    return;
  }
  const auto again = decode_recording(encode_recording(*recording));
  require(again && *again == *recording);
}

/// The block lines of `text` with the checksums of `blocks`, and how much they claim to hold.
std::string with_checksums(std::string_view text, std::string_view blocks, std::uint64_t& claimed) {
  std::string out;
  bool inside = false;
  while (!text.empty()) {
    const std::string_view line = hark::next_piece(text, '\n');
    if (line.empty()) inside = false;
    std::string_view rest = line;
    const std::string_view number = hark::next_piece(rest, ' ');
    const std::string_view size = hark::next_piece(rest, ' ');
    const std::string_view holds = hark::next_piece(rest, ' ');
    const auto stored = hark::parse_number<std::size_t>(size);
    if (inside && stored && *stored <= blocks.size()) {
      out.append(number).append(" ").append(size).append(" ").append(holds).append(" ");
      out += format::checksum(hark::as_bytes(blocks.substr(0, *stored)));
      claimed += hark::parse_number<std::uint32_t>(holds).value_or(0);
      blocks.remove_prefix(*stored);
    } else {
      out += line;
    }
    out += '\n';
    if (line == format::kBlockHeading) inside = true;
  }
  return out;
}

void check_resealed(std::string_view file) {
  const std::size_t end = file.find("\nend ");
  if (end == std::string_view::npos) return;
  const std::size_t line_end = file.find('\n', end + 1);
  const std::string_view blocks =
      line_end == std::string_view::npos ? std::string_view() : file.substr(line_end + 1);
  std::uint64_t claimed = 0;
  std::string sealed = with_checksums(file.substr(0, end + 1), blocks, claimed);
  if (claimed > kMostClaimed) return;
  sealed += "end " + format::checksum(hark::as_bytes(sealed)) + "\n";
  sealed += blocks;
  check(sealed);
}

/// Each line an answer: the first byte says the error and how often the content is repeated, the
/// text before a '=' is the key.
void check_as_answers(std::string_view input) {
  Recording recording;
  recording.header.host = hark::next_piece(input, '\n');
  recording.header.hark_version = hark::next_piece(input, '\n');
  recording.header.redacted = input.size() % 2 != 0;
  while (!input.empty()) {
    std::string_view line = hark::next_piece(input, '\n');
    const unsigned how = line.empty() ? 0 : static_cast<unsigned char>(line.front());
    hark::kernel::RecordedAnswer answer{
        .key = std::string(hark::next_piece(line, '=')), .error = 0, .bytes = {}};
    if (how % 8 == 0) {
      answer.error = static_cast<int>(how);
    } else {
      for (unsigned times = how % 8 == 1 ? how : 1; times > 0; --times) {
        hark::append(answer.bytes, line);
      }
    }
    recording.answers.push_back(std::move(answer));
  }
  const auto again = decode_recording(encode_recording(recording));
  require(again && *again == recording);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check(input);
  check_resealed(input);
  check_as_answers(input);
  return 0;
}
