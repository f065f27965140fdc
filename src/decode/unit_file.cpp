#include "decode/unit_file.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace hark::decode {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view stripped(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::optional<UnitSection> section_named(std::string_view name) {
  struct Named {
    std::string_view name;
    UnitSection section;
  };
  constexpr std::array kSections = {
      Named{"Unit", UnitSection::Unit}, Named{"Socket", UnitSection::Socket},
      Named{"Service", UnitSection::Service}, Named{"Install", UnitSection::Install}};
  for (const Named& one : kSections) {
    if (one.name == name) return one.section;
  }
  return std::nullopt;
}

/// An odd number of them: the last one stands for itself and joins the next line.
bool ends_in_backslash(std::string_view line) {
  const std::size_t other = line.find_last_not_of('\\');
  const std::size_t count = line.size() - (other == std::string_view::npos ? 0 : other + 1);
  return count % 2 == 1;
}

/// Takes one file apart, line by line.
class Decoder {
 public:
  /// False: this line makes the file unusable.
  bool line(std::string_view line) {
    line = stripped(line);
    if (line.empty() || line.front() == '#' || line.front() == ';') return true;
    if (line.front() == '[') {
      if (line.back() != ']') return false;
      section_ = section_named(line.substr(1, line.size() - 2));
      return true;
    }
    const std::size_t equals = line.find('=');
    if (!section_ || equals == std::string_view::npos) return true;
    settings_.push_back({.section = *section_,
                         .key = std::string(stripped(line.substr(0, equals))),
                         .value = std::string(stripped(line.substr(equals + 1)))});
    return true;
  }
  std::vector<UnitSetting> take() { return std::move(settings_); }

 private:
  std::optional<UnitSection> section_;
  std::vector<UnitSetting> settings_;
};

bool is_comment(std::string_view line) {
  const std::size_t first = line.find_first_not_of(kBlanks);
  return first != std::string_view::npos && (line[first] == '#' || line[first] == ';');
}

bool fits_a_name(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view(":-_.\\@").find(c) != std::string_view::npos;
}

constexpr std::array<std::string_view, 11> kTypes = {"service",   "socket", "device", "mount",
                                                     "automount", "swap",   "target", "path",
                                                     "timer",     "slice",  "scope"};

/// unit_name_unescape of src/basic/unit-name.c: '-' is '/', "\x2d" any byte.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    constexpr std::size_t kEscape = 4;
    if (text.substr(i, 2) == "\\x" && i + kEscape <= text.size()) {
      if (const auto byte = parse_number<std::uint8_t>(text.substr(i + 2, 2), 16)) {
        out += static_cast<char>(*byte);
        i += kEscape - 1;
        continue;
      }
    }
    out += text[i] == '-' ? '/' : text[i];
  }
  return out;
}

/// What stands behind the last dash of a prefix.
std::string_view final_component(std::string_view prefix) {
  return prefix.substr(prefix.rfind('-') + 1);
}

std::optional<std::string> specifier(char letter, std::string_view whole, const UnitName& name) {
  const std::string_view instance = name.instance.value_or("");
  switch (letter) {
    case 'i':
      return std::string(instance);
    case 'I':
      return unescaped(instance);
    case 'j':
      return std::string(final_component(name.prefix));
    case 'J':
      return unescaped(final_component(name.prefix));
    case 'n':
      return std::string(whole);
    case 'N':
      return std::string(whole.substr(0, whole.size() - name.type.size() - 1));
    case 'p':
      return std::string(name.prefix);
    case 'P':
      return unescaped(name.prefix);
    case '%':
      return "%";
    default:
      break;
  }
  // What depends on the host or the user. Of a letter without meaning both characters stay.
  constexpr std::string_view kOfTheHost = "aAbBcCdDEfgGhHlLmMoqrRsStTuUvVwWyY";
  if (kOfTheHost.find(letter) != std::string_view::npos) return std::nullopt;
  return std::string{'%', letter};
}

}  // namespace

