#include "host/ancestors.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "decode/process.h"

namespace hark::host {
namespace {

constexpr std::size_t kMostAncestors = 64;
constexpr std::uint32_t kKernelThread = 0x00200000;  ///< PF_KTHREAD of linux/sched.h

struct Known {
  std::string_view name;  ///< as the kernel has it: 15 bytes at most
  AncestorRole role;
  bool is_begin = false;  ///< of the name
};

constexpr std::array kKnown = {
    Known{"systemd", AncestorRole::ServiceManager},
    Known{"supervisord", AncestorRole::ServiceManager},
    Known{"runsv", AncestorRole::ServiceManager},
    Known{"runsvdir", AncestorRole::ServiceManager},
    Known{"s6-supervise", AncestorRole::ServiceManager},
    Known{"s6-svscan", AncestorRole::ServiceManager},
    Known{"supervise", AncestorRole::ServiceManager},
    Known{"supervise-daemo", AncestorRole::ServiceManager},  // of OpenRC
    Known{"monit", AncestorRole::ServiceManager},
    Known{"circusd", AncestorRole::ServiceManager},
    Known{"PM2 v", AncestorRole::ServiceManager, true},
    Known{"containerd-shim", AncestorRole::ContainerRuntime, true},
    Known{"containerd", AncestorRole::ContainerRuntime},
    Known{"dockerd", AncestorRole::ContainerRuntime},
    Known{"conmon", AncestorRole::ContainerRuntime},
    Known{"conmonrs", AncestorRole::ContainerRuntime},
    Known{"crio", AncestorRole::ContainerRuntime},
    Known{"podman", AncestorRole::ContainerRuntime},
    Known{"runc", AncestorRole::ContainerRuntime},
    Known{"crun", AncestorRole::ContainerRuntime},
    Known{"systemd-nspawn", AncestorRole::ContainerRuntime},
    Known{"lxc-start", AncestorRole::ContainerRuntime},
    Known{"lxc-execute", AncestorRole::ContainerRuntime},
    Known{"[lxc monitor]", AncestorRole::ContainerRuntime, true},
    Known{"sh", AncestorRole::Shell},
    Known{"bash", AncestorRole::Shell},
    Known{"dash", AncestorRole::Shell},
    Known{"ash", AncestorRole::Shell},
    Known{"zsh", AncestorRole::Shell},
    Known{"fish", AncestorRole::Shell},
    Known{"ksh", AncestorRole::Shell},
    Known{"ksh93", AncestorRole::Shell},
    Known{"mksh", AncestorRole::Shell},
    Known{"tcsh", AncestorRole::Shell},
    Known{"csh", AncestorRole::Shell},
    Known{"busybox", AncestorRole::Shell},
    Known{"nu", AncestorRole::Shell},
    Known{"pwsh", AncestorRole::Shell},
    Known{"sshd", AncestorRole::SshSession},
    Known{"sshd-session", AncestorRole::SshSession},  // since OpenSSH 9.8
    Known{"dropbear", AncestorRole::SshSession},
    Known{"cron", AncestorRole::Cron},
    Known{"crond", AncestorRole::Cron},
    Known{"CRON", AncestorRole::Cron},
    Known{"anacron", AncestorRole::Cron},
    Known{"atd", AncestorRole::Cron},
    Known{"fcron", AncestorRole::Cron},
    Known{"tmux: server", AncestorRole::TerminalMultiplexer},
    Known{"tmux", AncestorRole::TerminalMultiplexer},
    Known{"screen", AncestorRole::TerminalMultiplexer},
    Known{"SCREEN", AncestorRole::TerminalMultiplexer},
    Known{"zellij", AncestorRole::TerminalMultiplexer},
    Known{"dtach", AncestorRole::TerminalMultiplexer},
    Known{"abduco", AncestorRole::TerminalMultiplexer},
};

AncestorRole role_of(std::uint32_t pid, const decode::StatRecord& stat) {
  const auto known = std::ranges::find_if(kKnown, [&](const Known& one) {
    return one.is_begin ? stat.name.starts_with(one.name) : stat.name == one.name;
  });
  const AncestorRole role = known == kKnown.end() ? AncestorRole::Other : known->role;
  if (pid == 1 && role != AncestorRole::ServiceManager) return AncestorRole::Init;
  // One that runs a script started nothing by itself: what called it did.
  if (role == AncestorRole::Shell && stat.terminal == 0) return AncestorRole::Other;
  return role;
}

class AncestorReader {
 public:
  explicit AncestorReader(kernel::Source& source) : source_(source) {}

  std::optional<std::vector<Ancestor>> of(std::uint32_t first) {
    std::uint32_t pid = first;
    const decode::StatRecord* child = stat_of(pid);
    if (child == nullptr) return std::nullopt;
    std::vector<Ancestor> out;
    bool in_session = false;
    while (out.size() < kMostAncestors && pid != 1) {
      if (child->parent_pid == 0) {
        if ((child->flags & kKernelThread) == 0) out.push_back({.role = AncestorRole::Outside});
        break;
      }
      pid = child->parent_pid;
      const decode::StatRecord* parent = stat_of(pid);
      if (parent == nullptr || parent->start_ticks > child->start_ticks) break;
      if (pid == first || has(out, pid)) break;  // pids that were used again while we read
      AncestorRole role = role_of(pid, *parent);
      // Above the session are its monitor and the daemon that accepted it, of the same name.
      if (role == AncestorRole::SshSession && in_session) role = AncestorRole::Other;
      in_session = in_session || role == AncestorRole::SshSession;
      out.push_back({.pid = pid, .name = parent->name, .role = role});
      child = parent;
    }
    return out;
  }

 private:
  static bool has(const std::vector<Ancestor>& chain, std::uint32_t pid) {
    return std::ranges::find(chain, pid, &Ancestor::pid) != chain.end();
  }

  /// Null where it cannot be read.
  const decode::StatRecord* stat_of(std::uint32_t pid) {
    const auto [place, added] = stats_.try_emplace(pid);
    if (added) {
      const auto text = source_.read_file("/proc/" + std::to_string(pid) + "/stat");
      auto stat =
          text ? decode::decode_stat(*text) : Result<decode::StatRecord>(fail(text.error()));
      if (stat) place->second = std::move(*stat);
    }
    return place->second ? &*place->second : nullptr;
  }

  kernel::Source& source_;
  std::map<std::uint32_t, std::optional<decode::StatRecord>> stats_;
};

}  // namespace

void read_ancestors(kernel::Source& source, std::vector<Process>& processes) {
  AncestorReader reader(source);
  for (Process& process : processes) process.started_by = reader.of(process.pid);
}

}  // namespace hark::host
