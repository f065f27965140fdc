// Unit files of systemd: systemd.syntax(7), systemd.unit(5), systemd.socket(5), systemd.service(5);
// where those leave a question open, src/shared/conf-parser.c and src/core/load-fragment.c decide.
//
// A unit is one file and any number of drop-ins behind it. Each is decoded by itself; the
// settings one after the other are the unit's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/protocol.h"
#include "base/result.h"

namespace hark::decode {

/// The sections that are read. What stands in others, or before the first, is passed over.
enum class UnitSection : std::uint8_t { Unit, Socket, Service, Install };

struct UnitSetting {
  UnitSection section = UnitSection::Unit;
  std::string key;
  std::string value;  ///< empty: takes back what was assigned before
  bool operator==(const UnitSetting&) const = default;
};

/// The longest file that is taken: systemd's own limit for one line (LONG_LINE_MAX).
constexpr std::size_t kLargestUnitFile = std::size_t{1} << 20;

/// The settings of one file, in order. An error for what systemd refuses to load: a heading without
/// its bracket, a file without end. Lines that it only warns of are passed over.
[[nodiscard]] Result<std::vector<UnitSetting>> decode_unit_file(ByteView file);

/// The value that holds: the last one; nothing if there is none or the last is empty.
[[nodiscard]] std::optional<std::string_view> last_value(std::span<const UnitSetting> settings,
                                                         UnitSection section, std::string_view key);
/// All values of a key that may come several times; an empty one takes back those before it.
[[nodiscard]] std::vector<std::string_view> all_values(std::span<const UnitSetting> settings,
                                                       UnitSection section, std::string_view key);

/// The pieces of a unit's name: "foo-bar@inst.service" → "foo-bar", "inst", "service". Without '@'
/// there is no instance; with an empty one it is a template.
struct UnitName {
  std::string_view prefix;
  std::optional<std::string_view> instance;
  std::string_view type;
};
/// Nothing for what systemd does not take for a unit's name (unit_name_is_valid).
[[nodiscard]] std::optional<UnitName> split_unit_name(std::string_view name);
/// "foo@inst.service" → "foo@.service"; any other name unchanged.
[[nodiscard]] std::string template_of(std::string_view name);

/// Replaces the specifiers that say something about the unit's own name, or are the same on every
/// system (%i %I %j %J %n %N %p %P %%). Nothing if there is another that systemd knows: its value
/// is not known here. "%e" and the like mean nothing and stay.
[[nodiscard]] std::optional<std::string> without_specifiers(std::string_view text,
                                                            std::string_view unit_name);

/// An address of ListenStream= or ListenDatagram= (socket_address_parse of
/// src/shared/socket-netlink.c): "80", "1.2.3.4:80", "[::1]:80", "[fe80::1]:80%eth0".
struct ListenAddress {
  /// Nothing: only a port was given, which is [::], or 0.0.0.0 on a host without IPv6.
  std::optional<IpAddress> address;
  std::uint16_t port = 0;
  std::string device;  ///< of a link-local address; empty: none
  bool operator==(const ListenAddress&) const = default;
};
/// Nothing for paths, names of other families, and what systemd does not take.
[[nodiscard]] std::optional<ListenAddress> parse_listen_address(std::string_view text);

/// The program of an ExecStart= line, without the characters in front that change how it is run.
/// Quotes are taken off. Nothing if no path or name can be found.
[[nodiscard]] std::optional<std::string> program_of_command(std::string_view command);

}  // namespace hark::decode
