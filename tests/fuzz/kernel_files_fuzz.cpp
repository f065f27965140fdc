// Files in which parts of the kernel tell of their sockets, and fdinfo of io_uring and UNIX
// sockets; services of IPVS.
#include <cstdint>
#include <cstdlib>

#include "decode/ipvs.h"
#include "decode/kernel_files.h"

namespace {

using namespace hark;
using namespace hark::decode;

void require(bool truth) {
  if (!truth) std::abort();
}

void check(const Result<std::vector<KernelSocket>>& sockets) {
  if (!sockets) return require(!sockets.error().why.empty());
  for (const KernelSocket& socket : *sockets) require(socket.port != 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  check(decode_rxrpc_locals(bytes));
  check(decode_nfsd_portlist(bytes));
  if (const auto port = decode_port(bytes)) require(*port != 0);
  if (const auto portal = decode_portal(as_text(bytes))) {
    require(portal->port != 0 && portal->address && portal->family == portal->address->family);
  }
  if (const auto files = decode_ring_fdinfo(bytes)) {
    require(files->sockets.size() + files->names.size() <= 4096);
    for (const std::string& name : files->names) require(!name.empty() && name.size() <= size);
  }
  (void)decode_scm_fds(bytes);
  if (const auto services = decode_ipvs(bytes)) {
    for (const IpvsService& service : *services) {
      require((service.mark == 0) != (service.protocol == 0) && !service.scheduler.empty());
    }
  }
  return 0;
}
