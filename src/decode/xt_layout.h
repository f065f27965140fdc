// What the tables of layouts are written with. Only for xt_*_layouts.cpp.
#pragma once

#include <linux/netfilter/x_tables.h>

#include <cstddef>

#include "decode/xt_blob.h"

// offsetof takes a type and a member as text: there is no other way than a macro.
#define HARK_AT(field, type, member)                                                   \
  FieldPlace {                                                                         \
    Field::field, static_cast<std::uint16_t>(offsetof(type, member)),                  \
        static_cast<std::uint16_t>(sizeof(static_cast<type*>(nullptr)->member)), false \
  }
/// The same of a number in network byte order.
#define HARK_AT_BE(field, type, member)                                               \
  FieldPlace {                                                                        \
    Field::field, static_cast<std::uint16_t>(offsetof(type, member)),                 \
        static_cast<std::uint16_t>(sizeof(static_cast<type*>(nullptr)->member)), true \
  }

namespace hark::decode::xt {

template <typename T>
constexpr Layout layout(std::string_view name, std::uint32_t revision,
                        std::span<const FieldPlace> fields) {
  return {name, revision, (sizeof(T) + 7U) & ~std::size_t{7}, fields};
}

}  // namespace hark::decode::xt
