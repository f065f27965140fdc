#include "kernel/survey_bound.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/parts.h"

namespace hark::kernel {
namespace {

constexpr std::uint16_t kInet = 2;     // AF_INET
constexpr std::uint8_t kTimeWait = 6;  // TCP_TIME_WAIT, TCP_NEW_SYN_RECV: no full sockets
constexpr std::uint8_t kNewSynRecv = 12;
constexpr std::uint32_t kReuseBits = 15;  // skc_reuse has four

bool is_end(std::uint64_t node) {
  return node == 0 || (node & 1) != 0;
}

class BoundSurvey {
 public:
  BoundSurvey(KernelReader& reader, const KernelLayout& layout, const BoundQuestion& asked)
      : reader_(reader), layout_(layout), asked_(asked) {}

  [[nodiscard]] bool find_netns(int own_socket);
  void find_tcp();
  void find_udp();
  [[nodiscard]] bool torn() const { return torn_; }
  [[nodiscard]] FoundBound take() { return std::move(out_); }

 private:
  /// A hash table of lists.
  struct Table {
    std::uint64_t first_head = 0;
    std::uint32_t lists = 0;
    std::uint32_t stride = 0;
  };
  std::vector<std::uint64_t> heads(const Table& table);
  void find_sockets(const std::vector<std::uint64_t>& sockets,
                    const std::vector<std::uint32_t>& l3mdevs, bool check);
  void add(std::uint64_t address, std::uint32_t l3mdev, const Piece& common);
  void find_files();

