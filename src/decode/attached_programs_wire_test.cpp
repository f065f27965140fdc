#include <gtest/gtest.h>

#include <cerrno>

#include "base/parts.h"
#include "decode/attached_programs.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

std::uint16_t tag(ProgramPart part) {
  return static_cast<std::uint16_t>(part);
}

TEST(AttachedPrograms, ComeInParts) {
  AttachedBpf one;
  one.id = 7;
  one.name = {'d', 'r', 'o', 'p'};
  AttachedBpf two;
  two.id = 8;
  two.name.fill('x');
  const AttachedBpf both[] = {one, two};
  Bytes parts;
  append_part(parts, tag(ProgramPart::CgroupIngress), std::as_bytes(std::span(both)));
  append_failed_part(parts, tag(ProgramPart::CgroupEgress), EPERM);
  append_part(parts, 999, as_bytes("of a later hark"));
  append_part(parts, tag(ProgramPart::SkLookup), {});
  const auto all = decode_attached_programs(parts);
  ASSERT_TRUE(all);
  EXPECT_EQ(*all, (std::vector<AttachedPrograms>{
                      {.part = ProgramPart::CgroupIngress, .error = 0, .programs = {one, two}},
                      {.part = ProgramPart::CgroupEgress, .error = EPERM, .programs = {}},
                      {.part = ProgramPart::SkLookup, .error = 0, .programs = {}}}));
  EXPECT_EQ(name_of(one), "drop");
  EXPECT_EQ(name_of(two), std::string(16, 'x'));
}

TEST(AttachedPrograms, SocketsOfMaps) {
  const AttachedSocket sockets[] = {{.program = 7, .map = 3, .cookie = 0x5001},
                                    {.program = 7, .map = 4, .cookie = 0x5002}};
  Bytes parts;
  append_part(parts, tag(ProgramPart::SkLookupSockets), std::as_bytes(std::span(sockets)));
  append_failed_part(parts, tag(ProgramPart::SkLookupSockets), EPERM);
  const auto all = decode_attached_programs(parts);
  ASSERT_TRUE(all && all->size() == 2);
  EXPECT_EQ(all->front().sockets, (std::vector<AttachedSocket>{sockets[0], sockets[1]}));
  EXPECT_TRUE(all->front().programs.empty());
  EXPECT_EQ(all->back().error, EPERM);
  parts.clear();
  append_part(parts, tag(ProgramPart::SkLookupSockets),
              std::as_bytes(std::span(sockets)).first(24));
  EXPECT_FALSE(decode_attached_programs(parts));
}

TEST(AttachedPrograms, CutOffPartsAreErrors) {
  const AttachedBpf one{.id = 7};
  Bytes parts;
  append_part(parts, tag(ProgramPart::SkLookup), std::as_bytes(std::span(&one, 1)).first(47));
  EXPECT_FALSE(decode_attached_programs(parts));
  parts.clear();
  append_part(parts, tag(ProgramPart::SkLookup), std::as_bytes(std::span(&one, 1)));
  parts.pop_back();
  EXPECT_FALSE(decode_attached_programs(parts));
}

}  // namespace
}  // namespace hark::decode
