// The decoders of container state files, chosen by the first byte. What is accepted is written as a
// file again and must come back the same.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "decode/container_state.h"

namespace {

using namespace hark;
using namespace hark::decode;
using Json = nlohmann::ordered_json;

void require(bool truth) {
  if (!truth) std::abort();
}

std::string time_of(std::int64_t ms) {
  constexpr std::int64_t kDayMs = 86'400'000;
  const std::chrono::sys_days day{std::chrono::days(ms / kDayMs)};
  const std::chrono::year_month_day date(day);
  const std::int64_t rest = ms % kDayMs;
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(rest / 3'600'000),
                static_cast<int>(rest / 60'000 % 60), static_cast<int>(rest / 1000 % 60),
                static_cast<int>(rest % 1000));
  return out.data();
}

Json fate_of(const ContainerState& state) {
  Json out = {{"Pid", state.pid}, {"Restarting", state.restarting}};
  if (state.exit_status) out["ExitCode"] = *state.exit_status;
  if (state.started_at_ms) out["StartedAt"] = time_of(*state.started_at_ms);
  if (state.ended_at_ms) out["FinishedAt"] = time_of(*state.ended_at_ms);
  return out;
}

void check_podman(ByteView file) {
  const auto list = decode_podman_database(file);
  if (!list) return;
  for (const ContainerState& one : *list) {
    require(!one.id.empty());
    require(one.ports.size() <= 256);
  }
}

void check_docker(ByteView document) {
  auto state = decode_docker_container(document);
  if (!state) return;
  require(!state->id.empty());
  Json labels = {{"io.kubernetes.pod.name", state->pod},
                 {"io.kubernetes.pod.namespace", state->pod_namespace}};
  Json ports = Json::object();
  for (const ContainerPort& one : state->ports) {
    if (one.host_port == 0) {
      labels[one.label] = std::to_string(one.port);
      continue;
    }
    const char* protocol = one.protocol == Protocol::Udp ? "/udp" : "/tcp";
    ports[std::to_string(one.port) + protocol] = {
        {{"HostIp", one.host}, {"HostPort", std::to_string(one.host_port)}}};
  }
  Json networks = Json::object();
  for (const IpAddress& address : state->addresses) {
    networks[std::to_string(networks.size())]["IPAddress"] = address.text();
  }
  const Json again = {{"ID", state->id},
                      {"Name", "/" + state->name},
                      {"Image", state->image},
                      {"State", fate_of(*state)},
                      {"RestartCount", state->restarts},
                      {"HasBeenManuallyStopped", state->stopped_by_hand},
                      {"Config", {{"Labels", labels}}},
                      {"NetworkSettings", {{"Networks", networks}, {"Ports", ports}}}};
  auto told = decode_docker_container(as_bytes(again.dump()));
  require(told.has_value());
  // Labels and published ports come in another order.
  const auto order = [](const ContainerPort& one) { return std::pair(one.protocol, one.port); };
  std::ranges::sort(state->ports, {}, order);
  std::ranges::sort(told->ports, {}, order);
  require(told == state);
}

void check_storage(ByteView document) {
  const auto list = decode_storage_containers(document);
  if (!list) return;
  Json again = Json::array();
  for (const ContainerState& one : *list) {
    require(!one.id.empty());
    const Json metadata = {{"image-name", one.image}};
    again.push_back({{"id", one.id}, {"metadata", metadata.dump()}});
    if (!one.name.empty()) again.back()["names"] = {one.name};
  }
  require(decode_storage_containers(as_bytes(again.dump())) == list);
}

void check_bundle(ByteView document) {
  const auto state = decode_bundle(document);
  if (!state) return;
  const Json again = {{"annotations",
                       {{"nerdctl/name", state->name},
                        {"io.kubernetes.cri-o.Image", state->image},
                        {"io.kubernetes.pod.name", state->pod},
                        {"io.kubernetes.pod.namespace", state->pod_namespace}}}};
  require(decode_bundle(as_bytes(again.dump())) == state);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView document = std::as_bytes(std::span(data, size)).subspan(1);
  if (data[0] == 'd') check_docker(document);
  if (data[0] == 's') check_storage(document);
  if (data[0] == 'b') check_bundle(document);
  if (data[0] == 'p') check_podman(document);
  if (data[0] == 'r') (void)decode_docker_data_root(document);
  return 0;
}
