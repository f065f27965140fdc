// podman's database: of Bolt until version 4.7 (libpod/boltdb_state.go: the bucket "ctr" has one
// for each container, with "config" and "state"), of SQLite since (libpod/sqlite_state.go: the
// tables ContainerConfig and ContainerState, whose last columns are the same two documents). A
// recording has the list of both documents instead.
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/text.h"
#include "decode/bolt_file.h"
#include "decode/container_labels.h"
#include "decode/container_state.h"
#include "decode/go_time.h"
#include "decode/json_walk.h"
#include "decode/sqlite_file.h"

namespace hark::decode {
namespace {

constexpr std::size_t kMostPorts = 256;

/// An element of newPortMappings, or of portMappings, which podman before 4.0 wrote.
struct Mapping {
  std::string host;
  std::string protocol;
  std::uint64_t port = 0;
  std::uint64_t host_port = 0;
  std::uint64_t count = 1;
};

/// ContainerConfig, or what a recording has of it.
class Config {
 public:
  explicit Config(ContainerState& state) : state_(state) {}

  void text(JsonPath path, const std::string& value) {
    constexpr std::array<std::string_view, 2> kLabel = {"labels", "*"};
    if (path.size() == 1 && path[0] == "id") state_.id = value;
    if (path.size() == 1 && path[0] == "name") state_.name = value;
    if (path.size() == 1 && path[0] == "rootfsImageName") state_.image = value;
    if (is_path(path, kLabel) && names_port(path[1])) {
      const auto port = parse_number<std::uint16_t>(value);
      if (port && *port != 0) add({.port = *port, .label = path[1]});
    }
    if (!is_mapping(path) || mappings_.empty()) return;
    if (path[2] == "host_ip" || path[2] == "hostIP") mappings_.back().host = value;
    if (path[2] == "protocol") mappings_.back().protocol = value;
  }
  void number(JsonPath path, std::uint64_t value) {
    if (!is_mapping(path) || mappings_.empty()) return;
    Mapping& last = mappings_.back();
    if (path[2] == "container_port" || path[2] == "containerPort") last.port = value;
    if (path[2] == "host_port" || path[2] == "hostPort") last.host_port = value;
    if (path[2] == "range") last.count = value;
  }
  void object(JsonPath path) {
    if (path.size() == 2 && is_list(path[0]) && mappings_.size() < kMostPorts) {
      mappings_.emplace_back();
    }
  }
  void finish() {
    for (const Mapping& one : mappings_) add_mapping(one);
  }

 private:
  static bool is_list(std::string_view name) {
    return name == "newPortMappings" || name == "portMappings";
  }
  static bool is_mapping(JsonPath path) { return path.size() == 3 && is_list(path[0]); }

  void add_mapping(const Mapping& one) {
    constexpr std::uint64_t kLastPort = 65535;
    const std::uint64_t count = std::clamp<std::uint64_t>(one.count, 1, kMostPorts);
    const bool udp = one.protocol == "udp";
    if (!udp && !one.protocol.empty() && one.protocol != "tcp") return;
    if (one.port == 0 || one.port + count > kLastPort + 1) return;
    if (one.host_port == 0 || one.host_port + count > kLastPort + 1) return;
    for (std::uint64_t i = 0; i < count; ++i) {
      add({.protocol = udp ? Protocol::Udp : Protocol::Tcp,
           .port = static_cast<std::uint16_t>(one.port + i),
           .host = one.host,
           .host_port = static_cast<std::uint16_t>(one.host_port + i)});
    }
  }
  void add(ContainerPort port) {
    const bool known = std::ranges::any_of(state_.ports, [&](const ContainerPort& one) {
      return one.port == port.port && one.protocol == port.protocol;
    });
    if (!known && state_.ports.size() < kMostPorts) state_.ports.push_back(std::move(port));
  }

  ContainerState& state_;
  std::vector<Mapping> mappings_;
};

void read_config(ByteView document, ContainerState& state) {
  Config config(state);
  const JsonEvents events = {
      .text = [&](JsonPath path, const std::string& value) { config.text(path, value); },
      .object = [&](JsonPath path) { config.object(path); },
      .number = [&](JsonPath path, std::uint64_t value) { config.number(path, value); }};
  if (walk_json(document, events)) config.finish();
}

/// ContainerState: what is left out there is zero.
struct Fate {
  ContainerState& state;

