#include "kernel/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <random>

namespace hark::kernel {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

RecordedAnswer said(std::string key, std::string_view text) {
  return {.key = std::move(key), .error = 0, .bytes = to_bytes(text)};
}

Recording small_recording() {
  Recording recording;
  recording.header = {.hark_version = "0.1.0",
                      .host = "web1",
                      .taken_at = "2025-03-01T12:00:00Z",
                      .redacted = true};
  recording.answers = {said("clock", "1740830400000 81234567"),
                       {.key = "file /proc/1/environ", .error = EACCES, .bytes = {}},
                       said("file /etc/hostname", "web1\n"),
                       said("processes", ""),
                       said("clock", "1740830400100 81234667")};
  return recording;
}

/// Text in which nothing repeats, so that a block of it stays about as large as it is.
std::string noise(std::size_t size, unsigned long seed) {
  std::mt19937 random(seed);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random() & 0xff);
  return out;
}

void expect_fault(std::string_view file, RecordingFault fault, const std::string& why) {
  const auto decoded = decode_recording(as_bytes(file));
  ASSERT_FALSE(decoded) << "taken: " << why;
  EXPECT_EQ(static_cast<int>(decoded.error().fault), static_cast<int>(fault));
  EXPECT_THAT(decoded.error().error.why, HasSubstr(why));
  EXPECT_EQ(decoded.error().error.what, "");
  EXPECT_EQ(decoded.error().error.code, 0);
}

void expect_round_trip(const Recording& recording) {
  const Bytes file = encode_recording(recording);
  const auto decoded = decode_recording(file);
  ASSERT_TRUE(decoded) << decoded.error().error.why;
  EXPECT_TRUE(*decoded == recording);
  EXPECT_EQ(encode_recording(*decoded), file);
}

TEST(Recording, BeginsWithTextThatSaysWhatItIs) {
  const Bytes file = encode_recording(small_recording());
  EXPECT_THAT(std::string(as_text(file)), StartsWith("hark recording 1\n"
                                                     "hark: 0.1.0\n"
                                                     "host: web1\n"
                                                     "taken_at: 2025-03-01T12:00:00Z\n"
                                                     "redacted: yes\n"
                                                     "blocks: 1\n"
                                                     "answers: 5\n"
                                                     "\n"
                                                     "block stored holds xxh64\n"));
  EXPECT_THAT(std::string(as_text(file)), HasSubstr("\n\n"
                                                    "block offset length error request\n"
                                                    "0 0 22 0 clock\n"
                                                    "- - 0 13 file /proc/1/environ\n"
                                                    "0 22 5 0 file /etc/hostname\n"
                                                    "- - 0 0 processes\n"
                                                    "0 27 22 0 clock\n"
                                                    "end "));
}

TEST(Recording, RoundTrip) {
  expect_round_trip(small_recording());
  expect_round_trip({});
  Recording plain = small_recording();
  plain.header.redacted = false;
  expect_round_trip(plain);
  EXPECT_THAT(std::string(as_text(encode_recording(plain))), HasSubstr("\nredacted: no\n"));
}

TEST(Recording, HostileNamesStayOneLine) {
  Recording recording = small_recording();
  recording.header.host = " a\nend 0: \x1b[31m\xff\\ ";
  std::string every_byte = "file ";
  for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
  recording.answers.push_back(said(every_byte, "x"));
  recording.answers.push_back(said("", "y"));
  recording.answers.push_back(said("file a\nend 0123456789abcdef\n", "z"));
  recording.answers.push_back(said("file \\x41", "v"));
  expect_round_trip(recording);
  const Bytes file = encode_recording(recording);
  const std::string_view text = as_text(file).substr(0, as_text(file).find("\nend "));
  EXPECT_THAT(std::string(text), HasSubstr("0 50 1 0 \n0 51 1 0 file a\\x0aend 0123"));
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << int{c};
}

TEST(Recording, RoundTripOfRandomAnswers) {
  std::mt19937 random(7);
  const std::size_t sizes[] = {0, 1, 100, 5000, 200000, 262143, 262144, 262145, 700000};
  for (int round = 0; round < 20; ++round) {
    Recording recording = small_recording();
    for (unsigned long i = random() % 20; i > 0; --i) {
      const std::size_t size = sizes[random() % std::size(sizes)];
      const std::string content =
          random() % 2 != 0 ? noise(size, random()) : std::string(size, 'x');
      recording.answers.push_back(said("k" + std::to_string(random() % 3), content));
      if (random() % 4 == 0) recording.answers.back() = {.key = "e", .error = 4095, .bytes = {}};
    }
    expect_round_trip(recording);
  }
}

