#include "host/units.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "base/text.h"
#include "decode/passwd.h"
#include "host/cgroup_names.h"
#include "host/gaps.h"
#include "host/select_text.h"
#include "host/socket_units.h"
#include "host/unit_files.h"
#include "host/unit_obstacles.h"
#include "host/unit_states.h"

namespace hark::host {
namespace {

using decode::UnitSection;

constexpr std::string_view kInitScope = "init.scope";
constexpr std::string_view kRunning = "/run/systemd/system";  // sd_booted(3)

/// Whose manager: a user's, or the system's.
using Manager = std::optional<std::uint32_t>;

/// A process that makes sockets for socket units. Any program may be called systemd: that of a user
/// has to stand in the cgroup of that user's manager too.
struct ManagerProcess {
  bool is = false;
  Manager manager;
};
ManagerProcess manager_of(const Process& process) {
  if (!is_systemd(process)) return {};
  if (process.pid == 1) return {.is = true, .manager = {}};
  const bool in_scope = process.cgroup.ends_with("/" + std::string(kInitScope));
  if (!process.uid || !in_scope) return {};
  const bool own = process.unit == "user@" + std::to_string(*process.uid) + ".service";
  return {.is = own, .manager = process.uid};
}

std::string load_state_of(UnitLoad load) {
  switch (load) {
    case UnitLoad::Loaded:
      return "loaded";
    case UnitLoad::NotFound:
      return "not-found";
    case UnitLoad::Masked:
      return "masked";
    case UnitLoad::Broken:
      return "error";
    case UnitLoad::Unreadable:
      break;
  }
  return {};
}

/// The files of one manager, listed when they are first needed.
struct ManagerFiles {
  UnitFiles files;
  std::optional<SocketUnits> sockets;
};

class Finder {
 public:
  Finder(kernel::Source& source, const UnitsRequest& request, Host& host)
      : source_(source), request_(request), host_(host) {}

  void run() {
    for (std::size_t i = 0; i < host_.listeners.size(); ++i) match(i);
    if (request_.details) {
      for (std::size_t i = 0; i < host_.listeners.size(); ++i) name(i);
      if (request_.enabled) add_wanted();
      ask();
      drop_healthy();
    }
    if (!facts_.empty()) store();
  }

 private:
  using Key = std::pair<Manager, std::string>;
  /// What a listener will refer to.
  struct Wanted {
    std::optional<Key> unit;
    std::vector<Key> sockets;
    bool inferred = false;
  };

  [[nodiscard]] std::optional<Manager> holding_manager(const Listener& listener) const {
    if (!listener.owners) return std::nullopt;
    for (const Owner& owner : *listener.owners) {
      const ManagerProcess found = manager_of(host_.at(owner.process));
      if (found.is) return found.manager;
    }
    return std::nullopt;
  }

  void match(std::size_t at) {
    const Listener& listener = host_.listeners[at];
    // systemd makes some sockets in the cgroup of their unit (IP filters, other namespaces): there
    // is no better evidence.
    if (listener.unit.ends_with(".socket")) {
      const UnitPlace place = place_of(listener);
      if (place.known && (!place.user || place.user == request_.own_uid)) {
        wanted_[at].sockets = {add_socket(place.user, listener.unit)};
        wanted_[at].unit = wanted_[at].sockets.front();
        return;
      }
    }
    if (const auto manager = holding_manager(listener); manager && !is_of_service(listener)) {
      match_held(at, *manager);
    } else if (!listener.owners && listener.socket.cgroup == "/" + std::string(kInitScope) &&
               files_of({}).files.lists(kRunning)) {
      wanted_[at].sockets = fitting({}, listener);
      wanted_[at].inferred = true;
    }
  }

  /// Made by a service, which gave it to the manager to keep (FileDescriptorStoreMax=).
  [[nodiscard]] static bool is_of_service(const Listener& listener) {
    if (!listener.socket.cgroup) return false;
    const std::string unit = unit_of_cgroup(*listener.socket.cgroup);
    return unit.ends_with(".service") && !unit.starts_with("user@");
  }

  void match_held(std::size_t at, Manager manager) {
    std::vector<Key> sockets = fitting(manager, host_.listeners[at]);
    Wanted& wanted = wanted_[at];
    wanted.sockets = std::move(sockets);
    if (!wanted.sockets.empty()) wanted.unit = wanted.sockets.front();
    if (wanted.sockets.empty() && manager && request_.own_uid != manager) {
      host_.gaps.push_back(gaps::user_units_not_read(user_words(*manager)));
    }
    const UnitFiles& files = files_of(manager).files;
    if (!files.readable() && files.error()) {
      host_.gaps.push_back(gaps::unit_files_not_read(*files.error()));
    }
  }

