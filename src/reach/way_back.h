// The way of an answer to the client: out of the namespace where it is made, through others, and
// to whoever has asked, who may not take it for an answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "reach/carrier.h"
#include "reach/passage.h"
#include "reach/sites.h"
#include "reach/trace.h"

namespace hark::reach {

/// The client's port where the question does not say: one of the range that contract.md means.
constexpr std::uint16_t kAnyPort = 45678;

/// By which link a packet came in, to those who are bound to one. One of this host to itself goes
/// over lo, but to them it came by the link that has its address (__ip_route_output_key_hash:
/// orig_oif; ip6_rcv_core: IP6CB iif).
[[nodiscard]] std::uint32_t link_for_sockets(const host::Network& network, const Packet& packet);

/// Steps from that one on are all of one stage; those that only say that nothing happened go.
void relabel(std::vector<Step>& path, std::size_t from, Stage stage);

/// A rule refused an answer by a reset to whoever gave it, and another rule that reset by an ICMP
/// error: that goes to the client, as whose the reset was made.
struct Rebound {
  Site* site = nullptr;
  Packet reset;
  Refusal refusal;
};

class WayBack {
 public:
  /// Keeps the references.
  WayBack(Sites& sites, const Question& question, Carrier& carrier)
      : sites_(sites), question_(question), carrier_(carrier) {}

  /// Sends a packet that was made in `from`; on lo through PREROUTING and INPUT again. `bound` is
  /// the link that its socket is bound to. Nothing: it got there; else what became of it.
  [[nodiscard]] std::optional<Blocker> send(Site& from, Packet& packet, std::uint32_t bound);

  /// What has come to the client as it is: nothing if he takes it for an answer.
  [[nodiscard]] std::optional<Blocker> taken_for_answer(const Packet& packet);

  std::optional<Rebound> rebound = {};  ///< of what was sent last
  bool local = false;                   ///< the client is in the namespace of the question
  bool everybody = false;               ///< it asked by a broadcast or multicast address

 private:
  [[nodiscard]] std::optional<Blocker> at_client(const Site& from, Carried& way,
                                                 const Packet& packet);
  [[nodiscard]] bool is_understood(const Carried& way, const Packet& packet) const;
  void reset_answerer(Site& site, const Packet& packet, const Refusal& refusal);
  [[nodiscard]] Carried pass_reset(Site& site, const Packet& packet, Packet& reset);
  [[nodiscard]] bool is_for_question(const Packet& packet) const;
  [[nodiscard]] Blocker not_understood(const Packet& packet);
  [[nodiscard]] Blocker leaves_bound(const Packet& packet);
  [[nodiscard]] std::optional<Blocker> by_other_link(const Packet& packet);

  Sites& sites_;
  const Question& question_;
  Carrier& carrier_;
};

}  // namespace hark::reach
