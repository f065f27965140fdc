#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <vector>

#include "scenes.h"

namespace hark::doctor {
namespace {

void listens_with_filter(Stage& stage, std::vector<sock_filter> program) {
  const int fd = stage.listen(80);
  const sock_fprog all = {.len = static_cast<unsigned short>(program.size()),
                          .filter = program.data()};
  check(::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof all), "SO_ATTACH_FILTER");
}

void drops_all(Stage& stage) {
  listens_with_filter(stage, {BPF_STMT(BPF_RET | BPF_K, 0)});
}
void takes_all(Stage& stage) {
  listens_with_filter(stage, {BPF_STMT(BPF_RET | BPF_K, 0x40000)});
}
/// Takes packets from ports above 1023.
void takes_some(Stage& stage) {
  listens_with_filter(stage, {BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0),
                              BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 1023, 1, 0),
                              BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 0x40000)});
}

void set_key(int fd, int bytes) {
  tcp_md5sig key{};
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  ::inet_pton(AF_INET, "192.0.2.7", &peer.sin_addr);
  std::memcpy(&key.tcpm_addr, &peer, sizeof peer);
  key.tcpm_keylen = static_cast<__u16>(bytes);
  std::memset(key.tcpm_key, 'k', static_cast<std::size_t>(bytes));
  check(::setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key), "TCP_MD5SIG");
}

void signs(Stage& stage) {
  set_key(stage.listen(80), 8);
}
/// A key of no bytes takes the key away.
void signs_no_more(Stage& stage) {
  const int fd = stage.listen(80);
  set_key(fd, 8);
  set_key(fd, 0);
}

}  // namespace

std::span<const Scene> choosy_socket_scenes() {
  static const std::vector<Scene> scenes = {
      {"FilterDropsAll", drops_all, "socket-filter"},
      {"FilterTakesSome", takes_some, "socket-filter", 80, "notice"},
      {"FilterTakesAll", takes_all, nullptr},
      {"Md5Key", signs, "md5-required", 80, "notice"},
      {"Md5KeyRemoved", signs_no_more, nullptr},
  };
  return scenes;
}

}  // namespace hark::doctor
