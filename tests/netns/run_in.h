// Runs hark in the places where it must still tell the truth: as another user, in another network
// namespace, without /proc, and so on.
#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace hark::netns {

/// System calls that must not happen. Each kills the program with SIGSYS.
enum class Forbidden : unsigned char {
  Nothing,
  InetSockets,  ///< socket(2) of AF_INET or AF_INET6
  Listening,    ///< listen(2), accept(2)
  Connecting,   ///< connect(2)
  Writing,      ///< opening for writing or creating, renaming, removing
  Mounting,     ///< mount(2) and its relatives
  Signalling,   ///< kill(2) and its relatives, ptrace(2)
  Modules,      ///< loading or removing a kernel module
};

struct Place {
  pid_t netns_of = 0;  ///< in the network namespace of this process; 0: the caller's
  uid_t uid = 0;
  std::string var_lib = {};  ///< a folder that stands for /var/lib
  bool hide_pids = false;    ///< /proc mounted with hidepid=2
  bool no_proc = false;      ///< an empty folder for /proc
  bool no_cgroup2 = false;   ///< no cgroup v2 mounted
  bool own_pids = false;     ///< a pid namespace of its own, and a /proc to match
  pid_t pids_of = 0;         ///< in the pid namespace of this process, and a /proc to match
  std::string run = {};      ///< this folder stands for /run; empty: the real one
  bool own_users = false;    ///< a user namespace of its own, root in there
  Forbidden forbidden = Forbidden::Nothing;
};

struct Finished {
  int status = -1;  ///< exit status, or 1000 + the signal, or 2000: the place could not be made
  std::string out;
  std::string err;
};

/// Runs the program in the place and waits for its end. All mounts are made in a mount namespace
/// that ends with it.
[[nodiscard]] Finished run_in(const Place& place, const std::string& program,
                              const std::vector<std::string>& arguments);

/// `run_in` of the hark under test.
[[nodiscard]] Finished run_hark(const Place& place, const std::vector<std::string>& arguments);

/// What a shell command prints on either stream, here and now.
std::string said_by(const std::string& command);

/// `hark list --json` as an object. Where it ends with another status than 0 or prints something
/// else, the test fails and the object is empty.
[[nodiscard]] nlohmann::json list_in(const Place& place, const std::vector<std::string>& more = {});

}  // namespace hark::netns
