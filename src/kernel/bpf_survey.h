// Listeners of every network namespace and who holds them, found by two BPF programs in the tables
// in which the kernel itself looks for them (bpf/sockets.bpf.c, bpf/holders.bpf.c): the best rung
// of the ladder. Needs CAP_BPF and CAP_PERFMON, Linux 6.7, and a kernel that describes its types.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "base/socket_parts.h"
#include "kernel/bpf_calls.h"
#include "kernel/bpf_link.h"

extern "C" {
#include "bpf/records.h"
#include "bpf/shared.h"
}

namespace hark::kernel {

/// How many records there is room for. Too few are answered by a second look with more.
struct SurveyRoom {
  std::uint32_t sockets = 4096;
  std::uint32_t namespaces = 1024;
  std::uint32_t processes = 1024;
  std::uint32_t holdings = 4096;
};

class BpfSurvey {
 public:
  /// Loads both programs.
  [[nodiscard]] static Result<BpfSurvey> load(const KernelTypes& types, const SurveyRoom& room,
                                              SurveyDepth depth);
  /// Will tell all of sockets from the next look on.
  [[nodiscard]] Result<void> deepen(const KernelTypes& types);
  [[nodiscard]] SurveyDepth depth() const { return depth_; }

  /// Goes through sockets. ENOSPC: there was not room enough; needed() then says how much would be.
  [[nodiscard]] Result<void> look_at_sockets();
  /// Goes through the descriptors of all tasks, for the files of the sockets last seen. Likewise.
  [[nodiscard]] Result<void> look_for_holders();
  [[nodiscard]] const SurveyRoom& needed() const { return room_; }

  [[nodiscard]] std::span<const hark_socket> sockets() const;
  [[nodiscard]] std::span<const hark_netns> namespaces() const;
  [[nodiscard]] std::span<const hark_process> processes() const;
  [[nodiscard]] std::span<const hark_holding> holdings() const;

 private:
  struct Areas {
    BpfArea sockets_state;
    BpfArea sockets;
    BpfArea namespaces;
    BpfArea holders_state;
    BpfArea slots;
    BpfArea processes;
    BpfArea holdings;
  };
  BpfSurvey(const SurveyRoom& room, SurveyDepth depth, Areas areas, UniqueFd own, UniqueFd list,
            UniqueFd find)
      : room_(room),
        depth_(depth),
        areas_(std::move(areas)),
        own_socket_(std::move(own)),
        list_sockets_(std::move(list)),
        find_holders_(std::move(find)) {}
  [[nodiscard]] static BpfGiven given(const SurveyRoom& room, SurveyDepth depth, const Areas& areas,
                                      int own);
  [[nodiscard]] static Result<Areas> make_areas(const SurveyRoom& room);
  [[nodiscard]] bool set_wanted();
  [[nodiscard]] bool place(std::uint64_t file, std::uint32_t inode);
  [[nodiscard]] hark_sockets_state& listed() const;
  [[nodiscard]] hark_holders_state& found() const;

  SurveyRoom room_;
  SurveyDepth depth_;
  Areas areas_;
  UniqueFd own_socket_;  ///< where the programs begin
  UniqueFd list_sockets_;
  UniqueFd find_holders_;
};

}  // namespace hark::kernel
