// Servers of a test that do something with their connections, in a namespace, on one thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"

namespace hark::netns {

class Talkers {
 public:
  enum class Manner : std::uint8_t {
    Mute,    ///< accepts, and says nothing
    Reset,   ///< accepts, and resets
    Banner,  ///< greets as an SSH server does, and keeps the connection until the client ends it
    Echo,    ///< UDP: gives back what it gets
    Deaf,    ///< UDP: has a socket, and reads nothing
  };
  struct Role {
    std::uint16_t port;
    Manner manner;
    const char* address = nullptr;  ///< nullptr: every address of both families
  };

  /// In the namespace at `path`. Where that fails the test does.
  Talkers(const std::string& path, const std::vector<Role>& roles);
  Talkers(const Talkers&) = delete;
  Talkers& operator=(const Talkers&) = delete;
  ~Talkers();

  /// Waits until so many clients of Banner have closed their connections.
  void wait_for_goodbyes(unsigned count);

 private:
  struct Socket {
    UniqueFd fd;
    Manner manner;
    bool listens;
  };
  void open(const Role& role);
  void run();
  void serve(Socket& socket);
  void greet(Socket& socket);

  std::vector<Socket> sockets_;
  UniqueFd stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned goodbyes_ = 0;
  std::thread thread_;
};

}  // namespace hark::netns
