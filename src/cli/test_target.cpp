#include "cli/test_target.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/peer.h"
#include "host/select_words.h"

namespace hark::cli {
namespace {

using probe::Scheme;

struct SchemeRow {
  std::string_view name;
  Scheme scheme;
  std::uint16_t port;  ///< 0: has to be said
};
constexpr std::array<SchemeRow, 3> kSchemes = {
    {{"http", Scheme::Http, 80}, {"https", Scheme::Https, 443}, {"tls", Scheme::Tls, 443}}};

tl::unexpected<Error> bad(const std::string& word, std::string why, std::string hint = {}) {
  return fail(plain_error(word, std::move(why), std::move(hint)));
}

/// HOST:PORT, where a port that is not said may be `usual`.
Result<void> put_host(TestTarget& into, std::string_view text, std::uint16_t usual) {
  auto peer = parse_peer(into.written, std::string(text));
  if (!peer) {
    Error error = peer.error();
    error.what = into.written;
    error.hint = "written 10.0.0.5:443, [::1]:80 or db.lan:5432";
    return fail(std::move(error));
  }
  if (!peer->port && usual == 0) {
    return bad(into.written, "the port is missing",
               "for example " + into.written + (peer->address ? "" : ":443"));
  }
  into.address = peer->address;
  if (into.address) into.address = into.address->unmapped();
  into.name = peer->name;
  into.zone = peer->zone;
  into.port = peer->port.value_or(usual);
  return {};
}

Result<TestTarget> url_of(TestTarget target, std::size_t colon) {
  std::string_view rest = target.written;
  const std::string name = lower(rest.substr(0, colon));
  const auto row = std::ranges::find(kSchemes, name, &SchemeRow::name);
  if (row == kSchemes.end()) {
    return bad(target.written, "no scheme that hark tests: " + name,
               "there are http://, https:// and tls://; else HOST:PORT");
  }
  target.scheme = row->scheme;
  rest.remove_prefix(colon + 3);
  const std::size_t end = rest.find_first_of("/?#");
  const std::string_view host = rest.substr(0, end);
  if (end != std::string_view::npos) {
    std::string_view path = rest.substr(end);
    path = path.substr(0, path.find('#'));
    if (row->scheme == Scheme::Tls && path.size() > 1) {
      return bad(target.written, "tls:// has no path", "for example tls://db.lan:5432");
    }
    if (row->scheme != Scheme::Tls && !path.empty()) {
      target.path = path.front() == '/' ? std::string(path) : "/" + std::string(path);
    }
  }
  if (host.find('@') != std::string_view::npos) {
    return bad(target.written, "hark logs in nowhere", "leave out what stands before the @");
  }
  if (host.empty()) return bad(target.written, "the host is missing");
  if (const auto put = put_host(target, host, row->port); !put) return fail(put.error());
  return target;
}

/// "*:80", "0.0.0.0:80", "[::]:80": every address that is listened on.
bool is_wildcard(std::string_view host) {
  if (host == "*" || host.empty()) return true;
  const auto address = IpAddress::parse(host);
  return address && address->is_unspecified();
}

/// Has it the form HOST:PORT, and no field of a filter before the colon?
bool names_host(std::string_view text, bool protocol_said) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  if (text.starts_with('[')) return !is_wildcard(text.substr(1, text.find(']') - 1));
  const std::string_view host = text.substr(0, colon);
  if (is_wildcard(host) || host.find(':') != std::string_view::npos) return false;
  return protocol_said || host::find_field(host) == nullptr;
}

/// The protocol in front of a slash; what follows it is left in `text`.
std::optional<Protocol> cut_protocol(std::string_view& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto found = protocol_named(lower(text.substr(0, slash)));
  if (!found) return std::nullopt;
  text.remove_prefix(slash + 1);
  return *found == Protocol::Mptcp ? Protocol::Tcp : *found;
}

}  // namespace

Result<TestTarget> parse_test_target(const std::string& word) {
  TestTarget out;
  out.written = word;
  if (word.empty()) return bad("test", "the target is empty", "for example hark test 8080");
  if (const std::size_t colon = word.find("://"); colon != std::string::npos) {
    return url_of(std::move(out), colon);
  }
  std::string_view text = word;
  const auto protocol = cut_protocol(text);
  if (!names_host(text, protocol.has_value())) {
    auto listeners = host::parse_target(word);
    if (!listeners) return fail(listeners.error());
    // An address of its own may be another host's: it is asked as such.
    if (!listeners->endpoint || !listeners->address) {
      out.listeners = std::move(*listeners);
      return out;
    }
  }
  if (protocol && *protocol != Protocol::Tcp && *protocol != Protocol::Udp) {
    return bad(word, "only TCP and UDP can be tested", "for example tcp/10.0.0.5:443");
  }
  out.protocol = protocol.value_or(Protocol::Tcp);
  if (const auto put = put_host(out, text, 0); !put) return fail(put.error());
  return out;
}

Result<std::vector<TestTarget>> parse_test_targets(std::string_view text, const std::string& file) {
  std::vector<TestTarget> out;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = next_piece(text, '\n');
    // A # inside of a word belongs to it.
    for (std::size_t at = line.find('#'); at != std::string_view::npos;
         at = line.find('#', at + 1)) {
      if (at > 0 && line[at - 1] != ' ' && line[at - 1] != '\t') continue;
      line = line.substr(0, at);
      break;
    }
    const std::string place = file + ":" + std::to_string(number);
    const std::string word(next_word(line));
    if (word.empty() || word == "\r") continue;
    if (const std::string_view more = next_word(line); !more.empty() && more != "\r") {
      return bad(place, "one target a line: " + std::string(more));
    }
    auto target = parse_test_target(word.ends_with('\r') ? word.substr(0, word.size() - 1) : word);
    if (!target) {
      Error error = target.error();
      error.what = place + ": " + error.what;
      return fail(std::move(error));
    }
    out.push_back(std::move(*target));
  }
  return out;
}

}  // namespace hark::cli
