#include "kernel/bpf_link.h"

#include <linux/bpf.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "kernel/btf.h"

namespace hark::kernel {
namespace {

constexpr std::uint32_t kMissing = 0x7fffffff;  ///< MISSING of bpf/fields.bpf.h
constexpr std::uint8_t kLoadNumber = BPF_LD | BPF_IMM | BPF_DW;
constexpr std::uint8_t kCall = BPF_JMP | BPF_CALL;

/// A label that asks for a fact of the kernel.
struct Asked {
  BtfQuestion question;
  bool optional = false;
};

constexpr std::string_view kGiven = "given..";
constexpr std::string_view kArea = "area..";

Asked parse(std::string_view label) {
  Asked out;
  const std::size_t dots = label.find("..");
  const std::string_view form = dots == std::string_view::npos ? "" : label.substr(dots + 2);
  label = label.substr(0, dots);
  out.optional = form == "optional";
  const std::size_t dot = label.find('.');
  out.question.type = label.substr(0, dot);
  if (dot != std::string_view::npos) {
    out.question.member = label.substr(dot + 1);
    out.question.fact = form == "bit" ? BtfFact::Bit : BtfFact::Offset;
  } else {
    out.question.fact = form == "size" ? BtfFact::Size : BtfFact::Function;
  }
  return out;
}

/// One symbol filled into one place.
class Linker {
 public:
  Linker(std::vector<std::uint64_t>& code, const BpfGiven& given) : code_(code), given_(given) {}

  /// False: the image or what was given for it is wrong, which is our own mistake.
  bool fill(const bpf::BpfSymbol& symbol, std::optional<std::uint32_t> answer) {
    if (symbol.instruction >= code_.size()) return false;
    auto insn = std::bit_cast<bpf_insn>(code_[symbol.instruction]);
    const std::string_view label = symbol.label;
    if (insn.code == kCall) {
      if (!answer || parse(label).question.fact != BtfFact::Function) return false;
      insn.src_reg = BPF_PSEUDO_KFUNC_CALL;
      insn.imm = static_cast<std::int32_t>(*answer);
      code_[symbol.instruction] = std::bit_cast<std::uint64_t>(insn);
      return true;
    }
    if (insn.code != kLoadNumber || symbol.instruction + 1 >= code_.size()) return false;
    auto second = std::bit_cast<bpf_insn>(code_[symbol.instruction + 1]);
    const std::int32_t addend = insn.imm;
    if (label.starts_with(kArea)) {
      const auto area = given_.areas.find(label.substr(kArea.size()));
      if (area == given_.areas.end()) return false;
      insn.src_reg = BPF_PSEUDO_MAP_VALUE;
      insn.imm = area->second;
      second.imm = addend;
    } else if (label.starts_with(kGiven)) {
      const auto number = given_.numbers.find(label.substr(kGiven.size()));
      if (number == given_.numbers.end()) return false;
      insn.imm = static_cast<std::int32_t>(number->second) + addend;
    } else {
      insn.imm = static_cast<std::int32_t>(answer.value_or(kMissing)) + addend;
    }
    code_[symbol.instruction] = std::bit_cast<std::uint64_t>(insn);
    code_[symbol.instruction + 1] = std::bit_cast<std::uint64_t>(second);
    return true;
  }

 private:
  std::vector<std::uint64_t>& code_;
  const BpfGiven& given_;
};

bool asks_kernel(std::string_view label) {
  return !label.starts_with(kArea) && !label.starts_with(kGiven);
}

/// All that is asked of the kernel, each thing once.
class Questions {
 public:
  void add(const bpf::BpfImage& image) {
    for (const bpf::BpfSymbol& symbol : image.symbols) {
      if (asks_kernel(symbol.label)) add(symbol.label);
    }
  }

  void add(std::string_view label) {
    if (places_.emplace(label, asked_.size()).second) asked_.push_back(parse(label));
  }

  Result<void> ask(const KernelTypes& types) {
    if (!answered_before(types)) {
      if (const auto fine = ask_kernel(types.btf); !fine) return fine;
    }
    for (const Asked& one : asked_) {
      if (one.question.answer || one.optional) continue;
      std::string missing(one.question.type);
      if (!one.question.member.empty()) missing += "." + std::string(one.question.member);
      return fail(plain_error("BPF", "this kernel has no " + missing));
    }
    return {};
  }

  Result<void> ask_kernel(ByteView btf) {
    std::vector<BtfQuestion> questions;
    questions.reserve(asked_.size());
    for (const Asked& one : asked_) questions.push_back(one.question);
    if (const auto fine = ask_btf(btf, questions); !fine) return fail(fine.error());
    for (std::size_t i = 0; i < asked_.size(); ++i) asked_[i].question.answer = questions[i].answer;
    return {};
  }

  [[nodiscard]] std::map<std::string_view, std::optional<std::uint32_t>> answers() const {
    std::map<std::string_view, std::optional<std::uint32_t>> out;
    for (const auto& [label, place] : places_) {
      out.emplace_hint(out.end(), label, asked_[place].question.answer);
    }
    return out;
  }

 private:
  /// True: hints had an answer to everything. What a kernel lacks it is asked for again.
  [[nodiscard]] bool answered_before(const KernelTypes& types) {
    if (types.hints == nullptr) return false;
    return std::ranges::all_of(places_, [&](const auto& place) {
      Asked& asked = asked_[place.second];
      asked.question.answer = types.hints->find(place.first);
      return asked.question.answer || asked.optional;
    });
  }

  std::map<std::string_view, std::size_t> places_;
  std::vector<Asked> asked_;
};

}  // namespace

Result<KernelFacts> KernelFacts::ask(std::span<const bpf::BpfImage* const> images,
                                     std::span<const std::string_view> labels,
                                     const KernelTypes& types) {
  Questions questions;
  for (const bpf::BpfImage* image : images) {
    if (image->code.empty()) {
      return fail(plain_error("BPF", "this build has no BPF programs: clang was missing"));
    }
    questions.add(*image);
  }
  for (const std::string_view label : labels) questions.add(label);
  if (const auto fine = questions.ask(types); !fine) return fail(fine.error());
  KernelFacts out;
  out.answers_ = questions.answers();
  return out;
}

std::optional<std::uint32_t> KernelFacts::find(std::string_view label) const {
  const auto place = answers_.find(label);
  return place == answers_.end() ? std::nullopt : place->second;
}

Result<BpfCode> KernelFacts::link(const bpf::BpfImage& image, const BpfGiven& given) const {
  BpfCode code(image.code.begin(), image.code.end());
  Linker linker(code, given);
  for (const bpf::BpfSymbol& symbol : image.symbols) {
    if (!linker.fill(symbol, find(symbol.label))) {
      return fail(kernel_error(
          EINVAL, "BPF program " + std::string(image.name) + ", symbol " + symbol.label));
    }
  }
  return code;
}

std::vector<std::pair<std::string, std::uint32_t>> answers_for(
    std::span<const bpf::BpfImage* const> images, std::span<const std::string_view> labels,
    ByteView btf) {
  std::vector<std::pair<std::string, std::uint32_t>> out;
  Questions questions;
  for (const bpf::BpfImage* image : images) questions.add(*image);
  for (const std::string_view label : labels) questions.add(label);
  if (!questions.ask_kernel(btf)) return out;
  for (const auto& [label, answer] : questions.answers()) {
    if (answer) out.emplace_back(label, *answer);
  }
  return out;
}

}  // namespace hark::kernel
