#include "decode/attached_programs.h"

#include <algorithm>

#include "base/parts.h"

namespace hark::decode {
namespace {
constexpr auto kFirst = static_cast<std::uint16_t>(ProgramPart::CgroupIngress);
constexpr auto kLast = static_cast<std::uint16_t>(ProgramPart::SkLookupSockets);
}  // namespace

Result<std::vector<AttachedPrograms>> decode_attached_programs(ByteView parts) {
  std::vector<AttachedPrograms> out;
  PartReader reader(parts);
  while (const auto part = reader.next()) {
    if (part->tag < kFirst || part->tag > kLast) continue;
    AttachedPrograms one;
    one.part = static_cast<ProgramPart>(part->tag);
    one.error = part->error;
    const bool sockets = one.part == ProgramPart::SkLookupSockets;
    const std::size_t each = sockets ? sizeof(AttachedSocket) : sizeof(AttachedBpf);
    if (part->bytes.size() % each != 0) {
      return fail(plain_error("BPF programs", "a part of an impossible length"));
    }
    ByteReader bytes(part->bytes);
    while (!bytes.empty() && sockets) one.sockets.push_back(bytes.value<AttachedSocket>());
    while (!bytes.empty()) one.programs.push_back(bytes.value<AttachedBpf>());
    out.push_back(std::move(one));
  }
  if (reader.broken()) return fail(plain_error("BPF programs", "a part is cut off"));
  return out;
}

std::string name_of(const AttachedBpf& program) {
  return {program.name.begin(), std::ranges::find(program.name, '\0')};
}

}  // namespace hark::decode
