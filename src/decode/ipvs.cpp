#include "decode/ipvs.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "decode/text_lines.h"

namespace hark::decode {
namespace {

constexpr std::size_t kMostLines = 200'000;

struct MethodName {
  IpvsMethod method;
  std::string_view name;
};
constexpr std::array<MethodName, 4> kMethods = {{{IpvsMethod::Masq, "Masq"},
                                                 {IpvsMethod::Local, "Local"},
                                                 {IpvsMethod::Tunnel, "Tunnel"},
                                                 {IpvsMethod::Route, "Route"}}};

struct ProtocolName {
  std::string_view name;
  std::uint8_t number;
};
constexpr std::array<ProtocolName, 3> kProtocols = {{{"TCP", 6}, {"UDP", 17}, {"SCTP", 132}}};

template <typename T>
bool read_hex(std::string_view text, T& to) {
  const auto value = parse_number<T>(text, 16);
  if (text.size() != sizeof(T) * 2 || !value) return false;
  to = *value;
  return true;
}

/// "0A60000A:01BB", "[2001:0db8:0000:0000:0000:0000:0000:000a]:01BB"
bool read_place(std::string_view text, IpAddress& address, std::uint16_t& port) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !read_hex(text.substr(colon + 1), port)) return false;
  const std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    const auto parsed = IpAddress::parse(host.substr(1, host.size() - 2));
    if (!parsed || parsed->family != Family::Inet6) return false;
    address = *parsed;
    return true;
  }
  std::uint32_t number = 0;
  if (!read_hex(host, number)) return false;
  address = {.family = Family::Inet};
  for (unsigned i = 0; i < 4; ++i) {
    address.bytes[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return true;
}

/// "rr ", "rr ops ", "wlc persistent 90000 FFFFFFFF": what follows the place, or the mark.
bool read_flags(std::string_view line, IpvsService& to) {
  to.scheduler = next_word(line);
  if (to.scheduler.empty()) return false;
  for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
    if (word == "ops") {
      to.one_packet = true;
    } else if (word == "persistent") {
      // For how long, in ticks of a clock whose rate is not told, and for which clients together.
      to.persistent = !next_word(line).empty() && !next_word(line).empty();
      if (!to.persistent) return false;
    } else {
      return false;
    }
  }
  return true;
}

/// Nothing: the line is malformed.
std::optional<IpvsService> read_service(std::string_view line) {
  IpvsService out;
  const std::string_view kind = next_word(line);
  const std::string_view what = next_word(line);
  if (kind == "FWM") {
    if (!read_hex(what, out.mark) || out.mark == 0) return std::nullopt;
  } else {
    if (kind.empty() || !read_place(what, out.address, out.port)) return std::nullopt;
    const auto known = std::ranges::find(kProtocols, kind, &ProtocolName::name);
    if (known != kProtocols.end()) out.protocol = known->number;
  }
  if (!read_flags(line, out)) return std::nullopt;
  return out;
}

bool is_of_known_kind(const IpvsService& service) {
  return service.protocol != 0 || service.mark != 0;
}

std::optional<IpvsBackend> read_backend(std::string_view line) {
  IpvsBackend out;
  if (!read_place(next_word(line), out.address, out.port)) return std::nullopt;
  const auto method = std::ranges::find(kMethods, next_word(line), &MethodName::name);
  if (method != kMethods.end()) out.method = method->method;
  const auto weight = parse_number<std::int32_t>(next_word(line));
  if (!weight) return std::nullopt;
  out.weight = *weight;
  return out;
}

}  // namespace

Result<std::vector<IpvsService>> decode_ipvs(ByteView text) {
  constexpr std::size_t kHeading = 3;
  std::vector<IpvsService> out;
  TextLines lines(text, "/proc/net/ip_vs");
  bool known = false;
  std::size_t number = 0;
  while (auto line = lines.next()) {
    if (++number > kMostLines) return fail(lines.reject("more lines than can be"));
    if (number <= kHeading) {
      if (number == 1 && !line->starts_with("IP Virtual Server")) {
        return fail(lines.reject("not the heading of IPVS"));
      }
      continue;
    }
    if (line->starts_with("  ->")) {
      const auto backend = read_backend(line->substr(4));
      if (!backend || out.empty()) return fail(lines.reject("not a server of IPVS"));
      if (known) out.back().backends.push_back(*backend);
      continue;
    }
    auto service = read_service(*line);
    if (!service) return fail(lines.reject("not a service of IPVS"));
    known = is_of_known_kind(*service);
    if (known) out.push_back(std::move(*service));
  }
  if (lines.error()) return fail(*lines.error());
  std::ranges::stable_sort(out, {}, [](const IpvsService& one) {
    return std::tuple(one.mark, one.protocol, one.address, one.port);
  });
  return out;
}

std::string_view name_of(IpvsMethod method) {
  const auto known = std::ranges::find(kMethods, method, &MethodName::method);
  return known == kMethods.end() ? "another way" : known->name;
}

}  // namespace hark::decode
