// Raw bytes, and a reader that cannot run past their end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace hark {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

/// The same memory, seen as text or as bytes.
[[nodiscard]] std::string_view as_text(ByteView bytes);
[[nodiscard]] ByteView as_bytes(std::string_view text);
[[nodiscard]] Bytes to_bytes(std::string_view text);

void append(Bytes& to, ByteView more);
void append(Bytes& to, std::string_view more);

/// Appends the memory of a plain value in this machine's byte order.
template <typename T>
requires std::is_trivially_copyable_v<T>
void append_value(Bytes& to, const T& value) {
  append(to, ByteView(reinterpret_cast<const std::byte*>(&value), sizeof value));
}

/// Reads plain values from the front of a view. Once a read has gone past the end, ok() is false
/// and every later read gives zero: check once, at the end of a record.
class ByteReader {
 public:
  explicit ByteReader(ByteView view) : view_(view) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool empty() const { return view_.empty(); }
  [[nodiscard]] std::size_t left() const { return view_.size(); }

  template <typename T>
  requires std::is_trivially_copyable_v<T> T value() {
    T out{};
    const ByteView piece = take(sizeof(T));
    if (piece.size() == sizeof(T)) std::memcpy(&out, piece.data(), sizeof(T));
    return out;
  }

  /// The next `count` bytes, or nothing (and ok() turns false) if there are fewer.
  ByteView take(std::size_t count) {
    if (count > view_.size()) {
      ok_ = false;
      view_ = {};
      return {};
    }
    const ByteView piece = view_.first(count);
    view_ = view_.subspan(count);
    return piece;
  }

 private:
  ByteView view_;
  bool ok_ = true;
};

}  // namespace hark
