// The part of the stage that changes the host outside its own namespaces: names in /run/netns,
// mounts, folders, cgroups. The janitor is told of each before it is made.
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/text.h"
#include "sockets.h"
#include "stage.h"

namespace hark::scene {

using nlohmann::json;

namespace {

Result<void> loopback_up() {
  const UniqueFd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (ioctl(any.get(), SIOCSIFFLAGS, &request) != 0) return fail(kernel_error(errno, "lo up"));
  return {};
}

// Where cgroup v2 is mounted, from the lines of /proc/self/mountinfo (proc(5)).
std::string mounted_cgroup2() {
  std::string found;
  std::FILE* file = std::fopen("/proc/self/mountinfo", "re");
  char text[4096];
  while (file != nullptr && std::fgets(text, sizeof text, file) != nullptr) {
    const std::vector<std::string_view> words = split(text, ' ');
    const bool right = std::string_view(text).find(" - cgroup2 ") != std::string_view::npos;
    if (right && found.empty() && words.size() > 4) found = words[4];
  }
  if (file != nullptr) std::fclose(file);
  return found;
}

}  // namespace

Result<UniqueFd> Stage::new_namespace() {
  const UniqueFd home(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (unshare(CLONE_NEWNET) != 0) return fail(kernel_error(errno, "unshare"));
  UniqueFd made(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (const auto up = loopback_up(); !up) return fail(up.error());
  if (setns(home.get(), CLONE_NEWNET) != 0) return fail(kernel_error(errno, "setns"));
  return made;
}

// netns LABEL KIND. What keeps it alive: `named` a name in /run/netns, `process` the processes that
// live there, `fd` a descriptor of the process in holder=, `mount` a bind mount elsewhere.
Result<void> Stage::add_netns(const Line& line) {
  Result<UniqueFd> made = new_namespace();
  if (!made) return fail(made.error());
  json truth{{"inode", inode_of(made->get())}, {"name", nullptr}, {"label", line.word(1)}};
  if (const auto held = hold_namespace(line, *made, truth); !held) return held;
  truth["held_by"] = line.word(2);
  places_[line.word(1)] = Place{std::move(*made), truth};
  return {};
}

Result<void> Stage::hold_namespace(const Line& line, const UniqueFd& netns, json& truth) {
  const std::string kind = line.word(2);
  if (kind == "process") return {};
  if (kind == "fd") {
    const Result<Line> kept = tell(line.value("holder"), "keep", netns.get());
    if (!kept) return fail(kept.error());
    return {};
  }
  if (kind == "named") {
    if (const auto made = make_folder("/run/netns"); !made) return made;
    const std::string name = "hark-" + id_ + '-' + line.word(1);
    truth["name"] = name;
    truth["path"] = "/run/netns/" + name;
    return mount_namespace(truth["path"], netns);
  }
  if (kind != "mount") return fail(plain_error(kind, "not a kind of namespace"));
  const Result<std::string> place = folder();
  if (!place) return fail(place.error());
  truth["path"] = *place + '/' + line.word(1);
  return mount_namespace(truth["path"], netns);
}

Result<void> Stage::mount_namespace(const std::string& path, const UniqueFd& netns) {
  janitor_.will_make_file(path);
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0));
  if (!file.valid()) return fail(kernel_error(errno, path));
  janitor_.will_mount(path);
  const std::string from = "/proc/self/fd/" + std::to_string(netns.get());
  if (mount(from.c_str(), path.c_str(), "none", MS_BIND, nullptr) != 0) {
    return fail(kernel_error(errno, "mount " + path));
  }
  return {};
}

// One folder, if it is not there yet.
Result<void> Stage::make_folder(const std::string& path) {
  if (access(path.c_str(), F_OK) == 0) return {};
  janitor_.will_make_folder(path);
  if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return fail(kernel_error(errno, path));
  return {};
}

Result<std::string> Stage::folder() {
  if (!folder_.empty()) return folder_;
  const std::string path = "/tmp/hark-scene-" + id_;
  if (const auto made = make_folder(path); !made) return fail(made.error());
  folder_ = path;
  return folder_;
}

Result<void> Stage::enter_cgroup(pid_t pid, const std::string& path) {
  if (path.empty()) return {};
  if (cgroup_root_.empty()) cgroup_root_ = mounted_cgroup2();
  if (cgroup_root_.empty()) return fail(plain_error("cgroup2", "not mounted"));
  // Folders above ours are shared with other scenes, and the janitor of one that ends may take an
  // empty one away between two steps of ours: then all of it again.
  constexpr int kTries = 100;
  Result<void> entered;
  for (int i = 0; i < kTries; ++i) {
    entered = try_to_enter_cgroup(pid, path);
    if (entered || entered.error().code != ENOENT) return entered;
  }
  return entered;
}

Result<void> Stage::try_to_enter_cgroup(pid_t pid, const std::string& path) {
  for (std::size_t at = 0; at != std::string::npos;) {
    at = path.find('/', at + 1);
    if (const auto made = make_folder(cgroup_root_ + path.substr(0, at)); !made) return made;
  }
  const std::string file = cgroup_root_ + path + "/cgroup.procs";
  const UniqueFd procs(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!procs.valid()) return fail(kernel_error(errno, file));
  const std::string text = std::to_string(pid);
  if (write(procs.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail(kernel_error(errno == ENODEV ? ENOENT : errno, file));
  }
  return {};
}

// run NETNS PROGRAM ARGUMENT…: any program inside a namespace, such as ip, nft or sysctl
Result<void> Stage::run_program(const Line& line) {
  const auto place = places_.find(line.word(1));
  if (place == places_.end()) return fail(plain_error(line.word(1), "no such namespace"));
  std::vector<std::string> arguments(line.all.begin() + 2, line.all.end());
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  if (setns(place->second.descriptor.get(), CLONE_NEWNET) != 0) {
    return fail(kernel_error(errno, "setns"));
  }
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, pointers[0], nullptr, nullptr, pointers.data(), environ);
  if (setns(places_["start"].descriptor.get(), CLONE_NEWNET) != 0) {
    return fail(kernel_error(errno, "setns"));
  }
  if (error != 0) return fail(kernel_error(error, line.word(2)));
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || status != 0) {
    return fail(plain_error(line.word(2), "failed"));
  }
  return {};
}

}  // namespace hark::scene