  void text(JsonPath path, const std::string& value) const {
    if (path.size() != 1) return;
    if (path[0] == "startedTime") state.started_at_ms = parse_go_time(value);
    if (path[0] == "finishedTime") state.ended_at_ms = parse_go_time(value);
  }
  void number(JsonPath path, std::uint64_t value) const {
    if (path.size() != 1) return;
    const auto small = static_cast<std::uint32_t>(value);
    if (path[0] == "pid") state.pid = small;
    if (path[0] == "exitCode") state.exit_status = small;
    if (path[0] == "restartCount") state.restarts = small;
  }
  void truth(JsonPath path, bool value) const {
    if (path.size() == 1 && path[0] == "stoppedByUser") state.stopped_by_hand = value;
  }
};

void read_state(ByteView document, ContainerState& state) {
  const Fate fate{state};
  const JsonEvents events = {
      .text = [&](JsonPath path, const std::string& value) { fate.text(path, value); },
      .number = [&](JsonPath path, std::uint64_t value) { fate.number(path, value); },
      .truth = [&](JsonPath path, bool value) { fate.truth(path, value); }};
  (void)walk_json(document, events);
}

using ById = std::map<std::string, ContainerState>;

Result<ById> of_bolt(ByteView file) {
  ById out;
  const auto walked = walk_bolt(file, [&](BoltPath path, ByteView value) {
    if (path.size() != 3 || path[0] != "ctr") return;
    if (path[2] == "config") read_config(value, out[path[1]]);
    if (path[2] == "state") read_state(value, out[path[1]]);
  });
  if (!walked) return fail(walked.error());
  return out;
}

Result<ById> of_sqlite(ByteView file) {
  constexpr std::size_t kColumns = 4;  // the first is the id, the last the document
  ById out;
  for (const bool config : {true, false}) {
    const auto read =
        read_sqlite_table(file, config ? "ContainerConfig" : "ContainerState", [&](SqliteRow row) {
          if (row.size() < kColumns) return;
          ContainerState& state = out[row[0]];
          const ByteView document = as_bytes(row[kColumns - 1]);
          config ? read_config(document, state) : read_state(document, state);
        });
    if (!read) return fail(read.error());
  }
  return out;
}

/// [{"config": …, "state": …}]
class Recorded {
 public:
  void text(JsonPath path, const std::string& value) {
    if (in_config(path)) config_->text(path.subspan(2), value);
    if (in_state(path)) Fate{state_}.text(path.subspan(2), value);
  }
  void number(JsonPath path, std::uint64_t value) {
    if (in_config(path)) config_->number(path.subspan(2), value);
    if (in_state(path)) Fate{state_}.number(path.subspan(2), value);
  }
  void truth(JsonPath path, bool value) {
    if (in_state(path)) Fate{state_}.truth(path.subspan(2), value);
  }
  void object(JsonPath path) {
    if (path.size() == 1) {
      finish();
      config_.emplace(state_);
    }
    if (in_config(path)) config_->object(path.subspan(2));
  }
  void finish() {
    if (config_) config_->finish();
    config_.reset();
    std::string id = state_.id;
    if (!id.empty()) list_[std::move(id)] = std::move(state_);
    state_ = {};
  }
  ById list_;

 private:
  [[nodiscard]] bool in_config(JsonPath path) const {
    return config_ && path.size() > 2 && path[1] == "config";
  }
  static bool in_state(JsonPath path) { return path.size() > 2 && path[1] == "state"; }
  ContainerState state_;
  std::optional<Config> config_;
};

Result<ById> of_recording(ByteView file) {
  Recorded recorded;
  const JsonEvents events = {
      .text = [&](JsonPath path, const std::string& value) { recorded.text(path, value); },
      .object = [&](JsonPath path) { recorded.object(path); },
      .number = [&](JsonPath path, std::uint64_t value) { recorded.number(path, value); },
      .truth = [&](JsonPath path, bool value) { recorded.truth(path, value); }};
  if (auto walked = walk_json(file, events); !walked) return fail(walked.error());
  recorded.finish();
  return std::move(recorded.list_);
}

}  // namespace

Result<std::vector<ContainerState>> decode_podman_database(ByteView file) {
  const std::string_view text = as_text(file);
  auto all = text.starts_with('[')         ? of_recording(file)
             : text.starts_with("SQLite ") ? of_sqlite(file)
                                           : of_bolt(file);
  if (!all) return fail(all.error());
  std::vector<ContainerState> out;
  for (auto& [id, state] : *all) {
    // A row of one table that the other does not have.
    if (!state.id.empty() && state.id == id) out.push_back(std::move(state));
  }
  return out;
}

}  // namespace hark::decode
