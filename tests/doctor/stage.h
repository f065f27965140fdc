// What a scene is made with. It runs in a process of its own, in a fresh network namespace with lo
// up; everything that it starts ends with it.
//
// Whatever fails throws: the scene's test then fails with the words of the exception.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace hark::doctor {

class Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  /// Undoes what undo() was told, last first, and ends the processes.
  ~Stage();

  /// A socket of the scene's own process (SOCK_STREAM, SOCK_DGRAM) that is bound, and no more.
  int bound(int type, const std::string& address, std::uint16_t port);
  /// One that listens.
  int listen(std::uint16_t port, int backlog = 16, const std::string& address = "127.0.0.1");
  /// One that shares its port with others of its kind.
  int listen_shared(std::uint16_t port);
  /// Closes it here: only who inherited it has it.
  void give_away(int fd);
  /// Clients of that port that connect without waiting; they are kept.
  void connect(std::uint16_t port, int clients);

  /// A process that runs `body` and then waits for its end; it is gone with the scene. Returns once
  /// `body` has returned. What it inherits of the scene's descriptors it keeps.
  pid_t process(const std::function<void()>& body);
  /// A process that never returns from `body`. Returns at once.
  pid_t endless(const std::function<void()>& body);
  /// A process that listens and accepts whoever comes, for ever.
  pid_t server(std::uint16_t port, int backlog = 16, const std::string& address = "127.0.0.1");
  /// Another namespace at the other end of a veth pair: here the link has the name and the address
  /// `own`, there it is eth0 with the address `theirs` ("10.9.0.9/24"). Both are up. The process
  /// that lives there.
  pid_t neighbour(const std::string& link, const std::string& own, const std::string& theirs);

  /// Has something to do, always.
  [[noreturn]] static void work();

  /// Waits until /proc/PID/stat shows this state.
  static void wait_for_state(pid_t pid, char state);
  /// Waits until the file has this text in it.
  static void wait_for_text(const std::string& path, const std::string& text);

  /// Runs a program with its words and waits for it: run({"ip", "link", "set", "lo", "up"}).
  static void run(const std::vector<std::string>& words);
  /// The same in the network namespace of that process.
  static void run_in(pid_t pid, const std::vector<std::string>& words);
  static void write_file(const std::string& path, const std::string& text);
  /// Of /proc/sys/net/NAME: sysctl("ipv4/tcp_syncookies", "0").
  static void sysctl(const std::string& name, const std::string& value);
  /// A folder of this scene's own.
  const std::string& folder();

  /// Where a cgroup hierarchy is mounted: "freezer" …, or "cgroup2"; empty: nowhere.
  static std::string cgroup_root(const std::string& controller);
  /// A new cgroup there with these processes in it.
  std::string cgroup(const std::string& root, const std::vector<pid_t>& members);

  /// Told when the scene ends, before its processes are ended.
  void undo(std::function<void()> what) { undo_.push_back(std::move(what)); }
  void keep(UniqueFd fd) { held_.push_back(std::move(fd)); }

 private:
  std::vector<pid_t> processes_;
  std::vector<UniqueFd> held_;
  std::vector<std::function<void()>> undo_;
  std::string folder_;
};

/// Forks; the child dies with its parent, whatever happens to it.
[[nodiscard]] pid_t fork_mortal();

/// Throws std::runtime_error with errno's words if `result` is -1, else gives it back.
int check(int result, const char* what);

}  // namespace hark::doctor
