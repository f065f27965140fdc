// Sockets that were told to take packets from some only: a filter that runs on each packet
// (SO_ATTACH_FILTER, SO_ATTACH_BPF), keys without which a peer is not heard (TCP_MD5SIG). Mostly
// that is meant. Whom it shuts out sees silence, and no firewall's counter shows it.
#include "base/text.h"
#include "diagnose/families.h"
#include "diagnose/words.h"
#include "reach/socket_options.h"

namespace hark::diagnose {
namespace {

using host::Listener;

std::optional<Finding> filtered(const Facts& facts, std::size_t i,
                                const host::SocketFacts& socket) {
  if (!socket.options) return std::nullopt;
  auto filter = reach::socket_filter(facts.listener(i), *socket.options);
  if (!filter) return std::nullopt;
  const bool drops_all = filter->certain;
  return Finding{
      .code = "socket-filter",
      .severity = drops_all ? Severity::Broken : Severity::Notice,
      .listener = i,
      .text =
          host::holder_words(facts.host, i) + ": " + filter->what +
          (drops_all ? " drops every packet"
                     : " decides which packets it takes; the others are dropped without a word"),
      .evidence = {std::move(filter->evidence)},
      .remedy = drops_all ? "the program set it (SO_ATTACH_FILTER): start it again, and if that "
                            "does not help, mend what it attaches"
                          : "nothing, if that is meant; if clients meet silence, look at the drops "
                            "of the socket"};
}

std::optional<Finding> signed_only(const Facts& facts, std::size_t i,
                                   const host::SocketFacts& socket) {
  constexpr std::size_t kMostNamed = 3;
  const Listener& listener = facts.listener(i);
  if (!socket.md5 || socket.md5->empty()) return std::nullopt;
  std::vector<std::string> peers;
  for (const Prefix& peer : *socket.md5) {
    if (peers.size() < kMostNamed) peers.push_back(peer.text());
  }
  std::string words = join(peers, ", ");
  if (socket.md5->size() > kMostNamed) {
    words += " and " + std::to_string(socket.md5->size() - kMostNamed) + " more";
  }
  return Finding{.code = "md5-required",
                 .severity = Severity::Notice,
                 .listener = i,
                 .text = host::holder_words(facts.host, i) + ": from " + words +
                         " it takes only packets with a TCP MD5 signature (RFC 2385)",
                 .evidence = {{.fact = counted(socket.md5->size(), "MD5 key") + " set",
                               .where = "socket",
                               .verify = socket_command(listener, "i")}},
                 .remedy = "nothing, if these peers sign; an ordinary client there meets silence"};
}

}  // namespace

std::vector<Finding> choosy_sockets(const Facts& facts) {
  std::vector<Finding> out;
  for (const std::size_t i : facts.listeners) {
    const host::Network* network = facts.network(facts.listener(i));
    if (network == nullptr) continue;
    const host::SocketFacts* socket = network->services.socket(facts.listener(i).socket.inode);
    if (socket == nullptr) continue;
    if (auto finding = filtered(facts, i, *socket)) out.push_back(std::move(*finding));
    if (auto finding = signed_only(facts, i, *socket)) out.push_back(std::move(*finding));
  }
  return out;
}

}  // namespace hark::diagnose
