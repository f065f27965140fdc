#include "host/programs.h"

#include <optional>

#include "base/text.h"
#include "decode/manifest.h"
#include "decode/process.h"
#include "host/program_name.h"
#include "host/select_text.h"

namespace hark::host {
namespace {

constexpr int kMostFolders = 3;

std::string proc(const Process& process, std::string_view rest) {
  return "/proc/" + std::to_string(process.pid) + "/" + std::string(rest);
}

struct ManifestFile {
  Manifest kind;
  const char* name;
  std::optional<std::string> (*read)(ByteView text);
};
constexpr ManifestFile kManifests[] = {
    {Manifest::PackageJson, "package.json", decode::name_in_json},
    {Manifest::DenoJson, "deno.json", decode::name_in_json},
    {Manifest::DenoJson, "package.json", decode::name_in_json},
    {Manifest::ComposerJson, "composer.json", decode::name_in_json},
    {Manifest::Pyproject, "pyproject.toml", decode::name_in_toml},
};

/// The folder of a path, without a slash at its end; empty: the root, or none.
std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

/// The script's folder as the process sees it, if it is told where it is.
std::optional<std::string> script_folder(kernel::Source& source, const Process& process,
                                         const std::string& script) {
  if (script.starts_with('/')) return folder_of(script);
  const auto cwd = source.read_link(proc(process, "cwd"));
  if (!cwd || !cwd->starts_with('/')) return std::nullopt;
  std::string_view relative = script;
  while (relative.starts_with("./")) relative.remove_prefix(2);
  return folder_of(*cwd + "/" + std::string(relative));
}

std::string manifest_name(kernel::Source& source, const Process& process,
                          const ProgramGuess& guess) {
  auto folder = script_folder(source, process, guess.script);
  for (int up = 0; folder && !folder->empty() && up < kMostFolders; ++up) {
    for (const ManifestFile& file : kManifests) {
      if (file.kind != guess.manifest) continue;
      const auto text = source.read_file(proc(process, "root") + *folder + "/" + file.name);
      if (!text) continue;
      if (auto name = file.read(*text)) return *name;
    }
    folder = folder_of(*folder);
  }
  return {};
}

/// is_runtime() of the same name again and again, as a service has many workers.
class Runtimes {
 public:
  bool contains(std::string_view name) {
    if (name != last_) {
      last_ = name;
      is_ = is_runtime(name);
    }
    return is_;
  }

 private:
  std::string last_;
  bool is_ = false;
};

std::string program_of(kernel::Source& source, const Process& process, Runtimes& runtimes) {
  const std::string exe = process.exe.value_or(process.exe_name);
  const std::string_view runtime = exe.empty() ? std::string_view(process.name) : last_part(exe);
  const std::vector<std::string>* words = process.command_line ? &*process.command_line : nullptr;
  std::vector<std::string> read;
  if ((words == nullptr || words->empty()) && runtimes.contains(runtime)) {
    if (const auto text = source.read_file(proc(process, "cmdline"))) {
      read = decode::decode_cmdline(*text);
      words = &read;
    }
  }
  const std::string first = words == nullptr || words->empty() ? std::string() : words->front();
  if (words != nullptr) {
    ProgramGuess guess = guess_program(runtime, *words);
    if (guess.manifest != Manifest::None) {
      std::string name = manifest_name(source, process, guess);
      if (!name.empty()) return name;
    }
    if (!guess.name.empty()) return std::move(guess.name);
  }
  return std::string(whole_name(process.name, exe, first));
}

}  // namespace

void name_programs(kernel::Source& source, Host& host) {
  Runtimes runtimes;
  for (Process& process : host.processes) process.program = program_of(source, process, runtimes);
}

}  // namespace hark::host
