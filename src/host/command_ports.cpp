#include "host/command_ports.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "decode/endpoint.h"
#include "host/select_text.h"
#include "kernel/port_variables.h"

namespace hark::host {
namespace {

using Words = std::vector<std::string>;

/// What a word with a value says.
enum class Says : std::uint8_t {
  Nothing,
  Port,    ///< a port; or an address and a port
  Listen,  ///< an address, a port or both, to listen at
  Host,    ///< an address, perhaps somebody else's
  Remote,  ///< the program talks to somebody else
};

struct Option {
  std::string_view name;
  Says says;
};

/// Of any program; dashes in front do not count, '_' is as '-'.
constexpr std::array kOptions = {
    Option{"port", Says::Port},
    Option{"http-port", Says::Port},
    Option{"https-port", Says::Port},
    Option{"server.port", Says::Port},
    Option{"dserver.port", Says::Port},
    Option{"listen-port", Says::Port},
    Option{"listen", Says::Listen},
    Option{"listen-address", Says::Listen},
    Option{"listen-addr", Says::Listen},
    Option{"web.listen-address", Says::Listen},
    Option{"http-listen-address", Says::Listen},
    Option{"http-listen-addr", Says::Listen},
    Option{"bind", Says::Listen},
    Option{"bind-address", Says::Listen},
    Option{"bind-addr", Says::Listen},
    Option{"bind-ip", Says::Listen},
    Option{"host", Says::Host},
    Option{"hostname", Says::Host},
    Option{"h", Says::Host},
    Option{"address", Says::Host},
    Option{"addr", Says::Host},
};

/// Parts of names of options that tell of somebody else.
constexpr std::array<std::string_view, 9> kRemote = {
    "remote", "upstream", "target", "connect", "dest", "peer", "proxy", "join", "url"};

/// A server, and which of its words say what. One more is a row.
struct Server {
  std::string_view program;       ///< a glob
  std::string_view ports = {};    ///< words that have a port
  std::string_view listens = {};  ///< words that have an address, perhaps with a port
  std::string_view command = {};  ///< the word that makes it one; empty: it always is
  bool bare = false;              ///< an address and port by itself, or a lone number behind
  std::optional<Protocol> protocol = Protocol::Tcp;
};
constexpr std::array kServers = {
    Server{.program = "sshd", .ports = "-p"},
    Server{.program = "dropbear", .listens = "-p"},
    Server{.program = "nginx"},
    Server{.program = "apache2"},
    Server{.program = "httpd"},
    Server{.program = "haproxy"},
    Server{.program = "postgres", .ports = "-p", .listens = "-h"},
    Server{.program = "mysqld"},
    Server{.program = "mariadbd"},
    Server{.program = "redis-server", .bare = true},
    Server{.program = "valkey-server", .bare = true},
    Server{.program = "memcached", .ports = "-p", .listens = "-l"},
    Server{.program = "mongod"},
    Server{.program = "mosquitto", .ports = "-p"},
    Server{.program = "dnsmasq", .ports = "-p", .protocol = {}},
    Server{.program = "nats-server", .ports = "-p", .listens = "-a"},
    Server{.program = "gunicorn*", .listens = "-b"},
    Server{.program = "uvicorn"},
    Server{.program = "hypercorn", .listens = "-b"},
    Server{.program = "puma*", .ports = "-p", .listens = "-b"},
    Server{.program = "http.server", .listens = "-b", .bare = true},
    Server{.program = "php*", .listens = "-S"},
    Server{.program = "flask", .ports = "-p", .command = "run"},
    Server{.program = "rails", .ports = "-p", .listens = "-b", .command = "server"},
    Server{.program = "manage.py", .command = "runserver", .bare = true},
    Server{.program = "next", .ports = "-p", .listens = "-H", .command = "start"},
    Server{.program = "http-server", .ports = "-p", .listens = "-a"},
};

/// They hold listeners (forwarded ones, say), and their words name what others listen on.
constexpr std::array<std::string_view, 27> kClients = {
    "ssh",     "autossh", "sshd-session", "curl",     "wget",     "psql",  "mysql",
    "mariadb", "mongo*",  "redis-cli",    "nc*",      "ncat",     "socat", "kubectl",
    "docker*", "podman",  "containerd*",  "sudo",     "strace",   "gdb",   "systemd*",
    "*-proxy", "ftp",     "telnet",       "openvpn*", "stunnel*", "rsync"};

const Server* server_named(std::string_view program) {
  const auto* const found = std::ranges::find_if(
      kServers, [&](const Server& one) { return matches_glob(one.program, program); });
  return found == kServers.end() ? nullptr : found;
}

bool is_wildcard(std::string_view host) {
  return host == "0.0.0.0" || host == "::" || host == "*";
}

/// "0.0.0.0:1" may be a screen: qemu's -vnc, Xvnc.
bool is_no_display(std::string_view port) {
  constexpr std::uint16_t kFirst = 1000;
  return port == "80" || port == "443" || parse_number<std::uint16_t>(port).value_or(0) >= kFirst;
}

/// An option and its value, which may be the next word.
struct Pair {
  std::string word;   ///< as written
  std::string name;   ///< without dashes, lower case, '-' for '_'
  std::string value;  ///< empty: there is none
  bool next = false;  ///< it is the next word
};

Pair pair_at(const Words& words, std::size_t at) {
  Pair out;
  const std::string& word = words[at];
  const std::size_t sign = word.find('=');
  out.word = word.substr(0, sign);
  std::string_view name = out.word;
  name.remove_prefix(std::min(name.find_first_not_of('-'), name.size()));
  out.name = lower(name);
  std::ranges::replace(out.name, '_', '-');
  if (sign != std::string::npos) {
    out.value = word.substr(sign + 1);
  } else if (at + 1 < words.size() && !words[at + 1].starts_with('-')) {
    out.value = words[at + 1];
    out.next = true;
  }
  return out;
}

Says says_of(const Pair& pair, const Server* server) {
  if (server != nullptr && server->ports == pair.word) return Says::Port;
  if (server != nullptr && server->listens == pair.word) return Says::Listen;
  // "-p" and "-h" of a stranger may mean anything; "-port" is how Go writes it.
  if (pair.name.size() < 2 && pair.name != "h") return Says::Nothing;
  const auto* const found = std::ranges::find(kOptions, pair.name, &Option::name);
  if (found != kOptions.end()) return found->says;
  const auto in_name = [&](std::string_view part) { return contains_text(pair.name, part); };
  return std::ranges::any_of(kRemote, in_name) ? Says::Remote : Says::Nothing;
}

class CommandReader {
 public:
  CommandReader(const Server* server, const Words& words) : server_(server), words_(words) {
    if (server_ != nullptr) protocol_ = server_->protocol;
    // What makes a program a server need not be its first word: `python manage.py runserver`.
    if (server_ != nullptr && !server_->command.empty() &&
        std::ranges::find(words_, server_->command) == words_.end()) {
      server_ = nullptr;
    }
  }

