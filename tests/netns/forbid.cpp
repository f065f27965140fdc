#include "forbid.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>

namespace hark::netns {

namespace {

// One system call; where `argument` is one of its six, only with these values or any of these bits.
struct Call {
  long number;
  int argument = -1;
  std::uint32_t value = 0;
  bool is_mask = false;
};

constexpr std::uint32_t kWriteBits = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;

std::vector<Call> calls_of(Forbidden what) {
  switch (what) {
    case Forbidden::Nothing:
      return {};
    case Forbidden::InetSockets:
      return {{SYS_socket, 0, AF_INET}, {SYS_socket, 0, AF_INET6}};
    case Forbidden::Listening:
      return {{SYS_listen}, {SYS_accept4}};
    case Forbidden::Connecting:
      return {{SYS_connect}};
    case Forbidden::Writing:
      return {
          {SYS_openat, 2, kWriteBits, true},
          {SYS_unlinkat},
          {SYS_renameat2},
          {SYS_mkdirat},
          {SYS_symlinkat},
          {SYS_linkat},
          {SYS_fchmod},
          {SYS_ftruncate},
#ifdef SYS_open
          {SYS_open, 1, kWriteBits, true},
          {SYS_creat},
          {SYS_unlink},
          {SYS_rename},
          {SYS_mkdir},
#endif
      };
    case Forbidden::Mounting:
      return {{SYS_mount}, {SYS_umount2}, {SYS_fsmount}, {SYS_move_mount}, {SYS_pivot_root}};
    case Forbidden::Signalling:
      return {{SYS_kill}, {SYS_tkill}, {SYS_tgkill}, {SYS_pidfd_send_signal}, {SYS_ptrace}};
    case Forbidden::Modules:
      return {{SYS_init_module}, {SYS_finit_module}, {SYS_delete_module}};
  }
  return {};
}

std::uint32_t offset_of_argument(int n) {
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args)) +
         static_cast<std::uint32_t>(n) * 8;
}

sock_filter load(std::uint32_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset);
}

// Each call is a block that ends in death or falls through to the next with the number unloaded.
void append_block(std::vector<sock_filter>& program, const Call& call) {
  const sock_filter death = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  const auto number = static_cast<std::uint32_t>(call.number);
  program.push_back(load(offsetof(seccomp_data, nr)));
  if (call.argument < 0) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
    program.push_back(death);
    return;
  }
  const unsigned test = call.is_mask ? BPF_JSET : BPF_JEQ;
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3));
  program.push_back(load(offset_of_argument(call.argument)));
  program.push_back(
      sock_filter BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), call.value, 0, 1));
  program.push_back(death);
}

}  // namespace

bool forbid(Forbidden what) {
  const std::vector<Call> calls = calls_of(what);
  if (calls.empty()) return true;
  std::vector<sock_filter> program;
  for (const Call& call : calls) append_block(program, call);
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  sock_fprog all{static_cast<unsigned short>(program.size()), program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all) == 0;
}

}  // namespace hark::netns
