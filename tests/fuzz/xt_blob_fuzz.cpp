// Matches and targets of any bytes: the first says which extension, the rest is its structure.
#include <algorithm>
#include <cstdlib>
#include <span>
#include <vector>

#include "decode/xt_blob.h"
#include "decode/xt_programs.h"
#include "decode/xt_words.h"

namespace {

using namespace hark;
using namespace hark::decode;

void require(bool truth) {
  if (!truth) std::abort();
}

template <typename Extension>
void check(const xt::Layout& layout, Bytes info, std::string_view begin) {
  info.resize(layout.size);
  const Extension extension{std::string(layout.name), layout.revision, std::move(info)};
  require(xt::read(extension).has_value());
  for (const Family family : {Family::Inet, Family::Inet6}) {
    xt::WordsContext context;
    context.family = family;
    const std::string words = xt::words_of(extension, context);
    require(words.starts_with(begin) && words.size() < 20'000);
  }
  const auto blob = xt::read(extension);
  require(xt::u32_tests(*blob).size() <= 11 && xt::bpf_program(*blob).size() <= 64 &&
          xt::policy_elements(*blob, Family::Inet6).size() <= 4);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes = std::as_bytes(std::span(data, size)).subspan(1);
  const Bytes info(bytes.begin(), bytes.end());
  std::size_t which = data[0];
  for (const auto layouts : {xt::common_match_layouts(), xt::rare_match_layouts()}) {
    if (which < layouts.size()) {
      check<nft::XtMatch>(layouts[which], info, "-m ");
      return 0;
    }
    which -= layouts.size();
  }
  const auto targets = xt::target_layouts();
  check<nft::XtTarget>(targets[which % targets.size()], info, "-j ");
  return 0;
}
