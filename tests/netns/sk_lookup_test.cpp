// A program of type sk_lookup that answers at a port where nobody listens: a real one, and a real
// connect, against what hark says.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/unique_fd.h"
#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr std::uint16_t kListens = 7070;
constexpr std::uint16_t kSteered = 9999;
constexpr std::uint16_t kClosed = 9998;

UniqueFd bpf(int command, bpf_attr& attributes) {
  return UniqueFd(static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof attributes)));
}

/// A map with one socket.
UniqueFd map_with(int socket) {
  bpf_attr make{};
  make.map_type = BPF_MAP_TYPE_SOCKMAP;
  make.key_size = 4;
  make.value_size = 8;
  make.max_entries = 2;
  UniqueFd map = bpf(BPF_MAP_CREATE, make);
  const std::uint32_t key = 0;
  const auto value = static_cast<std::uint64_t>(socket);
  bpf_attr put{};
  put.map_fd = static_cast<std::uint32_t>(map.get());
  put.key = reinterpret_cast<std::uintptr_t>(&key);
  put.value = reinterpret_cast<std::uintptr_t>(&value);
  EXPECT_EQ(syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &put, sizeof put), 0);
  return map;
}

// The few instructions that are needed. Registers are parameters of templates, for they are
// bit-fields.
template <std::uint8_t To>
constexpr bpf_insn set(std::int32_t value) {
  return {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = To, .src_reg = 0, .off = 0, .imm = value};
}
template <std::uint8_t To, std::uint8_t From>
constexpr bpf_insn copy() {
  return {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = To, .src_reg = From, .off = 0, .imm = 0};
}
template <std::uint8_t Reg>
constexpr bpf_insn jump(std::uint8_t code, std::int16_t by, std::int32_t value) {
  return {.code = code, .dst_reg = Reg, .src_reg = 0, .off = by, .imm = value};
}
constexpr bpf_insn call(std::int32_t function) {
  return {.code = BPF_JMP | BPF_CALL, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = function};
}
constexpr bpf_insn kExit = {
    .code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0};

/// Hands what comes to kSteered to the socket of the map.
UniqueFd steering(int map) {
  constexpr std::int32_t kPass = 1;
  const std::array<bpf_insn, 21> code = {{
      copy<6, 1>(),
      {.code = BPF_LDX | BPF_W | BPF_MEM,
       .dst_reg = 7,
       .src_reg = 6,
       .off = offsetof(bpf_sk_lookup, local_port),
       .imm = 0},
      jump<7>(BPF_JMP | BPF_JNE | BPF_K, 16, kSteered),
      {.code = BPF_ST | BPF_W | BPF_MEM, .dst_reg = 10, .src_reg = 0, .off = -4, .imm = 0},
      copy<2, 10>(),
      {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .src_reg = 0, .off = 0, .imm = -4},
      {.code = BPF_LD | BPF_DW | BPF_IMM,
       .dst_reg = 1,
       .src_reg = BPF_PSEUDO_MAP_FD,
       .off = 0,
       .imm = map},
      {},
      call(BPF_FUNC_map_lookup_elem),
      jump<0>(BPF_JMP | BPF_JEQ | BPF_K, 9, 0),
      copy<7, 0>(),
      copy<1, 6>(),
      copy<2, 7>(),
      set<3>(0),
      call(BPF_FUNC_sk_assign),
      copy<1, 7>(),
      call(BPF_FUNC_sk_release),
      set<0>(kPass),
      kExit,
      set<0>(kPass),
      kExit,
  }};
  bpf_attr load{};
  load.prog_type = BPF_PROG_TYPE_SK_LOOKUP;
  load.expected_attach_type = BPF_SK_LOOKUP;
  load.insns = reinterpret_cast<std::uintptr_t>(code.data());
  load.insn_cnt = static_cast<std::uint32_t>(code.size());
  load.license = reinterpret_cast<std::uintptr_t>("GPL");
  std::snprintf(load.prog_name, sizeof load.prog_name, "steers");
  return bpf(BPF_PROG_LOAD, load);
}

sockaddr_in at(std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

bool answers(std::uint16_t port) {
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in to = at(port);
  return ::connect(client.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
}

json why(std::uint16_t port) {
  const std::string words = "tcp/127.0.0.1:" + std::to_string(port) + " --from 127.0.0.1 --json";
  const json out =
      json::parse(said_by(std::string(HARK_PROGRAM) + " why " + words), nullptr, false);
  EXPECT_TRUE(out.is_object() && out["answers"].size() == 1) << words << out;
  return out.is_object() && !out["answers"].empty() ? out["answers"][0] : json::object();
}

class SkLookup : public NetnsTest {};

TEST_F(SkLookup, AnswersWhereNobodyListens) {
  std::thread([] {
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    ASSERT_EQ(said_by("ip link set lo up"), "");
    const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = at(kListens);
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    ASSERT_EQ(::listen(listener.get(), 16), 0);
    const UniqueFd map = map_with(listener.get());
    const UniqueFd program = steering(map.get());
    ASSERT_TRUE(program.valid());
    EXPECT_EQ(why(kSteered)["outcome"], "refused");

    const UniqueFd netns(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    bpf_attr attach{};
    attach.link_create.prog_fd = static_cast<std::uint32_t>(program.get());
    attach.link_create.target_fd = static_cast<std::uint32_t>(netns.get());
    attach.link_create.attach_type = BPF_SK_LOOKUP;
    const UniqueFd link = bpf(BPF_LINK_CREATE, attach);
    ASSERT_TRUE(link.valid());
    EXPECT_TRUE(answers(kSteered));
    EXPECT_FALSE(answers(kClosed));
    EXPECT_TRUE(answers(kListens));

    // What the program makes of a port only itself could tell.
    for (const std::uint16_t port : {kSteered, kClosed, kListens}) {
      const json answer = why(port);
      EXPECT_EQ(answer["outcome"], "depends") << port;
      EXPECT_EQ(answer["possible"], (json{"answered", "refused"})) << port;
      EXPECT_EQ(answer["cause"]["code"], "sk-lookup");
      EXPECT_THAT(answer["cause"]["text"].get<std::string>(), HasSubstr("\"steers\" (sk_lookup)"));
    }
    const json list = list_in({}, {"--netns", "self"});
    std::string told;
    for (const json& gap : list["gaps"]) {
      if (gap["code"] == "sk-lookup-not-listed") told += gap["what"].get<std::string>();
    }
    EXPECT_THAT(told, HasSubstr("\"steers\" (sk_lookup)"));
    EXPECT_THAT(told, HasSubstr("may answer where nobody listens, by tcp 7070: hark_netns_test"));
  }).join();
}

}  // namespace
}  // namespace hark::netns
