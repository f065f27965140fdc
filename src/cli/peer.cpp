#include "cli/peer.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace hark::cli {
namespace {

constexpr std::string_view kDigits = "0123456789";

bool only_of(std::string_view text, std::string_view set) {
  return !text.empty() && text.find_first_not_of(set) == std::string_view::npos;
}

/// Parts "HOST:PORT" and "[HOST]:PORT". False: brackets that do not fit.
bool part(std::string_view text, std::string_view& host, std::optional<std::string_view>& port) {
  host = text;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return false;
    if (!rest.empty()) port = rest.substr(1);
    return true;
  }
  // Two colons or more: an IPv6 address without brackets, which can have no port.
  if (std::ranges::count(text, ':') == 1) {
    host = text.substr(0, text.find(':'));
    port = text.substr(text.find(':') + 1);
  }
  return true;
}

bool is_name(std::string_view text) {
  constexpr std::size_t kLongest = 253;
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  // A last part of digits alone is an address that is wrong, as in 10.0.0.300.
  const std::string_view last = text.substr(text.rfind('.') + 1);
  return text.size() <= kLongest && only_of(text, kLetters) && text.front() != '-' &&
         text.front() != '.' && !only_of(last, kDigits);
}

}  // namespace

Result<Peer> parse_peer(const std::string& option, const std::string& text) {
  const auto bad = [&](std::string why, std::string hint) {
    return fail(plain_error(option + " " + text, std::move(why), std::move(hint)));
  };
  const std::string forms = "written 10.0.0.9, 10.0.0.9:40000, fd00::9 or [fd00::9]:40000";
  if (text.empty()) return fail(plain_error(option, "the address is empty", forms));
  if (text.find('/') != std::string::npos) return bad("one address, no prefix", forms);
  Peer out;
  out.written = text;
  std::string_view host;
  std::optional<std::string_view> port;
  if (!part(text, host, port)) return bad("not an address", forms);
  if (port) {
    out.port = parse_number<std::uint16_t>(*port);
    if (!out.port || *out.port == 0) return bad("a port is a number from 1 to 65535", forms);
  }
  const std::size_t percent = host.find('%');
  out.address = IpAddress::parse(host.substr(0, percent));
  if (out.address) {
    if (percent != std::string_view::npos) {
      out.zone = host.substr(percent + 1);
      if (out.zone.empty()) return bad("an interface is missing behind the %", forms);
    }
    return out;
  }
  if (!is_name(host)) return bad("not an address", forms);
  out.name = host;
  return out;
}

}  // namespace hark::cli
