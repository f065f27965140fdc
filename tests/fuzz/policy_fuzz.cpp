// host/policy_file.h, and the TOML below it: any bytes are a policy or have problems that stand at
// places of the text, in order; what a policy says is within its bounds.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "host/policy_file.h"

namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hark::host;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto policy = parse_policy(text);
  if (!policy) {
    require(!policy.error().empty());
    std::uint32_t line = 1;
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    for (const PolicyProblem& one : policy.error()) {
      require(one.place.line >= line && one.place.line <= lines + 1 && one.place.column >= 1);
      require(!one.what.empty());
      line = one.place.line;
    }
    return 0;
  }
  for (const Expectation& one : policy->expectations) {
    require(one.as.empty() == (one.first_port != 0));
    require(one.first_port <= one.last_port);
    require(!words_of(one).empty());
    for (const OwnerWish& owner : one.owners) require(!owner.terms.empty());
    if (one.reach.kind == ReachWish::Kind::Sources) require(!one.reach.sources.empty());
    require(words_of(one.reach).empty() == (one.reach.kind == ReachWish::Kind::NotSaid));
    for (const WishedSource& source : one.reach.sources) {
      require(source.from.has_value() || !source.interface.empty());
    }
  }
  return 0;
}
