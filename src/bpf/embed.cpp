// Build tool: turns compiled BPF objects into C++ arrays.
//
//   hark_bpf_embed OUTPUT.cpp CONSTANT=OBJECT.o …
//
// An object has one program in one section (its first with code), whose relocations name what the
// loader fills in. CONSTANT= with no object makes an image without code. ELF: elf(5); relocations
// of BPF: Documentation/bpf/llvm_reloc.rst.
#include <elf.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace {

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "hark_bpf_embed: %s\n", what.c_str());
  std::exit(1);
}

struct Symbol {
  std::uint64_t instruction;
  std::string label;
};

struct Program {
  std::string name;
  std::vector<std::uint64_t> code;
  std::vector<Symbol> symbols;
};

class Object {
 public:
  explicit Object(const std::string& path) : path_(path) {
    std::ifstream file(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
    if (bytes_.size() < sizeof(Elf64_Ehdr)) die(path + ": no ELF file");
    header_ = at<Elf64_Ehdr>(0);
    if (std::memcmp(header_.e_ident, ELFMAG, SELFMAG) != 0 || header_.e_machine != EM_BPF) {
      die(path + ": no BPF object");
    }
    for (unsigned i = 0; i < header_.e_shnum; ++i) {
      sections_.push_back(at<Elf64_Shdr>(header_.e_shoff + i * sizeof(Elf64_Shdr)));
    }
  }

  Program program() {
    Program out;
    unsigned which = 0;
    for (unsigned i = 0; i < sections_.size(); ++i) {
      const Elf64_Shdr& section = sections_[i];
      const bool code = section.sh_type == SHT_PROGBITS && (section.sh_flags & SHF_EXECINSTR) != 0;
      if (!code || section.sh_size == 0) continue;
      if (which != 0) die(path_ + ": code in more than one section");
      which = i;
      for (std::uint64_t n = 0; n < section.sh_size; n += 8) {
        out.code.push_back(at<std::uint64_t>(section.sh_offset + n));
      }
    }
    if (which == 0) die(path_ + ": no code");
    for (const Elf64_Shdr& section : sections_) {
      if (section.sh_type != SHT_REL || section.sh_info != which) continue;
      for (std::uint64_t n = 0; n < section.sh_size; n += sizeof(Elf64_Rel)) {
        const auto place = at<Elf64_Rel>(section.sh_offset + n);
        const auto symbol = symbol_at(section.sh_link, ELF64_R_SYM(place.r_info));
        if (symbol.label.empty()) die(path_ + ": a relocation against a section: no data is taken");
        out.symbols.push_back({place.r_offset / 8, symbol.label});
      }
    }
    out.name = function_in(which);
    return out;
  }

 private:
  template <typename T>
  T at(std::uint64_t offset) const {
    T out{};
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof out) die(path_ + ": cut off");
    std::memcpy(&out, bytes_.data() + offset, sizeof out);
    return out;
  }

  std::string text(unsigned section, std::uint64_t offset) const {
    std::string out;
    for (std::uint64_t i = sections_.at(section).sh_offset + offset; at<char>(i) != '\0'; ++i) {
      out += at<char>(i);
    }
    return out;
  }

  struct Named {
    std::string label;
    Elf64_Sym symbol;
  };

  Named symbol_at(unsigned table, std::uint64_t index) const {
    const Elf64_Shdr& section = sections_.at(table);
    const auto symbol = at<Elf64_Sym>(section.sh_offset + index * sizeof(Elf64_Sym));
    return {symbol.st_shndx == SHN_UNDEF ? text(section.sh_link, symbol.st_name) : "", symbol};
  }

  std::string function_in(unsigned which) const {
    for (const Elf64_Shdr& section : sections_) {
      if (section.sh_type != SHT_SYMTAB) continue;
      for (std::uint64_t n = 0; n < section.sh_size; n += sizeof(Elf64_Sym)) {
        const auto symbol = at<Elf64_Sym>(section.sh_offset + n);
        const bool entry = symbol.st_value == 0 && ELF64_ST_TYPE(symbol.st_info) == STT_FUNC;
        if (symbol.st_shndx == which && entry) {
          return text(section.sh_link, symbol.st_name);
        }
      }
    }
    die(path_ + ": no function");
  }

  std::string path_;
  std::vector<char> bytes_;
  Elf64_Ehdr header_{};
  std::vector<Elf64_Shdr> sections_;
};

void write_image(std::FILE* out, const std::string& constant, const Program& program) {
  std::fprintf(out, "namespace {\n");
  std::fprintf(out, "constexpr std::array<std::uint64_t, %zu> %sCode = {", program.code.size(),
               constant.c_str());
  for (std::size_t i = 0; i < program.code.size(); ++i) {
    std::fprintf(out, "%s0x%016llxULL,", i % 4 == 0 ? "\n  " : " ",
                 static_cast<unsigned long long>(program.code[i]));
  }
  std::fprintf(out, "};\nconstexpr std::array<BpfSymbol, %zu> %sSymbols = {{\n",
               program.symbols.size(), constant.c_str());
  for (const Symbol& symbol : program.symbols) {
    std::fprintf(out, "  {%lluU, \"%s\"},\n", static_cast<unsigned long long>(symbol.instruction),
                 symbol.label.c_str());
  }
  std::fprintf(out, "}};\n}  // namespace\nconst BpfImage %s{\"%s\", %sCode, %sSymbols};\n\n",
               constant.c_str(), program.name.c_str(), constant.c_str(), constant.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) die("usage: OUTPUT.cpp CONSTANT=OBJECT.o...");
  std::FILE* out = std::fopen(argv[1], "w");
  if (out == nullptr) die(std::string(argv[1]) + ": cannot be written");
  std::fprintf(out,
               "// Made by bpf/embed.cpp from the objects of src/bpf/*.bpf.c.\n"
               "#include <array>\n\n#include \"bpf/image.h\"\n\n"
               "namespace hark::bpf {\n\n");
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) die(word + ": no CONSTANT=OBJECT");
    const std::string constant = word.substr(0, equals);
    const std::string object = word.substr(equals + 1);
    if (object.empty()) {
      std::fprintf(out, "const BpfImage %s{\"%s\", {}, {}};\n\n", constant.c_str(),
                   constant.c_str());
    } else {
      write_image(out, constant, Object(object).program());
    }
  }
  std::fprintf(out, "}  // namespace hark::bpf\n");
  if (std::fclose(out) != 0) die(std::string(argv[1]) + ": cannot be written");
  return 0;
}
