// Makes the questions of a drill from what is known of a host. Pure: the same facts and seed give
// the same questions. A question whose answer hangs on something that was not read is not made, and
// no wrong choice is true as well.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "diagnose/finding.h"
#include "drill/drill_question.h"
#include "host/host.h"
#include "reach/reach_table.h"

namespace hark::drill {

/// Whatever the questions are made of. The parts must outlive what is made.
struct Facts {
  const host::Host& host;
  const reach::ReachTable& reach;
  std::vector<std::size_t> listeners;  ///< positions in Host::listeners
  std::span<const diagnose::Finding> findings = {};
  /// Who reaches these listeners of one namespace, in a few words; not needed.
  std::function<std::string(const std::vector<std::size_t>&)> reach_words = {};
  /// What goes before a command to run it in that namespace; empty function: nothing is known, and
  /// only of hark's own namespace commands are told.
  std::function<std::string(host::NetnsId)> enter = {};
};

/// Listeners of one port and protocol in one namespace: what a person calls a port.
struct Port {
  host::NetnsId netns{};
  bool stream = true;  ///< TCP and MPTCP; else UDP
  std::uint16_t port = 0;
  std::vector<std::size_t> listeners;  ///< ascending
};
/// By namespace, port, TCP first. Raw sockets and UDP-Lite have none.
[[nodiscard]] std::vector<Port> ports_of(const Facts& facts);

/// How much a port deserves to be known: 0, and more for being open to others or having a finding.
[[nodiscard]] unsigned weight_of(const Facts& facts, const Port& port);

class Maker {
 public:
  explicit Maker(const Facts& facts);
  Maker(const Maker&) = delete;
  Maker& operator=(const Maker&) = delete;
  ~Maker();

  /// Every question that can be asked of these ports, and of closed ports in their namespaces.
  /// Choices stand as `seed` shuffles them. By kind, then by port.
  [[nodiscard]] std::vector<Question> make(std::span<const Port> ports, std::uint64_t seed);

 private:
  struct Tools;
  std::unique_ptr<Tools> tools_;
};

}  // namespace hark::drill
