#include "host/server_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "base/text.h"
#include "decode/endpoint.h"
#include "decode/server_config.h"
#include "host/select_text.h"
#include "host/unit_files.h"

namespace hark::host {
namespace {

using decode::ServerFormat;
using decode::ServerSetting;
using Kind = ServerSetting::Kind;

/// A server and its files. One more is a row.
struct ServerProgram {
  std::string_view program;
  ServerFormat format;
  std::string_view file_option = {};           ///< a word in front of the file, or "--x=" before it
  bool bare_file = false;                      ///< the first word is the file
  std::array<std::string_view, 2> files = {};  ///< where it looks if it is not told
  bool all_files = false;                      ///< at each of them; else at the first that is there
  std::string_view folder_option = {};         ///< a word in front of the folder of its file
  std::string_view file_in_folder = {};
  bool last_wins = false;  ///< a port takes the place of the one before
  std::string_view default_port = {};
  std::string_view default_host = {};
};

constexpr std::array kPrograms = {
    ServerProgram{.program = "sshd",
                  .format = ServerFormat::Sshd,
                  .file_option = "-f",
                  .files = {"/etc/ssh/sshd_config"},
                  .default_port = "22",
                  .default_host = "*"},
    ServerProgram{.program = "nginx",
                  .format = ServerFormat::Nginx,
                  .file_option = "-c",
                  .files = {"/etc/nginx/nginx.conf"},
                  .default_port = "80",
                  .default_host = "*"},
    ServerProgram{.program = "apache2",
                  .format = ServerFormat::Apache,
                  .file_option = "-f",
                  .files = {"/etc/apache2/apache2.conf", "/etc/apache2/httpd.conf"},
                  .default_host = "*"},
    ServerProgram{.program = "httpd",
                  .format = ServerFormat::Apache,
                  .file_option = "-f",
                  .files = {"/etc/httpd/conf/httpd.conf", "/usr/local/apache2/conf/httpd.conf"},
                  .default_host = "*"},
    ServerProgram{.program = "postgres",
                  .format = ServerFormat::Postgres,
                  .file_option = "config_file=",
                  .folder_option = "-D",
                  .file_in_folder = "postgresql.conf",
                  .last_wins = true,
                  .default_port = "5432"},
    ServerProgram{.program = "redis-server",
                  .format = ServerFormat::Redis,
                  .bare_file = true,
                  .last_wins = true,
                  .default_port = "6379"},
    ServerProgram{.program = "valkey-server",
                  .format = ServerFormat::Redis,
                  .bare_file = true,
                  .last_wins = true,
                  .default_port = "6379"},
    ServerProgram{.program = "mysqld",
                  .format = ServerFormat::Mysql,
                  .file_option = "--defaults-file=",
                  .files = {"/etc/my.cnf", "/etc/mysql/my.cnf"},
                  .all_files = true,
                  .last_wins = true,
                  .default_port = "3306"},
    ServerProgram{.program = "mariadbd",
                  .format = ServerFormat::Mysql,
                  .file_option = "--defaults-file=",
                  .files = {"/etc/my.cnf", "/etc/mysql/my.cnf"},
                  .all_files = true,
                  .last_wins = true,
                  .default_port = "3306"},
    ServerProgram{.program = "haproxy",
                  .format = ServerFormat::Haproxy,
                  .file_option = "-f",
                  .default_host = "*"},
};

const ServerProgram* row_of(std::string_view program) {
  const auto* const found = std::ranges::find(kPrograms, program, &ServerProgram::program);
  return found == kPrograms.end() ? nullptr : found;
}

std::vector<std::string> words_of(std::span<const std::string> words) {
  constexpr std::size_t kMostWords = 256;
  if (words.size() != 1) {
    return {words.begin(), words.begin() + std::min<std::ptrdiff_t>(std::ssize(words), kMostWords)};
  }
  std::vector<std::string> out;
  std::string_view rest = std::string_view(words.front()).substr(0, 4096);
  for (auto word = next_word(rest); !word.empty() && out.size() < kMostWords;
       word = next_word(rest)) {
    out.emplace_back(word);
  }
  return out;
}

/// "nginx: worker process", "postgres: checkpointer", "sshd: root@pts/0": not those that read the
/// files, whose titles have the words of the command line behind.
bool is_child(const std::vector<std::string>& words) {
  if (words.empty() || !words.front().ends_with(':')) return false;
  const auto is_main = [](const std::string& one) {
    return one == "master" || one == "[listener]";
  };
  return std::ranges::none_of(words, is_main);
}

/// `-o Port=22`, `-c port=5433`, `-g 'listen …'`: more than hark takes apart.
bool speaks_of_ports(const std::vector<std::string>& words) {
  return std::ranges::any_of(words, [](const std::string& one) {
    return contains_text(one, "port=") || contains_text(one, "listen_addresses") ||
           contains_text(one, "ListenAddress") || one == "-p" || one == "--port";
  });
}

std::string folder_of(std::string_view path) {
  return std::string(path.substr(0, path.rfind('/')));
}

/// What the words say of files; a relative one is none that we know.
std::vector<std::string> named_files(const ServerProgram& row,
                                     const std::vector<std::string>& words, bool& unknown) {
  std::vector<std::string> out;
  const auto take = [&](std::string_view file) {
    unknown = unknown || !file.starts_with('/');
    out.emplace_back(file);
  };
  const std::string_view option = row.file_option;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (option.ends_with('=') && word.starts_with(option)) take(word.substr(option.size()));
    if (option.empty() || i + 1 == words.size()) continue;
    if (word == option) take(words[i + 1]);
  }
  if (out.empty() && row.bare_file && words.size() > 1 && words[1].starts_with('/')) take(words[1]);
  for (std::size_t i = 1; out.empty() && i + 1 < words.size(); ++i) {
    if (!row.folder_option.empty() && words[i] == row.folder_option) {
      take(words[i + 1] + "/" + std::string(row.file_in_folder));
    }
  }
  return out;
}

/// A setting and where it stands.
struct Placed {
  ServerSetting setting;
  std::string file;
};

/// Reads a file and all that it includes, in their order.
class FileReader {
 public:
  FileReader(kernel::Source& source, std::uint32_t pid, const ServerProgram& row)
      : source_(source), proc_("/proc/" + std::to_string(pid) + "/root"), row_(row) {}

