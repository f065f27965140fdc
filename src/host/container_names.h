// Names, images and pods of containers, from the state files of their runtimes. What is not needed
// is not read: a container is looked up when somebody asks for it, and each file once.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "decode/container_state.h"
#include "decode/passwd.h"
#include "host/container_files.h"
#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

class ContainerNames {
 public:
  /// `source` must outlive this.
  explicit ContainerNames(kernel::Source& source) : source_(source) {}

  /// Adds name, image and pod where they can be read, or that its runtime has it no more. `cgroup`
  /// is the path that told of it: a container below a user's slice may be the user's own. A
  /// kubernetes container gets the runtime whose state file it was found in.
  void fill(Container& container, std::string_view cgroup);

  /// The container of docker that has this address. `cgroup`: of docker's helper that knows it.
  [[nodiscard]] std::optional<Container> docker_with_address(const IpAddress& address,
                                                             std::string_view cgroup);

  /// Containers of docker, as the system's daemon has them, by id; those that run.
  [[nodiscard]] std::vector<decode::ContainerState> all_of_docker();
  [[nodiscard]] std::vector<decode::ContainerState> running_in_docker();

  /// Containers of podman, by id: of the system, and of the users below whose slices one of these
  /// processes is.
  [[nodiscard]] std::vector<decode::ContainerState> all_of_podman(
      const std::vector<Process>& processes);

  /// All that docker has written down of this one; `cgroup` as of fill(). Nothing: it is none of
  /// docker's, or could not be read.
  [[nodiscard]] std::optional<decode::ContainerState> docker_state(const Container& container,
                                                                   std::string_view cgroup);
  /// The same of podman, of its database.
  [[nodiscard]] std::optional<decode::ContainerState> podman_state(const Container& container,
                                                                   std::string_view cgroup);

  /// One gap for all whose files may not be read, or cannot be understood; nothing if there are
  /// none. A file that does not exist is no gap: the container was removed, or its runtime keeps
  /// its state elsewhere.
  [[nodiscard]] std::optional<Gap> gap() const;

 private:
  using State = decode::ContainerState;
  /// How looking into one or several files ended. The first one that was found ends a search.
  struct Search {
    std::optional<State> state;
    std::optional<Error> refused;  ///< of a file that may be there; the first one
    std::string runtime;           ///< that the state file belongs to
    bool listed = false;           ///< a list of all containers was read, and it is not in that
  };
  /// A list of all containers of one storage.
  struct Storage {
    std::vector<State> list;
    std::optional<Error> refused;
    bool read = false;
  };
  /// Where a dockerd keeps its data.
  struct DataRoots {
    std::vector<std::string> paths;
    std::optional<Error> refused;  ///< of its configuration: there may be another
  };
  /// The containers of one data root of docker, by address.
  struct Addresses {
    std::map<IpAddress, State> by_address;
    std::optional<Error> refused;
  };

  [[nodiscard]] Search look_up(const Container& container, std::string_view cgroup);
  void in_docker(const Container& container, const std::string& home, Search& search);
  void in_storage(const Container& container, const std::string& home, Search& search);
  void in_containerd(const Container& container, const std::string& home, Search& search);
  void in_crio(const Container& container, const std::string& home, Search& search);
  /// True if the file told what was asked for, and so ends the search.
  template <typename Decode>
  bool in_file(const std::string& path, const Decode& decode, Search& search);

  [[nodiscard]] bool knows_all(const std::string& home);
  [[nodiscard]] std::vector<std::string> homes_of(std::string_view cgroup);
  [[nodiscard]] const DataRoots& data_roots(const std::string& home);
  [[nodiscard]] const Search& docker_file(const std::string& path);
  [[nodiscard]] const Storage& storage(const std::string& path);
  [[nodiscard]] const std::vector<State>& podman_database(const std::string& home);
  [[nodiscard]] const Addresses& addresses(const std::string& data_root);
  [[nodiscard]] const std::vector<std::string>& containerd_namespaces(const std::string& folder);

  kernel::Source& source_;
  std::map<std::string, Search> known_;  ///< by runtime, user and id
  std::set<std::string> unnamed_;        ///< keys of those that a file kept from us
  std::optional<Error> first_refusal_;
  std::optional<std::vector<decode::UserName>> users_;
  std::map<std::string, DataRoots> data_roots_;  ///< by home
  std::map<std::string, Search> docker_files_;
  std::map<std::string, Storage> storages_;
  std::map<std::string, std::vector<State>> podman_databases_;  ///< by home
  std::map<std::string, Addresses> addresses_;
  std::map<std::string, std::vector<std::string>> containerd_namespaces_;
};

}  // namespace hark::host
