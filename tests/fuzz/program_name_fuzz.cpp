// Names of programs, from a command line (words parted by newlines, the first is the executable)
// and from a manifest.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/text.h"
#include "decode/manifest.h"
#include "host/program_name.h"

namespace {

using namespace hark;

void require(bool truth) {
  if (!truth) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  for (const auto& name : {decode::name_in_json(bytes), decode::name_in_toml(bytes)}) {
    if (name) require(!name->empty() && name->size() <= 255);
  }
  std::string_view rest = as_text(bytes);
  const std::string exe(next_piece(rest, '\n'));
  std::vector<std::string> words;
  while (!rest.empty()) words.emplace_back(next_piece(rest, '\n'));
  const host::ProgramGuess guess = host::guess_program(exe, words);
  require(guess.name.size() <= size);
  if (!guess.name.empty()) require(host::is_runtime(exe) && words.size() >= 2);
  require((guess.manifest == host::Manifest::None) == guess.script.empty());
  const std::string first = words.empty() ? std::string() : words.front();
  const std::string cut = exe.substr(0, 15);
  require(host::whole_name(cut, exe, first).starts_with(cut));
  return 0;
}
