// The writer of recordings; the reader is recording_read.cpp.
#include "kernel/recording.h"

#include <zstd.h>

#include <algorithm>
#include <cassert>
#include <string_view>

#include "kernel/recording_format.h"

namespace hark::kernel {
namespace {

/// Blocks are closed before they grow beyond this. Larger ones compress no better worth speaking
/// of, and smaller ones do worse (figures: docs/recording.md).
constexpr std::size_t kUsualBlock = std::size_t{256} << 10;

/// Chosen by measurement (docs/recording.md).
constexpr int kLevel = 3;

/// Puts bytes into blocks, compresses them and writes the block lines of the text.
class BlockWriter {
 public:
  /// Where the bytes begin, as an answer's line says it: "BLOCK OFFSET".
  std::string place(ByteView bytes) {
    if (bytes.empty()) return "- -";
    if (open_.size() + bytes.size() > kUsualBlock) close();
    std::string at = std::to_string(count_) + " " + std::to_string(open_.size());
    if (bytes.size() < kUsualBlock) {
      append(open_, bytes);
    } else {
      // A large answer is compressed where it lies: no copy of it is made.
      for (; !bytes.empty(); bytes = bytes.subspan(std::min(bytes.size(), kPiece))) {
        write(bytes.first(std::min(bytes.size(), kPiece)));
      }
    }
    return at;
  }

  void close() {
    if (!open_.empty()) write(open_);
    open_.clear();
  }

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] const std::string& lines() const { return lines_; }
  [[nodiscard]] const Bytes& stored() const { return stored_; }

 private:
  static constexpr auto kPiece = static_cast<std::size_t>(kLargestBlock);

  void write(ByteView content) {
    const std::size_t begin = stored_.size();
    stored_.resize(begin + ZSTD_compressBound(content.size()));
    const std::size_t size = ZSTD_compress(stored_.data() + begin, stored_.size() - begin,
                                           content.data(), content.size(), kLevel);
    // Only a lack of memory can make this fail.
    assert(ZSTD_isError(size) == 0);
    stored_.resize(begin + size);
    lines_ += std::to_string(count_) + " " + std::to_string(size) + " " +
              std::to_string(content.size()) + " " +
              format::checksum(ByteView(stored_).subspan(begin)) + "\n";
    ++count_;
  }

  Bytes open_;    ///< the content of the block that is being filled
  Bytes stored_;  ///< the compressed blocks, back to back
  std::string lines_;
  std::size_t count_ = 0;
};

std::string header_line(std::string_view name, std::string_view value) {
  return std::string(name) + ": " + format::escape(value) + "\n";
}

}  // namespace

Bytes encode_recording(const Recording& recording) {
  BlockWriter blocks;
  std::string answer_lines;
  for (const RecordedAnswer& answer : recording.answers) {
    const ByteView bytes = answer.error == 0 ? ByteView(answer.bytes) : ByteView();
    answer_lines += blocks.place(bytes) + " " + std::to_string(bytes.size()) + " " +
                    std::to_string(answer.error) + " " + format::escape(answer.key) + "\n";
  }
  blocks.close();

  const RecordingHeader& header = recording.header;
  std::string text;
  text.append(format::kMagic).append(format::kVersion).append("\n");
  text += header_line(format::kVersionName, header.hark_version);
  text += header_line(format::kHostName, header.host);
  text += header_line(format::kTakenAtName, header.taken_at);
  text += header_line(format::kRedactedName, header.redacted ? "yes" : "no");
  text += header_line(format::kBlocksName, std::to_string(blocks.count()));
  text += header_line(format::kAnswersName, std::to_string(recording.answers.size()));
  text.append("\n").append(format::kBlockHeading).append("\n").append(blocks.lines());
  text.append("\n").append(format::kAnswerHeading).append("\n").append(answer_lines);
  const std::string checksum = format::checksum(as_bytes(text));
  text.append(format::kEnd).append(checksum).append("\n");

  Bytes file;
  file.reserve(text.size() + blocks.stored().size());
  append(file, text);
  append(file, blocks.stored());
  return file;
}

}  // namespace hark::kernel
