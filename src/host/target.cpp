#include "host/target.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"

namespace hark::host {
namespace {

constexpr const char* kForms = "for example 8080, udp/53, 10.0.0.5:443, nginx or ssh.service";

tl::unexpected<Error> bad(const std::string& word, std::string why, std::string hint = kForms) {
  return fail(plain_error(word, std::move(why), std::move(hint)));
}

/// Fields that name somebody who listens.
constexpr std::array kNamingFields = {Field::Word,   Field::User, Field::Unit, Field::Container,
                                      Field::Name,   Field::Pid,  Field::Exe,  Field::CommandLine,
                                      Field::Cgroup, Field::Inode};

bool names_somebody(Field field) {
  return std::ranges::find(kNamingFields, field) != kNamingFields.end();
}

/// TCP or UDP: what a packet can be followed of.
std::optional<Protocol> transport_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::Tcp:
    case Protocol::Mptcp:
      return Protocol::Tcp;
    case Protocol::Udp:
      return Protocol::Udp;
    case Protocol::Udplite:
    case Protocol::Raw:
      break;
  }
  return std::nullopt;
}

Result<void> put_address(Target& target, const Term& term) {
  if (!term.has_address) return {};
  target.device = term.device;
  if (term.any_address) return {};
  const IpAddress address = term.prefix.address.unmapped();
  if (term.prefix.length != term.prefix.address.bits()) {
    return bad(target.written, "one address at a time, no prefix");
  }
  target.family = address.family;
  if (!address.is_unspecified()) target.address = address;
  return {};
}

Result<Target> endpoint_of(Target target, const Term& term) {
  if (term.first_port != term.last_port) {
    return bad(target.written, "one port at a time, no range",
               "for example " + std::to_string(term.first_port));
  }
  target.endpoint = true;
  target.port = term.first_port;
  if (term.has_protocol) {
    target.protocol = transport_of(term.protocol);
    if (!target.protocol) {
      return bad(target.written, "only TCP and UDP packets can be followed",
                 "for example tcp/" + std::to_string(term.first_port));
    }
  }
  if (const auto put = put_address(target, term); !put) return fail(put.error());
  return target;
}

Term netns_term(const Host& host, NetnsId netns) {
  Term term;
  term.field = Field::Netns;
  term.written = "this namespace";
  if (const auto& inode = host.at(netns).inode) term.text = "net:[" + std::to_string(*inode) + "]";
  return term;
}

bool fits(const Target& target, const Listener& listener) {
  if (!target.protocol) return true;
  return transport_of(listener.protocol) == target.protocol;
}

/// Of an endpoint: a wildcard listener has it too, whatever address was asked.
bool listens_at(const Target& target, const Listener& listener) {
  if (listener.port != target.port) return false;
  const IpAddress bound = listener.address.unmapped();
  if (target.address) return bound == *target.address || bound.is_unspecified();
  if (!target.family) return true;
  return bound.family == *target.family || listener.v6only == false;
}

/// Those that a bare word names whole, in any field that has names.
std::vector<std::size_t> named_whole(const Host& host, const Term& word) {
  for (const Field field : {Field::Name, Field::Unit, Field::Container, Field::Exe}) {
    Filter filter{{word}};
    filter.terms.front().field = field;
    std::vector<std::size_t> found = select(host, filter);
    if (!found.empty()) return found;
  }
  return {};
}

/// "::1:80" is an address; who writes it means "[::1]:80". Empty: it is nothing like that.
std::string with_brackets(const std::string& word) {
  const std::size_t at = word.rfind(':');
  if (at == std::string::npos || word.find('[') != std::string::npos) return {};
  const std::string address = word.substr(0, at);
  const std::string port = word.substr(at + 1);
  const auto parsed = IpAddress::parse(address);
  if (!parsed || parsed->family != Family::Inet6) return {};
  return parse_number<std::uint16_t>(port) ? "[" + address + "]:" + port : std::string();
}

}  // namespace

Result<Target> parse_target(const std::string& word) {
  const auto filter = parse_filter(std::span(&word, 1));
  if (!filter) return fail(filter.error());
  const Term& term = filter->terms.front();
  Target target;
  target.written = word;
  target.filter = *filter;
  if (term.field == Field::Port) return endpoint_of(std::move(target), term);
  if (names_somebody(term.field)) return target;
  if (term.field == Field::Address && !term.any_address) {
    const std::string address = term.prefix.address.text();
    const bool inet = term.prefix.address.family == Family::Inet;
    if (const std::string meant = with_brackets(word); !meant.empty()) {
      return bad(word, "which port?", "an IPv6 address stands in brackets: " + meant);
    }
    return bad(word, "which port?",
               "for example " + (inet ? address : "[" + address + "]") + ":443");
  }
  return bad(word, "names no port and nobody who listens");
}

std::vector<std::size_t> listeners_of(const Host& host, NetnsId netns, const Target& target) {
  std::vector<std::size_t> found;
  const Term& term = target.filter.terms.front();
  if (target.endpoint) {
    for (std::size_t i = 0; i < host.listeners.size(); ++i) {
      if (listens_at(target, host.listeners[i])) found.push_back(i);
    }
  } else {
    if (term.field == Field::Word) found = named_whole(host, term);
    if (found.empty()) found = select(host, target.filter);
  }
  std::erase_if(found, [&](std::size_t i) {
    const Listener& listener = host.listeners[i];
    return listener.netns != netns || !transport_of(listener.protocol) || !fits(target, listener);
  });
  return found;
}

std::vector<Near> near_targets(const Host& host, NetnsId netns, const Target& target) {
  Filter filter = target.filter;
  const Term place = netns_term(host, netns);
  if (!place.text.empty() && host.namespaces.size() > 1) filter.terms.push_back(place);
  return near_misses(host, filter);
}

}  // namespace hark::host
