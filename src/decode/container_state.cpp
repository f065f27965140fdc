#include "decode/container_state.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "decode/container_labels.h"
#include "decode/go_time.h"
#include "decode/json_walk.h"

namespace hark::decode {
namespace {

/// A text of the document, and where it goes. Of several that are there the first row counts.
struct TextRow {
  std::array<std::string_view, 3> names;  ///< "" ends the path
  std::string ContainerState::*field;
};

bool leads_to(const TextRow& row, JsonPath path) {
  const auto end = std::ranges::find(row.names, std::string_view{});
  return is_path(path, {row.names.begin(), end});
}

/// Collects the fields of a table; a row that stands further up beats those below it.
template <std::size_t N>
class Fields {
 public:
  explicit Fields(const std::array<TextRow, N>& rows) : rows_(rows) {}

  void text(JsonPath path, const std::string& value) {
    if (path.size() > kLongestPath || value.empty()) return;
    for (std::size_t i = 0; i < N; ++i) {
      if (leads_to(rows_[i], path)) values_[i] = value;
    }
  }

  void put_into(ContainerState& state) {
    for (std::size_t i = N; i-- > 0;) {
      if (!values_[i].empty()) state.*rows_[i].field = std::move(values_[i]);
      values_[i].clear();
    }
  }

 private:
  static constexpr std::size_t kLongestPath = 3;
  const std::array<TextRow, N>& rows_;
  std::array<std::string, N> values_;
};

// Labels that the kubelet gives a container reach docker through cri-dockerd.
constexpr std::array kDockerRows = {
    TextRow{{"ID"}, &ContainerState::id},
    TextRow{{"Config", "Labels", "io.kubernetes.container.name"}, &ContainerState::name},
    TextRow{{"Name"}, &ContainerState::name},
    TextRow{{"Config", "Image"}, &ContainerState::image},
    TextRow{{"Image"}, &ContainerState::image},  // its digest
    TextRow{{"Config", "Labels", "io.kubernetes.pod.name"}, &ContainerState::pod},
    TextRow{{"Config", "Labels", "io.kubernetes.pod.namespace"}, &ContainerState::pod_namespace},
};

constexpr std::array kStorageMetadataRows = {
    TextRow{{"name"}, &ContainerState::name},
    TextRow{{"image-name"}, &ContainerState::image},
};

constexpr std::array kBundleRows = {
    TextRow{{"annotations", "io.kubernetes.cri.container-name"}, &ContainerState::name},
    TextRow{{"annotations", "io.kubernetes.container.name"}, &ContainerState::name},
    TextRow{{"annotations", "nerdctl/name"}, &ContainerState::name},
    TextRow{{"annotations", "io.kubernetes.cri.image-name"}, &ContainerState::image},
    TextRow{{"annotations", "io.kubernetes.cri-o.ImageName"}, &ContainerState::image},
    TextRow{{"annotations", "io.kubernetes.cri-o.Image"}, &ContainerState::image},
    TextRow{{"annotations", "io.kubernetes.cri.sandbox-name"}, &ContainerState::pod},
    TextRow{{"annotations", "io.kubernetes.pod.name"}, &ContainerState::pod},
    TextRow{{"annotations", "io.kubernetes.cri.sandbox-namespace"}, &ContainerState::pod_namespace},
    TextRow{{"annotations", "io.kubernetes.pod.namespace"}, &ContainerState::pod_namespace},
};

constexpr std::array<std::string_view, 4> kDockerAddress4 = {"NetworkSettings", "Networks", "*",
                                                             "IPAddress"};
constexpr std::array<std::string_view, 4> kDockerAddress6 = {"NetworkSettings", "Networks", "*",
                                                             "GlobalIPv6Address"};

void read_docker_address(JsonPath path, const std::string& value, ContainerState& state) {
  if (!is_path(path, kDockerAddress4) && !is_path(path, kDockerAddress6)) return;
  if (const auto address = IpAddress::parse(value)) state.addresses.push_back(*address);
}

/// "80/tcp"; SCTP is none of ours.
std::optional<ContainerPort> port_called(std::string_view name) {
  const std::size_t slash = name.find('/');
  const auto port = parse_number<std::uint16_t>(name.substr(0, slash));
  const std::string_view protocol = slash == std::string_view::npos ? "" : name.substr(slash + 1);
  if (!port || *port == 0 || (protocol != "tcp" && protocol != "udp")) return std::nullopt;
  return ContainerPort{.protocol = protocol == "tcp" ? Protocol::Tcp : Protocol::Udp,
                       .port = *port};
}

/// NetworkSettings.Ports: {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}. The first place
/// at which a port is published stands for all.
class DockerPorts {
 public:
  void text(JsonPath path, const std::string& value) {
    constexpr std::array<std::string_view, 5> kPlace = {"NetworkSettings", "Ports", "*", "", "*"};
    constexpr std::array<std::string_view, 3> kLabel = {"Config", "Labels", "*"};
    if (is_path(path, kLabel) && names_port(path[2])) {
      const auto port = parse_number<std::uint16_t>(value);
      if (port && *port != 0) add({.port = *port, .label = path[2]});
      return;
    }
    if (!is_path(path, kPlace)) return;
    if (path[4] == "HostIp") host_ = value;
    if (path[4] != "HostPort") return;
    auto port = port_called(path[2]);
    const auto number = parse_number<std::uint16_t>(value);
    if (!port || !number || *number == 0) return;
    port->host = std::exchange(host_, {});
    port->host_port = *number;
    add(std::move(*port));
  }
  std::vector<ContainerPort> take() { return std::move(ports_); }

