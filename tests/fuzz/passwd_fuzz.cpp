// decode_passwd: sorted, each uid once, and the same when written as a file again.
#include <cstdlib>

#include "decode/passwd.h"

namespace {

using namespace hark;
using namespace hark::decode;

void require(bool truth) {
  if (!truth) std::abort();
}

bool same(const UserName& a, const UserName& b) {
  return a.uid == b.uid && a.name == b.name;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto users = decode_passwd(std::as_bytes(std::span(data, size)));
  std::string again;
  for (std::size_t i = 0; i < users.size(); ++i) {
    require(!users[i].name.empty() && users[i].name.front() != '#');
    require(users[i].name.find_first_of(":\n") == std::string::npos);
    require(i == 0 || users[i - 1].uid < users[i].uid);
    again += users[i].name + ":x:" + std::to_string(users[i].uid) + ":0:::\n";
  }
  const auto second = decode_passwd(as_bytes(again));
  require(second.size() == users.size());
  for (std::size_t i = 0; i < users.size(); ++i) require(same(users[i], second[i]));
  return 0;
}
