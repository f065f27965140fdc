// Services that speak first, in a form of their own, and are asked nothing: SSH, MySQL, VNC,
// rsync, telnet, IRC, NATS and others that one prefix tells.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "probe/probes.h"

namespace hark::probe {
namespace {

/// Does `bytes` begin with `prefix`, or could it when more comes?
enum class Begins : std::uint8_t { No, Maybe, Yes };
Begins begins(std::string_view bytes, std::string_view prefix) {
  if (bytes.starts_with(prefix)) return Begins::Yes;
  return prefix.starts_with(bytes) ? Begins::Maybe : Begins::No;
}

/// Our identification and SSH_MSG_DISCONNECT (RFC 4253 4.2, 6, 11.1). Without them sshd writes an
/// error about a connection that was closed during the exchange of identifications.
std::string ssh_goodbye() {
  constexpr char kDisconnect = 1;
  constexpr std::uint32_t kByApplication = 11;
  constexpr std::string_view kWhy = "hark only looked";
  std::string payload(1, kDisconnect);
  put_be32(payload, kByApplication);
  put_be32(payload, kWhy.size());
  payload += kWhy;
  put_be32(payload, 0);  // no language tag
  // Length and padding's length, payload and padding: a multiple of 8, of padding at least 4.
  std::size_t padding = 8 - (5 + payload.size()) % 8;
  if (padding < 4) padding += 8;
  std::string out = "SSH-2.0-hark\r\n";
  put_be32(out, static_cast<std::uint32_t>(1 + payload.size() + padding));
  out += static_cast<char>(padding);
  return out + payload + std::string(padding, '\0');
}

/// RFC 4253 4.2: other lines may come before the identification.
Reading read_ssh(const Heard& heard) {
  std::string_view rest = heard.bytes;
  for (int lines = 0; lines < 20 && !rest.empty(); ++lines) {
    const Line line = first_line(rest);
    const Begins is = begins(line.text, "SSH-");
    if (is == Begins::Yes) {
      if (!line.whole && !heard.ended) return more();
      const std::size_t software = line.text.find('-', 4);
      if (software == std::string_view::npos) return not_mine();
      const std::string_view version = line.text.substr(4, software - 4);
      std::string words = quoted(line.text.substr(software + 1));
      if (version != "2.0") words += ", protocol " + quoted(version, 8);
      return known("ssh", std::move(words), ssh_goodbye());
    }
    if (!line.whole) return is == Begins::Maybe && !heard.ended ? more() : not_mine();
    rest.remove_prefix(rest.find('\n') + 1);
  }
  return not_mine();
}

/// MariaDB puts 5.5.5- before its version, for clients that know no number above 5.
std::string mysql_version(std::string_view version) {
  const bool mariadb = contains_word(version, "mariadb");
  if (mariadb && version.starts_with("5.5.5-")) version.remove_prefix(6);
  return (mariadb ? "MariaDB " : "MySQL ") + quoted(version);
}

/// The initial handshake (version 10), or the error of a server that does not want us. It is left
/// by closing: a server counts that against max_connect_errors, as it does any connection without
/// a login; there is no polite other way.
Reading read_mysql(const Heard& heard) {
  const std::string_view all = heard.bytes;
  if (all.size() < 5) {
    const bool could = byte_at(all, 2) == 0 && byte_at(all, 3) == 0 && byte_at(all, 0) >= 8;
    return could && all.size() > 3 && !heard.ended ? more() : not_mine();
  }
  const std::size_t length = byte_at(all, 0) | static_cast<std::size_t>(byte_at(all, 1)) << 8U |
                             static_cast<std::size_t>(byte_at(all, 2)) << 16U;
  if (byte_at(all, 3) != 0 || length < 8 || length > 2048) return not_mine();
  const std::uint8_t kind = byte_at(all, 4);
  if (kind != 10 && kind != 0xff) return not_mine();
  if (all.size() < 4 + length) return heard.ended ? not_mine() : more();
  const std::string_view packet = all.substr(4, length);
  if (kind == 0xff) {
    std::string_view why = packet.substr(3);
    if (why.starts_with('#') && why.size() > 6) why.remove_prefix(6);
    const std::uint32_t code = byte_at(packet, 1) | static_cast<std::uint32_t>(byte_at(packet, 2))
                                                        << 8U;
    return known("mysql",
                 "refuses this client: error " + std::to_string(code) + ": " + quoted(why));
  }
  const std::size_t end = packet.find('\0', 1);
  if (end > 100) return not_mine();  // or no end at all
  std::string words = mysql_version(packet.substr(1, end - 1));
  // After the version: thread 4, salt 8, filler 1, lower half of the capabilities 2.
  constexpr std::uint8_t kClientSsl = 0x08;
  if ((byte_at(packet, end + 1 + 4 + 8 + 1 + 1) & kClientSsl) != 0) words += ", offers TLS";
  return known("mysql", std::move(words));
}

/// RFC 6143 7.1.1: "RFB xxx.yyy\n"
Reading read_vnc(const Heard& heard) {
  constexpr std::size_t kSize = 12;
  const Begins is = begins(heard.bytes, "RFB ");
  if (is == Begins::No) return not_mine();
  if (heard.bytes.size() < kSize) return heard.ended ? not_mine() : more();
  if (heard.bytes[7] != '.' || heard.bytes[11] != '\n') return not_mine();
  return known("vnc", "RFB " + quoted(heard.bytes.substr(4, 7)));
}

/// RFC 854: IAC WILL, WONT, DO or DONT.
Reading read_telnet(const Heard& heard) {
  if (byte_at(heard.bytes, 0) != 0xff) return not_mine();
  if (heard.bytes.size() < 3) return heard.ended ? not_mine() : more();
  if (byte_at(heard.bytes, 1) < 0xfb || byte_at(heard.bytes, 1) > 0xfe) return not_mine();
  std::string_view text = heard.bytes;
  while (text.size() >= 3 && byte_at(text, 0) == 0xff) text.remove_prefix(3);
  while (text.starts_with('\r') || text.starts_with('\n')) text.remove_prefix(1);
  return known("telnet",
               text.empty() ? "asks for terminal options" : quoted(first_line(text).text));
}

/// ZeroMQ's greeting: RFC 23 of zeromq.org (ZMTP 3).
Reading read_zmtp(const Heard& heard) {
  constexpr std::size_t kSignature = 10;
  if (byte_at(heard.bytes, 0) != 0xff || byte_at(heard.bytes, 1) != 0) return not_mine();
  if (heard.bytes.size() < kSignature + 1) return heard.ended ? not_mine() : more();
  if (byte_at(heard.bytes, kSignature - 1) != 0x7f) return not_mine();
  return known("zmtp", "ZeroMQ, protocol " + std::to_string(byte_at(heard.bytes, kSignature)));
}

/// ":server NOTICE * :*** Looking up your hostname" and the older "NOTICE AUTH :***".
Reading read_irc(const Heard& heard) {
  const Line line = first_line(heard.bytes);
  const bool named = line.text.starts_with(':');
  if (!named && begins(line.text, "NOTICE ") == Begins::No &&
      begins(line.text, "ERROR :") == Begins::No) {
    return not_mine();
  }
  if (!line.whole) return heard.ended ? not_mine() : more();
  const std::size_t blank = line.text.find(' ');
  if (blank == std::string_view::npos) return not_mine();
  if (named && !line.text.substr(blank).starts_with(" NOTICE ")) return not_mine();
  const std::string_view words = named ? line.text.substr(1, blank - 1) : line.text;
  return known("irc", quoted(words), "QUIT\r\n");
}

/// INFO and a JSON object, of which the version is of interest.
Reading read_nats(const Heard& heard) {
  const Line line = first_line(heard.bytes);
  const Begins is = begins(line.text, "INFO {");
  if (is == Begins::No) return not_mine();
  if (!line.whole || is == Begins::Maybe) return heard.ended ? not_mine() : more();
  return known("nats", value_in_json(line.text, "version"));
}

/// A first line that one prefix tells.
struct Prefixed {
  std::string_view name;
  std::string_view prefix;
  std::string_view before;  ///< put before the line in the words
};
constexpr std::array kPrefixed = {
    Prefixed{"rsync", "@RSYNCD: ", "protocol "},
    Prefixed{"asterisk", "Asterisk Call Manager/", "call manager "},
    Prefixed{"svn", "( success ( ", "protocol "},
};

Reading read_prefixed(const Heard& heard) {
  const Line line = first_line(heard.bytes);
  for (const Prefixed& row : kPrefixed) {
    const Begins is = begins(heard.bytes, row.prefix);
    if (is == Begins::Yes && (line.whole || heard.bytes.ends_with(") ") || heard.ended)) {
      const std::string_view rest = line.text.substr(row.prefix.size());
      return known(row.name, std::string(row.before) + quoted(rest.substr(0, 60)));
    }
    if (is != Begins::No && !heard.ended) return more();
  }
  return not_mine();
}

constexpr Probe kRows[] = {
    {"ssh", nullptr, read_ssh},       {"mysql", nullptr, read_mysql},    {"vnc", nullptr, read_vnc},
    {"telnet", nullptr, read_telnet}, {"zmtp", nullptr, read_zmtp},      {"irc", nullptr, read_irc},
    {"nats", nullptr, read_nats},     {"rsync", nullptr, read_prefixed},
};

}  // namespace

std::span<const Probe> greeting_probes() {
  return kRows;
}

}  // namespace hark::probe