TEST(Recording, AnswerLargerThanABlockGoesOnInTheNext) {
  Recording recording = small_recording();
  recording.answers.push_back(said("huge", std::string((64U << 20) + 1000, 'h')));
  recording.answers.push_back(said("after", "a"));
  const Bytes file = encode_recording(recording);
  EXPECT_THAT(std::string(as_text(file).substr(0, 600)), HasSubstr("\nblocks: 4\n"));
  const auto decoded = decode_recording(file);
  ASSERT_TRUE(decoded) << decoded.error().error.why;
  EXPECT_TRUE(*decoded == recording);
}

TEST(Recording, BytesBesideAnErrorAreLeftOut) {
  Recording recording;
  recording.answers.push_back({.key = "file x", .error = EIO, .bytes = to_bytes("half")});
  const auto decoded = decode_recording(encode_recording(recording));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->answers[0].error, EIO);
  EXPECT_TRUE(decoded->answers[0].bytes.empty());
}

TEST(Recording, EveryTruncationIsAnError) {
  const Bytes file = encode_recording(small_recording());
  for (std::size_t size = 0; size < file.size(); ++size) {
    const auto decoded = decode_recording(ByteView(file).first(size));
    ASSERT_FALSE(decoded) << size;
    const bool has_magic = size >= std::string_view("hark recording ").size();
    EXPECT_EQ(decoded.error().fault == RecordingFault::Damaged, has_magic) << size;
    if (has_magic) {
      EXPECT_THAT(decoded.error().error.why, StartsWith("byte " + std::to_string(size) + ": "))
          << size;
      EXPECT_THAT(decoded.error().error.why, HasSubstr("cut off")) << size;
    }
  }
}

TEST(Recording, EveryFlippedBitIsAnError) {
  const Bytes file = encode_recording(small_recording());
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    Bytes altered = file;
    altered[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto decoded = decode_recording(altered);
    ASSERT_FALSE(decoded) << "byte " << bit / 8 << " bit " << bit % 8;
    EXPECT_FALSE(decoded.error().error.why.empty());
  }
}

TEST(Recording, ForeignFiles) {
  constexpr auto kForeign = RecordingFault::NotARecording;
  const char gzip[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03";
  const char zstd[] = "\x28\xb5\x2f\xfd\x04\x00";
  expect_fault("", kForeign, "not a hark recording");
  expect_fault("hello\n", kForeign, "not a hark recording");
  expect_fault({gzip, sizeof gzip}, kForeign, "not a hark recording");
  expect_fault({zstd, sizeof zstd}, kForeign, "not a hark recording");
  expect_fault(
      "\x7f"
      "ELF",
      kForeign, "not a hark recording");
  expect_fault("hark recording studio\n", kForeign, "not a hark recording");
  expect_fault("hark recording 1 of 2\n", kForeign, "not a hark recording");
  expect_fault(" hark recording 1\n", kForeign, "not a hark recording");
}

TEST(Recording, LaterVersions) {
  constexpr auto kDamaged = RecordingFault::Damaged;
  expect_fault("hark recording 2\nwhatever", kDamaged, "byte 15: written by a newer hark");
  expect_fault("hark recording 10\n", kDamaged, "byte 15: written by a newer hark");
  expect_fault("hark recording 99999999999999999999999\n", kDamaged, "newer hark");
  expect_fault("hark recording 0\n", kDamaged, "byte 15: no version");
  expect_fault("hark recording 01\n", kDamaged, "byte 15: no version");
  expect_fault("hark recording 1", kDamaged, "byte 16: cut off");
}

TEST(Recording, NothingMayFollow) {
  Bytes file = encode_recording(small_recording());
  const std::string place = "byte " + std::to_string(file.size()) + ": something follows";
  file.push_back(std::byte{0});
  expect_fault(as_text(file), RecordingFault::Damaged, place);
  Bytes empty = encode_recording({});
  append(empty, "x");
  expect_fault(as_text(empty), RecordingFault::Damaged, "something follows the end");
}

TEST(Recording, ChecksumErrorNamesTheBlock) {
  Recording recording;
  for (unsigned i = 0; i < 4; ++i) {
    recording.answers.push_back(said("file " + std::to_string(i), noise(300000, i)));
  }
  Bytes file = encode_recording(recording);
  file.back() ^= std::byte{1};
  // Noise does not get smaller: the last block begins a little more than its size before the end.
  const auto decoded = decode_recording(file);
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error().error.why, HasSubstr(": block 3: checksum differs"));
  const std::size_t at = std::stoul(decoded.error().error.why.substr(5));
  EXPECT_EQ(as_text(file).substr(at, 4), "\x28\xb5\x2f\xfd");
  EXPECT_GE(file.size() - at, 300000U);
  EXPECT_LE(file.size() - at, 300100U);
}

TEST(Recording, EqualInputGivesEqualBytes) {
  EXPECT_EQ(encode_recording(small_recording()), encode_recording(small_recording()));
}

}  // namespace
}  // namespace hark::kernel
