// The table of what hark knows to ask services, and to read from them. A row is a probe: pure
// functions over bytes that a stranger sent. Rows are in services_*.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "probe/conversation.h"

namespace hark::probe {

/// What a reader sees.
struct Heard {
  std::string_view bytes;  ///< all that came, from the first byte on; UDP: the last datagram
  std::uint16_t port = 0;
  unsigned asked = 0;  ///< questions that were sent on this connection before
  bool ended = false;  ///< no more will come
};

/// What a reader says of it.
struct Reading {
  enum class Verdict : std::uint8_t {
    NotMine,  ///< another protocol, or nothing to tell it by
    More,     ///< could be: wait for more bytes (only while !Heard::ended)
    Known,    ///< `service` says what it is
  };
  Verdict verdict = Verdict::NotMine;
  Service service;
  std::string say;      ///< sent as the next question; what follows is read again with asked + 1
  std::string leave;    ///< Known: the goodbye
  bool to_tls = false;  ///< Known: from here on the peer waits for a TLS handshake
};

[[nodiscard]] Reading not_mine();
[[nodiscard]] Reading more();
[[nodiscard]] Reading known(std::string_view protocol, std::string detail, std::string leave = {});

/// Readers of a service that was not asked for see its bytes too: they must know their own.
using Read = Reading (*)(const Heard& heard);
/// The question; null: the service speaks first, or nothing polite can be asked.
using Question = std::string (*)(const Asked& asked);

struct Probe {
  std::string_view name;
  Question question = nullptr;
  Read read = nullptr;
};

/// What is usual on a port.
struct Usual {
  std::uint16_t port = 0;
  std::string_view probe;     ///< a name of the table
  std::string_view over_tls;  ///< the service's name over TLS if TLS comes first there; else empty
};

/// Every probe of TCP: those that speak first before those that are asked.
[[nodiscard]] std::span<const Probe* const> tcp_probes();
[[nodiscard]] const Probe* tcp_probe(std::string_view name);
/// Null: nothing is known of the port.
[[nodiscard]] const Usual* usual_on_tcp(std::uint16_t port);

/// Null: nothing polite can be asked on that port.
[[nodiscard]] const Probe* udp_probe(std::uint16_t port);

// The rows, by file.
[[nodiscard]] std::span<const Probe> line_probes();      // services_lines.cpp
[[nodiscard]] std::span<const Probe> greeting_probes();  // services_greetings.cpp
[[nodiscard]] std::span<const Probe> http_probes();      // services_http.cpp
[[nodiscard]] std::span<const Probe> store_probes();     // services_stores.cpp
[[nodiscard]] std::span<const Probe> frame_probes();     // services_frames.cpp

/// Does this look like the beginning of a TLS record (an alert or a handshake message)?
[[nodiscard]] bool is_tls_record(std::string_view bytes);

/// A literal with zero bytes in it.
template <std::size_t kSize>
[[nodiscard]] std::string raw(const char (&text)[kSize]) {
  return std::string(text, kSize - 1);
}

/// The first line of a text, without its end; whole says whether the end was there.
struct Line {
  std::string_view text;
  bool whole = false;
};
[[nodiscard]] Line first_line(std::string_view bytes);

/// Bytes of a stranger for people: one line, printable ASCII, at most `most` characters; what is
/// left out or replaced shows as '?' and "…".
[[nodiscard]] std::string quoted(std::string_view bytes, std::size_t most = 80);

/// Case-blind over ASCII.
[[nodiscard]] bool contains_word(std::string_view text, std::string_view word);

/// The value of the first `"key":` in a text that holds JSON, without its quotes and cut short;
/// empty: there is none. No parser: enough for a version in an object that may be cut off.
[[nodiscard]] std::string value_in_json(std::string_view text, std::string_view key);

/// A number in network byte order at `at`; 0 if the bytes end before.
[[nodiscard]] std::uint16_t be16(std::string_view bytes, std::size_t at);
[[nodiscard]] std::uint32_t be32(std::string_view bytes, std::size_t at);
[[nodiscard]] std::uint32_t le32(std::string_view bytes, std::size_t at);
/// The byte at `at`; 0 if the bytes end before.
[[nodiscard]] std::uint8_t byte_at(std::string_view bytes, std::size_t at);
void put_be16(std::string& to, std::uint16_t value);
void put_be32(std::string& to, std::uint32_t value);

}  // namespace hark::probe
