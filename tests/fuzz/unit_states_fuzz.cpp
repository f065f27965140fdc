// Any answer of hark-units: units by name, each once, none larger than the answer.
#include <cstdint>
#include <cstdlib>

#include "decode/unit_states.h"
#include "host/unit_states.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const hark::ByteView parts(reinterpret_cast<const std::byte*>(data), size);
  const auto states = hark::decode::decode_unit_states(parts);
  if (!states) return 0;
  std::size_t total = 0;
  for (std::size_t i = 0; i < states->size(); ++i) {
    const hark::decode::UnitState& one = (*states)[i];
    if (i > 0 && (*states)[i - 1].name >= one.name) std::abort();
    total += one.name.size() + one.description.size() + one.load_error.size();
    for (const auto& name : one.triggers) total += name.size();
    hark::host::UnitFacts facts;
    facts.name = one.name;
    hark::host::add_state(one, facts);
    if (facts.can_start == false && facts.cannot_start_because.empty()) std::abort();
  }
  if (total > size) std::abort();
  return 0;
}
