// Runs the built hark as a shell would, and tells what came of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hark::test {

struct Ran {
  int status = -1;  ///< exit status; of a signal 128 + its number
  std::string out;
  std::string err;
};

struct Setting {
  std::vector<std::string> environment = {"LC_ALL=C.UTF-8", "TERM=xterm"};
  std::string input;
  /// Standard output: a pipe unless one of these is set.
  std::string out_file;               ///< opened for writing
  bool out_closed = false;            ///< no descriptor 1 at all
  bool out_pipe_closed = false;       ///< a pipe that nobody reads
  bool sigpipe_ignored = false;       ///< as a careless parent leaves it
  std::optional<unsigned> out_width;  ///< a terminal of that many columns; 0: it does not say
};

[[nodiscard]] Ran run_hark(const std::vector<std::string>& arguments, const Setting& setting = {});

/// A TCP socket of this process that listens on 127.0.0.1.
class Listening {
 public:
  Listening();
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  ~Listening();
  [[nodiscard]] std::string port() const { return std::to_string(port_); }

 private:
  int fd_ = -1;
  std::uint16_t port_ = 0;
};

/// A folder that is gone with this object.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  std::string path_;
};

[[nodiscard]] std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);

/// A file of this repository.
[[nodiscard]] std::string read_source(const std::string& path);

[[nodiscard]] std::vector<std::string> lines_of(const std::string& text);

}  // namespace hark::test
