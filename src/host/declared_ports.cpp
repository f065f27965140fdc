#include "host/declared_ports.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"
#include "decode/process.h"
#include "decode/services.h"
#include "host/command_ports.h"
#include "host/container_names.h"
#include "host/holders.h"
#include "host/select_text.h"
#include "host/server_files.h"
#include "host/socket_units.h"
#include "host/unit_files.h"
#include "host/unit_states.h"

namespace hark::host {
namespace {

using By = DeclaredPort::By;

/// A process that may declare something.
struct Speaker {
  std::uint32_t pid = 0;
  std::string program;
  std::vector<std::string> words = {};
  std::string place = {};  ///< its cgroup: the same words elsewhere may mean other files
  NetnsId netns{};
  std::optional<std::int64_t> started_at_ms = {};
  bool listens = false;
  bool in_container = false;
};

class Reader {
 public:
  Reader(kernel::Source& source, const Host& host) : source_(source), host_(host) {}

  std::vector<DeclaredPort> read() {
    add_owners();
    add_others();
    add_socket_units();
    add_containers();
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool entered(NetnsId id) const { return host_.at(id).entered; }

  void add_owners() {
    std::map<ProcessId, NetnsId> owners;
    for (const Listener& listener : host_.listeners) {
      if (!listener.owners || listener.probable_client || !entered(listener.netns)) continue;
      for (const Owner& owner : *listener.owners) owners.emplace(owner.process, listener.netns);
    }
    for (const Listener& listener : host_.listeners) {
      if (!listener.owners) continue;
      for (const Owner& owner : *listener.owners) pids_.insert(host_.at(owner.process).pid);
    }
    for (const auto& [id, netns] : owners) {
      const Process& process = host_.at(id);
      // Process 1 keeps the sockets of others, and a door has those of what is behind it.
      if (process.pid == 1 || process.door || !process.command_line) continue;
      add(Speaker{.pid = process.pid,
                  .program = program_name(process),
                  .words = *process.command_line,
                  .place = process.cgroup,
                  .netns = netns,
                  .started_at_ms = process.started_at_ms,
                  .listens = true,
                  .in_container = static_cast<bool>(process.container)});
    }
  }

  /// Servers that run and hold no listener: by the name that the kernel has of them.
  void add_others() {
    const auto pids = source_.list_folder("/proc");
    if (!pids) return;
    std::vector<kernel::ProcessWanted> wanted;
    std::size_t looked = 0;
    for (const std::string& name : *pids) {
      const auto pid = parse_number<std::uint32_t>(name);
      if (!pid || pids_.contains(*pid)) continue;
      if (++looked > kMostOtherProcesses || wanted.size() >= kMostWanted) break;
      const auto comm = source_.read_file("/proc/" + name + "/comm");
      if (!comm) continue;
      std::string_view text = as_text(*comm);
      const std::string_view program = next_piece(text, '\n');
      if (!is_known_server(program) || !netns_of(*pid)) continue;
      wanted.push_back({.pid = *pid, .sockets = {}});
    }
    if (wanted.empty()) return;
    const auto parts = source_.read_processes(wanted, kernel::ProcessDetail::All);
    const auto records = parts ? decode::decode_processes(*parts)
                               : Result<std::vector<decode::ProcessRecord>>(fail(parts.error()));
    if (!records) return;
    for (const decode::ProcessRecord& one : *records) add_other(one);
  }

  void add_other(const decode::ProcessRecord& record) {
    const auto netns = netns_of(record.pid);
    if (!netns || !record.stat || !record.cmdline) return;
    Speaker out{.pid = record.pid,
                .program = record.stat->name,
                .words = *record.cmdline,
                .place = record.cgroup ? std::string(as_text(*record.cgroup)) : "",
                .netns = *netns};
    out.started_at_ms = started_at(*record.stat);
    add(std::move(out));
  }

  /// Of those that were entered.
  std::optional<NetnsId> netns_of(std::uint32_t pid) {
    const auto link = source_.read_link("/proc/" + std::to_string(pid) + "/ns/net");
    if (!link) return std::nullopt;
    std::string_view text = *link;
    if (!text.starts_with("net:[") || !text.ends_with(']')) return std::nullopt;
    text.remove_prefix(5);
    text.remove_suffix(1);
    const auto inode = parse_number<std::uint64_t>(text);
    for (std::size_t i = 0; inode && i < host_.namespaces.size(); ++i) {
      const Netns& one = host_.namespaces[i];
      if (one.entered && one.inode == inode) return static_cast<NetnsId>(i);
    }
    return std::nullopt;
  }

  void add(Speaker speaker) {
    if (speaker.words.empty() || out_.size() >= kMostDeclaredPorts) return;
    std::string key = speaker.program + "\n" + speaker.place;
    for (const std::string& word : speaker.words) key += "\n" + word;
    // Workers that a server has forked say what it says.
    if (!met_.emplace(speaker.netns, std::move(key)).second) return;
    const std::vector<CommandPort> said = ports_of_command(speaker.program, speaker.words);
    for (const CommandPort& one : said) {
      declare(speaker, one.host, one.port,
              {.by = By::CommandLine, .protocol = one.protocol, .words = one.words});
    }
    if (!said.empty()) return;
    if (has_server_files(speaker.program)) return add_files(speaker);
    if (speaker.listens && !is_known_server(speaker.program)) add_environment(speaker);
  }

  void add_files(const Speaker& speaker) {
    const std::string root = "/proc/" + std::to_string(speaker.pid) + "/root";
    for (const FilePort& one :
         ports_of_files(source_, speaker.pid, speaker.program, speaker.words)) {
      declare(speaker, one.host, one.port,
              {.by = By::File,
               .protocol = one.protocol,
               .file = speaker.in_container ? root + one.file : one.file,
               .line = one.line});
    }
  }

  void add_environment(const Speaker& speaker) {
    if (is_client_program(speaker.program) || ++environments_ > kMostEnvironments) return;
    const auto text = source_.read_file("/proc/" + std::to_string(speaker.pid) + "/environ");
    if (!text) return;
    for (const CommandPort& one : ports_of_environment(as_text(*text))) {
      declare(speaker, one.host, one.port, {.by = By::Environment, .words = one.words});
    }
  }

  void declare(const Speaker& speaker, const std::string& host, const std::string& port,
               DeclaredPort out) {
    const auto number = port_of(port);
    if (!number || out_.size() >= kMostDeclaredPorts) return;
    out.port = *number;
    out.everywhere = host == "*";
    out.address = IpAddress::parse(host);
    out.netns = speaker.netns;
    out.program = speaker.program;
    out.pid = speaker.pid;
    out.listens = speaker.listens;
    out.started_at_ms = speaker.started_at_ms;
    out_.push_back(std::move(out));
  }

  /// A number, or a name of /etc/services.
  std::optional<std::uint16_t> port_of(const std::string& text) {
    if (const auto number = parse_number<std::uint16_t>(text)) {
      return *number == 0 ? std::nullopt : number;
    }
    if (!services_) {
      const auto file = source_.read_file("/etc/services");
      services_ = file ? decode::decode_services(*file) : std::map<std::string, std::uint16_t>();
    }
    const auto found = services_->find(text);
    return found == services_->end() ? std::nullopt : std::optional(found->second);
  }

  void add_socket_units() {
    const auto own = std::ranges::find_if(
        host_.namespaces, [](const Netns& one) { return one.name == "host" && one.entered; });
    if (own == host_.namespaces.end() || !source_.list_folder("/run/systemd/system")) return;
    const auto netns = static_cast<NetnsId>(own - host_.namespaces.begin());
    UnitFiles files(source_, system_unit_folders(source_));
    if (!files.readable()) return;
    std::vector<DeclaredPort> found;
    std::set<std::string> met;
    for (const std::string& name : enabled_units(source_)) {
      if (!name.ends_with(".socket")) continue;
      const LoadedUnit unit = files.load(name);
      if (unit.load != UnitLoad::Loaded || !met.insert(unit.name).second) continue;
      add_socket_unit(unit, netns, found);
    }
    if (found.empty()) return;
    std::vector<std::string> names;
    for (const DeclaredPort& one : found) names.push_back(one.program);
    const auto states = ask_unit_states(source_, names);
    for (DeclaredPort& one : found) {
      if (states) {
        if (const auto at = states->find(one.program); at != states->end()) {
          UnitFacts facts;
          add_state(at->second, facts);
          one.state = facts.active_state;
        }
      }
      out_.push_back(std::move(one));
    }
  }

  /// Those whose port nobody in the namespace has. A unit with conditions may be meant not to be.
  void add_socket_unit(const LoadedUnit& unit, NetnsId netns, std::vector<DeclaredPort>& found) {
    const bool conditional = std::ranges::any_of(unit.settings, [](const auto& one) {
      return one.section == decode::UnitSection::Unit &&
             (one.key.starts_with("Condition") || one.key.starts_with("Assert"));
    });
    const SocketUnit socket = socket_unit_of(unit);
    if (conditional || socket.other_namespace) return;
    for (const SocketUnit::Listen& one : socket.listens) {
      const bool tcp = one.protocol == Protocol::Tcp || one.protocol == Protocol::Mptcp;
      const auto holds = [&](const Listener& listener) {
        const bool stream = listener.state == State::Listen;
        return listener.netns == netns && listener.port == one.at.port && stream == tcp;
      };
      if (one.at.port == 0 || std::ranges::any_of(host_.listeners, holds)) continue;
      found.push_back({.by = By::SocketUnit,
                       .port = one.at.port,
                       .protocol = tcp ? Protocol::Tcp : Protocol::Udp,
                       .address = one.at.address,
                       .netns = netns,
                       .program = unit.name,
                       .words = std::string(tcp ? "ListenStream=" : "ListenDatagram=") +
                                std::to_string(one.at.port),
                       .file = unit.fragment});
    }
  }

  /// What others are to reach of the containers of docker and podman, in their own namespaces.
  void add_containers() {
    ContainerNames names(source_);
    for (const decode::ContainerState& one : names.running_in_docker()) {
      add_container("docker", one);
    }
    for (const decode::ContainerState& one : names.all_of_podman(host_.processes)) {
      // Nobody puts its database right after a crash before podman is called again.
      if (one.pid == 0 || one.ports.empty()) continue;
      if (is_in_container(one.pid, one.id)) add_container("podman", one);
    }
  }

  bool is_in_container(std::uint32_t pid, const std::string& id) {
    const auto cgroup = source_.read_file("/proc/" + std::to_string(pid) + "/cgroup");
    return cgroup && as_text(*cgroup).find(id) != std::string_view::npos;
  }

  void add_container(const char* runtime, const decode::ContainerState& one) {
    if (one.ports.empty() || ++containers_ > kMostWanted) return;
    const auto netns = netns_of(one.pid);
    if (!netns) return;
    Speaker speaker{.pid = one.pid,
                    .program = one.name.empty() ? one.id.substr(0, 12) : one.name,
                    .netns = *netns,
                    .started_at_ms = start_of(one.pid),
                    .in_container = true};
    for (const decode::ContainerPort& port : one.ports) {
      const std::string host = port.host.empty() ? "0.0.0.0" : port.host;
      const std::string at = host.find(':') == std::string::npos ? host : "[" + host + "]";
      const std::string words = port.host_port == 0
                                    ? "label " + port.label + "=" + std::to_string(port.port)
                                    : "published as " + at + ":" + std::to_string(port.host_port);
      declare(speaker, "*", std::to_string(port.port),
              {.by = By::Container,
               .protocol = port.protocol,
               .words = words,
               .runtime = runtime,
               .published = port.host_port});
    }
  }

  std::optional<std::int64_t> start_of(std::uint32_t pid) {
    const std::vector<kernel::ProcessWanted> wanted = {{.pid = pid, .sockets = {}}};
    const auto parts = source_.read_processes(wanted, kernel::ProcessDetail::All);
    if (!parts) return std::nullopt;
    const auto records = decode::decode_processes(*parts);
    if (!records || records->empty() || !records->front().stat) return std::nullopt;
    return started_at(*records->front().stat);
  }

  std::optional<std::int64_t> started_at(const decode::StatRecord& stat) {
    const auto clock = source_.clock();
    if (!clock) return std::nullopt;
    return clock->realtime_ms - clock->boottime_ms + stat.start_ms();
  }

  static constexpr std::size_t kMostWanted = 64;

  kernel::Source& source_;
  const Host& host_;
  std::set<std::uint32_t> pids_;  ///< of all owners
  std::size_t environments_ = 0;
  std::size_t containers_ = 0;
  std::set<std::pair<NetnsId, std::string>> met_;
  std::optional<std::map<std::string, std::uint16_t>> services_;
  std::vector<DeclaredPort> out_;
};

}  // namespace

std::vector<DeclaredPort> read_declared_ports(kernel::Source& source, const Host& host) {
  return Reader(source, host).read();
}

}  // namespace hark::host
