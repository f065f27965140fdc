// Any file: settings are pieces of it, and redaction changes values alone, once.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "decode/unit_file.h"
#include "host/redact_unit_files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using hark::decode::decode_unit_file;
  const hark::ByteView file(reinterpret_cast<const std::byte*>(data), size);
  const auto settings = decode_unit_file(file);
  const hark::Bytes once = hark::host::redact_unit_file("/etc/systemd/system/x.service", file);
  if (hark::host::redact_unit_file("/etc/systemd/system/x.service", once) != once) std::abort();
  const auto redacted = decode_unit_file(once);
  if (settings.has_value() != redacted.has_value()) std::abort();
  if (!settings) return 0;
  if (settings->size() != redacted->size()) std::abort();
  std::size_t total = 0;
  for (std::size_t i = 0; i < settings->size(); ++i) {
    const hark::decode::UnitSetting& one = (*settings)[i];
    total += one.key.size() + one.value.size() + 1;
    if (one.key != (*redacted)[i].key || one.section != (*redacted)[i].section) std::abort();
    if (one.value.empty() != (*redacted)[i].value.empty()) std::abort();
    const auto text = hark::decode::without_specifiers(one.value, "foo-bar@inst.socket");
    if (text && one.key == "ListenStream") {
      const auto at = hark::decode::parse_listen_address(*text);
      if (at && at->port == 0) std::abort();
    }
    const auto program = hark::decode::program_of_command(one.value);
    if (program && program->empty()) std::abort();
    const auto name = hark::decode::split_unit_name(one.value);
    if (name && name->prefix.empty()) std::abort();
  }
  if (total > size + settings->size()) std::abort();
  return 0;
}