Result<std::vector<UnitSetting>> decode_unit_file(ByteView file) {
  if (file.size() > kLargestUnitFile) return fail(plain_error("unit file", "it is too long"));
  std::string_view rest = as_text(file);
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
  Decoder decoder;
  std::string joined;
  bool going_on = false;
  std::size_t number = 0;
  while (!rest.empty()) {
    std::string_view line = next_piece(rest, '\n');
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    // Comments may stand between the pieces of a line.
    if (is_comment(line)) continue;
    const bool goes_on = ends_in_backslash(line);
    if (goes_on) line.remove_suffix(1);
    if (going_on || goes_on) joined += line;
    if (goes_on) joined += ' ';
    if (!goes_on && !decoder.line(going_on ? std::string_view(joined) : line)) {
      return fail(plain_error("unit file", "line " + std::to_string(number) +
                                               ": a heading without its closing bracket"));
    }
    going_on = goes_on;
    if (!goes_on) joined.clear();
  }
  if (going_on && !decoder.line(joined)) {
    return fail(plain_error("unit file", "a heading without its closing bracket"));
  }
  return decoder.take();
}

std::optional<std::string_view> last_value(std::span<const UnitSetting> settings,
                                           UnitSection section, std::string_view key) {
  for (std::size_t i = settings.size(); i > 0; --i) {
    const UnitSetting& one = settings[i - 1];
    if (one.section != section || one.key != key) continue;
    if (one.value.empty()) return std::nullopt;
    return one.value;
  }
  return std::nullopt;
}

std::vector<std::string_view> all_values(std::span<const UnitSetting> settings, UnitSection section,
                                         std::string_view key) {
  std::vector<std::string_view> out;
  for (const UnitSetting& one : settings) {
    if (one.section != section || one.key != key) continue;
    if (one.value.empty()) {
      out.clear();
    } else {
      out.emplace_back(one.value);
    }
  }
  return out;
}

std::optional<UnitName> split_unit_name(std::string_view name) {
  constexpr std::size_t kLongest = 255;  // UNIT_NAME_MAX
  const std::size_t dot = name.rfind('.');
  if (name.size() > kLongest || dot == std::string_view::npos || dot == 0) return std::nullopt;
  UnitName out{.prefix = name.substr(0, dot), .instance = {}, .type = name.substr(dot + 1)};
  if (std::ranges::find(kTypes, out.type) == kTypes.end()) return std::nullopt;
  if (!std::ranges::all_of(out.prefix, fits_a_name)) return std::nullopt;
  const std::size_t at = out.prefix.find('@');
  if (at == 0) return std::nullopt;
  if (at != std::string_view::npos) {
    out.instance = out.prefix.substr(at + 1);
    out.prefix = out.prefix.substr(0, at);
  }
  return out;
}

std::string template_of(std::string_view name) {
  const auto pieces = split_unit_name(name);
  if (!pieces || !pieces->instance) return std::string(name);
  return std::string(pieces->prefix) + "@." + std::string(pieces->type);
}

std::optional<std::string> without_specifiers(std::string_view text, std::string_view unit_name) {
  const auto name = split_unit_name(unit_name);
  if (!name) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    // A name has at most 255 bytes, so what is made of a text is bounded by it.
    if (text[i] != '%' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const auto value = specifier(text[++i], unit_name, *name);
    if (!value || out.size() + value->size() > kLargestUnitFile) return std::nullopt;
    out += *value;
  }
  return out;
}

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
  ListenAddress out;
  if (const auto port = parse_port(text)) {
    out.port = *port;
    return out;
  }
  if (const std::size_t percent = text.find('%'); percent != std::string_view::npos) {
    out.device = text.substr(percent + 1);
    text = text.substr(0, percent);
    if (out.device.empty()) return std::nullopt;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  out.address = IpAddress::parse(host);
  out.port = *port;
  if (!out.address || brackets != (out.address->family == Family::Inet6)) return std::nullopt;
  return out;
}

std::optional<std::string> program_of_command(std::string_view command) {
  command = stripped(command);
  command.remove_prefix(std::min(command.find_first_not_of("@-:+!"), command.size()));
  if (command.empty()) return std::nullopt;
  std::string_view word;
  if (const char quote = command.front(); quote == '"' || quote == '\'') {
    const std::size_t end = command.find(quote, 1);
    if (end == std::string_view::npos) return std::nullopt;
    word = command.substr(1, end - 1);
  } else {
    word = command.substr(0, command.find_first_of(kBlanks));
  }
  // An escape would have to be understood first; no program that is met in the field needs one.
  if (word.empty() || word.find('\\') != std::string_view::npos) return std::nullopt;
  return std::string(word);
}

}  // namespace hark::decode
