// find_doors on a command line, parted by NUL, of the program that the first byte chooses; each
// word as a port specification too.
#include <cstdlib>

#include "host/doors.h"
#include "host/fake_source.h"

namespace {

using namespace hark;
using namespace hark::host;

void require(bool truth) {
  if (!truth) std::abort();
}

void check_ports(const std::vector<DoorPorts>& all) {
  for (const DoorPorts& ports : all) {
    if (!ports.to.empty()) {
      require(ports.first > 0 && ports.first <= ports.last && ports.target == 0);
      continue;
    }
    require(ports.first > 0 && ports.first <= ports.last && ports.target > 0);
    require(ports.target + (ports.last - ports.first) <= 65535);
    Door door;
    door.ports = {ports};
    Listener listener;
    listener.protocol = ports.protocol;
    listener.port = ports.first;
    require(door_port(door, listener) == ports.target);
    listener.port = ports.last;
    require(door_port(door, listener) >= ports.target);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView words = std::as_bytes(std::span(data, size)).subspan(1);
  const auto programs = door_programs();
  Process process;
  process.pid = 50;
  process.exe = std::string("/usr/bin/") + programs[data[0] % programs.size()].program;
  process.command_line = decode::decode_cmdline(words);
  for (const std::string& word : *process.command_line) {
    check_ports(pasta_ports(word, Protocol::Udp));
    if (const auto port = rootlesskit_port(word)) check_ports({*port});
  }
  FakeSource source;
  source.link("/proc/50/ns/net", "net:[1]");
  source.folder("/proc/50/task", {"50"});
  source.file("/proc/50/task/50/children", as_text(words));
  ContainerNames names(source);
  std::vector<Process> processes = {process};
  find_doors(source, names, {}, processes);
  if (!processes[0].door) return 0;
  check_ports(processes[0].door->ports);
  require(!processes[0].door->kind.empty() && !processes[0].door->container);
  (void)door_target(*processes[0].door, 80);
  return 0;
}
