// What the wire tests share.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/address.h"
#include "base/bytes.h"

namespace hark::decode {

/// A file of src/decode/testdata; see ORIGIN.md there.
inline Bytes testdata(const std::string& name) {
  std::ifstream in(std::string(HARK_SOURCE_DIR) + "/src/decode/testdata/" + name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_FALSE(text.empty()) << "no testdata " << name;
  return to_bytes(text);
}

/// "0a ff" as two bytes.
inline Bytes from_hex(std::string_view hex) {
  const std::string_view digits = "0123456789abcdef";
  Bytes out;
  unsigned value = 1;
  for (const char c : hex) {
    if (c == ' ') continue;
    value = value << 4U | static_cast<unsigned>(digits.find(c) & 0xfU);
    if (value < 0x100) continue;
    out.push_back(static_cast<std::byte>(value & 0xffU));
    value = 1;
  }
  return out;
}

inline IpAddress address(std::string_view text) {
  const auto out = IpAddress::parse(text);
  EXPECT_TRUE(out) << text;
  return out.value_or(IpAddress{});
}

/// Calls `decode` with every shorter beginning of `whole` and `count` with what comes out. Each
/// must be an error, or else end where a record of `whole` ends and have fewer of them than
/// `whole`. Returns how many beginnings were accepted. Each is copied, so that a sanitizer sees
/// reads past it.
template <typename Decode, typename Count>
std::size_t accepted_beginnings(const Bytes& whole, const Decode& decode, const Count& count) {
  const auto all = decode(ByteView(whole));
  EXPECT_TRUE(all);
  if (!all) return 0;
  std::size_t accepted = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto some = decode(ByteView(cut));
    if (!some) continue;
    EXPECT_LT(count(*some), count(*all)) << "cut at " << size;
    ++accepted;
  }
  return accepted;
}

}  // namespace hark::decode
