// Matches that look into the packet's bytes: xt_string.c, xt_u32.c, xt_bpf.c of net/netfilter.
// Where a byte counts that the question leaves open, so does the answer.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "decode/xt_programs.h"
#include "reach/packet_bytes.h"
#include "reach/xt_ask.h"

namespace hark::reach {
namespace {

/// The packet from its IP header on.
struct Seen {
  Bytes bytes;
  std::vector<bool> known;
  bool payload = false;  ///< more follows, of which nothing is known

  explicit Seen(const Ask& ask) {
    const Packet& packet = ask.packet;
    for (const HeaderBytes& part : {network_header(packet), transport_header(packet)}) {
      append(bytes, part.bytes);
      for (const std::uint8_t bits : part.bits) known.push_back(bits == 0xff);
    }
    // A datagram of which nobody said how long it is has some payload.
    payload = packet.payload_length > 0 || packet.protocol == kUdp || packet.protocol == kUdplite;
    if (ask.world.clients == nullptr) return;
    // Of many clients nobody's address or port is known.
    PacketBytes whole{
        .bytes = bytes, .bits = std::vector<std::uint8_t>(bytes.size()), .network = 0};
    whole.transport = network_header(packet).bytes.size();
    mark_clients(whole, packet, *ask.world.clients);
    for (std::size_t i = 0; i < known.size(); ++i) {
      known[i] = known[i] && !whole.clients[i].is_client();
    }
  }
};

enum class Load : std::uint8_t { Known, Open, Beyond };

/// A big-endian number of `width` bytes.
Load load(const Seen& seen, std::uint64_t at, unsigned width, std::uint32_t& out) {
  if (at + width > seen.bytes.size()) return seen.payload ? Load::Open : Load::Beyond;
  out = 0;
  for (std::uint64_t i = at; i < at + width; ++i) {
    if (!seen.known[i]) return Load::Open;
    out = out << 8U | std::to_integer<std::uint32_t>(seen.bytes[i]);
  }
  return Load::Known;
}

/// Text in what is known of the headers, or in a payload that is not. That the open bytes of a
/// header (its id, checksum, sequence numbers) happen to be the text is not considered.
XtMatched string(const Ask& ask) {
  const bool invert = (ask.blob.number(Field::Flags) & 1U) != 0;
  const bool any_case = (ask.blob.number(Field::Flags) & 2U) != 0;
  const Seen seen(ask);
  const ByteView all = ask.blob.bytes(Field::Text);
  const ByteView text =
      all.first(std::min<std::size_t>(ask.blob.number(Field::Length), all.size()));
  const std::size_t from = ask.blob.number(Field::From);
  const std::size_t to = ask.blob.number(Field::To);
  const auto lower = [&](std::byte byte) {
    const auto c = std::to_integer<unsigned>(byte);
    return any_case && c >= 'A' && c <= 'Z' ? c + 32 : c;
  };
  for (std::size_t at = from; at <= to && at + text.size() <= seen.bytes.size(); ++at) {
    bool equal = true;
    for (std::size_t i = 0; equal && i < text.size(); ++i)
      equal = seen.known[at + i] && lower(seen.bytes[at + i]) == lower(text[i]);
    if (equal) return when(!invert);
  }
  const bool reaches_payload = seen.payload && to + text.size() > seen.bytes.size();
  return reaches_payload ? when(ask.unsure("packet", Doubt::Packet)) : when(invert);
}

/// One test of u32_match_it(): yes, no, or it depends on an open byte.
std::optional<bool> u32_holds(const Seen& seen, const decode::xt::U32Test& test) {
  using Op = decode::xt::U32Test::Op;
  std::uint64_t at = 0;
  std::uint64_t position = test.offset;
  std::uint32_t value = 0;
  Load loaded = load(seen, position, 4, value);
  if (loaded != Load::Known) return loaded == Load::Open ? std::nullopt : std::optional(false);
  for (const auto& step : test.steps) {
    switch (step.op) {
      case Op::And:
        value &= step.number;
        break;
      case Op::ShiftLeft:
        value = step.number < 32 ? value << step.number : 0;
        break;
      case Op::ShiftRight:
        value = step.number < 32 ? value >> step.number : 0;
        break;
      case Op::At:
        at += value;
        position = at + step.number;
        loaded = load(seen, position, 4, value);
        if (loaded != Load::Known)
          return loaded == Load::Open ? std::nullopt : std::optional(false);
        break;
    }
  }
  return std::ranges::any_of(test.values, [&](const auto& range) {
    return value >= range.first && value <= range.second;
  });
}

XtMatched u32(const Ask& ask) {
  const bool invert = ask.blob.number(Field::Invert) != 0;
  const auto tests = decode::xt::u32_tests(ask.blob);
  const Seen seen(ask);
  bool open = tests.empty();
  for (const auto& test : tests) {
    const auto holds = u32_holds(seen, test);
    if (!holds)
      open = true;
    else if (!*holds)
      return when(invert);
  }
  return open ? when(ask.unsure("packet", Doubt::Packet)) : when(!invert);
}

/// Classic BPF, as net/core/filter.c runs it: an accumulator, an index, 16 words of memory.
class Machine {
 public:
  Machine(const Seen& seen, const std::vector<decode::xt::BpfInstruction>& program)
      : seen_(seen), program_(program) {}

