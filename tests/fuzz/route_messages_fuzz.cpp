// The decoders of rtnetlink: whatever they accept is within bounds, and the same bytes twice over
// give every record twice.
#include <cstdlib>

#include "decode/link_facts.h"
#include "decode/route_messages.h"

namespace {

using namespace hark;
using namespace hark::decode;

void require(bool truth) {
  if (!truth) std::abort();
}

void require_prefix(const Prefix& prefix) {
  require(prefix.length <= prefix.address.bits());
  require(prefix.contains(prefix.address));
}

void check(const AddressRecord& record) {
  require_prefix(record.subnet);
  require(record.address.family == record.subnet.address.family);
}

void check(const RouteRecord& record) {
  require_prefix(record.destination);
  require(record.destination.address.family == record.family);
  if (record.source) require_prefix(*record.source);
  for (const NextHop& hop : record.hops) require(hop.weight != 0);
}

void check(const PolicyRule& record) {
  if (record.source) require_prefix(*record.source);
  if (record.destination) require_prefix(*record.destination);
  require(record.first_uid.has_value() == record.last_uid.has_value());
  require(record.suppress_prefix_length != -1);
}

void check(const NeighbourRecord& /*record*/) {}

void check(const NexthopObject& record) {
  require(record.id != 0);
}

void check(const LinkFacts& record) {
  require(record.index != 0 && !record.name.empty() && record.name.size() <= 15);
}

template <typename Decode>
auto run(ByteView bytes, const Decode& decode) {
  const auto records = decode(bytes);
  if (!records) {
    require(!records.error().what.empty());
    return records;
  }
  for (const auto& record : *records) check(record);
  if (bytes.size() % 4 == 0) {
    Bytes twice(bytes.begin(), bytes.end());
    append(twice, bytes);
    const auto again = decode(ByteView(twice));
    require(again && again->size() == 2 * records->size());
  }
  return records;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  run(bytes, decode_addresses);
  run(bytes, decode_policy_rules);
  run(bytes, decode_neighbours);
  run(bytes, decode_link_facts);
  auto routes = run(bytes, decode_routes);
  run(bytes, decode_nexthops);
  // Routes and objects of one input, parted by its first byte that says where.
  if (size < 2) return 0;
  const std::size_t middle = std::min<std::size_t>(size, std::size_t{data[0]} * 4 + 1);
  auto first = decode_routes(bytes.subspan(1, middle - 1));
  const auto second = decode_nexthops(bytes.subspan(middle));
  if (!first || !second) return 0;
  const std::size_t count = first->size();
  resolve_nexthops(*first, *second);
  require(first->size() == count);
  return 0;
}
