#include "kernel/recording_format.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>

#include "kernel/request_key.h"

namespace hark::kernel::format {
namespace {

bool stands_for_itself(char c) {
  return c >= ' ' && c <= '~' && c != '\\';
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  return std::nullopt;
}

}  // namespace

std::string checksum(ByteView bytes) {
  XXH64_canonical_t canonical;
  XXH64_canonicalFromHash(&canonical, XXH64(bytes.data(), bytes.size(), 0));
  std::string out;
  append_hex(out, std::as_bytes(std::span(canonical.digest)));
  return out;
}

std::string escape(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (const char& c : raw) {
    if (stands_for_itself(c)) {
      out += c;
    } else {
      out += "\\x";
      append_hex(out, as_bytes({&c, 1}));
    }
  }
  return out;
}

std::optional<std::string> unescape(std::string_view line) {
  std::string out;
  out.reserve(line.size());
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (stands_for_itself(line[i])) {
      out += line[i];
      continue;
    }
    if (line[i] != '\\' || line.size() - i < 4 || line[i + 1] != 'x') return std::nullopt;
    const auto high = hex_digit(line[i + 2]);
    const auto low = hex_digit(line[i + 3]);
    if (!high || !low) return std::nullopt;
    const char raw = static_cast<char>(*high * 16 + *low);
    if (stands_for_itself(raw)) return std::nullopt;
    out += raw;
    i += 3;
  }
  return out;
}

}  // namespace hark::kernel::format
