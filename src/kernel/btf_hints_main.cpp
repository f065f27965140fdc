// Build tool: asks the running kernel what the BPF programs will ask, and writes the answers as
// C++.
//
//   hark_btf_hints OUTPUT.cpp
//
// Where this cannot be asked (no type information, no build id) the output has no answers.
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "bpf/image.h"
#include "kernel/bpf_link.h"
#include "kernel/btf_hints.h"
#include "kernel/kernel_layout.h"

namespace {

namespace bpf = hark::bpf;
namespace kernel = hark::kernel;
using hark::Bytes;
using hark::ByteView;

Bytes read_all(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  return hark::to_bytes(std::string_view(bytes.data(), bytes.size()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const Bytes btf = read_all("/sys/kernel/btf/vmlinux");
  const Bytes notes = read_all("/sys/kernel/notes");
  const ByteView id = kernel::build_id_in(notes);
  std::vector<std::pair<std::string, std::uint32_t>> answers;
  if (!btf.empty() && !id.empty()) {
    constexpr std::array kImages = {&bpf::kReadKernel, &bpf::kWalkTask, &bpf::kWalkTaskFile};
    answers = kernel::answers_for(kImages, kernel::layout_labels(), btf);
  }
  std::FILE* out = std::fopen(argv[1], "w");
  if (out == nullptr) return 1;
  std::fprintf(out,
               "// Made by src/kernel/btf_hints_main.cpp.\n#include <array>\n\n"
               "#include \"kernel/btf_hints.h\"\n\nnamespace hark::kernel {\nnamespace {\n"
               "constexpr std::array<std::uint8_t, %zu> kId = {",
               answers.empty() ? 0 : id.size());
  for (const std::byte byte : answers.empty() ? ByteView() : id) {
    std::fprintf(out, "%u,", static_cast<unsigned>(byte));
  }
  std::fprintf(out, "};\nconstexpr std::array<BtfHint, %zu> kAll = {{\n", answers.size());
  for (const auto& [label, answer] : answers) {
    std::fprintf(out, "  {\"%s\", %uU},\n", label.c_str(), answer);
  }
  std::fprintf(out,
               "}};\n}  // namespace\nconst BtfHints kBtfHints{kId, kAll};\n"
               "}  // namespace hark::kernel\n");
  return std::fclose(out) == 0 ? 0 : 1;
}
