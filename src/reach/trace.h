// What happens to one packet from one client: from the wire to accept(), and the answer back.
//
// trace() never asks the kernel, but for what an Oracle offers. It follows the packet stage by
// stage in the kernel's order, goes on behind the first blocker as if that were not there, and
// where a fact does not decide goes every way (choices.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/host.h"
#include "host/network.h"
#include "host/networks.h"
#include "reach/packet.h"
#include "reach/world.h"

namespace hark::reach {

class Clients;
struct ReachCache;

/// A packet that a client sends: the whole question.
struct Question {
  Protocol protocol = Protocol::Tcp;  ///< Tcp or Udp
  IpAddress source, destination;
  std::optional<std::uint16_t> source_port = {};  ///< empty: any of 32768 to 60999
  std::uint16_t port = 0;
  std::uint32_t interface =
      0;  ///< index of the link by which it comes in; loopback: from this host
  std::uint32_t bound =
      0;  ///< from this host: the link that the client's socket is bound to; 0: none
};

enum class Outcome : std::uint8_t {
  Answered,
  Refused,
  Rejected,
  Silent,
  Hangs,
  NoNeighbour,
  Depends,
  Unknown
};
/// "answered", "no-neighbour" …
[[nodiscard]] std::string_view name_of(Outcome outcome);

enum class Certainty : std::uint8_t { Exact, ExactNow, Depends, Unknown };
/// "exact", "exact-now" …
[[nodiscard]] std::string_view name_of(Certainty certainty);

/// CLASS of contract.md, for one source.
struct Answer {
  Question question;
  Outcome outcome = Outcome::Unknown;
  std::string icmp = {};  ///< of Rejected: "host-unreachable" …; empty: none
  int error = 0;  ///< errno that the client's connect() or recv() gives; 0: none, or a timeout
  std::vector<Outcome> possible = {};      ///< of Depends and Unknown
  std::vector<Condition> conditions = {};  ///< that decide among `possible`
  Certainty certainty = Certainty::Exact;
  Cause cause;
  /// Names the place that decided, whoever the client is; empty: he is answered.
  std::string place = {};
  std::vector<Cause> next = {};  ///< what else would block
  /// What may take the place of `cause`, where the outcome is certain and its cause is not.
  std::vector<Cause> instead = {};
  std::optional<std::size_t> delivers_to = {};  ///< position in Host::listeners
  std::vector<std::size_t> or_to = {};  ///< others that may get it: they share the port with that
  std::vector<Step> path = {};
  std::vector<std::string> assumptions = {};
  /// Sets that are too large to be read: the kernel could be asked for this one packet
  /// (host::ask_element), and the question be asked again.
  std::vector<host::ElementQuestion> wanted = {};
};

/// Answers questions about one namespace. Makes its rules and routes ready once; keeps references.
class Tracer {
 public:
  /// Packets that leave the namespace are followed through `others`, which must outlive this and
  /// know `network`; nullptr: what becomes of them is not known.
  Tracer(const host::Host& host, const host::Network& network, host::Networks* others = nullptr);
  ~Tracer();
  [[nodiscard]] Answer trace(const Question& question) const;
  /// The same for many clients, of whom the question's is one: `clients` has those with the same
  /// answer at the end. The question names a source port.
  [[nodiscard]] Answer trace(const Question& question, Clients* clients) const;

  [[nodiscard]] const host::Network& network() const { return network_; }
  /// What reach() keeps from one destination to the next.
  [[nodiscard]] ReachCache& reach_cache() const;

 private:
  struct Prepared;
  const host::Host& host_;
  const host::Network& network_;
  std::unique_ptr<Prepared> prepared_;
};

/// One question: Tracer(host, network).trace(question).
[[nodiscard]] Answer trace(const host::Host& host, const host::Network& network,
                           const Question& question);

}  // namespace hark::reach
