#include "decode/server_config.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.h"

namespace hark::decode {
namespace {

using Kind = ServerSetting::Kind;

/// How often a setting may say something.
enum class Words : std::uint8_t { First, Each, Commas };

struct Keyword {
  ServerFormat format;
  std::string_view key;
  Kind kind;
  Words words = Words::First;
};

/// One more is a row.
constexpr std::array kKeywords = {
    Keyword{ServerFormat::Sshd, "port", Kind::Port},
    Keyword{ServerFormat::Sshd, "listenaddress", Kind::Listen},
    Keyword{ServerFormat::Sshd, "include", Kind::Include, Words::Each},
    Keyword{ServerFormat::Nginx, "listen", Kind::Listen},
    Keyword{ServerFormat::Nginx, "include", Kind::Include},
    Keyword{ServerFormat::Apache, "listen", Kind::Listen},
    Keyword{ServerFormat::Apache, "include", Kind::Include},
    Keyword{ServerFormat::Apache, "includeoptional", Kind::Include},
    Keyword{ServerFormat::Apache, "serverroot", Kind::Root},
    Keyword{ServerFormat::Postgres, "port", Kind::Port},
    Keyword{ServerFormat::Postgres, "listen_addresses", Kind::Address, Words::Commas},
    Keyword{ServerFormat::Postgres, "include", Kind::Include},
    Keyword{ServerFormat::Postgres, "include_if_exists", Kind::Include},
    Keyword{ServerFormat::Postgres, "include_dir", Kind::IncludeFolder},
    Keyword{ServerFormat::Redis, "port", Kind::Port},
    Keyword{ServerFormat::Redis, "bind", Kind::Address, Words::Each},
    Keyword{ServerFormat::Redis, "include", Kind::Include},
    Keyword{ServerFormat::Mysql, "port", Kind::Port},
    Keyword{ServerFormat::Mysql, "bind-address", Kind::Address, Words::Commas},
    Keyword{ServerFormat::Mysql, "skip-networking", Kind::Off},
    Keyword{ServerFormat::Mysql, "!include", Kind::Include},
    Keyword{ServerFormat::Mysql, "!includedir", Kind::IncludeFolder},
    Keyword{ServerFormat::Haproxy, "bind", Kind::Listen, Words::Commas},
};

/// What changes the meaning of the lines behind it.
constexpr std::array<std::string_view, 17> kFrames = {
    "match",       "http",    "stream",   "mail",      "frontend", "backend",
    "defaults",    "global",  "peers",    "resolvers", "cache",    "ring",
    "http-errors", "mailers", "userlist", "program",   "disabled"};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/// Words of a line: parted by blanks, quotes taken off, up to a comment. What is between the quotes
/// is taken as it is: no name or address needs an escape.
std::vector<std::string> words_of(std::string_view line, bool assignments) {
  constexpr std::size_t kMostWords = 64;
  std::vector<std::string> out;
  std::size_t at = 0;
  bool assigned = !assignments;
  while (at < line.size() && out.size() < kMostWords) {
    const char c = line[at];
    const bool sign = c == '=' && !assigned && out.size() == 1;
    if (is_blank(c) || sign) {
      assigned = assigned || sign;
      ++at;
      continue;
    }
    if (c == '#') break;
    if (c == '"' || c == '\'') {
      const std::size_t end = line.find(c, at + 1);
      if (end == std::string_view::npos) break;
      out.emplace_back(line.substr(at + 1, end - at - 1));
      at = end + 1;
      continue;
    }
    std::size_t end = at;
    const bool key = out.empty() && assignments;
    while (end < line.size() && !is_blank(line[end]) && !(key && line[end] == '=')) ++end;
    out.emplace_back(line.substr(at, end - at));
    at = end;
  }
  return out;
}

/// What haproxy, Apache and the shell would put in the place of a name.
bool is_plain(std::string_view value) {
  return !value.empty() && value.size() <= kLongestServerValue &&
         value.find_first_of(std::string_view("$@\0\n", 4)) == std::string_view::npos;
}

class Reader {
 public:
  Reader(ServerFormat format, ByteView file) : format_(format), rest_(as_text(file)) {}

