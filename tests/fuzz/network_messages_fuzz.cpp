// Traffic control, IPsec, conntrack, BPF programs, socket options: what their decoders accept is
// within bounds.
#include <cstdlib>

#include "decode/attached_programs.h"
#include "decode/conntrack.h"
#include "decode/socket_options.h"
#include "decode/tc_messages.h"
#include "decode/xfrm_policies.h"

namespace {

using namespace hark;
using namespace hark::decode;

void require(bool truth) {
  if (!truth) std::abort();
}

template <typename T>
void require_reason(const Result<T>& result) {
  if (!result) require(!result.error().what.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  const auto qdiscs = decode_qdiscs(bytes);
  require_reason(qdiscs);
  if (qdiscs) {
    for (const TcQdisc& one : *qdiscs) require(!one.kind.empty());
  }
  const auto filters = decode_tc_filters(bytes);
  require_reason(filters);
  if (filters) {
    for (const TcFilter& one : *filters) {
      require(!one.kind.empty() && one.handle != 0);
      require(one.understood || one.actions.empty());
    }
  }
  const auto policies = decode_xfrm_policies(bytes);
  require_reason(policies);
  if (policies) {
    for (const XfrmPolicyRecord& one : *policies) {
      require(one.direction < 3);
      require(one.source.address.family == one.family);
      require(one.source.contains(one.source.address));
      require(one.source_ports.first <= one.source_ports.last);
    }
  }
  require_reason(decode_xfrm_defaults(bytes));
  const auto entries = decode_conntrack(bytes);
  require_reason(entries);
  if (entries && !entries->empty()) {
    const ConntrackRecord& first = entries->front();
    const ConntrackQuery query{.protocol = first.protocol,
                               .source = first.source,
                               .destination = first.destination,
                               .source_port = first.source_port,
                               .destination_port = first.destination_port};
    const auto found = decode_conntrack(bytes, query);
    require(found && !found->empty() && found->front() == first);
  }
  const auto programs = decode_attached_programs(bytes);
  require_reason(programs);
  if (programs) {
    for (const AttachedPrograms& one : *programs) {
      for (const AttachedBpf& program : one.programs) require(name_of(program).size() <= 16);
    }
  }
  const auto options = decode_socket_options(bytes);
  require_reason(options);
  if (options) {
    const auto effect = filter_effect(*options);
    require(effect.has_value() == (options->filter.has_value() || options->filter_hidden));
    const bool none = options->filter && options->filter->empty() && !options->filter_hidden;
    require((effect == FilterEffect::None) == none);
  }
  return 0;
}
