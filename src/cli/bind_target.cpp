#include "cli/bind_target.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace hark::cli {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr const char* kForms = "written 8080, udp/53, *:80, 10.0.0.5:443, [::1]:80 or localhost:80";

bool only_of(std::string_view text, std::string_view set) {
  return !text.empty() && text.find_first_not_of(set) == std::string_view::npos;
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

/// The protocol in front of a slash.
Result<Protocol> protocol_of(const std::string& word, std::string_view name) {
  const auto found = protocol_named(lower(name));
  if (found == Protocol::Mptcp) return Protocol::Tcp;
  if (found && *found != Protocol::Raw) return *found;
  return fail(plain_error(word, "no protocol with ports: " + std::string(name),
                          "there are: tcp, udp, udplite"));
}

struct Pieces {
  std::string_view address;
  std::string_view zone;
  std::string_view port;
  bool brackets = false;
};

/// "ADDRESS%ZONE:PORT", "[ADDRESS%ZONE]:PORT" and "[ADDRESS]%ZONE:PORT" into their pieces. Nothing:
/// there is no port, or brackets do not fit.
std::optional<Pieces> pieces_of(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Pieces out;
  out.port = text.substr(colon + 1);
  std::string_view left = text.substr(0, colon);
  if (left.starts_with('[')) {
    const std::size_t close = left.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    out.brackets = true;
    const std::string_view behind = left.substr(close + 1);
    if (!behind.empty() && behind.front() != '%') return std::nullopt;
    out.zone = behind;
    left = left.substr(1, close - 1);
  }
  const std::size_t percent = left.find('%');
  out.address = left.substr(0, percent);
  if (percent != std::string_view::npos) {
    if (!out.zone.empty()) return std::nullopt;
    out.zone = left.substr(percent);
  }
  return out;
}

}  // namespace

Result<BindTarget> parse_bind_target(const std::string& word) {
  const auto bad = [&word](std::string why, std::string hint = kForms) {
    return fail(plain_error(word.empty() ? "bind" : word, std::move(why), std::move(hint)));
  };
  BindTarget out;
  out.written = word;
  std::string_view text = word;
  if (text.empty()) return bad("the address is empty");
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto protocol = protocol_of(word, text.substr(0, slash));
    if (!protocol) return fail(protocol.error());
    out.protocol = *protocol;
    text.remove_prefix(slash + 1);
    if (text.find('/') != std::string_view::npos) return bad("one address, no prefix");
  }
  const std::string lone = only_of(text, kDigits) ? "*:" + std::string(text) : std::string(text);
  if (const auto whole = IpAddress::parse(lone.substr(0, lone.find('%')))) {
    if (whole->family == Family::Inet6) {
      return bad("an IPv6 address with a port stands in brackets", "as in [::1]:80");
    }
    if (lone.find(':') == std::string::npos) {
      return bad("the port is missing", "for example: " + lone + ":8080");
    }
  }
  const auto pieces = pieces_of(lone);
  if (!pieces)
    return bad(lone.find(':') == std::string::npos ? "the port is missing" : "no address");
  const auto port = parse_number<std::uint16_t>(pieces->port);
  if (!port) {
    return bad("\"" + std::string(pieces->port) + "\" is no port: a number from 0 to 65535");
  }
  out.port = *port;
  if (!pieces->zone.empty()) {
    out.zone = pieces->zone.substr(1);
    if (out.zone.empty()) return bad("an interface is missing behind the %");
  }
  const std::string_view address = pieces->address;
  if (!pieces->brackets && (address.empty() || address == "*" || lower(address) == "any")) {
    return out;
  }
  out.address = IpAddress::parse(address);
  const bool v6 = out.address && out.address->family == Family::Inet6;
  if (v6 != pieces->brackets) {
    if (v6) return bad("an IPv6 address stands in brackets", "as in [::1]:80");
    return bad("\"" + std::string(address) + "\" is no IPv6 address");
  }
  if (out.address) return out;
  if (address.find(':') != std::string_view::npos) {
    return bad("an IPv6 address stands in brackets", "as in [::1]:80");
  }
  if (!is_name(address)) return bad("\"" + std::string(address) + "\" is no address");
  out.name = address;
  return out;
}

}  // namespace hark::cli
