#include "decode/passwd.h"

#include <algorithm>

#include "base/text.h"

namespace hark::decode {

std::vector<UserName> decode_passwd(ByteView text) {
  std::vector<UserName> out;
  std::string_view rest = as_text(text);
  while (!rest.empty()) {
    std::string_view line = next_piece(rest, '\n');
    const std::string_view name = next_piece(line, ':');
    next_piece(line, ':');  // the password, or the x that stands for it
    const auto uid = parse_number<std::uint32_t>(next_piece(line, ':'));
    if (name.empty() || name.front() == '#' || !uid) continue;
    next_piece(line, ':');  // the group
    next_piece(line, ':');  // what finger shows
    out.push_back({*uid, std::string(name), std::string(next_piece(line, ':'))});
  }
  std::ranges::stable_sort(out, {}, &UserName::uid);
  // Not std::ranges::unique: clang 14 rejects what it returns in libstdc++ 12.
  const auto same_uid = [](const UserName& a, const UserName& b) { return a.uid == b.uid; };
  out.erase(std::unique(out.begin(), out.end(), same_uid), out.end());
  return out;
}

}  // namespace hark::decode
