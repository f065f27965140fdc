// The state file of drills, which anybody may have written: what is read is what would be written,
// and whatever is typed is one of the answers or none.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "drill/drill_grade.h"
#include "drill/drill_history.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto history = hark::drill::parse_history(text)) {
    const auto again = hark::drill::parse_history(hark::drill::text_of(*history));
    if (!again || *again != *history) std::abort();
    auto changed = *history;
    hark::drill::note(changed, "owner:here:tcp:22", 100, 20'000);
    (void)hark::drill::finish(changed, 20'000);
    if (!hark::drill::parse_history(hark::drill::text_of(changed))) std::abort();
  }
  hark::drill::Question question;
  for (const char* one : {"nginx", "it connects, and is served", "none"}) {
    question.choices.push_back({.text = one});
  }
  const auto reply = hark::drill::reply_of(question, text);
  if (reply.choice >= question.choices.size()) std::abort();
  return 0;
}
