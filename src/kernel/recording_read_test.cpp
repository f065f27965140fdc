// Recordings with right checksums and wrong everything else, as only an attacker makes them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zstd.h>

#include "kernel/recording.h"
#include "kernel/recording_format.h"

namespace hark::kernel {
namespace {

using testing::HasSubstr;

constexpr const char* kHeader =
    "hark: 0.1.0\nhost: web1\ntaken_at: 2025-03-01T12:00:00Z\nredacted: no\n";

/// A recording put together by hand. `$` in a block's line stands for its right checksum.
struct Handmade {
  std::string header = kHeader;
  std::string counts = "blocks: 1\nanswers: 1\n";
  std::vector<std::string> block_lines;
  std::string answer_lines;
  std::vector<std::string> stored;

  [[nodiscard]] std::string text() const {
    std::string out = "hark recording 1\n" + header + counts + "\nblock stored holds xxh64\n";
    for (std::size_t i = 0; i < block_lines.size(); ++i) {
      std::string line = block_lines[i];
      const std::size_t at = line.find('$');
      if (at != std::string::npos) line.replace(at, 1, format::checksum(as_bytes(stored[i])));
      out += line + "\n";
    }
    return out + "\nblock offset length error request\n" + answer_lines;
  }
  [[nodiscard]] std::string file() const { return sealed(text()); }
  [[nodiscard]] std::string sealed(std::string out) const {
    out += "end " + format::checksum(as_bytes(out)) + "\n";
    for (const std::string& block : stored) out += block;
    return out;
  }
};

std::string compressed(const std::string& content) {
  std::string out(ZSTD_compressBound(content.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), content.data(), content.size(), 1));
  return out;
}

/// One block with "hello" in it and one answer.
Handmade hello() {
  Handmade made;
  made.stored = {compressed("hello")};
  made.block_lines = {"0 " + std::to_string(made.stored[0].size()) + " 5 $"};
  made.answer_lines = "0 0 5 0 file /x\n";
  return made;
}

std::string why(const std::string& file) {
  const auto decoded = decode_recording(as_bytes(file));
  if (decoded) return "taken";
  EXPECT_EQ(static_cast<int>(decoded.error().fault), static_cast<int>(RecordingFault::Damaged));
  EXPECT_THAT(decoded.error().error.why, testing::StartsWith("byte "));
  return decoded.error().error.why;
}

TEST(RecordingRead, TakesWhatIsRight) {
  EXPECT_EQ(why(hello().file()), "taken");
  Handmade none;
  none.counts = "blocks: 0\nanswers: 0\n";
  EXPECT_EQ(why(none.file()), "taken");
}

TEST(RecordingRead, PassesOverHeaderLinesItDoesNotKnow) {
  Handmade made = hello();
  made.header += "kernel: 6.1.0: a b\n";
  made.counts = "answers: 1\nblocks: 1\n";
  EXPECT_EQ(why(made.file()), "taken");
}

TEST(RecordingRead, Header) {
  const struct {
    std::string header;
    std::string why;
  } kCases[] = {
      {"host: web1\n", "the header has no hark"},
      {std::string(kHeader) + "host: web2\n", "for the second time"},
      {std::string(kHeader) + "nonsense\n", "without a name"},
      {std::string(kHeader) + "x: \x1b[2J\n", "should be escaped"},
      {std::string(kHeader) + "x: \\x4\n", "should be escaped"},
      {std::string(kHeader) + "x: \\x41\n", "should be escaped"},
      {std::string(kHeader) + "x: \\x0A\n", "should be escaped"},
      {"hark: 1\nhost: a\ntaken_at: b\nredacted: maybe\n", "redacted: not yes or no"},
  };
  for (const auto& c : kCases) {
    Handmade made = hello();
    made.header = c.header;
    EXPECT_THAT(why(made.file()), HasSubstr(c.why)) << c.header;
  }
}

TEST(RecordingRead, Counts) {
  const struct {
    std::string counts;
    std::string why;
  } kCases[] = {
      {"blocks: 1\n", "the header has no answers"},
      {"blocks: 1\nanswers: -1\n", "a count that is no number"},
      {"blocks: one\nanswers: 1\n", "a count that is no number"},
      {"blocks: 1\nanswers: 99999999999999999999\n", "a count that is no number"},
      {"blocks: 1\nanswers: 1048577\n", "too many answers"},
      {"blocks: 1\nanswers: 1048576\n", "no line about an answer"},
      {"blocks: 18446744073709551615\nanswers: 1\n", "no line about block 1"},
      {"blocks: 2\nanswers: 1\n", "no line about block 1"},
      {"blocks: 0\nanswers: 1\n", "something follows the end"},
      {"blocks: 1\nanswers: 0\n", "more answers than were announced"},
      {"blocks: 1\nanswers: 2\n", "no line about an answer"},
  };
  for (const auto& c : kCases) {
    Handmade made = hello();
    made.counts = c.counts;
    EXPECT_THAT(why(made.file()), HasSubstr(c.why)) << c.counts;
  }
}

TEST(RecordingRead, BlockLines) {
  const std::string size = std::to_string(hello().stored[0].size());
  const struct {
    std::string line;
    std::string why;
  } kCases[] = {
      {"1 " + size + " 5 $", "no line about block 0"},
      {"0 -1 5 $", "no line about block 0"},
      {"0 " + size + " $", "no line about block 0"},
      {"0 " + size + " 5 $ ", "no line about block 0"},
      {"0 " + size + " 5 ", "no line about block 0"},
      {"0 " + size + " 5 0123456789ABCDEF", "block 0: checksum differs"},
      {"0 " + size + " 0 $", "block 0: holds 0 bytes"},
      {"0 " + size + " 67108865 $", "block 0: holds 67108865 bytes"},
      {"0 " + size + " 18446744073709551615 $", "block 0: holds 18446744073709551615"},
      {"0 1000 5 $", "block 0: cut off"},
      {"0 18446744073709551615 5 $", "block 0: cut off"},
      {"0 1 5 $", "something follows the end"},
  };
  for (const auto& c : kCases) {
    Handmade made = hello();
    made.block_lines = {c.line};
    EXPECT_THAT(why(made.file()), HasSubstr(c.why)) << c.line;
  }
}

TEST(RecordingRead, AnswersShareTheBlocksOutWithoutGapOrOverlap) {
  const struct {
    std::string lines;
    std::string why;
  } kCases[] = {
      {"0 1 4 0 file /x\n", "does not begin where the one before ends"},
      {"1 0 5 0 file /x\n", "does not begin where the one before ends"},
      {"- - 5 0 file /x\n", "does not begin where the one before ends"},
      {"0 0 4 0 file /x\n", "bytes of no answer"},
      {"0 0 6 0 file /x\n", "longer than what is left"},
      {"0 0 18446744073709551615 0 file /x\n", "longer than what is left"},
      {"0 0 0 0 file /x\n", "a place for an answer without bytes"},
      {"0 0 5 13 file /x\n", "with an error and with bytes"},
      {"0 0 5 -1 file /x\n", "no line about an answer"},
      {"0 0 5 4096 file /x\n", "no line about an answer"},
      {"0 0 5 x file /x\n", "no line about an answer"},
      {"0 0 5\n", "no line about an answer"},
      {"0 0 5 0 file \x80\n", "no line about an answer"},
      {"0 0 5 0 file /x\n\n", "more answers than were announced"},
      {"", "no line about an answer"},
  };
  for (const auto& c : kCases) {
    Handmade made = hello();
    made.answer_lines = c.lines;
    EXPECT_THAT(why(made.file()), HasSubstr(c.why)) << c.lines;
  }
  Handmade twice = hello();
  twice.counts = "blocks: 1\nanswers: 2\n";
  twice.answer_lines = "0 0 5 0 a\n0 0 5 0 b\n";
  EXPECT_THAT(why(twice.file()), HasSubstr("does not begin where the one before ends"));
}

TEST(RecordingRead, ListsMustBeWhereTheyBelong) {
  for (const std::string heading : {"\nblock stored holds", "\nblock offset length"}) {
    std::string text = hello().text();
    text.erase(text.find(heading) + 1, 1);
    EXPECT_THAT(why(hello().sealed(text)), HasSubstr("no list of ")) << heading;
  }
  std::string text = hello().text();
  text.insert(text.find("\nblock offset"), "1 1 1 0123456789abcdef\n");
  EXPECT_THAT(why(hello().sealed(text)), HasSubstr("more blocks than were announced"));
}

TEST(RecordingRead, BlockContents) {
  const std::string good = hello().stored[0];
  const std::string skippable("\x50\x2a\x4d\x18\x01\x00\x00\x00x", 9);
  const struct {
    std::string stored;
    std::string holds;
    std::string why;
  } kCases[] = {
      {good, "6", "its zstd frame is of another size"},
      {good, "4", "its zstd frame is of another size"},
      {good + skippable, "5", "not one zstd frame"},
      {skippable + good, "5", "not one zstd frame"},
      {skippable, "1", "not one zstd frame"},
      {good.substr(0, good.size() - 1), "5", "not one zstd frame"},
      {"", "5", "not one zstd frame"},
      {"hello", "5", "not one zstd frame"},
  };
  for (const auto& c : kCases) {
    Handmade made = hello();
    made.stored = {c.stored};
    made.block_lines = {"0 " + std::to_string(c.stored.size()) + " " + c.holds + " $"};
    made.answer_lines = "0 0 " + c.holds + " 0 file /x\n";
    EXPECT_THAT(why(made.file()), HasSubstr("block 0: " + c.why)) << c.why << c.holds;
  }
}

/// A frame whose header tells `size` and whose one block repeats a byte 5 times.
std::string lying_frame(std::uint32_t size) {
  std::string frame = "\x28\xb5\x2f\xfd";
  frame += '\xa0';  // content size of four bytes, single segment
  frame.append(reinterpret_cast<const char*>(&size), sizeof size);
  frame += std::string("\x2b\x00\x00x", 4);  // last block, RLE, 5 bytes
  return frame;
}

TEST(RecordingRead, FrameThatLiesAboutItsSize) {
  for (const std::uint32_t size : {5U, 6U, 400000U, 64U << 20}) {
    Handmade made = hello();
    made.stored = {lying_frame(size)};
    made.block_lines = {"0 " + std::to_string(made.stored[0].size()) + " " + std::to_string(size) +
                        " $"};
    made.answer_lines = "0 0 " + std::to_string(size) + " 0 file /x\n";
    const char* expected = size == 5        ? "taken"
                           : size < 500000U ? "does not decompress"
                                            : "holds more than it can";
    EXPECT_THAT(why(made.file()), HasSubstr(expected)) << size;
  }
}

/// A right frame of 64 MiB of one byte in 2 KiB: 512 RLE blocks of 128 KiB.
std::string bomb() {
  std::string frame("\x28\xb5\x2f\xfd\xa0\x00\x00\x00\x04", 9);
  for (int i = 1; i <= 512; ++i)
    frame += std::string(i < 512 ? "\x02\x00\x10x" : "\x03\x00\x10x", 4);
  return frame;
}

long peak_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

Handmade bombs(unsigned count) {
  Handmade made;
  made.counts = "blocks: " + std::to_string(count) + "\nanswers: 1\n";
  for (unsigned i = 0; i < count; ++i) {
    made.stored.push_back(bomb());
    made.block_lines.push_back(std::to_string(i) + " " + std::to_string(bomb().size()) +
                               " 67108864 $");
  }
  made.answer_lines = "0 0 " + std::to_string(std::size_t{count} << 26) + " 0 file /x\n";
  return made;
}

TEST(RecordingRead, TakesOneBombForWhatItIs) {
  EXPECT_EQ(why(bombs(1).file()), "taken");
}

TEST(RecordingRead, RefusesMoreThanTheLimitWithoutUnpackingIt) {
  // 16 blocks are 1 GiB, and the text comes on top.
  const std::string file = bombs(16).file();
  ASSERT_LT(file.size(), 40000U);
  const long before = peak_kib();
  EXPECT_THAT(why(file), HasSubstr("block 15: the recording is too large"));
  EXPECT_LT(peak_kib() - before, 2048);
}

}  // namespace
}  // namespace hark::kernel
