#include "host/redact_state_files.h"

#include <array>
#include <vector>

#include "decode/container_state.h"
#include "host/container_files.h"
#include "host/host.h"

namespace hark::host {
namespace {

using decode::ContainerState;

/// A JSON string. What is not UTF-8 does not come out of the decoder.
std::string quoted(std::string_view text) {
  constexpr const char* kDigits = "0123456789abcdef";
  constexpr unsigned char kFirstPlain = 0x20;
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < kFirstPlain) {
      out += "\\u00";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// `{"name":"value",…}` of those that have a value.
struct Member {
  const char* name;
  std::string json;  ///< empty: left out
};
std::string object(const std::vector<Member>& members) {
  std::string out = "{";
  for (const Member& member : members) {
    if (member.json.empty()) continue;
    if (out.size() > 1) out += ',';
    out += quoted(member.name) + ":" + member.json;
  }
  return out + "}";
}

std::string text(const std::string& value) {
  return value.empty() ? std::string() : quoted(value);
}

std::string number(std::uint32_t value) {
  return value == 0 ? std::string() : std::to_string(value);
}
std::string truth(bool value) {
  return value ? "true" : "";
}
std::string time(const std::optional<std::int64_t>& ms) {
  return ms ? quoted(rfc3339(*ms)) : std::string();
}

std::string docker_state(const ContainerState& state) {
  const std::string out =
      object({{"Pid", number(state.pid)},
              {"Restarting", truth(state.restarting)},
              {"ExitCode", state.exit_status ? std::to_string(*state.exit_status) : ""},
              {"StartedAt", time(state.started_at_ms)},
              {"FinishedAt", time(state.ended_at_ms)}});
  return out == "{}" ? "" : out;
}

std::string docker_container(const ContainerState& state) {
  std::string networks;
  for (const IpAddress& address : state.addresses) {
    networks += (networks.empty() ? "{" : ",") + quoted(std::to_string(networks.size())) + ":" +
                object({{"IPAddress", text(address.text())}});
  }
  if (!networks.empty()) networks += "}";
  std::vector<Member> labels = {{"io.kubernetes.pod.name", text(state.pod)},
                                {"io.kubernetes.pod.namespace", text(state.pod_namespace)}};
  std::vector<std::string> names;
  std::vector<Member> ports;
  names.reserve(state.ports.size());
  for (const decode::ContainerPort& port : state.ports) {
    const std::string number = std::to_string(port.port);
    if (port.host_port == 0) {
      labels.push_back({port.label.c_str(), quoted(number)});
      continue;
    }
    names.push_back(number + (port.protocol == Protocol::Tcp ? "/tcp" : "/udp"));
    ports.push_back(
        {names.back().c_str(), "[" +
                                   object({{"HostIp", text(port.host)},
                                           {"HostPort", quoted(std::to_string(port.host_port))}}) +
                                   "]"});
  }
  return object({{"ID", text(state.id)},
                 {"Name", quoted("/" + state.name)},
                 {"Image", text(state.image)},
                 {"State", docker_state(state)},
                 {"RestartCount", number(state.restarts)},
                 {"HasBeenManuallyStopped", truth(state.stopped_by_hand)},
                 {"Config", object({{"Labels", object(labels)}})},
                 {"NetworkSettings", object({{"Networks", networks},
                                             {"Ports", ports.empty() ? "" : object(ports)}})}});
}

std::string storage_list(const std::vector<ContainerState>& list) {
  std::string out = "[";
  for (const ContainerState& state : list) {
    if (out.size() > 1) out += ",\n";
    const std::string names = state.name.empty() ? "" : "[" + quoted(state.name) + "]";
    out += object({{"id", text(state.id)},
                   {"names", names},
                   {"metadata", quoted(object({{"image-name", text(state.image)}}))}});
  }
  return out + "]";
}

std::string podman_state(const ContainerState& state) {
  return object({{"pid", number(state.pid)},
                 {"restartCount", number(state.restarts)},
                 {"stoppedByUser", truth(state.stopped_by_hand)},
                 {"exitCode", state.exit_status ? std::to_string(*state.exit_status) : ""},
                 {"startedTime", time(state.started_at_ms)},
                 {"finishedTime", time(state.ended_at_ms)}});
}

/// As decode_podman_database() reads a recording's: the database itself holds everything.
std::string podman_database(const std::vector<ContainerState>& list) {
  std::string out = "[";
  for (const ContainerState& state : list) {
    std::vector<Member> labels;
    std::string ports;
    for (const decode::ContainerPort& port : state.ports) {
      if (port.host_port == 0) {
        labels.push_back({port.label.c_str(), quoted(std::to_string(port.port))});
        continue;
      }
      ports += ports.empty() ? "[" : ",";
      ports += object({{"host_ip", text(port.host)},
                       {"container_port", std::to_string(port.port)},
                       {"host_port", std::to_string(port.host_port)},
                       {"protocol", port.protocol == Protocol::Udp ? R"("udp")" : R"("tcp")"}});
    }
    if (!ports.empty()) ports += "]";
    const std::string config = object({{"id", text(state.id)},
                                       {"name", text(state.name)},
                                       {"rootfsImageName", text(state.image)},
                                       {"labels", labels.empty() ? "" : object(labels)},
                                       {"newPortMappings", ports}});
    if (out.size() > 1) out += ",\n";
    out += object({{"config", config}, {"state", podman_state(state)}});
  }
  return out + "]";
}

/// nerdctl's and cri-o's names stand for those of any runtime: the decoder reads them alike.
std::string bundle(const ContainerState& state) {
  return object(
      {{"annotations", object({{"nerdctl/name", text(state.name)},
                               {"io.kubernetes.cri-o.ImageName", text(state.image)},
                               {"io.kubernetes.pod.name", text(state.pod)},
                               {"io.kubernetes.pod.namespace", text(state.pod_namespace)}})}});
}

std::string kept(StateForm form, ByteView file) {
  constexpr const char* kNothing = "";  // not understood either: the gap stays
  switch (form) {
    case StateForm::DockerContainer: {
      const auto state = decode::decode_docker_container(file);
      return state ? docker_container(*state) : kNothing;
    }
    case StateForm::DockerDaemon: {
      const auto root = decode::decode_docker_data_root(file);
      return root ? object({{"data-root", text(*root)}}) : kNothing;
    }
    case StateForm::StorageList: {
      const auto list = decode::decode_storage_containers(file);
      return list ? storage_list(*list) : kNothing;
    }
    case StateForm::PodmanDatabase: {
      const auto list = decode::decode_podman_database(file);
      return list ? podman_database(*list) : kNothing;
    }
    case StateForm::Bundle: {
      const auto state = decode::decode_bundle(file);
      return state ? bundle(*state) : kNothing;
    }
  }
  return kNothing;
}

}  // namespace

Bytes redact_state_file(const std::string& path, ByteView file) {
  const auto form = state_form_of(path);
  if (!form) return {file.begin(), file.end()};
  return to_bytes(kept(*form, file));
}

}  // namespace hark::host
