// The reader of recordings. It goes over the file three times, and each pass trusts only what the
// one before has proved:
//
//   1. the text: its checksum, then its lines. Every number is held against the size of the file,
//      against the others and against the bounds of recording.h; nothing is allocated that the
//      text itself does not pay for (a RecordedAnswer for a line).
//   2. the stored blocks: the checksum of each, and what its zstd frame says of itself against what
//      the text says. A frame that claims more than its size can hold is refused here.
//   3. decompression, into memory that pass 1 and 2 have bounded. An answer that fills whole blocks
//      is decompressed where it will stay; the others are copied out of one block at a time.
#include <zstd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"
#include "kernel/recording.h"
#include "kernel/recording_format.h"

namespace hark::kernel {
namespace {

constexpr std::size_t kChecksumDigits = 16;

struct Block {
  ByteView stored;
  std::size_t at = 0;  ///< of `stored` in the file
  std::size_t holds = 0;
  std::string_view checksum;
};

/// What the text says.
struct Index {
  RecordingHeader header;
  std::vector<Block> blocks;
  std::vector<RecordedAnswer> answers;  ///< still without their bytes
  std::vector<std::size_t> lengths;     ///< of those bytes
};

/// Nothing, or what is wrong and where.
using Check = std::optional<RecordingError>;

RecordingError damaged(std::size_t at, const std::string& why, std::string hint = {}) {
  return {.fault = RecordingFault::Damaged,
          .error = plain_error({}, "byte " + std::to_string(at) + ": " + why, std::move(hint))};
}

std::string block_name(std::size_t number) {
  return "block " + std::to_string(number) + ": ";
}

/// The lines of the text, with their places.
class Lines {
 public:
  explicit Lines(std::string_view text) : left_(text), size_(text.size()) {}

  std::string_view next() {
    at_ = size_ - left_.size();
    return next_piece(left_, '\n');
  }
  /// Of the line that next() gave last.
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] bool empty() const { return left_.empty(); }
  [[nodiscard]] RecordingError bad(const std::string& why) const { return damaged(at_, why); }

 private:
  std::string_view left_;
  std::size_t size_;
  std::size_t at_ = 0;
};

/// Does the file begin like a recording, and like one that we can read?
Check check_first_line(std::string_view file) {
  const RecordingError foreign{.fault = RecordingFault::NotARecording,
                               .error = plain_error({}, "not a hark recording")};
  if (!file.starts_with(format::kMagic)) return foreign;
  const std::string_view rest = file.substr(format::kMagic.size());
  const std::string_view version =
      rest.substr(0, std::min(rest.find_first_not_of("0123456789"), rest.size()));
  if (version.size() == rest.size()) return damaged(file.size(), "cut off in the first line");
  if (version.empty() || rest[version.size()] != '\n') return foreign;
  if (version == format::kVersion) return std::nullopt;
  if (version.front() == '0') return damaged(format::kMagic.size(), "no version of the format");
  return damaged(format::kMagic.size(),
                 "written by a newer hark, in a format that this one cannot read",
                 "use the hark that made it, or a newer one");
}

/// The lines before the "end" line, after their checksum was found right; `blocks_at` is what
/// follows that line.
tl::expected<std::string_view, RecordingError> find_text(std::string_view file,
                                                         std::size_t& blocks_at) {
  const std::size_t newline = file.find(std::string("\n").append(format::kEnd));
  if (newline == std::string_view::npos) {
    return tl::unexpected(damaged(file.size(), "cut off in the index"));
  }
  const std::string_view text = file.substr(0, newline + 1);
  const std::string_view end = file.substr(text.size() + format::kEnd.size());
  if (end.size() < kChecksumDigits + 1) {
    return tl::unexpected(damaged(file.size(), "cut off at the end of the index"));
  }
  if (end.substr(0, kChecksumDigits) != format::checksum(as_bytes(text)) ||
      end[kChecksumDigits] != '\n') {
    return tl::unexpected(damaged(text.size(), "checksum of the index differs"));
  }
  if (text.size() > kLargestRecording) {
    return tl::unexpected(damaged(kLargestRecording, "the index is too large"));
  }
  blocks_at = text.size() + format::kEnd.size() + kChecksumDigits + 1;
  return text;
}

/// `name: value` lines up to an empty one, in any order. Names that we do not know are passed over:
/// a later hark may add some within this version of the format.
class HeaderReader {
 public:
  Check read(Lines& lines) {
    for (std::string_view line = lines.next(); !line.empty(); line = lines.next()) {
      const std::size_t colon = line.find(": ");
      if (colon == std::string_view::npos) return lines.bad("a header line without a name");
      const auto value = format::unescape(line.substr(colon + 2));
      if (!value) return lines.bad("a header line with bytes that should be escaped");
      for (Field& field : fields_) {
        if (field.name != line.substr(0, colon)) continue;
        if (field.value) return lines.bad("a header line for the second time");
        field.value = *value;
      }
    }
    for (const Field& field : fields_) {
      if (!field.value) return lines.bad("the header has no " + std::string(field.name));
    }
    return take_values(lines);
  }

