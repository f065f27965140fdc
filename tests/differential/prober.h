// Asks the questions of a case with real packets and says what a client sees.
//
// Clients on the links are played by raw frames at the other ends of the links: whoever is asked
// for by the host is there, and no second network stack has a say. Nothing waits for time to pass:
// the whole case runs on one processor, whose queue of received packets is first in, first out, so
// a frame of our own that comes through behind the others (the sentinel) tells that they were dealt
// with.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "place.h"
#include "script.h"
#include "servers.h"

namespace hark::differential {

/// What one client saw. `outcome` is a word of contract.md, or "forwarded": the packet left the
/// host again; "invalid": this cannot be asked (no such interface, a foreign address on lo).
struct Observation {
  std::string outcome;
  std::string icmp = {};
  int error = 0;               ///< of a local client
  std::string listener = {};   ///< that answered
  std::string delivered = {};  ///< that got the datagram, or data, whether or not it could answer
  std::uint16_t source_port = 0;
};
[[nodiscard]] std::string words_of(const Observation& observation);

struct ProbeSettings {
  int grace_ms = 30;  ///< waited for late frames once everything was dealt with
};

class Prober {
 public:
  /// Opens its sockets; the place must be at its end of being made. `case_number` spreads ports.
  Prober(const Place& place, Servers& servers, const std::vector<IpAddress>& dead);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  /// One observation a question, in their order. Questions that must differ in their source port
  /// to be told apart do so: where a question leaves the port open, or two have the same.
  [[nodiscard]] std::vector<Observation> ask(const std::vector<Ask>& asks,
                                             const ProbeSettings& settings);

 private:
  struct Work;
  std::unique_ptr<Work> work_;
};

}  // namespace hark::differential
