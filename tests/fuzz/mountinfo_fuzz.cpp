// decode_mountinfo, hidepid_level and netns_inode. What is accepted is written as a file again and
// must come back the same.
#include <cstdio>
#include <cstdlib>

#include "decode/mountinfo.h"

namespace {

using namespace hark;
using namespace hark::decode;

void require(bool truth) {
  if (!truth) std::abort();
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view(" \t\n\\").find(c) == std::string_view::npos) {
      out += c;
      continue;
    }
    char octal[8];
    std::snprintf(octal, sizeof octal, "\\%03o", static_cast<unsigned>(c));
    out += octal;
  }
  return out;
}

std::string encode(const MountRecord& mount) {
  return "1 0 0:1 " + escape(mount.root) + " " + escape(mount.mount_point) + " " + mount.options +
         " tag:1 - " + escape(mount.type) + " " + escape(mount.source) + " " + mount.super_options +
         "\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView text = std::as_bytes(std::span(data, size));
  if (const auto inode = netns_inode(as_text(text))) {
    require(netns_inode("net:[" + std::to_string(*inode) + "]") == inode);
  }
  const auto mounts = decode_mountinfo(text);
  if (!mounts) {
    require(mounts.error().why.starts_with("line "));
    return 0;
  }
  std::string again;
  for (const MountRecord& mount : *mounts) again += encode(mount);
  require(decode_mountinfo(as_bytes(again)) == mounts);
  require(hidepid_level(*mounts) <= 2);
  return 0;
}
