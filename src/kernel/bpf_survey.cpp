#include "kernel/bpf_survey.h"

#include <linux/netlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "kernel/bpf_link.h"
#include "kernel/live_netlink.h"

namespace hark::kernel {
namespace {

/// Slots for files looked for, so that at most every fourth is taken.
unsigned slot_bits(const SurveyRoom& room) {
  constexpr unsigned kMostBits = 24;
  unsigned bits = 12;
  while (bits < kMostBits && (std::uint64_t{1} << bits) < std::uint64_t{room.sockets} * 4) ++bits;
  return bits;
}

/// What did not fit, with some to spare for what comes in the meantime.
std::uint32_t grown(std::uint32_t had, std::uint64_t used, std::uint64_t lost) {
  constexpr std::uint64_t kMost = 1U << 22U;
  if (lost == 0) return had;
  return static_cast<std::uint32_t>(std::min((used + lost) * 5 / 4 + 64, kMost));
}

Error cut_short(const char* what) {
  return plain_error(what, "the walk did not come to its end");
}

}  // namespace

Result<BpfSurvey::Areas> BpfSurvey::make_areas(const SurveyRoom& room) {
  const std::array<std::pair<const char*, std::size_t>, 7> sizes = {{
      {"sockets_state", sizeof(hark_sockets_state)},
      {"sockets", sizeof(hark_socket) * room.sockets},
      {"namespaces", sizeof(hark_netns) * room.namespaces},
      {"holders_state", sizeof(hark_holders_state)},
      {"slots", sizeof(hark_slot) << slot_bits(room)},
      {"processes", sizeof(hark_process) * room.processes},
      {"holdings", sizeof(hark_holding) * room.holdings},
  }};
  std::vector<BpfArea> made;
  for (const auto& [name, size] : sizes) {
    auto area = BpfArea::create(name, size);
    if (!area) return fail(area.error());
    made.push_back(std::move(*area));
  }
  return Areas{.sockets_state = std::move(made[0]),
               .sockets = std::move(made[1]),
               .namespaces = std::move(made[2]),
               .holders_state = std::move(made[3]),
               .slots = std::move(made[4]),
               .processes = std::move(made[5]),
               .holdings = std::move(made[6])};
}

BpfGiven BpfSurvey::given(const SurveyRoom& room, SurveyDepth depth, const Areas& areas, int own) {
  return {
      .numbers = {{"own_fd", static_cast<std::uint32_t>(own)},
                  {"most_sockets", room.sockets},
                  {"most_namespaces", room.namespaces},
                  {"most_processes", room.processes},
                  {"most_holdings", room.holdings},
                  {"slot_bits", slot_bits(room)},
                  {"in_full", depth == SurveyDepth::Full ? 1U : 0U}},
      .areas = {{"sockets_state", areas.sockets_state.fd()},
                {"sockets", areas.sockets.fd()},
                {"namespaces", areas.namespaces.fd()},
                {"holders_state", areas.holders_state.fd()},
                {"slots", areas.slots.fd()},
                {"processes", areas.processes.fd()},
                {"holdings", areas.holdings.fd()}},
  };
}

Result<BpfSurvey> BpfSurvey::load(const KernelTypes& types, const SurveyRoom& room,
                                  SurveyDepth depth) {
  auto areas = make_areas(room);
  if (!areas) return fail(areas.error());
  // Any socket leads to the namespace and to the ring of protocols.
  UniqueFd own(open_netlink(NETLINK_SOCK_DIAG));
  if (!own.valid()) return fail(kernel_error(errno, "a socket of hark's own"));
  constexpr std::array kImages = {&bpf::kListSockets, &bpf::kFindHolders};
  const auto code = link_bpf(kImages, types, given(room, depth, *areas, own.get()));
  if (!code) return fail(code.error());
  // The kernel takes a millisecond and more to verify each: both at once.
  Result<UniqueFd> find = UniqueFd();
  std::thread other([&] { find = load_bpf_syscall(bpf::kFindHolders.name, (*code)[1]); });
  auto list = load_bpf_syscall(bpf::kListSockets.name, (*code)[0]);
  other.join();
  if (!list) return fail(list.error());
  if (!find) return fail(find.error());
  return BpfSurvey(room, depth, std::move(*areas), std::move(own), std::move(*list),
                   std::move(*find));
}

Result<void> BpfSurvey::deepen(const KernelTypes& types) {
  constexpr std::array kImages = {&bpf::kListSockets};
  const auto code =
      link_bpf(kImages, types, given(room_, SurveyDepth::Full, areas_, own_socket_.get()));
  if (!code) return fail(code.error());
  auto list = load_bpf_syscall(bpf::kListSockets.name, code->front());
  if (!list) return fail(list.error());
  list_sockets_ = std::move(*list);
  depth_ = SurveyDepth::Full;
  return {};
}

Result<void> BpfSurvey::look_at_sockets() {
  hark_sockets_state& state = listed();
  std::memset(&state, 0, sizeof state);
  if (const auto ran = run_bpf(list_sockets_.get()); !ran) return fail(ran.error());
  room_.sockets = grown(room_.sockets, state.sockets, state.lost_sockets);
  room_.namespaces = grown(room_.namespaces, state.namespaces, state.lost_namespaces);
  if (state.lost_sockets != 0 || state.lost_namespaces != 0) {
    return fail(kernel_error(ENOSPC, "sockets"));
  }
  if (state.whole == 0 || state.lost_tables != 0) return fail(cut_short("sockets"));
  return {};
}

Result<void> BpfSurvey::look_for_holders() {
  hark_holders_state& state = found();
  std::memset(&state, 0, sizeof state);
  if (!set_wanted()) {
    room_.sockets *= 2;
    return fail(kernel_error(ENOSPC, "files looked for"));
  }
  if (const auto ran = run_bpf(find_holders_.get()); !ran) return fail(ran.error());
  if (state.lost_processes != 0 || state.lost_holdings != 0) {
    room_.processes = grown(room_.processes, state.processes, state.lost_processes);
    room_.holdings = grown(room_.holdings, state.holdings, state.lost_holdings);
    return fail(kernel_error(ENOSPC, "holders"));
  }
  if (state.whole == 0) return fail(cut_short("descriptors"));
  return {};
}

/// Tells the second program which files to look for. False: the table is too full.
bool BpfSurvey::set_wanted() {
  const auto slots = areas_.slots.as<hark_slot>();
  std::ranges::fill(slots, hark_slot{});
  hark_holders_state& state = found();
  for (const hark_socket& socket : sockets()) {
    if (socket.file == 0 || socket.inode == 0) continue;
    const std::uint64_t hash = (socket.file * HARK_HASH) >> (64 - HARK_FILTER_BITS);
    state.filter[hash >> 6U] |= std::uint64_t{1} << (hash & 63U);
    if (!place(socket.file, socket.inode)) return false;
  }
  return true;
}

/// Each file goes to one of two places; what was there makes room and goes to its other one
/// (cuckoo hashing), so that the program need not search.
bool BpfSurvey::place(std::uint64_t file, std::uint32_t inode) {
  constexpr int kMostMoves = 128;
  const auto slots = areas_.slots.as<hark_slot>();
  const unsigned bits = slot_bits(room_);
  hark_slot moving{.file = file, .inode = inode, .unused = 0};
  std::size_t last = slots.size();
  for (int move = 0; move < kMostMoves; ++move) {
    const std::uint64_t hash = moving.file * HARK_HASH;
    const std::size_t one = hash >> (64 - bits);
    const std::size_t other = hash >> (32 - bits) & ((std::size_t{1} << bits) - 1);
    if (slots[one].file == moving.file || slots[other].file == moving.file) return true;
    if (slots[one].file == 0 || slots[other].file == 0) {
      slots[slots[one].file == 0 ? one : other] = moving;
      return true;
    }
    last = last == one ? other : one;
    std::swap(moving, slots[last]);
  }
  return false;
}

hark_sockets_state& BpfSurvey::listed() const {
  return areas_.sockets_state.as<hark_sockets_state>().front();
}

hark_holders_state& BpfSurvey::found() const {
  return areas_.holders_state.as<hark_holders_state>().front();
}

std::span<const hark_socket> BpfSurvey::sockets() const {
  return areas_.sockets.as<hark_socket>().first(listed().sockets);
}

std::span<const hark_netns> BpfSurvey::namespaces() const {
  return areas_.namespaces.as<hark_netns>().first(listed().namespaces);
}

std::span<const hark_process> BpfSurvey::processes() const {
  return areas_.processes.as<hark_process>().first(found().processes);
}

std::span<const hark_holding> BpfSurvey::holdings() const {
  return areas_.holdings.as<hark_holding>().first(found().holdings);
}

}  // namespace hark::kernel
