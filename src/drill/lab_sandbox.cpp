#include "drill/lab_sandbox.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/text.h"
#include "base/unique_fd.h"
#include "drill/lab_service.h"

namespace hark::drill {
namespace {

constexpr unsigned long kWalls = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC;
constexpr int kCouldNot = 125;

bool write_text(const std::string& path, const std::string& text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd.valid() &&
         ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string read_word(const char* path) {
  const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  std::array<char, 32> text{};
  const ssize_t got = fd.valid() ? ::read(fd.get(), text.data(), text.size()) : 0;
  std::string_view all(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  return std::string(next_word(all = all.substr(0, all.find('\n'))));
}

/// Root keeps all numbers as they are; anybody else is root inside, and alone.
bool map_users(pid_t child) {
  const std::string folder = "/proc/" + std::to_string(child);
  const std::string all = "0 0 4294967295";
  if (::geteuid() == 0 && write_text(folder + "/uid_map", all)) {
    return write_text(folder + "/gid_map", all);
  }
  return write_text(folder + "/setgroups", "deny") &&
         write_text(folder + "/uid_map", "0 " + std::to_string(::geteuid()) + " 1") &&
         write_text(folder + "/gid_map", "0 " + std::to_string(::getegid()) + " 1");
}

/// A file as it was before anything covered its folder: /run and /tmp get covered.
struct KeptFile {
  UniqueFd file;
  std::string name;
};

KeptFile keep_file(const std::string& path) {
  return {UniqueFd(::open(path.c_str(), O_PATH | O_CLOEXEC)), path.substr(path.rfind('/') + 1)};
}

/// Below kLabHark, where nobody but who made this mount namespace can put anything.
bool show_file(const KeptFile& kept, const std::string& name) {
  const std::string path = kLabHark + name;
  const UniqueFd empty(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
  const std::string source = "/proc/self/fd/" + std::to_string(kept.file.get());
  return kept.file.valid() && empty.valid() &&
         ::mount(source.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0;
}

bool make_folders() {
  for (const char* path : {"/run/netns", "/run/lock", kLabFolder, kLabPrograms, kLabHark}) {
    if (::mkdir(path, 0755) != 0 && errno != EEXIST) return false;
  }
  return true;
}

std::string own_path() {
  std::array<char, 4096> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  return {path.data(), length > 0 ? static_cast<std::size_t>(length) : 0};
}

/// Everything that is mounted becomes private, and cannot be written. Then what has to be: /proc
/// for this pid namespace, /run for what programs leave there, /tmp for the person.
bool build_mounts(const std::string& helper) {
  const KeptFile program = keep_file(own_path());
  const KeptFile second = keep_file(helper);
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  // Before Linux 5.12 there is no way to do that to all mounts at once: files then can be written
  // by whoever could write them outside.
  mount_attr read_only{};
  read_only.attr_set = MOUNT_ATTR_RDONLY;
  if (::mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &read_only, sizeof read_only) != 0 &&
      errno != ENOSYS) {
    return false;
  }
  constexpr unsigned long kPlain = MS_NOSUID | MS_NODEV;
  if (::mount("tmpfs", "/run", "tmpfs", kPlain, "mode=755") != 0 || !make_folders()) return false;
  // Their mounts are still reached by the descriptors, which the outer /proc knows.
  if (!show_file(program, "hark") || (second.file.valid() && !show_file(second, second.name))) {
    return false;
  }
  const std::string link = std::string(kLabPrograms) + "hark";
  const std::string target = std::string(kLabHark) + "hark";
  return ::mount("proc", "/proc", "proc", kPlain | MS_NOEXEC, nullptr) == 0 &&
         ::mount("tmpfs", "/tmp", "tmpfs", kPlain, "mode=1777") == 0 && ::chdir("/tmp") == 0 &&
         ::symlink(target.c_str(), link.c_str()) == 0;
}

struct Pipe {
  UniqueFd from, to;
  bool open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    from = UniqueFd(ends[0]);
    to = UniqueFd(ends[1]);
    return true;
  }
};

struct Start {
  Pipe go;    ///< to the first process: the users are mapped
  Pipe said;  ///< from it: an errno, and 0 once all is there
};

[[noreturn]] void be_first(Start& start, const std::string& helper,
                           const std::function<int()>& body) {
  // In this order: whoever dies before the signal is set closes the pipe.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  start.go.to.reset();
  start.said.from.reset();
  char byte = 0;
  if (::read(start.go.from.get(), &byte, 1) != 1) ::_exit(kCouldNot);
  int error = 0;
  // Now that there are users: files below /proc/net belong to whom the namespace's root is when it
  // is made (net/netfilter/x_tables.c, xt_proto_init).
  if (::unshare(CLONE_NEWNET) != 0 || !build_mounts(helper)) error = errno != 0 ? errno : EPERM;
  if (error == 0) (void)::sethostname("host", 4);
  (void)!::write(start.said.to.get(), &error, sizeof error);
  start.said.to.reset();
  start.go.from.reset();
  if (error != 0) ::_exit(kCouldNot);
  ::_exit(body());
}

/// fork(2) into new namespaces. -1: errno says why.
pid_t clone_into(unsigned long flags) {
  return static_cast<pid_t>(::syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0));
}

Result<LabSandbox> try_to_start(unsigned long flags, const std::string& helper,
                                const std::function<int()>& body) {
  Start start;
  if (!start.go.open() || !start.said.open()) return fail(kernel_error(errno, "pipe"));
  const pid_t child = clone_into(flags);
  if (child < 0) return fail(kernel_error(errno, "namespaces"));
  if (child == 0) be_first(start, helper, body);
  start.said.to.reset();
  start.go.from.reset();
  int error = 0;
  const bool mapped = (flags & CLONE_NEWUSER) == 0 || map_users(child);
  if (!mapped) error = errno;
  if (mapped) (void)!::write(start.go.to.get(), "x", 1);
  start.go.to.reset();
  if (mapped && ::read(start.said.from.get(), &error, sizeof error) != sizeof error) error = EPERM;
  if (error == 0) return LabSandbox{child};
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return fail(kernel_error(error, "namespaces"));
}

}  // namespace

Error no_namespaces(int code) {
  Error out = kernel_error(code, "a sandbox cannot be made");
  if (read_word("/proc/sys/user/max_user_namespaces") == "0") {
    out.why = "this kernel allows no user namespaces: user.max_user_namespaces is 0";
    out.hint = "sysctl -w user.max_user_namespaces=10000, or run hark lab as root";
  } else if (read_word("/proc/sys/kernel/unprivileged_userns_clone") == "0") {
    out.why = "ordinary users may make no namespaces: kernel.unprivileged_userns_clone is 0";
    out.hint = "sysctl -w kernel.unprivileged_userns_clone=1, or run hark lab as root";
  } else if (read_word("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1") {
    out.why =
        "AppArmor keeps ordinary users from using namespaces: "
        "kernel.apparmor_restrict_unprivileged_userns is 1";
    out.hint = "run hark lab as root, or allow it: see docs/lab.md";
  } else {
    out.hint =
        "a container without the right to make namespaces? run hark lab as root of the "
        "machine, or on another one";
  }
  return out;
}

Result<LabSandbox> start_lab_sandbox(const std::string& helper, const std::function<int()>& body) {
  Result<LabSandbox> as_user = try_to_start(kWalls | CLONE_NEWUSER, helper, body);
  if (as_user) return as_user;
  if (::geteuid() == 0) {
    Result<LabSandbox> as_root = try_to_start(kWalls, helper, body);
    if (as_root) return as_root;
  }
  return fail(no_namespaces(as_user.error().code));
}

}  // namespace hark::drill
