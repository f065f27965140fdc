// Services that greet with a line of text and understand lines: mail, news, files. What they offer
// is asked by the one command that each protocol has for it, and they are left by its goodbye, so
// that their logs show a client that came and went.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "probe/probes.h"

namespace hark::probe {
namespace {

struct LineService {
  std::string_view name;
  std::string_view ask;  ///< what it offers; empty: the greeting says it
  std::string_view goodbye;
  std::string_view starttls;  ///< the word of its answer that offers TLS
};

constexpr LineService kSmtp{"smtp", "EHLO hark.invalid\r\n", "QUIT\r\n", "STARTTLS"};
constexpr LineService kFtp{"ftp", "FEAT\r\n", "QUIT\r\n", "AUTH TLS"};
constexpr LineService kPop3{"pop3", "CAPA\r\n", "QUIT\r\n", "STLS"};
constexpr LineService kImap{"imap", "a CAPABILITY\r\n", "b LOGOUT\r\n", "STARTTLS"};
constexpr LineService kNntp{"nntp", "CAPABILITIES\r\n", "QUIT\r\n", "STARTTLS"};
constexpr LineService kSieve{"sieve", "", "LOGOUT\r\n", "STARTTLS"};

/// The end of an answer of several lines with numbers: "250 last", where "250-" goes on; or any
/// refusal, which is one line (RFC 5321 4.2.1, RFC 959 4.2). npos: not there yet.
std::size_t end_of_numbered(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) return end;
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    const bool number = line.size() >= 3 && line[0] >= '1' && line[0] <= '5' && line[1] >= '0' &&
                        line[1] <= '9' && line[2] >= '0' && line[2] <= '9';
    if (number && (line.size() == 3 || line[3] == ' ' || line[3] == '\r')) return at;
  }
  return std::string_view::npos;
}

/// The end of an answer that a lone full stop ends (RFC 1939 3, RFC 3977 3.1), or of a refusal.
std::size_t end_of_dotted(std::string_view text) {
  const bool refused = text.starts_with('-') || text.starts_with('4') || text.starts_with('5');
  if (refused) {
    const std::size_t end = text.find('\n');
    return end == std::string_view::npos ? end : end + 1;
  }
  const std::size_t end = text.find("\n.\r\n");
  return end == std::string_view::npos ? end : end + 4;
}

/// The end of the tagged answer to "a CAPABILITY" (RFC 3501 7.1).
std::size_t end_of_tagged(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) return end;
    if (text.substr(at).starts_with("a ")) return end + 1;
    at = end + 1;
  }
  return std::string_view::npos;
}

/// A line service whose greeting, of `greeting` bytes, is whole: its offers are asked, then read.
Reading converse(const LineService& service, const Heard& heard, std::size_t greeting,
                 std::string words, std::size_t (*end_of)(std::string_view)) {
  const std::string_view offers = heard.bytes.substr(greeting);
  const bool said = contains_word(heard.bytes.substr(0, greeting), "CAPABILITY");
  if (!service.ask.empty() && !said) {
    if (offers.empty() && !heard.ended) {
      Reading reading = more();
      reading.service = Service{std::string(service.name), std::move(words), false};
      // Asked once only: the caller counts, and a greeting that comes after a question (of HTTP,
      // that was sent too early) is not asked again.
      if (heard.asked == 0) {
        reading.say = service.ask;
        return reading;
      }
      return known(service.name, std::move(reading.service.detail), std::string(service.goodbye));
    }
    if (!heard.ended && end_of(offers) == std::string_view::npos) return more();
  }
  const bool tls = contains_word(heard.bytes, service.starttls);
  if (tls) words += (words.empty() ? "offers " : ", offers ") + std::string("STARTTLS");
  return known(service.name, std::move(words), std::string(service.goodbye));
}

/// Which of those that greet with a number this is: by what it says of itself, else by its port.
const LineService* numbered_service(std::string_view greeting, std::uint16_t port) {
  if (contains_word(greeting, "SMTP") || contains_word(greeting, "LMTP")) return &kSmtp;
  if (contains_word(greeting, "FTP") || contains_word(greeting, "FileZilla")) return &kFtp;
  if (contains_word(greeting, "NNTP") || contains_word(greeting, "InterNetNews")) return &kNntp;
  const Usual* const usual = usual_on_tcp(port);
  if (usual != nullptr) {
    for (const LineService* const each : {&kSmtp, &kFtp, &kNntp}) {
      if (usual->probe == each->name) return each;
    }
  }
  return nullptr;
}

