#include "host/sockets.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include "base/text.h"
#include "decode/inet_diag.h"
#include "decode/netlink_attributes.h"
#include "decode/proc_net.h"
#include "decode/rtnetlink.h"
#include "host/gaps.h"
#include "host/scope.h"

namespace hark::host {
namespace {

constexpr int kNetlinkRoute = 0;  ///< NETLINK_ROUTE of linux/netlink.h
constexpr std::uint32_t kListen = 1U << kTcpListen;
constexpr std::uint32_t kUnconnected = 1U << kTcpClose;

/// How a namespace is called in a sentence.
std::string called(const FoundNetns& found) {
  if (found.netns.own) return "this namespace";
  if (!found.netns.name.empty()) return "namespace " + found.netns.name;
  if (found.ref.inode != 0) return "namespace net:[" + std::to_string(found.ref.inode) + "]";
  return "the namespace of process " + std::to_string(found.pid);
}

/// What the address alone tells: the kernel sets the flag of a socket bound to one IPv6 address
/// (inet6_bind of net/ipv6/af_inet6.c), and one bound to a mapped address takes IPv4 only. Of the
/// wildcard only the kernel's flag tells.
std::optional<bool> v6only_by_address(const IpAddress& address) {
  if (address.family == Family::Inet || address.is_unspecified()) return std::nullopt;
  return !address.is_v4_mapped();
}

/// Errors that say "there is no such thing in this kernel".
bool unknown_to_kernel(const Error& error) {
  return error.code == ENOENT || error.code == EPROTONOSUPPORT || error.code == EOPNOTSUPP ||
         error.code == EINVAL || error.code == EAFNOSUPPORT;
}

}  // namespace

/// One kind of socket, and both ways to ask for it.
struct SocketReader::Question {
  Protocol protocol;
  Family family;
  std::uint32_t states;
  kernel::NetTable table;
  const char* words;
};

/// What came of a question: it was answered (perhaps by a gap), this kernel does not know it, the
/// namespace may not be entered, or is gone.
enum class SocketReader::Answer : std::uint8_t { Given, Unknown, Refused, Gone };

/// Where is being asked, and what was found out on the way.
struct SocketReader::Place {
  FoundNetns& found;
  NetnsId id;
  std::vector<Listener>& out;
  bool through_process = false;  ///< it cannot be entered
  std::optional<Error> refused;  ///< why
  bool interrupted = false;
  bool mptcp = false;  ///< there is an MPTCP socket, or perhaps one
  std::map<std::uint32_t, std::string> interfaces;
  std::optional<std::pair<std::uint16_t, std::uint16_t>> local_ports;
};

const std::vector<SocketReader::Question>& SocketReader::questions() {
  using kernel::NetTable;
  static const std::vector<Question> kQuestions = {
      {Protocol::Tcp, Family::Inet, kListen, NetTable::Tcp, "TCP"},
      {Protocol::Tcp, Family::Inet6, kListen, NetTable::Tcp6, "TCP over IPv6"},
      {Protocol::Udp, Family::Inet, kUnconnected, NetTable::Udp, "UDP"},
      {Protocol::Udp, Family::Inet6, kUnconnected, NetTable::Udp6, "UDP over IPv6"},
      {Protocol::Udplite, Family::Inet, kUnconnected, NetTable::Udplite, "UDP-Lite"},
      {Protocol::Udplite, Family::Inet6, kUnconnected, NetTable::Udplite6, "UDP-Lite over IPv6"},
      {Protocol::Raw, Family::Inet, kUnconnected, NetTable::Raw, "raw"},
      {Protocol::Raw, Family::Inet6, kUnconnected, NetTable::Raw6, "raw IPv6"},
  };
  return kQuestions;
}

bool SocketReader::read(FoundNetns& found, NetnsId id, const std::vector<SocketKind>& kinds,
                        std::vector<Listener>& out) {
  Place place{.found = found,
              .id = id,
              .out = out,
              .through_process = found.ref.inode == 0 && !found.netns.own,
              .refused = std::nullopt,
              .interrupted = false,
              .mptcp = has_mptcp(found),
              .interfaces = {},
              .local_ports = std::nullopt};
  for (std::size_t i = 0; i < questions().size(); ++i) {
    const SocketKind kind{questions()[i].protocol, questions()[i].family};
    if (!kinds.empty() && std::ranges::find(kinds, kind) == kinds.end()) continue;
    Answer answer = ask(i, place);
    if (answer == Answer::Refused && found.pid != 0) answer = ask(i, place);
    if (answer == Answer::Gone) return false;
    if (answer == Answer::Refused) break;
  }
  if (place.mptcp && !place.through_process) mark_mptcp(place);
  found.netns.entered = !place.through_process;
  if (place.interrupted) gaps_.push_back(gaps::dump_interrupted(called(found)));
  if (!place.through_process) return true;
  const Error error = place.refused.value_or(kernel_error(EPERM, ""));
  if (found.pid == 0) {
    gaps_.push_back(gaps::netns_not_entered(called(found), error));
  } else {
    found.netns.seen_through_pid = found.pid;
    gaps_.push_back(gaps::netns_read_through_process(called(found), found.pid, error));
  }
  return true;
}

void SocketReader::read_surveyed(FoundNetns& found, NetnsId id, const decode::SocketSurvey& survey,
                                 std::vector<Listener>& out) {
  Place place{.found = found,
              .id = id,
              .out = out,
              .through_process = false,
              .refused = std::nullopt,
              .interrupted = false,
              .mptcp = false,
              .interfaces = {},
              .local_ports = std::nullopt};
  const auto inode = static_cast<std::uint32_t>(found.netns.inode.value_or(0));
  const auto space = std::ranges::lower_bound(survey.namespaces, inode, {}, &SurveyedNetns::inode);
  if (space != survey.namespaces.end() && space->inode == inode) {
    place.local_ports = {space->first_port, space->last_port};
  }
  auto record =
      std::ranges::lower_bound(survey.sockets, inode, {}, &decode::SurveyRecord::netns_inode);
  for (; record != survey.sockets.end() && record->netns_inode == inode; ++record) {
    add(record->socket, place);
  }
  found.netns.entered = true;
}

bool SocketReader::has_mptcp(const FoundNetns& found) {
  const bool inside = found.ref.inode != 0 || found.netns.own;
  const auto protocols = source_.read_net_table({.netns = found.ref, .pid = inside ? 0 : found.pid},
                                                kernel::NetTable::Protocols);
  return !protocols || decode::has_mptcp(*protocols);
}

/// The TCP listener below an MPTCP one has its inode, and is not a second one. Its ULP tells, but
/// on older kernels not to everybody; the dump of MPTCP sockets tells all, but has been seen to
/// leave some out. Together they miss nothing.
void SocketReader::mark_mptcp(Place& place) {
  std::set<std::uint32_t> inodes;
  for (const Family family : {Family::Inet, Family::Inet6}) {
    const auto answer =
        source_.netlink(place.found.ref, decode::kNetlinkSockDiag,
                        decode::inet_diag_request(family, Protocol::Mptcp, kListen));
    if (!answer) continue;  // a kernel without it: the ULP is all there is
    const auto dump = decode::decode_inet_diag(*answer, Protocol::Mptcp);
    if (!dump) continue;
    for (const decode::SocketRecord& record : dump->sockets) inodes.insert(record.inode);
  }
  for (Listener& listener : place.out) {
    if (listener.netns == place.id && listener.protocol == Protocol::Tcp &&
        inodes.contains(listener.socket.inode)) {
      listener.protocol = Protocol::Mptcp;
    }
  }
}

/// One question, by the best way that is left.
SocketReader::Answer SocketReader::ask(std::size_t number, Place& place) {
  const Question& question = questions()[number];
  if (!place.through_process && !without_diag_.contains(number)) {
    const Answer answer = ask_diag(question, place);
    if (answer != Answer::Unknown) return answer;
    // The kernel's dumps are by protocol: what it does not know for IPv4 it need not be asked for
    // IPv6, which costs it a search for a module each time.
    for (std::size_t i = 0; i < questions().size(); ++i) {
      if (questions()[i].protocol == question.protocol && i >= number) without_diag_.insert(i);
    }
  }
  // A kernel without the protocol has no table of it either: then nothing is hidden.
  return ask_table(question, place);
}

SocketReader::Answer SocketReader::failed(const Question& question, const Error& error,
                                          Place& place) {
  if (error.code == ESTALE) return Answer::Gone;
  if (unknown_to_kernel(error)) return Answer::Unknown;
  const bool denied = error.code == EPERM || error.code == EACCES;
  if (denied && !place.found.netns.own && !place.through_process) {
    place.through_process = true;
    place.refused = error;
    return Answer::Refused;
  }
  gaps_.push_back(gaps::sockets_not_read(called(place.found), question.words, error));
  return Answer::Given;
}

SocketReader::Answer SocketReader::ask_diag(const Question& question, Place& place) {
  const Bytes request =
      decode::inet_diag_request(question.family, question.protocol, question.states,
                                place.mptcp ? decode::Ulp::Asked : decode::Ulp::NotAsked);
  const auto answer = source_.netlink(place.found.ref, decode::kNetlinkSockDiag, request);
  if (!answer) return failed(question, answer.error(), place);
  const auto dump = decode::decode_inet_diag(*answer, question.protocol);
  if (!dump) return failed(question, dump.error(), place);
  place.interrupted = place.interrupted || dump->interrupted;
  const std::size_t needed = place.out.size() + dump->sockets.size();
  if (needed > place.out.capacity()) place.out.reserve(std::max(needed, place.out.size() * 2));
  for (const decode::SocketRecord& record : dump->sockets) add(record, place);
  return Answer::Given;
}

SocketReader::Answer SocketReader::ask_table(const Question& question, Place& place) {
  kernel::NetTablePlace where;
  if (place.through_process) {
    where.pid = place.found.pid;
  } else {
    where.netns = place.found.ref;
  }
  const auto text = source_.read_net_table(where, question.table);
  if (!text) return failed(question, text.error(), place);
  const auto dump = decode::decode_proc_net(*text, question.protocol, question.family);
  if (!dump) return failed(question, dump.error(), place);
  const std::size_t before = place.out.size();
  for (const decode::SocketRecord& record : dump->sockets) add(record, place);
  if (place.out.size() > before && !place.through_process) {
    gaps_.push_back(gaps::sockets_from_table(name_of(question.protocol)));
  }
  return Answer::Given;
}

void SocketReader::add(const decode::SocketRecord& record, Place& place) {
  const bool tcp = record.protocol == Protocol::Tcp || record.protocol == Protocol::Mptcp;
  if (record.state != (tcp ? kTcpListen : kTcpClose)) return;
  if (!record.remote.is_unspecified() || record.remote_port != 0) return;
  Listener listener;
  listener.protocol = record.protocol;
  listener.address = record.local;
  listener.port = record.local_port;
  listener.v6only = record.v6only ? record.v6only : v6only_by_address(record.local);
  listener.interface_known = record.interface_index.has_value();
  listener.interface_index = record.interface_index.value_or(0);
  if (listener.interface_index != 0) {
    listener.interface = interface_name(listener.interface_index, place);
  }
  listener.netns = place.id;
  listener.state = tcp ? State::Listen : State::Unconn;
  listener.socket.inode = record.inode;
  listener.socket.cookie = record.cookie;
  listener.socket.uid = record.uid;
  listener.socket.has_file = record.has_file;
  listener.queue = {record.queue_length, record.queue_limit, record.drops};
  listener.scope = scope_of(listener.address, listener.interface);
  listener.probable_client = is_probable_client(listener, place);
  if (record.cgroup_id) {
    const auto path = source_.cgroup_path(*record.cgroup_id);
    if (path) listener.socket.cgroup = *path;
    if (!path && path.error().code == ENODEV) cgroup_error_ = path.error();
  }
  place.out.push_back(std::move(listener));
}

std::string SocketReader::interface_name(std::uint32_t index, Place& place) {
  if (const auto known = place.interfaces.find(index); known != place.interfaces.end()) {
    return known->second;
  }
  // A device that has been removed leaves its number behind in the socket.
  std::string name = "if" + std::to_string(index);
  if (place.found.only_surveyed) return place.interfaces[index] = name;
  const auto answer = source_.netlink(place.found.ref, kNetlinkRoute, decode::link_request(index));
  const auto links = answer ? decode::decode_links(*answer)
                            : Result<std::vector<decode::LinkRecord>>(fail(answer.error()));
  if (links && !links->empty()) {
    name = links->front().name;
  } else if (!links) {
    gaps_.push_back(gaps::link_not_read(called(place.found), index, links.error()));
  }
  return place.interfaces[index] = name;
}

bool SocketReader::is_probable_client(const Listener& listener, Place& place) {
  const bool datagrams =
      listener.protocol == Protocol::Udp || listener.protocol == Protocol::Udplite;
  constexpr std::uint16_t kFirstUnprivileged = 1024;
  if (!datagrams || listener.port < kFirstUnprivileged) return false;
  if (!place.local_ports) {
    place.local_ports = {32768, 60999};  // the default of ip_local_port_range
    kernel::NetTablePlace where;
    if (!place.through_process) where.netns = place.found.ref;
    const auto text = source_.read_net_table(where, kernel::NetTable::LocalPortRange);
    if (text) {
      std::string_view rest = as_text(*text);
      std::string_view line = next_piece(rest, '\n');
      const auto first = parse_number<std::uint16_t>(next_word(line));
      const auto last = parse_number<std::uint16_t>(next_word(line));
      if (first && last) place.local_ports = {*first, *last};
    }
  }
  return listener.port >= place.local_ports->first && listener.port <= place.local_ports->second;
}

}  // namespace hark::host
