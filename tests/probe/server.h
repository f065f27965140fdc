// A real server in a network namespace of this process, and a conversation with it over sockets.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probe/conversation.h"

namespace hark::servers {

/// A folder that is gone with this object, open to every user.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
  /// Gives it to that user, with all that is in it.
  void give_to(const std::string& user) const;

 private:
  std::string path_;
};

void write_file(const std::string& path, const std::string& text);
[[nodiscard]] std::string read_file(const std::string& path);

/// Runs a program to its end; its exit status.
int run(const std::vector<std::string>& command, const std::string& user = {});

/// A server in the foreground, ended with this object. Its two outputs go into `log`.
class Server {
 public:
  Server(const std::vector<std::string>& command, std::string log, const std::string& user = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() { end(); }

  /// Until a TCP connection succeeds; fails the test if the server ends before.
  void wait_for(std::uint16_t port, const std::string& address = "127.0.0.1");
  /// Until a UDP conversation gets an answer.
  void wait_for_udp(std::uint16_t port);
  /// By `signal`, SIGTERM unless said, and waits.
  void end(int signal = 0);
  [[nodiscard]] std::string log() const { return read_file(log_); }

 private:
  [[nodiscard]] bool ended();

  pid_t pid_ = -1;
  std::string log_;
};

/// The whole conversation; nothing: no byte came. Fails the test if it lasts longer than a minute.
[[nodiscard]] std::optional<probe::Service> talk(std::uint16_t port,
                                                 probe::Scheme scheme = probe::Scheme::None,
                                                 const std::string& host = {},
                                                 Protocol protocol = Protocol::Tcp);
/// "protocol: detail"
[[nodiscard]] std::string words(const std::optional<probe::Service>& service);

/// What `hark test` with these arguments prints. Fails the test if it ends with another status.
[[nodiscard]] std::string hark_test(const std::vector<std::string>& arguments, int status);
/// Of `hark test --json` a line for each attempt: "127.0.0.1:22 answered application ssh true",
/// with what it came to, the phase, who answered ("-": nobody) and whether that was predicted.
[[nodiscard]] std::string tried(const std::vector<std::string>& targets);

/// Sends `text` to a TCP port and gives what comes until the peer closes or is silent for a while.
[[nodiscard]] std::string ask(std::uint16_t port, const std::string& text);

/// Makes a key and a self-signed certificate for `name`, both in PEM, valid from `begins` to `ends`
/// seconds from now.
void make_certificate(const std::string& file, const std::string& name, long begins, long ends);

/// "4042bcee.0": how OpenSSL looks for that certificate in a folder of authorities.
[[nodiscard]] std::string hashed_name(const std::string& file);

/// A namespace with nothing but `lo`, for the life of the process; skips where there is no root.
class ServersTest : public testing::Test {
 protected:
  void SetUp() override;
};

/// Skips the test if the program is not installed.
#define NEEDS(program)                                                                  \
  if (!hark::servers::installed(program)) {                                             \
    GTEST_SKIP() << (program) << " is not installed: packages.txt has it in [servers]"; \
  }
[[nodiscard]] bool installed(const std::string& program);

}  // namespace hark::servers
