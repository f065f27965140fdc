// /etc/passwd: passwd(5). Names of users that only a name service knows (LDAP, systemd) are not
// here and stay numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace hark::decode {

struct UserName {
  std::uint32_t uid = 0;
  std::string name;
  std::string home;
};

/// Sorted by uid, the first line of a uid wins. Lines that are no entries are passed over, as libc
/// does.
[[nodiscard]] std::vector<UserName> decode_passwd(ByteView text);

}  // namespace hark::decode
