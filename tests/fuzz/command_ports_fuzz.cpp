// ports_of_command and its kin: the first line is the program, the rest a command line or an
// environment. Bounded answers, and what is kept of an environment says the same.
#include <cstdlib>

#include "base/text.h"
#include "decode/process.h"
#include "host/command_ports.h"
#include "kernel/port_variables.h"

namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hark;
  using namespace hark::host;
  std::string_view text = as_text(std::as_bytes(std::span(data, size)));
  const std::string_view program = next_piece(text, '\n');
  const auto words = decode::decode_cmdline(as_bytes(text));
  const auto ports = ports_of_command(program, words);
  require(ports.size() <= kMostCommandPorts);
  for (const CommandPort& one : ports) require(!one.port.empty() && one.words.size() <= size + 1);
  const std::string kept = kernel::port_variables(text);
  require(kernel::port_variables(kept) == kept);
  require(ports_of_environment(kept) == ports_of_environment(text));
  return 0;
}
