// The parts of matches that are lists of things: tests of u32, instructions of bpf, elements of
// policy. linux/netfilter/xt_u32.h, linux/filter.h, linux/netfilter/xt_policy.h.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "decode/xt_blob.h"

namespace hark::decode::xt {

struct U32Test {
  enum class Op : std::uint8_t { And, ShiftLeft, ShiftRight, At };
  struct Step {
    Op op = Op::And;
    std::uint32_t number = 0;
  };
  std::uint32_t offset = 0;  ///< where the first number is loaded, from the IP header on
  std::vector<Step> steps;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> values;  ///< ranges, any of which will do
};
/// All of them must hold. Empty: the match is broken.
[[nodiscard]] std::vector<U32Test> u32_tests(const Blob& blob);

/// struct sock_filter
struct BpfInstruction {
  std::uint16_t code = 0;
  std::uint8_t if_true = 0, if_false = 0;
  std::uint32_t k = 0;
};
/// Empty: the program is not in the rule, but pinned somewhere.
[[nodiscard]] std::vector<BpfInstruction> bpf_program(const Blob& blob);

struct PolicyElement {
  // XT_POLICY: what of it counts, and what is turned around.
  enum Bit : unsigned {
    Source = 1,
    Destination = 2,
    Protocol = 4,
    Mode = 8,
    Spi = 16,
    Request = 32
  };
  IpAddress source, source_mask, destination, destination_mask;
  std::uint32_t spi = 0, request = 0;
  std::uint8_t protocol = 0, mode = 0;
  unsigned wants = 0, inverts = 0;
};
[[nodiscard]] std::vector<PolicyElement> policy_elements(const Blob& blob, hark::Family family);

}  // namespace hark::decode::xt
