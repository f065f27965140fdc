#include "decode/unit_states.h"

#include <algorithm>
#include <array>

#include "base/parts.h"
#include "base/text.h"
#include "base/unit_parts.h"

namespace hark::decode {
namespace {

constexpr const char* kWhat = "states of units";

struct TextRow {
  UnitPart tag;
  std::string UnitState::*member;
};
constexpr std::array kTexts = {
    TextRow{UnitPart::Description, &UnitState::description},
    TextRow{UnitPart::LoadState, &UnitState::load_state},
    TextRow{UnitPart::ActiveState, &UnitState::active_state},
    TextRow{UnitPart::SubState, &UnitState::sub_state},
    TextRow{UnitPart::Result, &UnitState::result},
    TextRow{UnitPart::Fragment, &UnitState::fragment},
    TextRow{UnitPart::LoadError, &UnitState::load_error},
};

/// False: the part has another size.
template <typename T>
bool take_number(ByteView bytes, std::optional<T>& to) {
  if (bytes.size() != sizeof(T)) return false;
  to = ByteReader(bytes).value<T>();
  return true;
}

bool take(UnitPart tag, ByteView bytes, UnitState& to) {
  for (const TextRow& row : kTexts) {
    if (row.tag == tag) to.*row.member = as_text(bytes);
  }
  if (tag == UnitPart::Restarts) return take_number(bytes, to.restarts);
  if (tag == UnitPart::ExitCode) return take_number(bytes, to.exit_code);
  if (tag == UnitPart::ExitStatus) return take_number(bytes, to.exit_status);
  if (tag == UnitPart::ExitTime) return take_number(bytes, to.exit_us);
  if (tag == UnitPart::StateSince) return take_number(bytes, to.since_us);
  if (tag != UnitPart::Triggers) return true;
  std::string_view names = as_text(bytes);
  while (!names.empty()) {
    const std::string_view name = next_piece(names, '\0');
    if (!name.empty()) to.triggers.emplace_back(name);
  }
  return true;
}

}  // namespace

Result<std::vector<UnitState>> decode_unit_states(ByteView parts) {
  std::vector<UnitState> out;
  PartReader reader(parts);
  while (const auto part = reader.next()) {
    const auto tag = static_cast<UnitPart>(part->tag);
    if (tag == UnitPart::Name) {
      out.emplace_back();
      out.back().name = as_text(part->bytes);
      continue;
    }
    if (out.empty()) return fail(plain_error(kWhat, "a fact before the first name"));
    if (part->error == 0 && !take(tag, part->bytes, out.back())) {
      return fail(plain_error(kWhat, "a number of another size"));
    }
  }
  if (reader.broken()) return fail(plain_error(kWhat, "cut off"));
  std::ranges::stable_sort(out, {}, &UnitState::name);
  const auto same = [](const UnitState& a, const UnitState& b) { return a.name == b.name; };
  out.erase(std::unique(out.begin(), out.end(), same), out.end());
  return out;
}

}  // namespace hark::decode
