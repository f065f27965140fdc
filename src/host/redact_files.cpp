#include "host/redact_files.h"

#include "host/redact_state_files.h"
#include "host/redact_unit_files.h"

namespace hark::host {

Bytes redact_file(const std::string& path, ByteView file) {
  return redact_unit_file(path, redact_state_file(path, file));
}

}  // namespace hark::host