  std::vector<CommandPort> read() {
    for (std::size_t at = 1; at < words_.size(); ++at) {
      if (words_[at] == "--") break;
      if (words_[at] == "--skip-networking") return {};
      if (!words_[at].starts_with('-')) {
        take_bare(words_[at]);
        continue;
      }
      const Pair pair = pair_at(words_, at);
      if (take(pair) && pair.next) ++at;
    }
    const bool somebody_elses = server_ == nullptr && (remote_ || other_host_);
    if (!somebody_elses) std::ranges::move(ports_, std::back_inserter(out_));
    for (CommandPort& one : out_) {
      if (one.host.empty()) one.host = host_;
      one.protocol = protocol_;
    }
    if (out_.size() > kMostCommandPorts) out_.resize(kMostCommandPorts);
    return std::move(out_);
  }

 private:
  /// True: the value is the option's own.
  bool take(const Pair& pair) {
    const std::string words = pair.word + (pair.next ? " " : "=") + pair.value;
    switch (says_of(pair, server_)) {
      case Says::Nothing:
        return false;
      case Says::Port:
        add_port(pair.value, words);
        return true;
      case Says::Listen:
        add_listen(pair.value, words);
        return true;
      case Says::Host:
        add_host(pair.value, words);
        return true;
      case Says::Remote:
        remote_ = true;
        return true;
    }
    return false;
  }

