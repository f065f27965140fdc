#include "kernel/answer_form.h"

#include "base/text.h"

namespace hark::kernel {

Bytes form_of_names(const std::vector<std::string>& names) {
  Bytes form;
  for (const std::string& name : names) {
    append(form, name);
    form.push_back(std::byte{0});
  }
  return form;
}

std::optional<std::vector<std::string>> names_of_form(ByteView form) {
  std::string_view text = as_text(form);
  if (!text.empty() && text.back() != '\0') return std::nullopt;
  std::vector<std::string> names;
  while (!text.empty()) names.emplace_back(next_piece(text, '\0'));
  return names;
}

Bytes form_of_clock(const Clock& clock) {
  return to_bytes(std::to_string(clock.realtime_ms) + " " + std::to_string(clock.boottime_ms));
}

std::optional<Clock> clock_of_form(ByteView form) {
  std::string_view text = as_text(form);
  const auto realtime = parse_number<std::int64_t>(next_piece(text, ' '));
  const auto boottime = parse_number<std::int64_t>(text);
  if (!realtime || !boottime) return std::nullopt;
  return Clock{.realtime_ms = *realtime, .boottime_ms = *boottime};
}

}  // namespace hark::kernel
