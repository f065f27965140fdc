#include "decode/services.h"

#include "base/text.h"

namespace hark::decode {
namespace {

std::string_view next_field(std::string_view& line) {
  const std::size_t begin = std::min(line.find_first_not_of(" \t\r"), line.size());
  line.remove_prefix(begin);
  const std::string_view out = line.substr(0, line.find_first_of(" \t\r"));
  line.remove_prefix(out.size());
  return out;
}

}  // namespace

std::map<std::string, std::uint16_t> decode_services(ByteView text) {
  std::map<std::string, std::uint16_t> out;
  std::string_view rest = as_text(text);
  while (!rest.empty()) {
    std::string_view line = next_piece(rest, '\n');
    line = line.substr(0, line.find('#'));
    std::string_view name = next_field(line);
    std::string_view value = next_field(line);
    const auto port = parse_number<std::uint16_t>(next_piece(value, '/'));
    if (!port || *port == 0 || (value != "tcp" && value != "udp")) continue;
    for (; !name.empty(); name = next_field(line)) out.emplace(name, *port);
  }
  return out;
}

}  // namespace hark::decode