  std::vector<ServerSetting> read() {
    if (format_ == ServerFormat::Nginx) {
      read_blocks();
    } else {
      read_lines();
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool full() const { return out_.size() >= kMostServerSettings; }

  void read_lines() {
    const bool assignments = format_ == ServerFormat::Sshd || format_ == ServerFormat::Postgres ||
                             format_ == ServerFormat::Mysql;
    while (!rest_.empty() && !full() && !ended_) {
      ++line_;
      const std::string_view line = next_piece(rest_, '\n');
      std::vector<std::string> words = words_of(line, assignments);
      if (words.empty()) continue;
      std::string key = lower(words.front());
      if (format_ == ServerFormat::Mysql) std::ranges::replace(key, '_', '-');
      if (enters(key, words)) continue;
      words.erase(words.begin());
      take(key, words);
    }
  }

  /// The heading of a part of the file; notes whether what follows counts.
  bool enters(const std::string& key, const std::vector<std::string>& words) {
    switch (format_) {
      case ServerFormat::Sshd:
        ended_ = key == "match";
        return ended_;
      case ServerFormat::Apache:
        return enters_apache(key);
      case ServerFormat::Mysql:
        if (!key.starts_with('[')) return false;
        counts_ = key.starts_with("[mysqld") || key.starts_with("[mariadb") || key == "[server]";
        counts_ = counts_ && !key.starts_with("[mysqld-safe") && !key.starts_with("[mysqldump") &&
                  !key.starts_with("[mariadb-client") && !key.starts_with("[mariadb-dump");
        return true;
      case ServerFormat::Haproxy:
        return enters_haproxy(key, words.size());
      case ServerFormat::Nginx:
      case ServerFormat::Postgres:
      case ServerFormat::Redis:
        break;
    }
    return false;
  }

  bool enters_apache(const std::string& key) {
    if (key.starts_with("<if")) ++conditions_;
    if (key.starts_with("</if") && conditions_ > 0) --conditions_;
    counts_ = conditions_ == 0;
    return key.starts_with('<');
  }

  bool enters_haproxy(const std::string& key, std::size_t words) {
    if (key == "disabled") {
      // A section that is switched off opens no port.
      std::erase_if(out_, [this](const ServerSetting& one) { return one.line > section_line_; });
      counts_ = false;
      return true;
    }
    const bool serves = key == "frontend" || (key == "listen" && words > 1);
    if (!serves && (key == "bind" || std::ranges::find(kFrames, key) == kFrames.end())) {
      return false;
    }
    counts_ = serves;
    section_line_ = line_;
    return true;
  }

  void take(std::string_view key, const std::vector<std::string>& words) {
    const bool counts = counts_ || key.starts_with('!');
    const auto* const row = std::ranges::find_if(
        kKeywords, [&](const Keyword& one) { return one.format == format_ && one.key == key; });
    if (row == kKeywords.end() || !counts) return;
    if (row->kind == Kind::Off) {
      const std::string value = words.empty() ? "" : lower(words.front());
      if (value != "0" && value != "off") add({.kind = Kind::Off, .value = {}});
      return;
    }
    for (const std::string& word : words) {
      // listen_addresses = '': at none.
      if (word.empty() && row->kind == Kind::Address) add({.kind = Kind::Off, .value = {}});
      std::string_view rest = word;
      while (!rest.empty()) {
        std::string_view piece =
            row->words == Words::Commas ? next_piece(rest, ',') : std::exchange(rest, {});
        while (!piece.empty() && is_blank(piece.front())) piece.remove_prefix(1);
        while (!piece.empty() && is_blank(piece.back())) piece.remove_suffix(1);
        if (is_plain(piece)) add({.kind = row->kind, .value = std::string(piece)});
      }
      // Of haproxy's bind the words behind the addresses are options.
      if (row->words == Words::First || format_ == ServerFormat::Haproxy) break;
    }
  }

  void add(ServerSetting setting) {
    if (full()) return;
    setting.line = line_;
    out_.push_back(std::move(setting));
  }

  /// Statements end at a semicolon, or open a block. `listen` means something in a server only.
  void read_blocks() {
    constexpr std::size_t kDeepest = 32;
    std::vector<std::string> blocks;
    std::size_t deeper = 0;  // blocks that are not kept
    std::string statement;
    std::uint32_t begins = 1;
    line_ = 1;
    char quote = 0;
    bool comment = false;
    for (const char c : rest_) {
      if (full()) return;
      if (c == '\n') ++line_;
      if (comment) {
        comment = c != '\n';
        continue;
      }
      if (quote == 0 && c == '#' && (statement.empty() || is_blank(statement.back()))) {
        comment = true;
        continue;
      }
      if (quote != 0 || c == '"' || c == '\'') {
        if (quote == 0) {
          quote = c;
        } else if (c == quote) {
          quote = 0;
        }
      } else if (c == ';' || c == '{') {
        const std::vector<std::string> words = words_of(statement, false);
        statement.clear();
        if (c == ';') {
          std::swap(line_, begins);
          take_statement(blocks, words);
          std::swap(line_, begins);
        } else if (blocks.size() < kDeepest) {
          blocks.push_back(words.empty() ? "" : words.front());
        } else {
          ++deeper;
        }
        continue;
      } else if (c == '}') {
        statement.clear();
        if (deeper > 0) {
          --deeper;
        } else if (!blocks.empty()) {
          blocks.pop_back();
        }
        continue;
      }
      if (statement.empty()) {
        if (is_blank(c) || c == '\n') continue;
        begins = line_;
      }
      if (statement.size() < 2 * kLongestServerValue) statement += c == '\n' ? ' ' : c;
    }
  }

  void take_statement(const std::vector<std::string>& blocks, std::vector<std::string> words) {
    if (words.empty()) return;
    const std::string key = words.front();
    words.erase(words.begin());
    if (key != "listen") return take(key, words);
    if (words.empty() || blocks.empty() || blocks.back() != "server") return;
    const std::size_t before = out_.size();
    take(key, {words.front()});
    const auto is_udp = [](const std::string& one) { return one == "udp" || one == "quic"; };
    if (out_.size() > before && std::ranges::any_of(words, is_udp)) {
      out_.back().protocol = Protocol::Udp;
    }
  }

  ServerFormat format_;
  std::string_view rest_;
  std::uint32_t line_ = 0;
  bool counts_ = format_ != ServerFormat::Mysql && format_ != ServerFormat::Haproxy;
  bool ended_ = false;
  unsigned conditions_ = 0;
  std::uint32_t section_line_ = 0;
  std::vector<ServerSetting> out_;
};

/// A piece of a line that some format needs.
bool is_needed(std::string_view piece) {
  if (piece.size() > kLongestServerValue) return false;
  const std::vector<std::string> words = words_of(piece, true);
  if (words.empty()) return false;
  std::string key = lower(words.front());
  if (key.starts_with("<if") || key.starts_with("</if") || key.starts_with('[')) return true;
  // Of haproxy's servers nothing, of nginx's the heading.
  if (key == "server") return words.size() == 1;
  const auto is_key = [&key](const Keyword& one) { return one.key == key; };
  const bool frame = std::ranges::find(kFrames, key) != kFrames.end();
  if (frame || std::ranges::any_of(kKeywords, is_key)) return true;
  std::ranges::replace(key, '_', '-');
  return std::ranges::any_of(kKeywords, is_key);
}

}  // namespace

std::vector<ServerSetting> decode_server_config(ServerFormat format, ByteView file) {
  return Reader(format, file).read();
}

Bytes without_other_settings(ByteView file) {
  std::string out;
  std::string_view rest = as_text(file);
  while (!rest.empty()) {
    const bool ends = rest.find('\n') != std::string_view::npos;
    std::string_view line = next_piece(rest, '\n');
    line = line.substr(0, line.find('#'));
    while (!line.empty()) {
      const std::size_t end = std::min(line.find_first_of(";{}"), line.size());
      if (is_needed(line.substr(0, end))) out += line.substr(0, end);
      if (end < line.size()) out += line[end];
      line.remove_prefix(std::min(end + 1, line.size()));
    }
    if (ends) out += '\n';
  }
  return to_bytes(out);
}

}  // namespace hark::decode
