// What container runtimes write down about their containers: pure decoders of their state files.
// None of these is a promised interface; each is read as its writer's source has it:
//   docker      config.v2.json: `Container` of moby's daemon/container/container.go, with
//               `Settings` of daemon/network/settings.go; daemon.json: dockerd(8)
//   podman      containers.json: `Container` of containers/storage's containers.go; its `metadata`
//               is JSON in a text: `RuntimeContainerMetadata` of podman's libpod/storage.go
//   podman      libpod/bolt_state.db and db.sql: `ContainerConfig` of podman's
//               libpod/container_config.go, `ContainerState` of libpod/container.go
//   OCI bundle  config.json: the runtime specification's config.md; annotations of containerd's
//               internal/cri/annotations, of cri-o's pkg/annotations, of nerdctl's pkg/labels
//
// Every text is as the file has it: any characters, of any length that fits into the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/protocol.h"
#include "base/result.h"

namespace hark::decode {

/// A port of a container that others are to reach: published on the host, or named by a label.
struct ContainerPort {
  Protocol protocol = Protocol::Tcp;
  std::uint16_t port = 0;       ///< in the container
  std::string host = {};        ///< of a published one the address on the host: "0.0.0.0"
  std::uint16_t host_port = 0;  ///< 0: a label says so
  std::string label = {};       ///< its name
  bool operator==(const ContainerPort&) const = default;
};

/// One container; what the file does not tell is empty.
struct ContainerState {
  std::string id = {};
  std::string name = {};
  std::string image = {};
  std::string pod = {};
  std::string pod_namespace = {};
  std::vector<IpAddress> addresses = {};  ///< in the runtime's own networks
  std::vector<ContainerPort> ports = {};  ///< of docker and podman
  std::uint32_t pid = 0;                  ///< of its first process; 0: it does not run, or not told

  // How it ended last: of docker and podman.
  bool restarting = false;       ///< it has ended, and waits to be started again: of docker
  bool stopped_by_hand = false;  ///< somebody asked its runtime to end it
  std::uint32_t restarts = 0;    ///< by the runtime itself, since somebody started it
  std::optional<std::uint32_t> exit_status = {};   ///< of one that runs it is 0
  std::optional<std::int64_t> started_at_ms = {};  ///< since 1970, UTC
  std::optional<std::int64_t> ended_at_ms = {};

  bool operator==(const ContainerState&) const = default;
};

/// config.v2.json of one container. Without an id it is an error.
[[nodiscard]] Result<ContainerState> decode_docker_container(ByteView document);

/// "data-root" of dockerd's daemon.json, or its older name "graph"; empty: the default holds.
[[nodiscard]] Result<std::string> decode_docker_data_root(ByteView document);

/// containers.json or volatile-containers.json, by id. Entries without an id are passed over.
[[nodiscard]] Result<std::vector<ContainerState>> decode_storage_containers(ByteView document);

/// Containers of podman's own database, whichever of both it is: ids, names, images, ports and
/// first processes. By id.
[[nodiscard]] Result<std::vector<ContainerState>> decode_podman_database(ByteView file);

/// The annotations of an OCI bundle's config.json; its id is the bundle's folder, not in it.
[[nodiscard]] Result<ContainerState> decode_bundle(ByteView document);

}  // namespace hark::decode