  KernelReader& reader_;
  const KernelLayout& layout_;
  const BoundQuestion& asked_;
  std::uint64_t net_ = 0;
  bool torn_ = false;
  std::vector<std::uint64_t> found_;  ///< addresses of out_.sockets
  FoundBound out_;
};

/// From a socket of our own to its namespace, and round the ring of all (survey_sockets.cpp).
bool BoundSurvey::find_netns(int own_socket) {
  const auto& l = layout_;
  const std::uint64_t files = reader_.pointer(reader_.self() + l.task.files);
  const std::uint64_t slots = reader_.pointer(reader_.pointer(files + l.files.fdt) + l.fdtable.fd);
  const std::uint64_t file =
      reader_.pointer(slots + sizeof slots * static_cast<std::uint64_t>(own_socket));
  const std::uint64_t sk =
      reader_.pointer(reader_.pointer(file + l.file.private_data) + l.socket.sk);
  const std::uint64_t own = reader_.pointer(sk + l.common.net);
  const std::uint64_t kind = reader_.pointer(own + l.net.ops);
  const std::uint64_t ring = own + l.net.list;
  std::vector<std::uint64_t> all = reader_.follow(std::span(&ring, 1));
  std::erase_if(all, is_end);
  all.push_back(ring);
  std::vector<bool> is_space(all.size());
  reader_.read_each(
      all.size(), 8, [&](std::size_t i) { return all[i] - l.net.list + l.net.ops; },
      [&](std::size_t i, const Piece& piece) { is_space[i] = piece.pointer(0) == kind; });
  reader_.read_each(
      all.size(), 4, [&](std::size_t i) { return all[i] - l.net.list + l.net.inum; },
      [&](std::size_t i, const Piece& piece) {
        if (is_space[i] && piece.at<std::uint32_t>(0) == asked_.netns) net_ = all[i] - l.net.list;
      });
  return net_ != 0;
}

/// The one list of the port (inet_bhashfn, udp_hashfn), or all that are not empty.
std::vector<std::uint64_t> BoundSurvey::heads(const Table& table) {
  constexpr std::uint32_t kMostLists = 1U << 24U;
  std::vector<std::uint64_t> out;
  if (table.lists == 0 || table.lists > kMostLists || (table.lists & (table.lists - 1)) != 0 ||
      table.stride < sizeof(std::uint64_t) || table.stride > KernelReader::kMostAtOnce) {
    return out;
  }
  const auto head = [&](std::uint32_t list) {
    return table.first_head + std::uint64_t{list} * table.stride;
  };
  if (asked_.port != 0) {
    const auto mix = reader_.read<std::uint32_t>(net_ + layout_.bind.hash_mix);
    return {head((asked_.port + mix) & (table.lists - 1))};
  }
  const std::uint32_t each = KernelReader::kMostAtOnce / table.stride;
  const auto begin = [&](std::size_t i) { return static_cast<std::uint32_t>(i) * each; };
  const auto count = [&](std::size_t i) { return std::min(each, table.lists - begin(i)); };
  reader_.read_each((table.lists + each - 1) / each,
                    [&](std::size_t i) {
                      return KernelReader::Read{
                          head(begin(i)), (count(i) - 1) * table.stride + sizeof(std::uint64_t)};
                    },
                    [&](std::size_t i, const Piece& piece) {
                      for (std::uint32_t list = 0; list < count(i); ++list) {
                        if (!is_end(piece.pointer(std::size_t{list} * table.stride))) {
                          out.push_back(head(begin(i) + list));
                        }
                      }
                    });
  return out;
}

void BoundSurvey::find_tcp() {
  const auto& l = layout_.bind;
  const std::uint64_t hashinfo = reader_.pointer(net_ + layout_.net.hashinfo);
  std::vector<std::uint64_t> buckets =
      reader_.follow(heads({.first_head = reader_.pointer(hashinfo + l.bhash) + l.chain,
                            .lists = reader_.read<std::uint32_t>(hashinfo + l.bhash_size),
                            .stride = l.list_size}));
  std::erase_if(buckets, is_end);
  for (std::uint64_t& bucket : buckets) bucket -= l.node;
  std::vector<std::uint64_t> lists;  // of the buckets by address
  std::vector<std::uint32_t> l3mdevs;
  reader_.read_each(
      buckets.size(), l.bucket_size, [&](std::size_t i) { return buckets[i]; },
      [&](std::size_t i, const Piece& piece) {
        const auto port = piece.at<std::uint16_t>(l.port);
        if (piece.pointer(l.net) != net_ || (asked_.port != 0 && asked_.port != port)) return;
        BindBucket told;
        told.port = port;
        told.l3mdev = piece.at<std::uint32_t>(l.l3mdev);
        told.reuse = piece.at<std::int8_t>(l.fastreuse);
        told.reuseport = piece.at<std::int8_t>(l.fastreuseport);
        told.uid = piece.at<std::uint32_t>(l.fastuid);
        told.family = piece.at<std::uint16_t>(l.fast_family);
        told.v6only = piece.at<std::uint8_t>(l.fast_v6only) != 0 ? 1 : 0;
        std::memcpy(told.v4.data(), piece.memory() + l.fast_v4, told.v4.size());
        std::memcpy(told.v6.data(), piece.memory() + l.fast_v6, told.v6.size());
        out_.buckets.push_back(told);
        lists.push_back(buckets[i] + l.bhash2);
        l3mdevs.push_back(told.l3mdev);
      });
  std::vector<std::uint64_t> owners;
  std::vector<std::uint32_t> l3mdev_of;
  std::size_t list = 0;
  for (const std::uint64_t node : reader_.follow(lists)) {
    if (is_end(node)) {
      ++list;
      continue;
    }
    owners.push_back(node - l.bhash_node + l.owners);
    l3mdev_of.push_back(l3mdevs[list]);
  }
  std::vector<std::uint64_t> sockets;
  std::vector<std::uint32_t> socket_l3mdevs;
  list = 0;
  for (const std::uint64_t node : reader_.follow(owners)) {
    if (is_end(node)) {
      ++list;
      continue;
    }
    sockets.push_back(node - l.bind_node);
    socket_l3mdevs.push_back(l3mdev_of[list]);
  }
  find_sockets(sockets, socket_l3mdevs, false);
}

void BoundSurvey::find_udp() {
  const auto& l = layout_.udp;
  const std::uint64_t table = reader_.pointer(net_ + layout_.net.udp_table);
  std::vector<std::uint64_t> nodes =
      reader_.follow(heads({.first_head = reader_.pointer(table + l.hash) + l.head,
                            .lists = reader_.read<std::uint32_t>(table + l.mask) + 1,
                            .stride = l.slot_size}));
  std::erase_if(nodes, is_end);
  for (std::uint64_t& node : nodes) node -= layout_.common.node;
  find_sockets(nodes, std::vector<std::uint32_t>(nodes.size()), true);
}

/// `check`: the lists hold sockets of other ports and namespaces too. Where they do not, one that
/// is such has left between two reads, and may be there as something else.
void BoundSurvey::find_sockets(const std::vector<std::uint64_t>& sockets,
                               const std::vector<std::uint32_t>& l3mdevs, bool check) {
  const auto& l = layout_.common;
  reader_.read_each(
      sockets.size(), l.size, [&](std::size_t i) { return sockets[i]; },
      [&](std::size_t i, const Piece& piece) {
        const auto port = piece.at<std::uint16_t>(l.port);
        const bool other =
            piece.pointer(l.net) != net_ || port == 0 || (asked_.port != 0 && asked_.port != port);
        if (!other) add(sockets[i], l3mdevs[i], piece);
        if (other && !check) torn_ = true;
      });
  find_files();
}

void BoundSurvey::add(std::uint64_t address, std::uint32_t l3mdev, const Piece& common) {
  const auto& l = layout_.common;
  const auto& b = layout_.bind;
  BindEntry out;
  out.cookie = common.at<std::uint64_t>(l.cookie);
  out.interface_index = common.at<std::uint32_t>(l.device);
  out.l3mdev = l3mdev;
  out.port = common.at<std::uint16_t>(l.port);
  // In network order, as it is on the wire.
  const auto peer = common.at<std::uint16_t>(l.peer_port);
  out.remote_port = static_cast<std::uint16_t>(peer << 8U | peer >> 8U);
  out.family = common.at<std::uint16_t>(l.family);
  out.state = common.at<std::uint8_t>(l.state);
  out.reuse = static_cast<std::uint8_t>(unsigned{common.at<std::uint8_t>(b.reuse)} >> b.reuse_bit &
                                        kReuseBits);
  out.reuseport = common.at<std::uint8_t>(b.reuseport) >> b.reuseport_bit & 1;
  out.v6only = common.at<std::uint8_t>(l.v6only) >> l.v6only_bit & 1;
  const bool inet = out.family == kInet;
  const std::size_t size = inet ? 4 : out.address.size();
  std::memcpy(out.address.data(), common.memory() + (inet ? l.v4 : l.v6), size);
  std::memcpy(out.remote.data(), common.memory() + (inet ? b.peer_v4 : b.peer_v6), size);
  found_.push_back(address);
  out_.sockets.push_back(out);
}

/// What only full sockets have.
void BoundSurvey::find_files() {
  const auto is_full = [&](std::size_t i) {
    const std::uint8_t state = out_.sockets[i].state;
    return state != kTimeWait && state != kNewSynRecv;
  };
  std::vector<std::uint64_t> upper(found_.size());
  reader_.read_each(
      found_.size(), 8,
      [&](std::size_t i) { return is_full(i) ? found_[i] + layout_.sock.socket : 0; },
      [&](std::size_t i, const Piece& piece) { upper[i] = piece.pointer(0); });
  reader_.read_each(
      found_.size(), 4,
      [&](std::size_t i) { return is_full(i) ? found_[i] + layout_.sock.uid : 0; },
      [&](std::size_t i, const Piece& piece) {
        out_.sockets[i].uid = is_full(i) ? piece.at<std::uint32_t>(0) : 0;
      });
  reader_.read_each(
      upper.size(), 4,
      [&](std::size_t i) { return upper[i] == 0 ? 0 : upper[i] + layout_.socket.inode; },
      [&](std::size_t i, const Piece& piece) {
        out_.sockets[i].inode = upper[i] == 0 ? 0 : piece.at<std::uint32_t>(0);
      });
}

/// Kernels before 6.8 keep connections in TIME_WAIT apart, and have no list of sockets by address
/// that hangs by the bucket.
bool has_tables(const KernelLayout& layout) {
  return layout.bind.bhash2 != KernelLayout::kNone &&
         layout.bind.bhash_node != KernelLayout::kNone &&
         layout.bind.owners != KernelLayout::kNone && layout.bind.deathrow == KernelLayout::kNone;
}

}  // namespace

Result<FoundBound> survey_bound(KernelReader& reader, const KernelLayout& layout, int own_socket,
                                const BoundQuestion& asked) {
  const bool tcp = asked.protocol == Protocol::Tcp;
  if (!tcp && asked.protocol != Protocol::Udp) {
    return fail(kernel_error(EOPNOTSUPP, "bound sockets"));
  }
  if (tcp && !has_tables(layout)) return fail(kernel_error(EOPNOTSUPP, "bound sockets"));
  constexpr int kTries = 4;
  for (int i = 1;; ++i) {
    BoundSurvey survey(reader, layout, asked);
    if (!survey.find_netns(own_socket)) return fail(kernel_error(ESTALE, "bound sockets"));
    tcp ? survey.find_tcp() : survey.find_udp();
    if (const auto state = reader.state(); !state) return fail(state.error());
    if (!survey.torn() || i == kTries) return survey.take();
  }
}

Bytes bound_parts(const FoundBound& found) {
  Bytes out;
  append_part(out, static_cast<std::uint16_t>(BoundPart::Buckets),
              std::as_bytes(std::span(found.buckets)));
  append_part(out, static_cast<std::uint16_t>(BoundPart::Sockets),
              std::as_bytes(std::span(found.sockets)));
  return out;
}

}  // namespace hark::kernel
