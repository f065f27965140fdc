#include "decode/services.h"

#include <algorithm>

#include "base/text.h"

namespace hark::decode {

std::map<std::string, std::uint16_t> decode_services(ByteView text) {
  std::map<std::string, std::uint16_t> out;
  std::string_view rest = as_text(text);
  while (!rest.empty()) {
    std::string_view line = next_piece(rest, '\n');
    line = line.substr(0, line.find('#'));
    std::string_view name = next_word(line);
    std::string_view value = next_word(line);
    const auto port = parse_number<std::uint16_t>(next_piece(value, '/'));
    if (!port || *port == 0 || (value != "tcp" && value != "udp")) continue;
    for (; !name.empty(); name = next_word(line)) out.emplace(name, *port);
  }
  return out;
}

std::vector<IpAddress> decode_hosts(ByteView text, std::string_view name) {
  std::vector<IpAddress> out;
  std::string_view rest = as_text(text);
  while (!rest.empty()) {
    std::string_view line = next_piece(rest, '\n');
    line = line.substr(0, line.find('#'));
    const auto address = IpAddress::parse(next_word(line));
    if (!address) continue;
    bool named = false;
    for (std::string_view one = next_word(line); !one.empty(); one = next_word(line)) {
      named = named || one == name;
    }
    if (named && std::ranges::find(out, *address) == out.end()) out.push_back(*address);
  }
  return out;
}

}  // namespace hark::decode
