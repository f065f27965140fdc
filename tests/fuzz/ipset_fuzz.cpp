// decode_ipset and decode_ipset_headers: what is accepted has a name and addresses that fit.
#include <cstdlib>
#include <span>

#include "decode/ipset.h"

namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hark;
  const ByteView bytes = std::as_bytes(std::span(data, size));
  const auto headers = decode::decode_ipset_headers(bytes);
  if (headers)
    for (const auto& header : *headers) require(!header.name.empty() && !header.type.empty());
  const auto set = decode::decode_ipset(bytes);
  if (!set) {
    require(!set.error().what.empty());
    return 0;
  }
  require(headers && headers->size() >= 1 && headers->front() == set->header);
  for (const auto& element : set->elements) {
    require(!element.address || element.length <= element.address->bits());
    require(!element.address2 || element.length2 <= element.address2->bits());
  }
  return 0;
}
