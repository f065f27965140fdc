// One walk over the parts of the path, from the root down, serves both questions.
//
// Units: systemd places slices inside slices and exactly one unit below them; what a service makes
// below itself is its own business (delegation), but for user@UID.service, in which the user's
// manager starts over. Plain folders before the first unit are passed over, because seen from
// outside a container with its own systemd the path begins with the container's.
//
// Containers: what the runtimes write, as met in the field:
//   systemd driver   PREFIX-ID.scope in any slice        docker- libpod- cri-containerd- crio- …
//   systemd path given to the cgroupfs driver            SLICE:cri-containerd:ID
//   cgroupfs driver  /docker/ID /kubepods/QOS/podUID/ID /NAMESPACE/ID (nerdctl) libpod-ID crio-ID
//   podman in units  libpod-payload-ID below the service
//   lxc              lxc.payload.NAME lxc.payload/NAME lxc/NAME, libvirt machine-lxc\x2dN\x2dNAME
//   nspawn           systemd-nspawn@NAME.service, machine-NAME.scope
#include "host/cgroup_names.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "host/select_text.h"

namespace hark::host {
namespace {

constexpr std::size_t kLongestPath = 4096;  // PATH_MAX
constexpr std::size_t kLongestUnit = 255;   // UNIT_NAME_MAX of systemd
constexpr std::size_t kIdLength = 64;
constexpr std::size_t kShortestId = 12;  // the short form that runtimes print

struct Prefix {
  std::string_view text;
  const char* runtime;
};
/// Of scopes and of folders: PREFIX-ID.scope, PREFIX-ID.
constexpr std::array kPrefixes = {
    Prefix{"docker-", "docker"},
    Prefix{"libpod-", "podman"},
    Prefix{"libpod-payload-", "podman"},
    Prefix{"cri-containerd-", "containerd"},
    Prefix{"containerd-", "containerd"},
    Prefix{"nerdctl-", "containerd"},
    Prefix{"crio-", "cri-o"},
};
/// Of the folders in which the cgroupfs driver puts containers; others are taken for docker's,
/// which puts them wherever its --cgroup-parent says.
constexpr std::array kParents = {
    Prefix{"default", "containerd"},
    Prefix{"k8s.io", "containerd"},
    Prefix{"libpod_parent", "podman"},
};
constexpr std::string_view kScope = ".scope";

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, is_id_digit);
}

bool is_id(std::string_view text) {
  return text.size() >= kShortestId && text.size() <= kIdLength && is_hex(text);
}

bool is_long_id(std::string_view text) {
  return text.size() == kIdLength && is_hex(text);
}

/// `text` without what it must begin and end with, if it does.
std::optional<std::string_view> between(std::string_view text, std::string_view begin,
                                        std::string_view end) {
  if (text.size() < begin.size() + end.size() || !text.starts_with(begin) || !text.ends_with(end)) {
    return std::nullopt;
  }
  return text.substr(begin.size(), text.size() - begin.size() - end.size());
}

