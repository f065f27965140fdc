#include "kernel/survey_sockets.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <string_view>
#include <utility>

namespace hark::kernel {
namespace {

// Of linux/in.h (protocols), linux/socket.h (families), net/tcp_states.h (states).
constexpr std::uint16_t kTcp = 6;
constexpr std::uint16_t kUdp = 17;
constexpr std::uint16_t kUdplite = 136;
constexpr std::uint16_t kRaw = 255;
constexpr std::uint16_t kMptcp = 262;
constexpr std::uint16_t kInet = 2;
constexpr std::uint16_t kInet6 = 10;
constexpr std::uint8_t kListen = 10;
constexpr std::uint8_t kUnconnected = 7;
constexpr std::uint32_t kRawLists = 256;  ///< MAX_INET_PROTOS of net/protocol.h

/// An array of lists of sockets.
struct Table {
  std::uint64_t first_head = 0;
  std::uint32_t lists = 0;
  std::uint32_t stride = 0;
  std::uint16_t protocol = 0;
};

struct Space {
  std::uint64_t address = 0;
  std::uint32_t inode = 0;
};

bool is_end(std::uint64_t node) {
  return node == 0 || (node & 1) != 0;
}

class SocketSurvey {
 public:
  SocketSurvey(KernelReader& reader, const KernelLayout& layout)
      : reader_(reader), layout_(layout) {}

  void begin(int own_socket);
  void find_sockets();
  void find_files();
  void find_all();
  /// Of many namespaces the sockets are wanted in full: to enter each would take longer.
  [[nodiscard]] bool fill_many_namespaces() const;
  [[nodiscard]] FoundSockets take() { return std::move(out_); }

 private:
  void add_namespaces(std::uint64_t own);
  void add_protocols(std::uint64_t own);
  void add_listeners(std::uint64_t hashinfo);
  void add_udp(std::uint64_t table, std::uint16_t protocol);
  void add_raw(std::uint64_t table);
  void find_lists(const Table& table);
  void add_socket(std::uint64_t address, std::uint16_t protocol, const Piece& common);
  void find_spaces();
  void find_numbers();
  void find_drops();
  void find_cgroups();
  void find_mptcp();
  std::vector<std::uint64_t> pointers(const std::vector<std::uint64_t>& from, std::uint32_t offset);