  /// False: it is not there.
  bool read(const std::string& path) {
    if (root_.empty()) root_ = folder_of(path);
    return read(path, 0);
  }
  [[nodiscard]] bool whole() const { return whole_; }
  [[nodiscard]] const std::vector<Placed>& settings() const { return settings_; }
  [[nodiscard]] const std::vector<std::string>& files() const { return read_; }

 private:
  bool read(const std::string& path, unsigned depth) {
    constexpr std::size_t kMostSettings = 4 * decode::kMostServerSettings;
    if (++files_ > kMostServerFiles || depth > kDeepestInclude) {
      whole_ = false;
      return false;
    }
    const auto text = source_.read_file(proc_ + path);
    if (!text) {
      // A folder among the files of a pattern is passed over, as the programs do.
      const int code = text.error().code;
      whole_ = whole_ && (code == ENOENT || code == EINVAL);
      return false;
    }
    if (std::ranges::find(read_, path) == read_.end()) read_.push_back(path);
    for (ServerSetting& one : decode::decode_server_config(row_.format, *text)) {
      if (settings_.size() >= kMostSettings) whole_ = false;
      if (!whole_) break;
      if (one.kind == Kind::Root) root_ = resolved_path(root_, one.value);
      if (one.kind == Kind::Include) include(one.value, path, depth);
      // *.conf of PostgreSQL, *.cnf of MySQL
      if (one.kind == Kind::IncludeFolder) include(one.value + "/*.c*nf", path, depth);
      settings_.push_back({std::move(one), path});
    }
    return true;
  }

  void include(const std::string& pattern, const std::string& from, unsigned depth) {
    const std::string base = row_.format == ServerFormat::Postgres ? folder_of(from) : root_;
    const std::string whole = resolved_path(base, pattern);
    const std::string folder = folder_of(whole);
    const std::string name = whole.substr(folder.size() + 1);
    if (is_glob(folder)) {
      whole_ = false;
    } else if (!is_glob(name)) {
      (void)read(whole, depth + 1);
    } else if (const auto names = source_.list_folder(proc_ + folder)) {
      for (const std::string& one : *names) {
        // A star takes no dot in front, as in a shell.
        if (one.starts_with('.') || !matches_glob(name, one)) continue;
        if (!whole_) break;
        (void)read(folder + "/" + one, depth + 1);
      }
    } else {
      whole_ = whole_ && names.error().code == ENOENT;
    }
  }