/// The name of a machine in a unit's name: `\x2d` → '-'. What is no host name afterwards is given
/// as it stands.
std::string unescaped(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "\\x" && i + 4 <= text.size()) {
      const auto byte = parse_number<unsigned>(text.substr(i + 2, 2), 16);
      if (!byte || !allowed(static_cast<char>(*byte))) return std::string(text);
      out += static_cast<char>(*byte);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// What the parts above tell about the one looked at.
struct Above {
  std::string_view parent;
  bool in_pods = false;  ///< below kubepods
  std::string pod;       ///< uid of the innermost pod
};

std::optional<Container> from_prefix(std::string_view part) {
  for (const Prefix& prefix : kPrefixes) {
    for (const std::string_view end : {kScope, std::string_view{}}) {
      const auto id = between(part, prefix.text, end);
      if (id && is_id(*id)) return Container{prefix.runtime, std::string(*id), {}};
    }
  }
  // SLICE:PREFIX:ID
  const std::size_t last = part.rfind(':');
  if (last == std::string_view::npos || !is_id(part.substr(last + 1))) return std::nullopt;
  const std::string_view head = part.substr(0, last);
  const std::string_view name = head.substr(head.rfind(':') + 1);
  for (const Prefix& prefix : kPrefixes) {
    if (prefix.text.substr(0, prefix.text.size() - 1) == name) {
      return Container{prefix.runtime, std::string(part.substr(last + 1)), {}};
    }
  }
  return std::nullopt;
}

std::optional<Container> from_machine(std::string_view part) {
  const auto named = [](const char* runtime, std::string_view name) {
    std::string plain = unescaped(name);
    return Container{runtime, plain, plain};
  };
  if (const auto name = between(part, "systemd-nspawn@", ".service"); name && !name->empty()) {
    return named("nspawn", *name);
  }
  const auto machine = between(part, "machine-", kScope);
  if (!machine || machine->empty()) return std::nullopt;
  constexpr std::string_view kLibvirtLxc = "lxc\\x2d";
  constexpr std::string_view kDash = "\\x2d";
  if (machine->starts_with(kLibvirtLxc)) {
    const std::size_t dash = machine->find(kDash, kLibvirtLxc.size());
    if (dash == std::string_view::npos || dash + kDash.size() == machine->size())
      return std::nullopt;
    return named("lxc", machine->substr(dash + kDash.size()));
  }
  // libvirt's virtual machines
  for (const std::string_view hypervisor : {"qemu\\x2d", "xen\\x2d", "bhyve\\x2d"}) {
    if (machine->starts_with(hypervisor)) return std::nullopt;
  }
  return named("nspawn", *machine);
}

std::optional<Container> from_lxc(std::string_view part, std::string_view parent) {
  constexpr std::string_view kPayload = "lxc.payload.";
  std::string_view name;
  if (part.starts_with(kPayload)) {
    name = part.substr(kPayload.size());
  } else if (parent == "lxc" || parent == "lxc.payload") {
    name = part;
  }
  if (name.empty()) return std::nullopt;
  return Container{"lxc", std::string(name), std::string(name)};
}

/// A bare id. Which runtime made it shows in the folder around it, if at all.
std::optional<Container> from_folder(std::string_view part, const Above& above) {
  const bool fits = above.parent == "docker" ? is_id(part) : is_long_id(part);
  if (!fits) return std::nullopt;
  if (above.in_pods) return Container{"kubernetes", std::string(part), {}};
  const auto it = std::ranges::find_if(
      kParents, [&](const Prefix& prefix) { return prefix.text == above.parent; });
  return Container{it == kParents.end() ? "docker" : it->runtime, std::string(part), {}};
}

std::optional<Container> container_in(std::string_view part, const Above& above) {
  if (auto found = from_prefix(part)) return found;
  if (auto found = from_machine(part)) return found;
  if (auto found = from_lxc(part, above.parent)) return found;
  return from_folder(part, above);
}

/// "kubepods-besteffort-podUID.slice", "podUID" → UID, in which systemd's form has '_' for '-'.
std::string pod_uid(std::string_view part) {
  constexpr std::size_t kShortestUid = 32;
  constexpr std::string_view kSlice = ".slice";
  if (part.ends_with(kSlice)) part.remove_suffix(kSlice.size());
  if (const std::size_t at = part.rfind("-pod"); at != std::string_view::npos) {
    part.remove_prefix(at + 1);
  }
  if (!part.starts_with("pod")) return {};
  std::string uid(part.substr(3));
  std::ranges::replace(uid, '_', '-');
  std::string digits = uid;
  std::erase(digits, '-');
  return digits.size() == kShortestUid && is_hex(digits) ? uid : std::string{};
}

bool names_pods(std::string_view part) {
  // kubelet-kubepods.slice: a kubelet with --cgroup-root
  return part.starts_with("kubepods") || part.find("-kubepods") != std::string_view::npos;
}

/// A unit's name as systemd allows it (unit_name_is_valid), slices apart.
bool is_unit(std::string_view part) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view(":-_.\\@").find(c) != std::string_view::npos;
  };
  return part.size() <= kLongestUnit && without_unit_type(part).size() < part.size() &&
         !part.ends_with(".slice") && std::ranges::all_of(part, allowed);
}

/// The units of a path on one side of a container's border.
struct Units {
  std::string first;
  std::string of_user;  ///< below user@UID.service

  void add(std::string_view unit) {
    if (first.empty()) {
      first = unit;
    } else if (of_user.empty() && first.starts_with("user@")) {
      of_user = unit;
    }
  }
  [[nodiscard]] bool only_a_manager() const {
    return first.starts_with("user@") && of_user.empty();
  }
  /// The user's manager sits in an init.scope of its own making.
  [[nodiscard]] std::string telling() const {
    return of_user.empty() || of_user == "init.scope" ? first : of_user;
  }
};

struct Found {
  std::optional<Container> container;
  Units outer;
  Units inner;
};

Found walk(std::string_view path) {
  Found found;
  Above above;
  path = path.substr(0, kLongestPath);
  while (!path.empty()) {
    std::string_view part = next_piece(path, '/');
    if (part.empty() || part == "..") continue;
    auto container = container_in(part, above);
    const bool scope = container && !part.ends_with(".service");
    const std::string_view plain = part.starts_with('_') ? part.substr(1) : part;
    if (!scope && is_unit(plain)) (found.container ? found.inner : found.outer).add(plain);
    if (container) found.container = std::move(container);
    if (std::string uid = pod_uid(part); !uid.empty()) above.pod = std::move(uid);
    above.in_pods = above.in_pods || names_pods(part);
    above.parent = part;
  }
  if (!found.container && above.in_pods && !above.pod.empty()) {
    found.container = Container{"kubernetes", above.pod, {}};
  }
  return found;
}

}  // namespace

std::string unit_of_cgroup(std::string_view path) {
  const Found found = walk(path);
  // A container that a user's manager runs has no unit around it but that manager.
  const bool outer_says_nothing =
      found.outer.first.empty() || (found.container && found.outer.only_a_manager());
  return outer_says_nothing ? found.inner.telling() : found.outer.telling();
}

std::optional<Container> container_of_cgroup(std::string_view path) {
  return walk(path).container;
}

std::string cgroup_of_container(std::string_view path) {
  path = path.substr(0, kLongestPath);
  const std::optional<Container> container = walk(path).container;
  while (container) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos || walk(path.substr(0, slash)).container != container)
      break;
    path = path.substr(0, slash);
  }
  return std::string(path);
}

}  // namespace hark::host