  KernelReader& reader_;
  const KernelLayout& layout_;
  std::vector<Space> spaces_;             ///< ascending by address
  std::vector<std::uint64_t> heads_;      ///< of lists that are not empty
  std::vector<std::uint16_t> protocols_;  ///< of each of these
  std::vector<std::uint64_t> sockets_;    ///< addresses of struct sock
  std::vector<std::uint64_t> space_of_;   ///< addresses of their struct net
  std::vector<std::uint64_t> upper_;      ///< addresses of their struct socket
  FoundSockets out_;
};

void SocketSurvey::begin(int own_socket) {
  const auto& l = layout_;
  const std::uint64_t files = reader_.pointer(reader_.self() + l.task.files);
  const std::uint64_t table = reader_.pointer(files + l.files.fdt);
  const std::uint64_t slots = reader_.pointer(table + l.fdtable.fd);
  const std::uint64_t file =
      reader_.pointer(slots + sizeof slots * static_cast<std::uint64_t>(own_socket));
  const std::uint64_t socket = reader_.pointer(file + l.file.private_data);
  const std::uint64_t sk = reader_.pointer(socket + l.socket.sk);
  const std::uint64_t net = reader_.pointer(sk + l.common.net);
  add_listeners(reader_.pointer(net + l.net.hashinfo));
  add_namespaces(net);
  add_protocols(reader_.pointer(sk + l.common.prot));
}

/// Namespaces are a ring, with the ring's own head among them: what is no namespace is passed over.
/// Each may have a UDP table of its own (net.ipv4.udp_child_hash_entries).
void SocketSurvey::add_namespaces(std::uint64_t own) {
  const std::uint64_t ring = own + layout_.net.list;
  std::vector<std::uint64_t> all = reader_.follow(std::span(&ring, 1));
  std::erase_if(all, is_end);
  all.push_back(ring);
  const auto address = [&](std::size_t i) { return all[i] - layout_.net.list; };
  const std::uint64_t kind = reader_.pointer(own + layout_.net.ops);
  std::vector<bool> is_space(all.size());
  reader_.read_each(
      all.size(), 8, [&](std::size_t i) { return address(i) + layout_.net.ops; },
      [&](std::size_t i, const Piece& piece) { is_space[i] = piece.pointer(0) == kind; });
  reader_.read_each(
      all.size(), 4, [&](std::size_t i) { return address(i) + layout_.net.inum; },
      [&](std::size_t i, const Piece& piece) {
        if (is_space[i]) spaces_.push_back({address(i), piece.at<std::uint32_t>(0)});
      });
  std::ranges::sort(spaces_, {}, &Space::address);
  reader_.read_each(
      spaces_.size(), 4, [&](std::size_t i) { return spaces_[i].address + layout_.net.ports; },
      [&](std::size_t i, const Piece& piece) {
        out_.namespaces.push_back({.inode = spaces_[i].inode,
                                   .first_port = piece.at<std::uint16_t>(0),
                                   .last_port = piece.at<std::uint16_t>(2)});
      });
  std::vector<std::uint64_t> tables;
  reader_.read_each(
      spaces_.size(), 8, [&](std::size_t i) { return spaces_[i].address + layout_.net.udp_table; },
      [&](std::size_t, const Piece& piece) { tables.push_back(piece.pointer(0)); });
  std::ranges::sort(tables);
  tables.erase(std::unique(tables.begin(), tables.end()), tables.end());
  for (const std::uint64_t table : tables) add_udp(table, kUdp);
}

/// The protocols' ring leads to the tables of those that have one for the whole machine.
void SocketSurvey::add_protocols(std::uint64_t own) {
  using std::string_view_literals::operator""sv;
  const std::uint64_t ring = own + layout_.proto.node;
  std::vector<std::uint64_t> all = reader_.follow(std::span(&ring, 1));
  std::erase_if(all, is_end);
  all.push_back(ring);
  std::vector<std::uint64_t> tables(all.size());
  const auto address = [&](std::size_t i) { return all[i] - layout_.proto.node; };
  reader_.read_each(
      all.size(), 8, [&](std::size_t i) { return address(i) + layout_.proto.table; },
      [&](std::size_t i, const Piece& piece) { tables[i] = piece.pointer(0); });
  std::vector<std::pair<std::uint64_t, std::uint16_t>> wanted;
  reader_.read_each(
      all.size(), 8, [&](std::size_t i) { return address(i) + layout_.proto.name; },
      [&](std::size_t i, const Piece& piece) {
        const std::string_view name(reinterpret_cast<const char*>(piece.memory()), 8);
        if (name == "UDP-Lite"sv) wanted.emplace_back(tables[i], kUdplite);
        if (name.starts_with("RAW\0"sv) || name.starts_with("RAWv6\0"sv)) {
          wanted.emplace_back(tables[i], kRaw);
        }
      });
  // The two families of UDP-Lite share one table.
  std::ranges::sort(wanted);
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  for (const auto& [table, protocol] : wanted) {
    protocol == kRaw ? add_raw(table) : add_udp(table, protocol);
  }
}

void SocketSurvey::add_listeners(std::uint64_t hashinfo) {
  const auto& l = layout_.listeners;
  find_lists({.first_head = reader_.pointer(hashinfo + l.lhash2) + l.head,
              .lists = reader_.read<std::uint32_t>(hashinfo + l.lhash2_mask) + 1,
              .stride = l.bucket_size,
              .protocol = kTcp});
}

void SocketSurvey::add_udp(std::uint64_t table, std::uint16_t protocol) {
  if (table == 0) return;
  const auto& l = layout_.udp;
  find_lists({.first_head = reader_.pointer(table + l.hash) + l.head,
              .lists = reader_.read<std::uint32_t>(table + l.mask) + 1,
              .stride = l.slot_size,
              .protocol = protocol});
}

void SocketSurvey::add_raw(std::uint64_t table) {
  if (table == 0) return;
  find_lists({.first_head = table + layout_.raw_heads,
              .lists = kRawLists,
              .stride = sizeof(std::uint64_t),
              .protocol = kRaw});
}

/// The lists of a table that are not empty.
void SocketSurvey::find_lists(const Table& table) {
  constexpr std::uint32_t kHead = sizeof(std::uint64_t);
  constexpr std::uint32_t kMostLists = 1U << 24U;
  if (table.stride < kHead || table.stride > KernelReader::kMostAtOnce) return;
  const std::uint32_t lists = std::min(table.lists, kMostLists);
  const std::uint32_t each = KernelReader::kMostAtOnce / table.stride;
  const auto begin = [&](std::size_t i) { return static_cast<std::uint32_t>(i) * each; };
  const auto count = [&](std::size_t i) { return std::min(each, lists - begin(i)); };
  const auto head = [&](std::uint32_t list) {
    return table.first_head + std::uint64_t{list} * table.stride;
  };
  reader_.read_each(
      (lists + each - 1) / each,
      [&](std::size_t i) {
        return KernelReader::Read{head(begin(i)), (count(i) - 1) * table.stride + kHead};
      },
      [&](std::size_t i, const Piece& piece) {
        for (std::uint32_t list = 0; list < count(i); ++list) {
          if (is_end(piece.pointer(std::size_t{list} * table.stride))) continue;
          heads_.push_back(head(begin(i) + list));
          protocols_.push_back(table.protocol);
        }
      });
}

void SocketSurvey::find_sockets() {
  std::vector<std::uint64_t> nodes = reader_.follow(heads_);
  std::vector<std::uint16_t> protocols;
  protocols.reserve(nodes.size());
  std::size_t list = 0;
  std::size_t kept = 0;
  for (const std::uint64_t node : nodes) {
    if (is_end(node)) {
      ++list;
      continue;
    }
    nodes[kept++] = node - layout_.common.node;
    protocols.push_back(protocols_[list]);
  }
  nodes.resize(kept);
  reader_.read_each(
      kept, layout_.common.size, [&](std::size_t i) { return nodes[i]; },
      [&](std::size_t i, const Piece& piece) { add_socket(nodes[i], protocols[i], piece); });
  find_spaces();
}

void SocketSurvey::add_socket(std::uint64_t address, std::uint16_t protocol, const Piece& common) {
  const auto& l = layout_.common;
  FoundSocket out;
  SurveyedSocket& told = out.told;
  told.state = common.at<std::uint8_t>(l.state);
  if (told.state != (protocol == kTcp ? kListen : kUnconnected)) return;
  told.family = common.at<std::uint16_t>(l.family);
  if (told.family != kInet && told.family != kInet6) return;
  told.protocol = protocol;
  told.port = common.at<std::uint16_t>(l.port);
  told.remote_port = common.at<std::uint16_t>(l.peer_port);
  told.interface_index = common.at<std::uint32_t>(l.device);
  told.v6only = common.at<std::uint8_t>(l.v6only) >> l.v6only_bit & 1;
  told.cookie = common.at<std::uint64_t>(l.cookie);
  if (told.family == kInet) {
    std::memcpy(told.address.data(), common.memory() + l.v4, 4);
  } else {
    std::memcpy(told.address.data(), common.memory() + l.v6, told.address.size());
  }
  sockets_.push_back(address);
  space_of_.push_back(common.pointer(l.net));
  out_.sockets.push_back(out);
}

void SocketSurvey::find_spaces() {
  std::vector<std::size_t> unknown;  // made since the namespaces were listed
  for (std::size_t i = 0; i < space_of_.size(); ++i) {
    const auto known = std::ranges::lower_bound(spaces_, space_of_[i], {}, &Space::address);
    if (known != spaces_.end() && known->address == space_of_[i]) {
      out_.sockets[i].told.netns = known->inode;
    } else {
      unknown.push_back(i);
    }
  }
  reader_.read_each(
      unknown.size(), 4, [&](std::size_t i) { return space_of_[unknown[i]] + layout_.net.inum; },
      [&](std::size_t i, const Piece& piece) {
        out_.sockets[unknown[i]].told.netns = piece.at<std::uint32_t>(0);
      });
}

/// The structures that some others point to.
std::vector<std::uint64_t> SocketSurvey::pointers(const std::vector<std::uint64_t>& from,
                                                  std::uint32_t offset) {
  std::vector<std::uint64_t> out(from.size());
  reader_.read_each(
      from.size(), 8, [&](std::size_t i) { return from[i] == 0 ? 0 : from[i] + offset; },
      [&](std::size_t i, const Piece& piece) { out[i] = piece.pointer(0); });
  return out;
}

void SocketSurvey::find_files() {
  upper_ = pointers(sockets_, layout_.sock.socket);
  const auto files = pointers(upper_, layout_.socket.file);
  for (std::size_t i = 0; i < files.size(); ++i) {
    out_.sockets[i].file = files[i];
    out_.sockets[i].told.has_file = files[i] != 0 ? 1 : 0;
  }
  reader_.read_each(
      upper_.size(), 4,
      [&](std::size_t i) { return upper_[i] == 0 ? 0 : upper_[i] + layout_.socket.inode; },
      [&](std::size_t i, const Piece& piece) {
        out_.sockets[i].told.inode = piece.at<std::uint32_t>(0);
      });
}

/// What else sock_diag would tell (net/ipv4/inet_diag.c, inet_sk_diag_fill).
void SocketSurvey::find_all() {
  out_.depth = SurveyDepth::Full;
  find_numbers();
  find_drops();
  find_cgroups();
  find_mptcp();
}

void SocketSurvey::find_numbers() {
  constexpr std::uint32_t kSize = sizeof(std::uint32_t);
  const auto& l = layout_.sock;
  const Window window({{l.uid, kSize},
                       {l.ack_backlog, kSize},
                       {l.max_ack_backlog, kSize},
                       {l.backlog, kSize},
                       {l.rcvbuf, kSize},
                       {l.drops, kSize}});
  reader_.read_each(
      sockets_.size(), window.size(), [&](std::size_t i) { return sockets_[i] + window.begin(); },
      [&](std::size_t i, const Piece& piece) {
        const auto number = [&](std::uint32_t at) { return window.get<std::uint32_t>(piece, at); };
        SurveyedSocket& to = out_.sockets[i].told;
        const bool is_tcp = to.protocol == kTcp;
        to.uid = number(l.uid);
        to.queue_length = number(is_tcp ? l.ack_backlog : l.backlog);
        to.queue_limit = number(is_tcp ? l.max_ack_backlog : l.rcvbuf);
        to.drops = number(l.drops);
      });
  // The length counts what was read and not given back yet (udp_rqueue_get of net/udp.h).
  std::vector<std::size_t> udp;
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    const std::uint16_t protocol = out_.sockets[i].told.protocol;
    if (protocol == kUdp || protocol == kUdplite) udp.push_back(i);
  }
  reader_.read_each(
      udp.size(), kSize, [&](std::size_t i) { return sockets_[udp[i]] + l.forward_deficit; },
      [&](std::size_t i, const Piece& piece) {
        out_.sockets[udp[i]].told.queue_length -= piece.at<std::uint32_t>(0);
      });
}

void SocketSurvey::find_drops() {
  const auto& l = layout_;
  // Newer kernels count UDP's by NUMA node, beside the socket.
  if (l.sock.drop_counters == KernelLayout::kNone || l.counters_drops0 == KernelLayout::kNone ||
      l.counters_drops1 == KernelLayout::kNone) {
    return;
  }
  const auto counters = pointers(sockets_, l.sock.drop_counters);
  for (const bool second : {false, true}) {
    const std::uint32_t offset = second ? l.counters_drops1 : l.counters_drops0;
    reader_.read_each(
        counters.size(), 4,
        [&](std::size_t i) { return counters[i] == 0 ? 0 : counters[i] + offset; },
        [&](std::size_t i, const Piece& piece) {
          if (counters[i] == 0) return;
          std::uint32_t& drops = out_.sockets[i].told.drops;
          drops = (second ? drops : 0) + piece.at<std::uint32_t>(0);
        });
  }
}

void SocketSurvey::find_cgroups() {
  const auto& l = layout_;
  if (l.sock.cgroup == KernelLayout::kNone || l.cgroup_node == KernelLayout::kNone ||
      l.node_id == KernelLayout::kNone) {
    return;
  }
  const auto ids = pointers(pointers(pointers(sockets_, l.sock.cgroup), l.cgroup_node), l.node_id);
  for (std::size_t i = 0; i < ids.size(); ++i) out_.sockets[i].told.cgroup_id = ids[i];
}

/// The socket below an MPTCP one is its subflow's.
void SocketSurvey::find_mptcp() {
  const auto tops = pointers(upper_, layout_.socket.sk);
  reader_.read_each(
      tops.size(), 2,
      [&](std::size_t i) { return tops[i] == 0 ? 0 : tops[i] + layout_.sock.protocol; },
      [&](std::size_t i, const Piece& piece) {
        std::uint16_t& protocol = out_.sockets[i].told.protocol;
        if (protocol == kTcp && piece.at<std::uint16_t>(0) == kMptcp) protocol = kMptcp;
      });
}

bool SocketSurvey::fill_many_namespaces() const {
  std::set<std::uint64_t> filled;
  for (const std::uint64_t space : space_of_) {
    filled.insert(space);
    if (filled.size() > kManyNamespaces) return true;
  }
  return false;
}

}  // namespace

FoundSockets survey_sockets(KernelReader& reader, const KernelLayout& layout, int own_socket,
                            SurveyDepth depth) {
  SocketSurvey survey(reader, layout);
  survey.begin(own_socket);
  survey.find_sockets();
  survey.find_files();
  if (depth == SurveyDepth::Full || survey.fill_many_namespaces()) survey.find_all();
  return survey.take();
}

}  // namespace hark::kernel
