// decode_cgroup_file and telling_path. What is accepted is written as a file again, every group as
// a removed one, and must come back the same.
#include <algorithm>
#include <cstdlib>

#include "decode/cgroup.h"

namespace {

using namespace hark;
using namespace hark::decode;

void require(bool truth) {
  if (!truth) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto lines = decode_cgroup_file(std::as_bytes(std::span(data, size)));
  if (!lines) {
    require(lines.error().why.starts_with("line "));
    return 0;
  }
  std::string again;
  for (const CgroupLine& line : *lines) {
    require(line.path.starts_with('/'));
    require(line.path.find_first_of(std::string("\n\0", 2)) == std::string::npos);
    again += std::to_string(line.hierarchy) + ":" + line.controllers + ":" + line.path;
    again += " (deleted)\n";
  }
  require(decode_cgroup_file(as_bytes(again)) == lines);
  const std::string path = telling_path(*lines);
  const auto is_path = [&](const CgroupLine& line) { return line.path == path; };
  require(path == "/" || std::any_of(lines->begin(), lines->end(), is_path));
  return 0;
}