Reading read_numbered(const Heard& heard) {
  const std::string_view all = heard.bytes;
  const auto digit = [&](std::size_t at) { return all[at] >= '0' && all[at] <= '9'; };
  for (std::size_t at = 0; at < all.size() && at < 3; ++at) {
    if (!digit(at)) return not_mine();
  }
  if (all.size() < 4) return heard.ended ? not_mine() : more();
  const std::string_view code = all.substr(0, 3);
  if (all[3] != ' ' && all[3] != '-') return not_mine();
  if (all[0] != '2' && all[0] != '4' && all[0] != '5') return not_mine();
  const std::size_t end = end_of_numbered(all);
  if (end == std::string_view::npos && !heard.ended) return more();
  const std::size_t greeting = std::min(end, all.size());
  const LineService* const service = numbered_service(all.substr(0, greeting), heard.port);
  const std::string words = quoted(first_line(all).text);
  if (service == nullptr) {
    if (code == "220") return known("smtp or ftp", words, "QUIT\r\n");
    return not_mine();
  }
  // 421, 554 and the like: it does not want us, and says so.
  if (all[0] != '2') return known(service->name, words, std::string(service->goodbye));
  return converse(*service, heard, greeting, words,
                  service == &kNntp ? end_of_dotted : end_of_numbered);
}

Reading read_pop3(const Heard& heard) {
  const Line line = first_line(heard.bytes);
  constexpr std::string_view kOk = "+OK";
  if (!heard.bytes.starts_with(kOk.substr(0, heard.bytes.size()))) return not_mine();
  if (!line.whole) return heard.ended ? not_mine() : more();
  // Redis says "+OK" and no more; it is never the first to speak.
  if (line.text.size() > 3 && line.text[3] != ' ') return not_mine();
  std::string_view words = line.text.substr(std::min<std::size_t>(4, line.text.size()));
  return converse(kPop3, heard, heard.bytes.find('\n') + 1, quoted(words), end_of_dotted);
}

Reading read_imap(const Heard& heard) {
  constexpr std::array<std::string_view, 3> kGreetings = {"* OK", "* PREAUTH", "* BYE"};
  bool could = false;
  bool is = false;
  for (const std::string_view greeting : kGreetings) {
    could = could || greeting.starts_with(heard.bytes.substr(0, greeting.size()));
    is = is || heard.bytes.starts_with(greeting);
  }
  if (!could && !is) return not_mine();
  const Line line = first_line(heard.bytes);
  if (!line.whole) return heard.ended ? not_mine() : more();
  if (line.text.starts_with("* BYE")) return known("imap", quoted(line.text.substr(2)));
  std::string_view words = line.text.substr(line.text.find(' ', 2) + 1);
  if (words.starts_with('[')) {
    const std::size_t end = words.find(']');
    words = end == std::string_view::npos ? words : words.substr(end + 1);
    while (words.starts_with(' ')) words.remove_prefix(1);
  }
  return converse(kImap, heard, heard.bytes.find('\n') + 1, quoted(words), end_of_tagged);
}

/// RFC 5804 1.7: capabilities, then OK.
Reading read_sieve(const Heard& heard) {
  constexpr std::string_view kFirst = "\"IMPLEMENTATION\" ";
  if (!heard.bytes.starts_with(kFirst.substr(0, heard.bytes.size()))) return not_mine();
  if (heard.bytes.find("\nOK") == std::string_view::npos && !heard.ended) return more();
  const Line line = first_line(heard.bytes);
  if (line.text.size() <= kFirst.size()) return not_mine();
  return converse(kSieve, heard, heard.bytes.size(), quoted(line.text.substr(kFirst.size())),
                  end_of_numbered);
}

constexpr Probe kRows[] = {
    {"smtp", nullptr, read_numbered}, {"ftp", nullptr, read_numbered},
    {"nntp", nullptr, read_numbered}, {"pop3", nullptr, read_pop3},
    {"imap", nullptr, read_imap},     {"sieve", nullptr, read_sieve},
};

}  // namespace

std::span<const Probe> line_probes() {
  return kRows;
}

}  // namespace hark::probe