  RecordingHeader header;
  std::size_t blocks = 0;
  std::size_t answers = 0;

 private:
  struct Field {
    std::string_view name;
    std::optional<std::string> value;
  };

  Check take_values(const Lines& lines) {
    header.hark_version = *fields_[0].value;
    header.host = *fields_[1].value;
    header.taken_at = *fields_[2].value;
    header.redacted = *fields_[3].value == "yes";
    if (!header.redacted && *fields_[3].value != "no") return lines.bad("redacted: not yes or no");
    const auto block_count = parse_number<std::size_t>(*fields_[4].value);
    const auto answer_count = parse_number<std::size_t>(*fields_[5].value);
    if (!block_count || !answer_count) return lines.bad("a count that is no number");
    if (*answer_count > kMostAnswers) return lines.bad("too many answers");
    blocks = *block_count;
    answers = *answer_count;
    return std::nullopt;
  }

  std::array<Field, 6> fields_{{{format::kVersionName, {}},
                                {format::kHostName, {}},
                                {format::kTakenAtName, {}},
                                {format::kRedactedName, {}},
                                {format::kBlocksName, {}},
                                {format::kAnswersName, {}}}};
};

/// `NUMBER STORED HOLDS CHECKSUM` lines. `rest` is what follows the text: the blocks fill it, and
/// nothing may follow them.
Check read_block_lines(Lines& lines, std::size_t count, ByteView file, std::size_t blocks_at,
                       std::uint64_t budget, std::vector<Block>& blocks) {
  if (lines.next() != format::kBlockHeading) return lines.bad("no list of blocks");
  std::size_t at = blocks_at;
  for (std::size_t number = 0; number < count; ++number) {
    std::string_view line = lines.next();
    const auto written = parse_number<std::size_t>(next_piece(line, ' '));
    const auto stored = parse_number<std::uint64_t>(next_piece(line, ' '));
    const auto holds = parse_number<std::uint64_t>(next_piece(line, ' '));
    if (written != number || !stored || !holds || line.size() != kChecksumDigits) {
      return lines.bad("no line about block " + std::to_string(number));
    }
    if (*holds == 0 || *holds > kLargestBlock) {
      return lines.bad(block_name(number) + "holds " + std::to_string(*holds) + " bytes");
    }
    if (*holds > budget) return lines.bad(block_name(number) + "the recording is too large");
    if (*stored > file.size() - at) {
      return damaged(file.size(), block_name(number) + "cut off");
    }
    budget -= *holds;
    blocks.push_back(
        {.stored = file.subspan(at, *stored), .at = at, .holds = *holds, .checksum = line});
    at += *stored;
  }
  if (at != file.size()) return damaged(at, "something follows the end");
  if (!lines.next().empty()) return lines.bad("more blocks than were announced");
  return std::nullopt;
}

/// Walks through the contents of the blocks as the answers share them out: each begins where the
/// one before ended, so that no byte can be given out twice or be left over.
class Cursor {
 public:
  explicit Cursor(const std::vector<Block>& blocks) : blocks_(blocks) {}

  [[nodiscard]] bool is_at(std::size_t block, std::size_t offset) const {
    return block == block_ && offset == offset_;
  }
  [[nodiscard]] bool at_end() const { return block_ == blocks_.size(); }

  /// False if there is less than `length` left.
  bool skip(std::size_t length) {
    while (length > 0 && block_ < blocks_.size()) {
      const std::size_t step = std::min(length, blocks_[block_].holds - offset_);
      length -= step;
      offset_ += step;
      if (offset_ < blocks_[block_].holds) break;
      ++block_;
      offset_ = 0;
    }
    return length == 0;
  }

