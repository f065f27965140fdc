// The transport protocols whose listeners hark lists.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hark {

enum class Protocol : std::uint8_t { Tcp, Mptcp, Udp, Udplite, Raw };

/// "tcp", "mptcp", "udp", "udplite", "raw": the words of the contract, also on the command line.
[[nodiscard]] std::string_view name_of(Protocol protocol);
[[nodiscard]] std::optional<Protocol> protocol_named(std::string_view name);

/// TCP_LISTEN and TCP_CLOSE of net/tcp_states.h: the only two states a listener can be in. An
/// unconnected UDP or raw socket is in CLOSE; ss and we call it UNCONN.
constexpr std::uint8_t kTcpListen = 10;
constexpr std::uint8_t kTcpClose = 7;

}  // namespace hark
