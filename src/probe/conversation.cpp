#include "probe/conversation.h"

#include <algorithm>
#include <array>
#include <utility>

#include "probe/probes.h"
#include "probe/tls.h"

namespace hark::probe {
namespace {

using std::chrono::milliseconds;

/// All that is kept of what a peer says: enough for every greeting and for a page's title.
constexpr std::size_t kMostHeard = 8192;
/// A peer that drips single bytes is not listened to for ever.
constexpr unsigned kMostEvents = 16384;
/// What a peer may still say after our goodbye.
constexpr unsigned kMostAfterGoodbye = 64;
/// A reader that never has enough is not asked for ever.
constexpr unsigned kMostQuestions = 4;
/// UDP loses datagrams: the question is sent that often.
constexpr unsigned kUdpTries = 3;

/// How long somebody who speaks first is waited for before a question is sent: where the port's
/// usual service waits to be asked, only as long as a banner takes that is sent at once.
constexpr milliseconds kUsuallyAsked{200};
constexpr milliseconds kNothingUsual{1000};
/// sshd and mail servers look names up before they greet.
constexpr milliseconds kUsuallyGreets{5000};
constexpr milliseconds kAnswer{5000};
constexpr milliseconds kUdpAnswer{1000};
/// For the rest of bytes that no reader knows.
constexpr milliseconds kUnknownRest{300};
constexpr milliseconds kFarewell{500};

struct OverTls {
  std::string_view plain;
  std::string_view name;
};
constexpr OverTls kOverTls[] = {
    {"http", "https"}, {"smtp", "smtps"}, {"imap", "imaps"}, {"pop3", "pop3s"},
    {"ftp", "ftps"},   {"ldap", "ldaps"}, {"amqp", "amqps"}, {"mqtt", "mqtts"},
    {"irc", "ircs"},   {"nntp", "nntps"}, {"sip", "sips"},
};

std::string over_tls(std::string_view plain) {
  for (const OverTls& row : kOverTls) {
    if (row.plain == plain) return std::string(row.name);
  }
  return std::string(plain);
}

enum class Stage : std::uint8_t { Handshake, Greeting, Answer, Leaving, Done };

}  // namespace

struct Conversation::Parts {
  Asked asked;
  const Probe* probe = nullptr;  // what the port, or the scheme, is usually for
  bool usual = false;            // the probe is that of a known port
  bool tls_first = false;
  Stage stage = Stage::Greeting;
  std::unique_ptr<Tls> tls;
  bool upgraded = false;  // TLS was agreed upon in plain text
  bool any_byte = false;
  bool strange = false;  // no reader knows what came so far
  unsigned events = 0;
  unsigned after_goodbye = 0;
  unsigned questions = 0;
  std::string heard;
  std::string out;
  std::optional<Service> found;

