#include "host/redact_unit_files.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "decode/unit_file.h"
#include "host/redact.h"

namespace hark::host {
namespace {

using decode::UnitSection;

constexpr std::string_view kRedactedValue = "[redacted]";

/// Settings whose values are names, addresses and numbers. A list of what may stay, because
/// nobody knows all that may not.
constexpr std::array<std::string_view, 56> kKept = {"Accept",
                                                    "After",
                                                    "Alias",
                                                    "Also",
                                                    "Backlog",
                                                    "Before",
                                                    "BindIPv6Only",
                                                    "BindPaths",
                                                    "BindReadOnlyPaths",
                                                    "BindToDevice",
                                                    "BindsTo",
                                                    "Conflicts",
                                                    "DefaultDependencies",
                                                    "Description",
                                                    "DynamicUser",
                                                    "ExtensionDirectories",
                                                    "ExtensionImages",
                                                    "FileDescriptorName",
                                                    "FreeBind",
                                                    "Group",
                                                    "JoinsNamespaceOf",
                                                    "ListenDatagram",
                                                    "ListenFIFO",
                                                    "ListenMessageQueue",
                                                    "ListenNetlink",
                                                    "ListenSequentialPacket",
                                                    "ListenSpecial",
                                                    "ListenStream",
                                                    "ListenUSBFunction",
                                                    "MaxConnections",
                                                    "MaxConnectionsPerSource",
                                                    "MountImages",
                                                    "NetworkNamespacePath",
                                                    "PartOf",
                                                    "PrivateNetwork",
                                                    "RemainAfterExit",
                                                    "RequiredBy",
                                                    "Requires",
                                                    "Restart",
                                                    "RestartSec",
                                                    "ReusePort",
                                                    "RootDirectory",
                                                    "RootImage",
                                                    "Service",
                                                    "SocketProtocol",
                                                    "StartLimitBurst",
                                                    "StartLimitIntervalSec",
                                                    "TemporaryFileSystem",
                                                    "Transparent",
                                                    "TriggerLimitBurst",
                                                    "TriggerLimitIntervalSec",
                                                    "Type",
                                                    "UpheldBy",
                                                    "User",
                                                    "WantedBy",
                                                    "Wants"};
static_assert(std::ranges::is_sorted(kKept));

bool is_command(std::string_view key) {
  return key.starts_with("Exec") && key.find('=') == std::string_view::npos;
}

/// A line of several words is to redaction what the text of `sh -c` is.
std::string redacted_command(std::string_view value) {
  constexpr std::string_view kBefore("sh\0-c\0", 6);
  Bytes words;
  append(words, kBefore);
  append(words, value);
  const Bytes out = redact_command_line(words);
  const std::string_view text = as_text(out);
  if (!text.starts_with(kBefore)) return std::string(kRedactedValue);
  return std::string(text.substr(kBefore.size()));
}

std::string redacted_value(const decode::UnitSetting& one) {
  if (one.value.empty() || std::ranges::binary_search(kKept, one.key)) return one.value;
  if (is_command(one.key)) return redacted_command(one.value);
  return std::string(kRedactedValue);
}

Bytes redacted(ByteView file) {
  constexpr std::array<std::string_view, 4> kNames = {"Unit", "Socket", "Service", "Install"};
  if (file.empty()) return {};  // that masks a unit
  const auto settings = decode::decode_unit_file(file);
  if (!settings) return to_bytes("[redacted\n");
  Bytes out = to_bytes("# redacted\n");
  std::optional<UnitSection> section;
  for (const decode::UnitSetting& one : *settings) {
    if (section != one.section) {
      append(out, "[" + std::string(kNames[static_cast<std::size_t>(one.section)]) + "]\n");
      section = one.section;
    }
    // The blank keeps a backslash at the end from joining the next line.
    append(out, one.key + "=" + redacted_value(one) + " \n");
  }
  return out;
}

}  // namespace

Bytes redact_unit_file(const std::string& path, ByteView file) {
  if (path.find("/systemd/") == std::string::npos) return {file.begin(), file.end()};
  return redacted(file);
}

}  // namespace hark::host