  [[nodiscard]] std::string user_words(std::uint32_t uid) const {
    const auto found = std::ranges::find_if(host_.processes, [uid](const Process& process) {
      return process.uid == uid && !process.user.empty();
    });
    return found == host_.processes.end() ? "user " + std::to_string(uid) : found->user;
  }

  ManagerFiles& files_of(Manager manager) {
    auto& files = files_[manager];
    if (!files) {
      auto folders =
          manager ? user_unit_folders(*manager, home_of(*manager)) : system_unit_folders(source_);
      files = std::make_unique<ManagerFiles>(
          ManagerFiles{.files = UnitFiles(source_, std::move(folders)), .sockets = {}});
    }
    return *files;
  }

  /// Of hark's own user alone: see user_unit_folders().
  std::optional<std::string> home_of(std::uint32_t uid) {
    if (request_.own_uid != uid) return std::nullopt;
    const auto text = source_.read_file("/etc/passwd");
    if (!text) return std::nullopt;
    for (const decode::UserName& user : decode::decode_passwd(*text)) {
      if (user.uid == uid && user.home.starts_with('/')) return user.home;
    }
    return std::nullopt;
  }

  std::vector<Key> fitting(Manager manager, const Listener& listener) {
    ManagerFiles& files = files_of(manager);
    if (!files.sockets) {
      std::vector<SocketUnit> units;
      std::set<std::string> met;
      for (const std::string& name : files.files.names_of_type("socket")) {
        const LoadedUnit unit = files.files.load(name);
        if (unit.load != UnitLoad::Loaded || !met.insert(unit.name).second) continue;
        SocketUnit found = socket_unit_of(unit);
        if (!found.listens.empty()) units.push_back(std::move(found));
      }
      files.sockets.emplace(std::move(units));
    }
    std::vector<Key> out;
    for (const std::string& name : files.sockets->fitting(host_, listener)) {
      out.push_back(add_socket(manager, name));
    }
    return out;
  }

  /// The facts of a socket unit, and of what it starts.
  Key add_socket(Manager manager, const std::string& name) {
    Key key{manager, name};
    if (facts_.contains(key)) return key;
    const LoadedUnit unit = files_of(manager).files.load(name);
    UnitFacts facts = facts_of_loaded(key, unit);
    for (const std::string& service : services_of(unit)) {
      const UnitFacts& started = facts_[add_service(manager, service)];
      facts.triggers.push_back(started.name);
      facts.can_start = started.can_start;
      facts.cannot_start_because = started.cannot_start_because;
    }
    facts_[key] = std::move(facts);
    return key;
  }

  Key add_service(Manager manager, const std::string& name) {
    const LoadedUnit unit = files_of(manager).files.load(name);
    Key key{manager, unit.name};
    if (!facts_.contains(key)) facts_[key] = facts_from(manager, unit);
    return key;
  }

  UnitFacts facts_from(Manager manager, const LoadedUnit& unit) {
    UnitFacts out;
    out.name = unit.name;
    out.user = manager;
    out.source = UnitSource::Files;
    out.fragment = unit.fragment;
    out.load_state = load_state_of(unit.load);
    out.description = unit.text(UnitSection::Unit, "Description").value_or("");
    Obstacle obstacle = obstacle_of(source_, unit);
    out.can_start = obstacle.can_start;
    out.cannot_start_because = std::move(obstacle.because);
    return out;
  }

  [[nodiscard]] UnitPlace place_of(const Listener& listener) const {
    if (listener.socket.cgroup && unit_of_cgroup(*listener.socket.cgroup) == listener.unit) {
      return place_of_unit(*listener.socket.cgroup, listener.unit);
    }
    for (const Owner& owner : listener.owners.value_or(std::vector<Owner>{})) {
      const Process& process = host_.at(owner.process);
      if (process.unit == listener.unit) return place_of_unit(process.cgroup, listener.unit);
    }
    return {};
  }

  /// The facts of the unit that a cgroup named.
  void name(std::size_t at) {
    const Listener& listener = host_.listeners[at];
    if (listener.unit.empty() || wanted_[at].unit) return;
    const UnitPlace place = place_of(listener);
    if (!place.known) return;
    Key key{place.user, listener.unit};
    if (!facts_.contains(key)) facts_[key] = facts_of_named(key);
    wanted_[at].unit = std::move(key);
  }

  UnitFacts facts_of_named(const Key& key) {
    return facts_of_loaded(key, files_of(key.first).files.load(key.second));
  }

  /// Of a unit that is there: where its file is not, its name is all that is known.
  UnitFacts facts_of_loaded(const Key& key, const LoadedUnit& unit) {
    if (unit.load != UnitLoad::NotFound && unit.load != UnitLoad::Unreadable) {
      UnitFacts out = facts_from(key.first, unit);
      out.name = key.second;
      return out;
    }
    UnitFacts out;
    out.name = key.second;
    out.user = key.first;
    return out;
  }

