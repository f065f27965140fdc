#include "decode/xt_blob.h"

#include <algorithm>
#include <cstring>

namespace hark::decode::xt {
namespace {

std::uint64_t to_number(ByteView bytes, bool big_endian) {
  std::uint64_t out = 0;
  if (bytes.size() > sizeof out) return 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = std::to_integer<std::uint64_t>(bytes[big_endian ? i : bytes.size() - 1 - i]);
    out = out << 8U | byte;
  }
  return out;
}

template <typename Extension>
std::optional<Blob> read_with(std::span<const Layout> layouts, const Extension& extension) {
  const auto found = std::ranges::find_if(layouts, [&](const Layout& layout) {
    return layout.revision == extension.revision && layout.size == extension.info.size() &&
           layout.name == extension.name;
  });
  if (found == layouts.end()) return std::nullopt;
  return Blob(*found, extension.info);
}

}  // namespace

const FieldPlace* Blob::place(Field field) const {
  const auto found = std::ranges::find(layout_->fields, field, &FieldPlace::field);
  return found == layout_->fields.end() ? nullptr : &*found;
}

ByteView Blob::bytes(Field field) const {
  const FieldPlace* at = place(field);
  return at == nullptr ? ByteView() : info_.subspan(at->offset, at->size);
}

std::uint64_t Blob::number(Field field) const {
  const FieldPlace* at = place(field);
  return at == nullptr ? 0 : to_number(info_.subspan(at->offset, at->size), at->big_endian);
}

std::uint32_t Blob::item(Field field, std::size_t position, std::size_t width) const {
  const FieldPlace* at = place(field);
  if (at == nullptr || (position + 1) * width > at->size) return 0;
  return static_cast<std::uint32_t>(
      to_number(info_.subspan(at->offset + position * width, width), at->big_endian));
}

std::string Blob::text(Field field) const {
  const std::string_view all = as_text(bytes(field));
  return std::string(all.substr(0, all.find('\0')));
}

IpAddress Blob::address(Field field, hark::Family family) const {
  IpAddress out;
  out.family = family;
  const ByteView from = bytes(field);
  const std::size_t size = family == hark::Family::Inet ? 4 : 16;
  if (from.size() >= size) std::memcpy(out.bytes.data(), from.data(), size);
  return out;
}

std::optional<Blob> read(const nft::XtMatch& match) {
  const auto out = read_with(common_match_layouts(), match);
  return out ? out : read_with(rare_match_layouts(), match);
}

std::optional<Blob> read(const nft::XtTarget& target) {
  return read_with(target_layouts(), target);
}

}  // namespace hark::decode::xt
