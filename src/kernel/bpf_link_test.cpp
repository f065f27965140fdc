#include "kernel/bpf_link.h"

#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <array>
#include <bit>
#include <string>

namespace hark::kernel {
namespace {

std::uint64_t insn(std::uint8_t code, std::int32_t imm = 0) {
  bpf_insn out{};
  out.code = code;
  out.imm = imm;
  return std::bit_cast<std::uint64_t>(out);
}

constexpr std::uint8_t kLoad = BPF_LD | BPF_IMM | BPF_DW;
constexpr std::uint8_t kCall = BPF_JMP | BPF_CALL;

/// struct sock { int a; int b; }, function run.
Bytes btf() {
  const std::string text = std::string("\0sock\0b\0run\0", 13);
  const std::array<std::uint32_t, 12> types = {1, 4U << 24 | 1, 8, 6, 0, 32, 8, 12U << 24, 0};
  Bytes out;
  append_value(out, std::uint16_t{0xeb9f});
  append_value(out, std::uint16_t{1});
  for (const std::uint32_t word : {24U, 0U, 36U, 36U, static_cast<std::uint32_t>(text.size())}) {
    append_value(out, word);
  }
  for (std::size_t i = 0; i < 9; ++i) append_value(out, types.at(i));
  append(out, text);
  return out;
}

struct Linked {
  explicit Linked(const char* label, std::uint8_t code = kLoad, std::int32_t addend = 0)
      : code_{insn(code, addend), insn(0)}, symbols_{{{0, label}}} {
    const bpf::BpfImage image{"test", code_, symbols_};
    const std::array images = {&image};
    const BpfGiven given{.numbers = {{"n", 7}}, .areas = {{"m", 9}}};
    result = KernelFacts::ask(images, {}, {.btf = types_}).and_then([&](const KernelFacts& facts) {
      return facts.link(image, given);
    });
  }
  [[nodiscard]] bpf_insn at(std::size_t i) const { return std::bit_cast<bpf_insn>(result->at(i)); }
  Bytes types_ = btf();
  std::array<std::uint64_t, 2> code_;
  std::array<bpf::BpfSymbol, 1> symbols_;
  Result<BpfCode> result;
};

TEST(BpfLink, FillsIn) {
  EXPECT_EQ(Linked("sock.b").at(0).imm, 4);
  EXPECT_EQ(Linked("sock.b", kLoad, 3).at(0).imm, 7);
  EXPECT_EQ(Linked("sock..size").at(0).imm, 8);
  EXPECT_EQ(Linked("given..n").at(0).imm, 7);
  EXPECT_EQ(Linked("sock.gone..optional").at(0).imm, 0x7fffffff);
  const Linked area("area..m", kLoad, 16);
  EXPECT_EQ(area.at(0).imm, 9);
  EXPECT_EQ(area.at(0).src_reg, BPF_PSEUDO_MAP_VALUE);
  EXPECT_EQ(area.at(1).imm, 16) << "the place in the area";
  EXPECT_EQ(Linked("run", kCall).at(0).imm, 2);
  EXPECT_EQ(Linked("run", kCall).at(0).src_reg, BPF_PSEUDO_KFUNC_CALL);
}

TEST(BpfLink, SaysWhatTheKernelLacks) {
  EXPECT_EQ(Linked("sock.gone").result.error().why, "this kernel has no sock.gone");
  EXPECT_EQ(Linked("walk", kCall).result.error().why, "this kernel has no walk");
  EXPECT_FALSE(Linked("given..other").result);
  EXPECT_FALSE(Linked("area..other").result);
  EXPECT_FALSE(Linked("sock.b", kCall).result) << "a member is no function";
}

// An answer that was found before is taken, and nothing is read.
TEST(BpfLink, Hints) {
  constexpr std::array kKnown = {BtfHint{"sock.b", 40}};
  const BtfHints hints{{}, kKnown};
  const std::array code = {insn(kLoad), insn(0)};
  const std::array symbols = {bpf::BpfSymbol{0, "sock.b"}};
  const bpf::BpfImage image{"test", code, symbols};
  const std::array images = {&image};
  constexpr std::array<std::string_view, 1> kLabels = {"sock.b"};
  const auto facts = KernelFacts::ask(images, kLabels, {.btf = {}, .hints = &hints});
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->find("sock.b"), 40U);
  EXPECT_FALSE(facts->find("sock.a")) << "not asked";
  const auto linked = facts->link(image, {});
  ASSERT_TRUE(linked);
  EXPECT_EQ(std::bit_cast<bpf_insn>(linked->at(0)).imm, 40);
  const std::array others = {bpf::BpfSymbol{0, "sock.a"}};
  const bpf::BpfImage unknown{"test", code, others};
  const std::array both = {&image, &unknown};
  const Bytes types = btf();
  EXPECT_FALSE(KernelFacts::ask(both, {}, {.btf = types, .hints = &hints}))
      << "one that the hints lack is asked of the kernel, which has no sock.a";
}

TEST(BpfLink, AnswersForHintsAreThoseOfTheKernel) {
  const std::array code = {insn(kLoad), insn(0)};
  const std::array symbols = {bpf::BpfSymbol{0, "sock.b"}, bpf::BpfSymbol{0, "sock.gone"}};
  const bpf::BpfImage image{"test", code, symbols};
  const std::array images = {&image};
  constexpr std::array<std::string_view, 2> kLabels = {"run", "sock..size"};
  EXPECT_EQ(answers_for(images, kLabels, btf()),
            (std::vector<std::pair<std::string, std::uint32_t>>{
                {"run", 2}, {"sock..size", 8}, {"sock.b", 4}}));
}

TEST(BuildId, IsFoundAmongNotes) {
  Bytes notes;
  for (const std::uint32_t word : {6U, 4U, 0x100U}) append_value(notes, word);
  append(notes, std::string_view("Xen\0\0\0\0\0abcd", 12));
  for (const std::uint32_t word : {4U, 3U, 3U}) append_value(notes, word);
  append(notes, std::string_view("GNU\0xyz\0", 8));
  EXPECT_EQ(as_text(build_id_in(notes)), "xyz");
  notes.resize(notes.size() - 4);
  EXPECT_TRUE(build_id_in(notes).empty()) << "cut off";
  EXPECT_TRUE(build_id_in({}).empty());
}

TEST(BpfLink, ABuildWithoutProgramsSaysSo) {
  const bpf::BpfImage none{"none", {}, {}};
  const std::array images = {&none};
  EXPECT_NE(KernelFacts::ask(images, {}, {}).error().why.find("no BPF programs"),
            std::string::npos);
}

}  // namespace
}  // namespace hark::kernel