  /// By name alone: whose files are worth reading shows when systemd has answered.
  void add_wanted() {
    UnitFiles& files = files_of({}).files;
    if (!files.lists(kRunning)) return;
    for (const char* type : {"service", "socket"}) {
      for (std::string& name : files.wanted_of_type(type)) {
        const auto [place, added] = facts_.try_emplace(Key{Manager{}, name});
        if (added) only_wanted_.push_back(place->first);
        place->second.name = std::move(name);
        place->second.wanted = true;
      }
    }
  }

  void drop_healthy() {
    for (const Key& key : only_wanted_) {
      UnitFacts& facts = facts_[key];
      const bool troubled = facts.active_state == "failed" || facts.active_state == "activating" ||
                            facts.restarts.value_or(0) > 0;
      if (!troubled) {
        facts_.erase(key);
        continue;
      }
      const LoadedUnit unit = files_of({}).files.load(key.second);
      facts.service_type = unit.text(UnitSection::Service, "Type").value_or("");
    }
  }

  void ask() {
    std::vector<std::string> names;
    for (const auto& [key, facts] : facts_) {
      if (!key.first && !facts.name.ends_with("@.service")) names.push_back(facts.name);
    }
    if (names.empty() || !files_of({}).files.lists(kRunning)) return;
    const auto states = ask_unit_states(source_, names);
    if (!states) {
      host_.gaps.push_back(gaps::unit_states_not_read(states.error()));
      return;
    }
    for (auto& [key, facts] : facts_) {
      const auto state = key.first ? states->end() : states->find(facts.name);
      if (state != states->end()) add_state(state->second, facts);
    }
    for (auto& [key, facts] : facts_) {
      if (key.first || facts.triggers.size() != 1) continue;
      const auto started = facts_.find(Key{key.first, facts.triggers.front()});
      if (started == facts_.end()) continue;
      facts.can_start = started->second.can_start;
      facts.cannot_start_because = started->second.cannot_start_because;
    }
    for (auto& [at, wanted] : wanted_) keep_active(wanted);
  }

  /// Of several socket units that fit, those that systemd says are listening.
  void keep_active(Wanted& wanted) {
    const auto idle = [this](const Key& key) {
      const std::string& state = facts_[key].active_state;
      return state == "inactive" || state == "failed";
    };
    const auto idle_ones = std::ranges::count_if(wanted.sockets, idle);
    const auto all = static_cast<std::ptrdiff_t>(wanted.sockets.size());
    if (all < 2 || idle_ones == 0 || idle_ones == all) return;
    std::erase_if(wanted.sockets, idle);
    if (!wanted.inferred) wanted.unit = wanted.sockets.front();
  }

  void store() {
    std::map<Key, UnitId> ids;
    for (auto& [key, facts] : facts_) {
      ids[key] = static_cast<UnitId>(host_.units.size());
      host_.units.push_back(std::move(facts));
    }
    for (const auto& [at, wanted] : wanted_) {
      Listener& listener = host_.listeners[at];
      if (wanted.unit) {
        listener.unit = wanted.unit->second;
        listener.unit_id = ids[*wanted.unit];
      }
      for (const Key& key : wanted.sockets) listener.socket_units.push_back(ids[key]);
      listener.socket_units_inferred = wanted.inferred && !wanted.sockets.empty();
    }
  }

  kernel::Source& source_;
  const UnitsRequest& request_;
  Host& host_;
  std::map<std::size_t, Wanted> wanted_;  ///< by listener, where there is anything
  std::map<Key, UnitFacts> facts_;
  std::vector<Key> only_wanted_;  ///< no listener leads to these
  std::map<Manager, std::unique_ptr<ManagerFiles>> files_;
};

}  // namespace

bool is_systemd(const Process& process) {
  return process.name == "systemd" || (process.exe && last_part(*process.exe) == "systemd");
}

UnitPlace place_of_unit(std::string_view cgroup, std::string_view unit) {
  constexpr std::string_view kUserManager = "user@";
  UnitPlace out;
  std::string_view rest = cgroup;
  while (!rest.empty()) {
    std::string_view part = next_piece(rest, '/');
    const auto before = static_cast<std::size_t>(part.data() - cgroup.data());
    if (part.starts_with('_')) part.remove_prefix(1);
    if (!part.empty() && part == unit) {
      out.known = !container_of_cgroup(cgroup.substr(0, before));
      return out;
    }
    if (!part.starts_with(kUserManager)) continue;
    const std::string_view uid = without_unit_type(part.substr(kUserManager.size()));
    out.user = parse_number<std::uint32_t>(uid);
  }
  return {};
}

void add_units(kernel::Source& source, const UnitsRequest& request, Host& host) {
  Finder(source, request, host).run();
}

}  // namespace hark::host
