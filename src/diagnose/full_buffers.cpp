// Datagrams that wait in the receive buffer of a UDP socket until the program reads them. There is
// no limit but bytes: what does not fit is dropped without a word, and counted by the socket
// (__udp_enqueue_schedule_skb of net/ipv4/udp.c). Drops since the socket was made say little; that
// they rise now says that clients lose datagrams now.
#include <algorithm>
#include <array>

#include "diagnose/families.h"
#include "diagnose/queues.h"
#include "diagnose/words.h"

namespace hark::diagnose {
namespace {

using host::Listener;

bool is_udp(const Listener& listener) {
  return listener.protocol == Protocol::Udp || listener.protocol == Protocol::Udplite;
}

/// The kernel counts there as well. Drops of the socket alone may be those of a filter, or packets
/// whose checksum is wrong.
bool drops_for_want_of_room(const Facts& facts, const Listener& listener) {
  if (facts.rise_of_drops(listener) == 0) return false;
  constexpr std::array kCounters = {"UdpRcvbufErrors", "Udp6RcvbufErrors", "UdpLiteRcvbufErrors",
                                    "UdpLite6RcvbufErrors"};
  return std::ranges::any_of(kCounters,
                             [&](const char* name) { return facts.rise(listener, name) > 0; });
}

/// At each of the looks. What the listing itself says is the bytes of data alone.
bool always_full_buffer(const Facts& facts, const Listener& listener) {
  std::size_t count = 0;
  for (const host::Look& look : facts.looks) {
    const host::SocketLook* socket = look.socket(listener.socket.inode);
    if (socket == nullptr || !reach::is_receive_buffer_full(socket->length, socket->limit)) {
      return false;
    }
    ++count;
  }
  return count > 0;
}

std::string drops_words(const Facts& facts, std::uint64_t dropped) {
  return counted(dropped, "datagram") + (dropped == 1 ? " was" : " were") + " dropped " +
         since_words(facts);
}

reach::Evidence drops_evidence(const Facts& facts, const Listener& listener) {
  const bool ipv4 = listener.address.family == hark::Family::Inet;
  return {.fact = drops_words(facts, facts.rise_of_drops(listener)) + " by this socket",
          .where = "socket",
          .verify = std::string("nstat -az ") + (ipv4 ? "UdpRcvbufErrors" : "Udp6RcvbufErrors")};
}

Finding full(const Facts& facts, std::size_t i) {
  const Listener& listener = facts.listener(i);
  const host::SocketLook& last = *facts.looks.back().socket(listener.socket.inode);
  const std::string fill = bytes_words(last.length) + " of " + bytes_words(last.limit);
  Finding out{.code = "rcvbuf-full",
              .severity = Severity::Broken,
              .listener = i,
              .text = host::holder_words(facts.host, i) + ": its receive buffer is full (" + fill +
                      "), and nobody reads from it",
              .evidence = {{.fact = "receive buffer " + fill,
                            .where = "socket",
                            .verify = socket_command(listener, "m")}},
              .remedy =
                  "find out what keeps the program from reading: it may be stopped, stuck, or "
                  "too slow for what comes"};
  if (facts.rise_of_drops(listener) == 0) return out;
  out.text += "; " + drops_words(facts, facts.rise_of_drops(listener));
  out.evidence.push_back(drops_evidence(facts, listener));
  return out;
}

Finding dropping(const Facts& facts, std::size_t i) {
  const Listener& listener = facts.listener(i);
  return {.code = "udp-drops",
          .severity = Severity::Risk,
          .listener = i,
          .text = host::holder_words(facts.host, i) + ": " +
                  drops_words(facts, facts.rise_of_drops(listener)) +
                  ", for the program reads slower than they come",
          .evidence = {drops_evidence(facts, listener),
                       {.fact = "drops of the socket rise",
                        .where = "socket",
                        .verify = socket_command(listener, "m")}},
          .remedy =
              "let the program read faster, or give it a larger buffer (SO_RCVBUF, which "
              "net.core.rmem_max limits)"};
}

}  // namespace

std::vector<Finding> full_buffers(const Facts& facts) {
  std::vector<Finding> out;
  for (const std::size_t i : facts.listeners) {
    if (!is_udp(facts.listener(i))) continue;
    if (always_full_buffer(facts, facts.listener(i))) {
      out.push_back(full(facts, i));
    } else if (drops_for_want_of_room(facts, facts.listener(i))) {
      out.push_back(dropping(facts, i));
    }
  }
  return out;
}

}  // namespace hark::diagnose