 private:
  void add(ContainerPort port) {
    constexpr std::size_t kMostPorts = 256;
    const bool known = std::ranges::any_of(ports_, [&](const ContainerPort& one) {
      return (one.port == port.port && one.protocol == port.protocol) ||
             (!port.label.empty() && one.label == port.label);
    });
    if (!known && ports_.size() < kMostPorts) ports_.push_back(std::move(port));
  }
  std::string host_;
  std::vector<ContainerPort> ports_;
};

/// How docker's container fares, besides its texts.
struct DockerFate {
  ContainerState& state;

  void text(JsonPath path, const std::string& value) const {
    constexpr std::array<std::string_view, 2> kStarted = {"State", "StartedAt"};
    constexpr std::array<std::string_view, 2> kEnded = {"State", "FinishedAt"};
    if (is_path(path, kStarted)) state.started_at_ms = parse_go_time(value);
    if (is_path(path, kEnded)) state.ended_at_ms = parse_go_time(value);
  }
  void number(JsonPath path, std::uint64_t value) const {
    constexpr std::array<std::string_view, 2> kPid = {"State", "Pid"};
    constexpr std::array<std::string_view, 2> kExit = {"State", "ExitCode"};
    constexpr std::array<std::string_view, 1> kRestarts = {"RestartCount"};
    const auto small = static_cast<std::uint32_t>(value);
    if (is_path(path, kPid)) state.pid = small;
    if (is_path(path, kExit)) state.exit_status = small;
    if (is_path(path, kRestarts)) state.restarts = small;
  }
  void truth(JsonPath path, bool value) const {
    constexpr std::array<std::string_view, 2> kRestarting = {"State", "Restarting"};
    constexpr std::array<std::string_view, 1> kByHand = {"HasBeenManuallyStopped"};
    if (is_path(path, kRestarting)) state.restarting = value;
    if (is_path(path, kByHand)) state.stopped_by_hand = value;
  }
};

/// The text `metadata` of one entry. What is none of podman's tells nothing.
void read_storage_metadata(const std::string& text, ContainerState& state) {
  Fields fields(kStorageMetadataRows);
  ContainerState told;
  const JsonEvents events = {
      .text = [&](JsonPath path, const std::string& value) { fields.text(path, value); }};
  if (!walk_json(as_bytes(text), events)) return;
  fields.put_into(told);
  if (state.name.empty()) state.name = std::move(told.name);
  state.image = std::move(told.image);
}

/// The entries of containers.json, one after the other.
class StorageList {
 public:
  void object(JsonPath path) {
    if (path.empty()) no_list_ = true;
    if (path.size() == 1) list_.emplace_back();
  }
  [[nodiscard]] bool no_list() const { return no_list_; }
  void text(JsonPath path, const std::string& value) {
    if (list_.empty() || path.size() < 2 || !path[0].empty()) return;
    ContainerState& last = list_.back();
    if (path.size() == 2 && path[1] == "id") last.id = value;
    if (path.size() == 2 && path[1] == "metadata") read_storage_metadata(value, last);
    if (path.size() == 3 && path[1] == "names" && named_ < list_.size()) {
      last.name = value;
      named_ = list_.size();
    }
  }
  std::vector<ContainerState> take() {
    std::erase_if(list_, [](const ContainerState& one) { return one.id.empty(); });
    std::ranges::stable_sort(list_, {}, &ContainerState::id);
    return std::move(list_);
  }

 private:
  std::vector<ContainerState> list_;
  bool no_list_ = false;   ///< the document is an object
  std::size_t named_ = 0;  ///< how many entries there were when a name was last taken
};

}  // namespace

Result<ContainerState> decode_docker_container(ByteView document) {
  ContainerState state;
  Fields fields(kDockerRows);
  DockerPorts ports;
  const DockerFate fate{state};
  const JsonEvents events = {
      .text =
          [&](JsonPath path, const std::string& value) {
            fields.text(path, value);
            read_docker_address(path, value, state);
            ports.text(path, value);
            fate.text(path, value);
          },
      .number = [&](JsonPath path, std::uint64_t value) { fate.number(path, value); },
      .truth = [&](JsonPath path, bool value) { fate.truth(path, value); }};
  if (auto walked = walk_json(document, events); !walked) return fail(walked.error());
  fields.put_into(state);
  state.ports = ports.take();
  if (state.id.empty()) return fail(plain_error("config.v2.json", "no container's id"));
  if (state.name.starts_with('/')) state.name.erase(0, 1);
  std::ranges::sort(state.addresses);
  return state;
}

Result<std::string> decode_docker_data_root(ByteView document) {
  std::string root;
  std::string graph;
  const JsonEvents events = {.text = [&](JsonPath path, const std::string& value) {
    if (path.size() != 1) return;
    if (path[0] == "data-root") root = value;
    if (path[0] == "graph") graph = value;
  }};
  if (auto walked = walk_json(document, events); !walked) return fail(walked.error());
  return root.empty() ? graph : root;
}

Result<std::vector<ContainerState>> decode_storage_containers(ByteView document) {
  StorageList list;
  const JsonEvents events = {
      .text = [&](JsonPath path, const std::string& value) { list.text(path, value); },
      .object = [&](JsonPath path) { list.object(path); }};
  if (auto walked = walk_json(document, events); !walked) return fail(walked.error());
  if (list.no_list()) return fail(plain_error("containers.json", "no list of containers"));
  return list.take();
}

Result<ContainerState> decode_bundle(ByteView document) {
  ContainerState state;
  Fields fields(kBundleRows);
  const JsonEvents events = {
      .text = [&](JsonPath path, const std::string& value) { fields.text(path, value); }};
  if (auto walked = walk_json(document, events); !walked) return fail(walked.error());
  fields.put_into(state);
  return state;
}

}  // namespace hark::decode