 private:
  const std::vector<Block>& blocks_;
  std::size_t block_ = 0;
  std::size_t offset_ = 0;
};

/// One `BLOCK OFFSET LENGTH ERROR KEY` line; "- -" stands for the place of no bytes.
Check read_answer_line(Lines& lines, Cursor& cursor, Index& index) {
  std::string_view line = lines.next();
  const std::string_view block = next_piece(line, ' ');
  const std::string_view offset = next_piece(line, ' ');
  const auto length = parse_number<std::size_t>(next_piece(line, ' '));
  const auto error = parse_number<int>(next_piece(line, ' '));
  auto key = format::unescape(line);
  if (!length || !error || *error < 0 || *error > kLargestError || !key) {
    return lines.bad("no line about an answer");
  }
  if (*error != 0 && *length != 0) return lines.bad("an answer with an error and with bytes");
  if (*length == 0) {
    if (block != "-" || offset != "-") return lines.bad("a place for an answer without bytes");
  } else {
    const auto block_number = parse_number<std::size_t>(block);
    const auto offset_number = parse_number<std::size_t>(offset);
    if (!block_number || !offset_number || !cursor.is_at(*block_number, *offset_number)) {
      return lines.bad("an answer that does not begin where the one before ends");
    }
    if (!cursor.skip(*length)) return lines.bad("an answer longer than what is left");
  }
  index.answers.push_back({.key = std::move(*key), .error = *error, .bytes = {}});
  index.lengths.push_back(*length);
  return std::nullopt;
}

Check read_text(std::string_view text, ByteView file, std::size_t blocks_at, Index& index) {
  Lines lines(text);
  lines.next();  // the first line was looked at before
  HeaderReader header;
  if (auto bad = header.read(lines)) return bad;
  const std::uint64_t budget = kLargestRecording - text.size();
  if (auto bad = read_block_lines(lines, header.blocks, file, blocks_at, budget, index.blocks)) {
    return bad;
  }
  if (lines.next() != format::kAnswerHeading) return lines.bad("no list of answers");
  Cursor cursor(index.blocks);
  for (std::size_t i = 0; i < header.answers; ++i) {
    if (auto bad = read_answer_line(lines, cursor, index)) return bad;
  }
  if (!lines.empty()) return lines.bad("more answers than were announced");
  if (!cursor.at_end()) return lines.bad("blocks with bytes of no answer");
  index.header = std::move(header.header);
  return std::nullopt;
}

/// Pass 2. A frame begins with its magic number (RFC 8878 3.1.1; the library would also take the
/// formats from before it, which we never wrote). A zstd block of at least 4 bytes stands for at
/// most 128 KiB (3.1.1.2).
Check check_block(const Block& block, std::size_t number) {
  constexpr std::string_view kFrameMagic = "\x28\xb5\x2f\xfd";
  constexpr std::size_t kSmallestPiece = 4;
  constexpr std::size_t kLargestPiece = std::size_t{128} << 10;
  const auto bad = [&](const std::string& why) {
    return damaged(block.at, block_name(number) + why);
  };
  if (format::checksum(block.stored) != block.checksum) return bad("checksum differs");
  const std::size_t size = block.stored.size();
  if (!as_text(block.stored).starts_with(kFrameMagic) ||
      ZSTD_findFrameCompressedSize(block.stored.data(), size) != size) {
    return bad("not one zstd frame");
  }
  if (ZSTD_getFrameContentSize(block.stored.data(), size) != block.holds) {
    return bad("its zstd frame is of another size");
  }
  if (block.holds / kLargestPiece > size / kSmallestPiece) {
    return bad("holds more than it can");
  }
  return std::nullopt;
}

bool decompress(const Block& block, std::byte* to) {
  return ZSTD_decompress(to, block.holds, block.stored.data(), block.stored.size()) == block.holds;
}

/// Pass 3: pours the blocks into the answers, in order.
Check read_blocks(Index& index) {
  Bytes scratch;
  std::size_t answer = 0;
  std::size_t filled = 0;  // of this answer
  for (std::size_t number = 0; number < index.blocks.size(); ++number) {
    const Block& block = index.blocks[number];
    const auto bad = [&] { return damaged(block.at, block_name(number) + "does not decompress"); };
    for (std::size_t offset = 0; offset < block.holds;) {
      for (; filled == index.lengths[answer]; ++answer) filled = 0;
      Bytes& bytes = index.answers[answer].bytes;
      bytes.resize(index.lengths[answer]);
      const std::size_t step = std::min(bytes.size() - filled, block.holds - offset);
      if (step == block.holds) {
        if (!decompress(block, bytes.data() + filled)) return bad();
      } else {
        if (offset == 0) {
          scratch.resize(block.holds);
          if (!decompress(block, scratch.data())) return bad();
        }
        std::copy_n(scratch.data() + offset, step, bytes.data() + filled);
      }
      filled += step;
      offset += step;
    }
  }
  return std::nullopt;
}

}  // namespace

tl::expected<Recording, RecordingError> decode_recording(ByteView file) {
  if (auto bad = check_first_line(as_text(file))) return tl::unexpected(std::move(*bad));
  std::size_t blocks_at = 0;
  const auto text = find_text(as_text(file), blocks_at);
  if (!text) return tl::unexpected(text.error());
  Index index;
  if (auto bad = read_text(*text, file, blocks_at, index)) return tl::unexpected(std::move(*bad));
  for (std::size_t number = 0; number < index.blocks.size(); ++number) {
    if (auto bad = check_block(index.blocks[number], number)) {
      return tl::unexpected(std::move(*bad));
    }
  }
  if (auto bad = read_blocks(index)) return tl::unexpected(std::move(*bad));
  return Recording{.header = std::move(index.header), .answers = std::move(index.answers)};
}

}  // namespace hark::kernel
