#include "decode/endpoint.h"

#include <algorithm>

#include "base/address.h"

namespace hark::decode {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_' || c == '*';
}

bool is_name(std::string_view text) {
  return std::ranges::all_of(text, is_name_character);
}

bool is_inet6(std::string_view text) {
  const auto address = IpAddress::parse(text);
  return address && address->family == Family::Inet6;
}

}  // namespace

std::optional<Endpoint> split_endpoint(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view host = text.substr(1, end - 1);
    std::string_view rest = text.substr(end + 1);
    if (!is_inet6(host)) return std::nullopt;
    if (rest.empty()) return Endpoint{host, {}};
    if (rest.front() != ':') return std::nullopt;
    rest.remove_prefix(1);
    return rest.empty() || !is_name(rest) ? std::nullopt : std::optional(Endpoint{host, rest});
  }
  if (is_inet6(text)) return Endpoint{text, {}};
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return is_name(text) ? std::optional(Endpoint{text, {}}) : std::nullopt;
  }
  const std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (port.empty() || !is_name(host) || !is_name(port)) return std::nullopt;
  return Endpoint{host, port};
}

}  // namespace hark::decode
