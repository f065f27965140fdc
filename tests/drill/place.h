// A little host and a neighbour, each in a network namespace of its own, for hark drill and the
// lesson. Root alone can make it. All that it starts ends with the test, however that ends.
//
//   host    eth0 10.9.0.5/24, eth1 10.8.0.5/24 where nobody gets an answer to ARP; no IPv6
//   client  the other ends, with all addresses that a drill takes for a neighbour's
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hark::drilltest {

/// What a client saw, in the words of hark's outcomes.
struct Seen {
  std::string outcome;  ///< "answered", "refused", "rejected", "silent", "hangs", "no-neighbour"
};

/// How a service behaves.
enum class Manner : unsigned char {
  Serves,   ///< TCP: says hello as HTTP would; UDP: sends back what came
  Stopped,  ///< SIGSTOP: the kernel alone answers
  Full,     ///< nobody accepts, and its queue is full
  Resets,   ///< accepts and resets
};
struct Service {
  const char* name = "";
  bool stream = true;
  std::uint16_t port = 0;
  const char* address = "0.0.0.0";
  Manner manner = Manner::Serves;
};

struct Ran {
  int status = -1;  ///< exit status; of a signal 128 + its number
  std::string out;  ///< both streams
};

class Place {
 public:
  Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place();

  [[nodiscard]] pid_t host() const { return host_; }
  [[nodiscard]] pid_t client() const { return client_; }

  /// Starts it, in place of what has the port; done when it behaves as it should.
  void start(const Service& service, const std::string& address);
  [[nodiscard]] static const std::vector<Service>& services();

  /// A real packet from the client's namespace.
  [[nodiscard]] Seen probe(bool stream, const std::string& source, const std::string& destination,
                           std::uint16_t port) const;
  /// The same from the host itself.
  [[nodiscard]] Seen probe_here(bool stream, const std::string& destination,
                                std::uint16_t port) const;

 private:
  std::map<std::uint16_t, pid_t> servers_;
  pid_t host_ = -1;
  pid_t client_ = -1;
};

/// A process of ours in the namespace of that one; the child returns 0.
[[nodiscard]] pid_t fork_in(pid_t netns_of, uid_t uid = 0);

/// Runs a program with its words there, with these variables besides PATH, and standard input.
[[nodiscard]] Ran run_in(pid_t netns_of, const std::vector<std::string>& words,
                         const std::vector<std::string>& variables = {},
                         const std::string& input = {}, uid_t uid = 0);

}  // namespace hark::drilltest