  [[nodiscard]] bool udp() const { return asked.protocol == Protocol::Udp; }
  void plan();
  void say(std::string_view bytes);
  void proceed();
  void start_tls();
  void ask_or_finish();
  void finish();
  void hear(std::string_view plain);
  void hear_datagram(std::string_view datagram);
  void read(bool ended);
  bool take(Reading reading);
  void receive_tls(std::string_view bytes);
  void settle_unknown();
};

void Conversation::Parts::plan() {
  if (udp()) {
    probe = udp_probe(asked.port);
    return;
  }
  const Usual* const row = usual_on_tcp(asked.port);
  const bool http = asked.scheme == Scheme::Http || asked.scheme == Scheme::Https;
  if (http) {
    probe = tcp_probe("http");
    usual = true;
  } else if (row != nullptr) {
    probe = tcp_probe(row->probe);
    usual = true;
  } else if (asked.scheme == Scheme::None) {
    probe = tcp_probe("any");
  }
  tls_first = asked.scheme == Scheme::Https || asked.scheme == Scheme::Tls ||
              (asked.scheme == Scheme::None && row != nullptr && !row->over_tls.empty());
}

void Conversation::Parts::say(std::string_view bytes) {
  if (tls != nullptr) {
    tls->send_plain(bytes);
  } else {
    out += bytes;
  }
}

void Conversation::Parts::finish() {
  if (stage == Stage::Done) return;
  stage = Stage::Done;
  if (tls != nullptr && tls->established()) tls->close();
}

void Conversation::Parts::start_tls() {
  TlsAsked to;
  to.host = asked.host;
  to.address = asked.address;
  to.http = probe != nullptr && probe == tcp_probe("http");
  to.now = asked.now;
  tls = Tls::start(to);
  stage = Stage::Handshake;
  if (tls != nullptr) return;
  if (!found) found = Service{"unknown", "not asked: hark was built without OpenSSL", false};
  finish();
}

/// The first bytes of the peer did not come: it waits for ours.
void Conversation::Parts::proceed() {
  if (tls_first && tls == nullptr) {
    start_tls();
  } else {
    ask_or_finish();
  }
}

void Conversation::Parts::ask_or_finish() {
  if (probe == nullptr || probe->question == nullptr) {
    finish();
    return;
  }
  say(probe->question(asked));
  ++questions;
  stage = Stage::Answer;
}

/// What a reader said; true if it settles the matter.
bool Conversation::Parts::take(Reading reading) {
  if (reading.verdict == Reading::Verdict::NotMine) return false;
  strange = false;
  if (!reading.service.protocol.empty()) found = std::move(reading.service);
  if (reading.verdict == Reading::Verdict::More) {
    if (reading.say.empty() || questions >= kMostQuestions) return true;
    say(reading.say);
    ++questions;
    stage = Stage::Answer;
    return true;
  }
  if (reading.to_tls && tls == nullptr) {
    upgraded = true;
    start_tls();
    return true;
  }
  if (reading.leave.empty()) {
    finish();
    return true;
  }
  say(reading.leave);
  stage = Stage::Leaving;
  return true;
}

void Conversation::Parts::settle_unknown() {
  if (found || heard.empty()) return;
  if (is_tls_record(heard)) {
    found = Service{"tls", "speaks TLS: plain text is answered by a TLS alert",
                    asked.scheme == Scheme::Http};
    return;
  }
  found = Service{"unknown", "says " + quoted(first_line(heard).text), false};
}

void Conversation::Parts::read(bool ended) {
  const Heard now{heard, asked.port, questions, ended};
  strange = !heard.empty();
  if (!heard.empty() && !is_tls_record(heard)) {
    const bool own = probe != nullptr && probe->read != nullptr && questions > 0;
    Reading waits;
    if (own) {
      Reading reading = probe->read(now);
      if (reading.verdict == Reading::Verdict::Known) {
        take(std::move(reading));
        return;
      }
      if (reading.verdict == Reading::Verdict::More) waits = std::move(reading);
    }
    for (const Probe* const each : tcp_probes()) {
      if (own && each == probe) continue;
      Reading reading = each->read(now);
      if (reading.verdict == Reading::Verdict::Known || !reading.say.empty()) {
        waits = std::move(reading);
        break;
      }
      if (reading.verdict == Reading::Verdict::More && waits.verdict == Reading::Verdict::NotMine) {
        waits = std::move(reading);
      }
    }
    take(std::move(waits));
  }
  if (ended) {
    settle_unknown();
    if (stage != Stage::Leaving && stage != Stage::Handshake) finish();
  }
}

void Conversation::Parts::hear(std::string_view plain) {
  if (plain.empty() || stage == Stage::Done) return;
  // The goodbye is under way. What still comes is let in, as closing on it would reset the
  // connection, and the peer might lose our last words.
  if (stage == Stage::Leaving) return;
  heard += plain.substr(0, kMostHeard - heard.size());
  read(heard.size() >= kMostHeard);
}

void Conversation::Parts::hear_datagram(std::string_view datagram) {
  if (probe != nullptr && take(probe->read({datagram, asked.port, questions, true}))) return;
  const std::string size = std::to_string(datagram.size()) + " bytes";
  found =
      Service{"unknown",
              "answers " + size +
                  (probe == nullptr ? std::string() : " that are no " + std::string(probe->name)),
              false};
  finish();
}

void Conversation::Parts::receive_tls(std::string_view bytes) {
  const bool handshake = stage == Stage::Handshake;
  // One byte decides: no text begins with it, and no TLS server with another.
  if (handshake && !any_byte && !upgraded && !is_tls_record(bytes.substr(0, 1))) {
    tls.reset();
    tls_first = false;
    stage = Stage::Answer;
    heard = bytes.substr(0, kMostHeard);
    any_byte = true;
    read(false);
    return;
  }
  any_byte = true;
  tls->receive(bytes);
  if (handshake && tls->established()) {
    if (upgraded) {
      finish();
      return;
    }
    stage = Stage::Greeting;
    if (asked.scheme != Scheme::Tls || (probe != nullptr && probe->question == nullptr)) {
      if (probe != nullptr && probe->question != nullptr) ask_or_finish();
    } else {
      finish();
      return;
    }
  }
  hear(tls->take_plain());
  if (!tls->failure().empty()) finish();
}

Conversation::Conversation(Asked asked) : parts_(std::make_unique<Parts>()) {
  parts_->asked = std::move(asked);
  parts_->plan();
}

Conversation::~Conversation() = default;
Conversation::Conversation(Conversation&&) noexcept = default;
Conversation& Conversation::operator=(Conversation&&) noexcept = default;

void Conversation::begin() {
  if (parts_->udp()) {
    parts_->stage = Stage::Answer;
    if (parts_->probe == nullptr) return;
    parts_->say(parts_->probe->question(parts_->asked));
    parts_->questions = 1;
  } else if (parts_->asked.scheme != Scheme::None) {
    parts_->proceed();
  }
}

void Conversation::receive(std::string_view bytes) {
  if (parts_->stage == Stage::Done || (bytes.empty() && !parts_->udp())) return;
  if (++parts_->events > kMostEvents) {
    parts_->finish();
    return;
  }
  if (parts_->stage == Stage::Leaving && ++parts_->after_goodbye > kMostAfterGoodbye) {
    parts_->finish();
    return;
  }
  if (parts_->udp()) {
    parts_->any_byte = true;
    parts_->hear_datagram(bytes);
  } else if (parts_->tls != nullptr) {
    parts_->receive_tls(bytes);
  } else {
    parts_->any_byte = true;
    parts_->hear(bytes);
  }
}

void Conversation::end_of_stream() {
  if (parts_->stage == Stage::Done) return;
  if (parts_->stage == Stage::Greeting || parts_->stage == Stage::Answer) parts_->read(true);
  parts_->finish();
}

void Conversation::quiet() {
  Parts& my = *parts_;
  if (my.stage == Stage::Done) return;
  if (my.udp()) {
    if (my.probe == nullptr || my.questions >= kUdpTries) {
      my.finish();
      return;
    }
    my.out = my.probe->question(my.asked);
    ++my.questions;
  } else if (my.stage == Stage::Greeting && my.heard.empty()) {
    my.proceed();
  } else {
    end_of_stream();
  }
}

std::string Conversation::take_output() {
  std::string bytes = std::exchange(parts_->out, {});
  if (parts_->tls != nullptr) bytes += parts_->tls->take_output();
  return bytes;
}

milliseconds Conversation::patience() const {
  const Parts& my = *parts_;
  if (my.udp()) return kUdpAnswer;
  if (my.stage == Stage::Leaving || my.stage == Stage::Done) return kFarewell;
  if (my.strange) return kUnknownRest;
  if (my.stage != Stage::Greeting) return kAnswer;
  const bool greets = my.probe == nullptr || my.probe->question == nullptr;
  if (!my.heard.empty() || greets) return kUsuallyGreets;
  return my.usual ? kUsuallyAsked : kNothingUsual;
}

bool Conversation::finished() const {
  return parts_->stage == Stage::Done;
}

Conversation::Phase Conversation::phase() const {
  const Parts& my = *parts_;
  // Somebody else is waited for shortly even where TLS comes first.
  const bool tls_next = my.stage == Stage::Greeting && my.tls_first && my.tls == nullptr;
  if (my.stage == Stage::Handshake || (tls_next && my.heard.empty())) return Phase::Tls;
  const bool heard = my.udp() ? my.any_byte : !my.heard.empty();
  return heard ? Phase::Application : Phase::FirstByte;
}

std::optional<Service> Conversation::service() const {
  const Parts& my = *parts_;
  std::optional<Service> out = my.found;
  const bool wanted_tls = my.asked.scheme == Scheme::Https || my.asked.scheme == Scheme::Tls;
  if (my.tls == nullptr) {
    const bool text = out && out->protocol != "tls" && out->protocol != "unknown";
    if (wanted_tls && my.any_byte && out) {
      out->detail =
          (text ? "answers plain " + out->protocol + ", not TLS: " : "not TLS: ") + out->detail;
      out->trouble = true;
    }
    return out;
  }
  const std::string failure = my.tls->failure();
  if (!my.tls->established()) {
    if (my.upgraded && out) {
      if (!failure.empty()) out->detail += "; TLS fails: " + failure;
      return out;
    }
    if (!my.any_byte) return out;
    return Service{"tls", failure.empty() ? "the handshake is not finished" : failure, true};
  }
  // What is wrong stands first.
  std::string complaint = my.tls->complaint();
  if (!failure.empty()) complaint += (complaint.empty() ? "" : "; ") + failure;
  std::string detail = complaint;
  const auto add = [&detail](const std::string& more) {
    if (!more.empty()) detail += (detail.empty() ? "" : "; ") + more;
  };
  if (out) add(out->detail);
  add(my.tls->detail());
  const std::string protocol = !out ? "tls" : my.upgraded ? out->protocol : over_tls(out->protocol);
  return Service{protocol, detail, !complaint.empty() || (out && out->trouble)};
}

bool Conversation::silent_by_nature() const {
  return parts_->udp() && parts_->probe == nullptr;
}

}  // namespace hark::probe