  /// What it returns; nothing: that depends on an open byte, or an instruction is not known.
  std::optional<std::uint32_t> run() {
    // Jumps only lead forward.
    for (std::size_t at = 0; at < program_.size();) {
      const auto& one = program_[at];
      if ((one.code & 7U) == 6) return (one.code & 0x18U) == 0x10 ? a_ : one.k;
      std::size_t next = at + 1;
      if (!step(one, next)) return ended_;
      at = next;
    }
    return std::nullopt;
  }

 private:
  static constexpr std::uint32_t kAncillary = 0xfffff000;  // SKF_AD_OFF and what is behind it

  /// False: it is over, with what `ended_` says.
  bool step(const decode::xt::BpfInstruction& one, std::size_t& next) {
    switch (one.code & 7U) {
      case 0:
        return load_a(one);
      case 1:
        return load_x(one);
      case 2:
        return store(one.k, a_);
      case 3:
        return store(one.k, x_);
      case 4:
        return compute(one);
      case 5:
        return jump(one, next);
      default:
        ((one.code & 0xf8U) == 0x80 ? a_ : x_) = (one.code & 0xf8U) == 0x80 ? x_ : a_;
        return true;
    }
  }

  bool take(std::uint64_t at, unsigned width, std::uint32_t& to) {
    switch (load(seen_, at, width, to)) {
      case Load::Known:
        return true;
      case Load::Beyond:
        ended_ = 0;
        return false;
      case Load::Open:
        break;
    }
    return false;
  }

  bool load_a(const decode::xt::BpfInstruction& one) {
    constexpr std::array<unsigned, 4> kWidths = {4, 2, 1, 0};
    const unsigned width = kWidths[one.code >> 3U & 3U];
    switch (one.code & 0xe0U) {
      case 0x00:
        a_ = one.k;
        return true;
      case 0x20:
        return one.k < kAncillary && width != 0 && take(one.k, width, a_);
      case 0x40:
        return width != 0 && take(std::uint64_t{x_} + one.k, width, a_);
      case 0x60:
        return one.k < memory_.size() && (a_ = memory_[one.k], true);
      default:  // the packet's length, and what is newer
        return false;
    }
  }

  bool load_x(const decode::xt::BpfInstruction& one) {
    switch (one.code & 0xe0U) {
      case 0x00:
        x_ = one.k;
        return true;
      case 0x60:
        return one.k < memory_.size() && (x_ = memory_[one.k], true);
      case 0xa0:  // the length of an IPv4 header
        if (!take(one.k, 1, x_)) return false;
        x_ = (x_ & 0xfU) * 4;
        return true;
      default:
        return false;
    }
  }

  bool store(std::uint32_t at, std::uint32_t value) {
    if (at >= memory_.size()) return false;
    memory_[at] = value;
    return true;
  }

  bool compute(const decode::xt::BpfInstruction& one) {
    const std::uint32_t by = (one.code & 8U) != 0 ? x_ : one.k;
    switch (one.code & 0xf0U) {
      case 0x00:
        a_ += by;
        return true;
      case 0x10:
        a_ -= by;
        return true;
      case 0x20:
        a_ *= by;
        return true;
      case 0x30:
      case 0x90:
        if (by == 0) return ended_ = 0, false;
        a_ = (one.code & 0xf0U) == 0x30 ? a_ / by : a_ % by;
        return true;
      case 0x40:
        a_ |= by;
        return true;
      case 0x50:
        a_ &= by;
        return true;
      case 0x60:
        a_ = by < 32 ? a_ << by : 0;
        return true;
      case 0x70:
        a_ = by < 32 ? a_ >> by : 0;
        return true;
      case 0x80:
        a_ = 0U - a_;
        return true;
      case 0xa0:
        a_ ^= by;
        return true;
      default:
        return false;
    }
  }

  bool jump(const decode::xt::BpfInstruction& one, std::size_t& next) const {
    const std::uint32_t by = (one.code & 8U) != 0 ? x_ : one.k;
    bool holds = false;
    switch (one.code & 0xf0U) {
      case 0x00:
        next += one.k;
        return true;
      case 0x10:
        holds = a_ == by;
        break;
      case 0x20:
        holds = a_ > by;
        break;
      case 0x30:
        holds = a_ >= by;
        break;
      case 0x40:
        holds = (a_ & by) != 0;
        break;
      default:
        return false;
    }
    next += holds ? one.if_true : one.if_false;
    return true;
  }

  const Seen& seen_;
  const std::vector<decode::xt::BpfInstruction>& program_;
  std::uint32_t a_ = 0, x_ = 0;
  std::array<std::uint32_t, 16> memory_{};
  std::optional<std::uint32_t> ended_ = {};
};

/// The program gets the packet from its IP header on; what it returns is true or false.
XtMatched bpf(const Ask& ask) {
  const auto program = decode::xt::bpf_program(ask.blob);
  const Seen seen(ask);
  const auto result = Machine(seen, program).run();
  return when(result ? *result != 0 : ask.unsure("bpf", Doubt::Opaque));
}

}  // namespace

Judge payload_judge(std::string_view name) {
  if (name == "string") return string;
  if (name == "u32") return u32;
  if (name == "bpf") return bpf;
  return nullptr;
}

}  // namespace hark::reach