  kernel::Source& source_;
  std::string proc_;
  const ServerProgram& row_;
  std::string root_;
  std::size_t files_ = 0;
  bool whole_ = true;
  std::vector<Placed> settings_;
  std::vector<std::string> read_;
};

/// Those that the words name, or else the usual ones. False: it is not known which they are, or one
/// that is named is not there.
bool read_files(const ServerProgram& row, const std::vector<std::string>& words,
                FileReader& reader) {
  bool unknown = false;
  const std::vector<std::string> files = named_files(row, words, unknown);
  if (unknown) return false;
  for (const std::string& file : files) {
    if (!reader.read(file)) return false;
  }
  if (files.empty()) {
    for (const std::string_view file : row.files) {
      if (!file.empty() && reader.read(std::string(file)) && !row.all_files) break;
    }
  }
  if (row.format == ServerFormat::Postgres && files.size() == 1) {
    // What ALTER SYSTEM has written, which counts last; it lies with the data.
    const auto at = std::ranges::find(words, "-D");
    if (at != words.end() && at + 1 != words.end())
      (void)reader.read(*(at + 1) + "/postgresql.auto.conf");
  }
  return true;
}

/// From settings to sockets.
class Meaning {
 public:
  explicit Meaning(const ServerProgram& row) : row_(row) {}

  void take(const Placed& one) {
    switch (one.setting.kind) {
      case Kind::Listen:
        take_listen(one);
        return;
      case Kind::Port:
        if (row_.last_wins) ports_.clear();
        ports_.push_back(one);
        return;
      case Kind::Address:
        off_ = false;
        // The addresses of one line belong together.
        if (!hosts_.empty() &&
            (hosts_.back().file != one.file || hosts_.back().setting.line != one.setting.line)) {
          hosts_.clear();
        }
        hosts_.push_back(one);
        return;
      case Kind::Off:
        off_ = true;
        hosts_.clear();
        return;
      case Kind::Include:
      case Kind::IncludeFolder:
      case Kind::Root:
        return;
    }
  }

  std::vector<FilePort> ports() {
    if (off_) return {};
    const bool nowhere = hosts_.empty() && hosts_without_port_.empty() && out_.empty();
    for (const Placed& port : ports_) {
      if (nowhere) {
        add(std::string(row_.default_host), port.setting.value, port);
      }
    }
    for (const Placed& host : hosts_) add_at(host);
    for (const Placed& host : hosts_without_port_) add_at(host);
    return std::move(out_);
  }

 private:
  void take_listen(const Placed& one) {
    const auto at = decode::split_endpoint(one.setting.value);
    if (!at) return;
    if (!at->port.empty()) {
      const std::string host(at->host.empty() ? row_.default_host : at->host);
      add(host, std::string(at->port), one);
    } else if (parse_number<std::uint16_t>(at->host)) {
      add(std::string(row_.default_host), std::string(at->host), one);
    } else if (row_.format == ServerFormat::Sshd) {
      Placed host = one;
      host.setting.value = at->host;
      hosts_without_port_.push_back(std::move(host));
    } else if (!row_.default_port.empty()) {
      add(std::string(at->host), std::string(row_.default_port), one);
    }
  }

  /// An address at all ports. Of redis a dash means "if it is there".
  void add_at(const Placed& host) {
    if (host.setting.value.starts_with('-')) return;
    for (const Placed& port : ports_) add(host.setting.value, port.setting.value, port);
    if (ports_.empty()) add(host.setting.value, std::string(row_.default_port), host);
  }

  void add(std::string host, std::string port, const Placed& place) {
    out_.push_back({.host = std::move(host),
                    .port = std::move(port),
                    .protocol = place.setting.protocol,
                    .file = place.file,
                    .line = place.setting.line});
  }

  const ServerProgram& row_;
  std::vector<Placed> ports_;
  std::vector<Placed> hosts_;
  std::vector<Placed> hosts_without_port_;
  bool off_ = false;
  std::vector<FilePort> out_;
};

}  // namespace

bool has_server_files(std::string_view program) {
  return row_of(program) != nullptr;
}

std::vector<FilePort> ports_of_files(kernel::Source& source, std::uint32_t pid,
                                     std::string_view program, std::span<const std::string> words) {
  const ServerProgram* row = row_of(program);
  if (row == nullptr) return {};
  const std::vector<std::string> all = words_of(words);
  FileReader reader(source, pid, *row);
  if (is_child(all) || speaks_of_ports(all) || !read_files(*row, all, reader)) return {};
  if (!reader.whole()) return {};
  Meaning meaning(*row);
  for (const Placed& one : reader.settings()) meaning.take(one);
  return meaning.ports();
}

std::vector<std::string> files_of_server(kernel::Source& source, std::uint32_t pid,
                                         std::string_view program,
                                         std::span<const std::string> words) {
  const ServerProgram* row = row_of(program);
  if (row == nullptr) return {};
  const std::vector<std::string> all = words_of(words);
  FileReader reader(source, pid, *row);
  if (is_child(all) || !read_files(*row, all, reader)) return {};
  return reader.files();
}

}  // namespace hark::host
