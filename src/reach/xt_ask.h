// What the functions that judge one match are handed. Only for xt_*.cpp.
#pragma once

#include <string>
#include <string_view>

#include "decode/xt_blob.h"
#include "reach/xt.h"

namespace hark::reach {

using decode::xt::Blob;
using decode::xt::Field;

struct Ask {
  World& world;
  const XtContext& context;
  const Blob& blob;
  const decode::nft::XtMatch& match;
  const Packet& packet;
  const ConntrackView& view;

  /// Conntrack has an entry for the packet: nf_ct_get() gives one.
  [[nodiscard]] const Connection* connection() const;
  [[nodiscard]] std::string words() const;
  /// Lets the trace go both ways.
  [[nodiscard]] bool unsure(std::string_view code, Doubt doubt) const;
  /// The name of the device by which the packet came (xt_in), or leaves (xt_out); empty: none.
  [[nodiscard]] std::string in() const;
  [[nodiscard]] std::string out() const;
};

using Judge = XtMatched (*)(const Ask& ask);

[[nodiscard]] constexpr XtMatched when(bool matched) {
  return matched ? XtMatched::Yes : XtMatched::No;
}
[[nodiscard]] bool has_ports(const Packet& packet);
/// Does a match for tcp or udp fail by its destination port alone? xt_header.cpp
[[nodiscard]] bool xt_port_fails(const decode::nft::XtMatch& match, const Packet& packet);

/// xt_in() and xt_out() are set at these hooks only.
[[nodiscard]] bool has_in(HookPoint hook);
[[nodiscard]] bool has_out(HookPoint hook);

/// Matches by their names; nullptr: not one of those.
[[nodiscard]] Judge connection_judge(std::string_view name);  ///< xt_connection.cpp
[[nodiscard]] Judge header_judge(std::string_view name);      ///< xt_header.cpp
[[nodiscard]] Judge state_judge(std::string_view name);       ///< xt_host_state.cpp
[[nodiscard]] Judge chance_judge(std::string_view name);      ///< xt_chance.cpp
[[nodiscard]] Judge payload_judge(std::string_view name);     ///< xt_payload.cpp
[[nodiscard]] XtMatched judge_set(const Ask& ask);            ///< xt_set.cpp

}  // namespace hark::reach
