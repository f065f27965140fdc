#include "drill/lab_scenarios.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "base/unique_fd.h"
#include "drill/lab_files.h"

namespace hark::drill {
namespace {

constexpr std::size_t kLongestFile = 1 << 20;

const LabFile* file_named(std::string_view name) {
  const auto files = lab_files();
  const auto found = std::ranges::find(files, name, &LabFile::name);
  return found == files.end() ? nullptr : &*found;
}

Result<LabScenario> parse_file(const LabFile& file) {
  return parse_lab_scenario(file.text, file.name, std::string(file.name) + ".toml");
}

Result<std::string> read_text(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return fail(kernel_error(errno, path));
  std::string out;
  std::array<char, 4096> piece{};
  while (out.size() < kLongestFile) {
    const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(kernel_error(errno, path));
    if (got == 0) return out;
    out.append(piece.data(), static_cast<std::size_t>(got));
  }
  return fail(plain_error(path, "longer than a scenario"));
}

Result<LabScenario> own_file(const std::string& path) {
  const Result<std::string> text = read_text(path);
  if (!text) return fail(text.error());
  std::string_view name = path;
  name.remove_prefix(name.rfind('/') + 1);
  name.remove_suffix(std::string_view(".toml").size());
  return parse_lab_scenario(*text, name, path);
}

}  // namespace

std::vector<std::string> lab_path() {
  std::vector<std::string> out;
  std::string_view rest = lab_path_file();
  while (!rest.empty()) {
    const std::string_view line = next_piece(rest, '\n');
    if (!line.empty() && !line.starts_with('#')) out.emplace_back(line);
  }
  return out;
}

Result<std::vector<LabScenario>> lab_scenarios() {
  std::vector<LabScenario> out;
  for (const std::string& name : lab_path()) {
    const LabFile* file = file_named(name);
    if (file == nullptr) return fail(plain_error("path.txt", "there is no scenario " + name));
    Result<LabScenario> one = parse_file(*file);
    if (!one) return fail(one.error());
    out.push_back(std::move(*one));
  }
  return out;
}

Result<LabScenario> find_lab_scenario(const std::string& name) {
  if (name.ends_with(".toml")) return own_file(name);
  if (const LabFile* file = file_named(name)) return parse_file(*file);
  const std::vector<std::string> names = lab_path();
  const auto near = nearest(name, names);
  return fail(plain_error(name, "there is no such scenario",
                          near ? "did you mean " + *near : "hark lab shows them all"));
}

}  // namespace hark::drill
