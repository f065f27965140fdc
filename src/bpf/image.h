// BPF programs as they come out of the compiler: made from src/bpf/*.bpf.c at build time by
// embed.cpp. How they name what is to be filled in before a kernel takes them: fields.bpf.h.
#pragma once

#include <cstdint>
#include <span>

namespace hark::bpf {

/// A place in a program that names something it was not compiled with.
struct BpfSymbol {
  std::uint32_t instruction = 0;
  /// "TYPE.MEMBER", "TYPE.MEMBER..optional", "TYPE.MEMBER..bit", "TYPE..size", "given..NAME",
  /// "area..NAME", or the name of one of the kernel's functions.
  const char* label = nullptr;
};

/// A compiled program: instructions of eight bytes (linux/bpf.h, struct bpf_insn), and symbols.
struct BpfImage {
  const char* name = nullptr;  ///< at most 15 bytes, what `bpftool prog` shows
  std::span<const std::uint64_t> code;
  std::span<const BpfSymbol> symbols;
};

/// Without code where this build had no compiler for them.
extern const BpfImage kReadKernel;
extern const BpfImage kWalkTask;
extern const BpfImage kWalkTaskFile;

}  // namespace hark::bpf