  void add_port(const std::string& value, const std::string& words) {
    if (parse_port(value)) {
      ports_.push_back({.host = {}, .port = value, .words = words});
    } else {
      add_listen(value, words);
    }
  }

  void add_listen(const std::string& value, const std::string& words) {
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::string_view piece = next_piece(rest, ',');
      const auto at = decode::split_endpoint(piece);
      if (!at) continue;
      if (!at->port.empty()) {
        out_.push_back(
            {.host = std::string(at->host), .port = std::string(at->port), .words = words});
      } else if (parse_port(at->host)) {
        out_.push_back({.host = {}, .port = std::string(at->host), .words = words});
      } else if (host_.empty()) {
        host_ = at->host;
      }
    }
  }

  void add_host(const std::string& value, const std::string& words) {
    const auto at = decode::split_endpoint(value);
    if (!at) {
      other_host_ = true;
    } else if (!at->port.empty()) {
      const bool own = at->host.empty() || is_wildcard(at->host);
      if (own) add_listen(value, words);
    } else if (is_wildcard(at->host) || server_ != nullptr) {
      host_ = at->host;
    } else {
      other_host_ = true;
    }
  }

  void take_bare(const std::string& word) {
    const auto at = decode::split_endpoint(word);
    if (!at) return;
    const bool known = server_ != nullptr && server_->bare;
    if (at->port.empty()) {
      if (known && parse_port(at->host)) {
        out_.push_back({.host = {}, .port = std::string(at->host), .words = word});
      }
      return;
    }
    // A name for a port by itself ("job:web") may be anything.
    if (!parse_port(at->port)) return;
    if (known || (is_wildcard(at->host) && is_no_display(at->port))) {
      out_.push_back({.host = std::string(at->host), .port = std::string(at->port), .words = word});
    }
  }

  const Server* server_;
  const Words& words_;
  std::optional<Protocol> protocol_;
  bool remote_ = false;
  bool other_host_ = false;
  std::string host_;                ///< for ports that have none
  std::vector<CommandPort> ports_;  ///< that may be somebody else's
  std::vector<CommandPort> out_;
};

}  // namespace

std::vector<CommandPort> ports_of_command(std::string_view program,
                                          std::span<const std::string> words) {
  constexpr std::size_t kMostWords = 256;
  if (words.empty() || is_client_program(program)) return {};
  Words all;
  for (const std::string& word : words.subspan(0, std::min(words.size(), kMostWords))) {
    if (word.size() <= 256) all.push_back(word);
  }
  if (words.size() == 1) {
    all.clear();
    std::string_view rest = std::string_view(words.front()).substr(0, 4096);
    for (auto word = next_word(rest); !word.empty() && all.size() < kMostWords;
         word = next_word(rest)) {
      all.emplace_back(word);
    }
  }
  return CommandReader(server_named(program), all).read();
}

std::vector<CommandPort> ports_of_environment(std::string_view environment) {
  std::vector<CommandPort> out;
  const std::string kept = kernel::port_variables(environment);
  std::string_view rest = kept;
  while (!rest.empty() && out.size() < kMostCommandPorts) {
    const std::string_view variable = next_piece(rest, '\0');
    const std::string_view value = variable.substr(variable.find('=') + 1);
    out.push_back({.host = {}, .port = std::string(value), .words = std::string(variable)});
  }
  return out;
}

bool is_client_program(std::string_view program) {
  if (program == "mongod") return false;
  return std::ranges::any_of(kClients,
                             [&](std::string_view one) { return matches_glob(one, program); });
}

bool is_known_server(std::string_view program) {
  return server_named(program) != nullptr;
}

}  // namespace hark::host
