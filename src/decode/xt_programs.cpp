#include "decode/xt_programs.h"

#include <linux/netfilter/xt_bpf.h>
#include <linux/netfilter/xt_policy.h>
#include <linux/netfilter/xt_u32.h>

#include <algorithm>
#include <cstring>

namespace hark::decode::xt {
namespace {

IpAddress address_of(const xt_policy_addr& from, hark::Family family) {
  IpAddress out;
  out.family = family;
  std::memcpy(out.bytes.data(), &from, family == hark::Family::Inet ? 4 : 16);
  return out;
}

unsigned bits_of(const xt_policy_spec& spec) {
  return (spec.saddr ? PolicyElement::Source : 0U) |
         (spec.daddr ? PolicyElement::Destination : 0U) |
         (spec.proto ? PolicyElement::Protocol : 0U) | (spec.mode ? PolicyElement::Mode : 0U) |
         (spec.spi ? PolicyElement::Spi : 0U) | (spec.reqid ? PolicyElement::Request : 0U);
}

}  // namespace

std::vector<U32Test> u32_tests(const Blob& blob) {
  const std::size_t count = blob.number(Field::Count);
  ByteReader reader(blob.bytes(Field::Program));
  std::vector<U32Test> out;
  if (count > XT_U32_MAXSIZE + 1) return out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto test = reader.value<xt_u32_test>();
    if (!reader.ok() || test.nnums == 0 || test.nnums > XT_U32_MAXSIZE + 1 ||
        test.nvalues > XT_U32_MAXSIZE + 1)
      return {};
    U32Test& one = out.emplace_back();
    one.offset = test.location[0].number;
    for (std::size_t j = 1; j < test.nnums; ++j) {
      if (test.location[j].nextop > XT_U32_AT) return {};
      one.steps.push_back(
          {static_cast<U32Test::Op>(test.location[j].nextop), test.location[j].number});
    }
    for (std::size_t j = 0; j < test.nvalues; ++j)
      one.values.emplace_back(test.value[j].min, test.value[j].max);
  }
  return out;
}

std::vector<BpfInstruction> bpf_program(const Blob& blob) {
  std::vector<BpfInstruction> out;
  if (blob.has(Field::Mode) && blob.number(Field::Mode) != XT_BPF_MODE_BYTECODE) return out;
  const std::size_t count = blob.number(Field::Count);
  if (count > XT_BPF_MAX_NUM_INSTR) return out;
  ByteReader reader(blob.bytes(Field::Program));
  for (std::size_t i = 0; i < count; ++i) {
    const auto one = reader.value<sock_filter>();
    out.push_back({one.code, one.jt, one.jf, one.k});
  }
  return out;
}

std::vector<PolicyElement> policy_elements(const Blob& blob, hark::Family family) {
  const std::size_t count = std::min<std::size_t>(blob.number(Field::Length), XT_POLICY_MAX_ELEM);
  ByteReader reader(blob.bytes(Field::Program));
  std::vector<PolicyElement> out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto from = reader.value<xt_policy_elem>();
    PolicyElement& to = out.emplace_back();
    to.source = address_of(from.saddr, family);
    to.source_mask = address_of(from.smask, family);
    to.destination = address_of(from.daddr, family);
    to.destination_mask = address_of(from.dmask, family);
    to.spi = from.spi;
    to.request = from.reqid;
    to.protocol = from.proto;
    to.mode = from.mode;
    to.wants = bits_of(from.match);
    to.inverts = bits_of(from.invert);
  }
  return out;
}

}  // namespace hark::decode::xt
