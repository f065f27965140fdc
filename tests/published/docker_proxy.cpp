// Stands in for docker-proxy: its name, its command line, and a listener that gets what it says
// from the container. It tells "h:8080>" and then what that said; on standard output that it is
// ready.
#include <unistd.h>

#include <array>
#include <map>
#include <string>

#include "endpoint.h"

namespace {

/// What the server there tells; empty: nobody is there.
std::string ask(const hark::Endpoint& to) {
  std::array<char, 64> said{};
  const int socket = ::socket(to.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool open = ::connect(socket, to.get(), to.size()) == 0;
  const ssize_t got = open ? ::read(socket, said.data(), said.size()) : 0;
  ::close(socket);
  return got > 0 ? std::string(said.data(), static_cast<std::size_t>(got)) : std::string();
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  const hark::Endpoint to(options["-container-ip"], options["-container-port"]);
  const int socket =
      hark::listening_socket(hark::Endpoint(options["-host-ip"], options["-host-port"]));
  if (socket < 0 || ::write(1, "x", 1) != 1) return 1;
  ::close(1);
  for (;;) {
    const int client = ::accept(socket, nullptr, nullptr);
    const std::string said = "h:" + options["-host-port"] + ">" + ask(to);
    (void)!::write(client, said.data(), said.size());
    ::close(client);
  }
}
