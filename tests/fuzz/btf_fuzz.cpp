// ask_btf: answers lie in what was asked about, and asking twice gives the same.
#include <array>
#include <cstdlib>
#include <span>

#include "kernel/btf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hark;
  using namespace hark::kernel;
  const auto ask = [&](std::array<BtfQuestion, 5>& questions) {
    return ask_btf(std::as_bytes(std::span(data, size)), questions).has_value();
  };
  const std::array<BtfQuestion, 5> questions = {{{BtfFact::Offset, "sock", "right", {}},
                                                 {BtfFact::Bit, "bits", "b", {}},
                                                 {BtfFact::Size, "net", {}, {}},
                                                 {BtfFact::Function, "do_it", {}, {}},
                                                 {BtfFact::Offset, "outer", "far", {}}}};
  auto first = questions;
  auto second = questions;
  if (ask(first) != ask(second)) std::abort();
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first.at(i).answer != second.at(i).answer) std::abort();
  }
  if (first[1].answer.value_or(0) > 7) std::abort();
  return 0;
}
