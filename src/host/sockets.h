// The listeners of one network namespace.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "decode/inet_diag.h"
#include "decode/socket_scan.h"
#include "host/host.h"
#include "host/namespaces.h"
#include "kernel/source.h"

namespace hark::host {

/// A protocol over a family.
struct SocketKind {
  Protocol protocol = Protocol::Tcp;
  Family family = Family::Inet;
  bool operator==(const SocketKind&) const = default;
};

/// Reads listeners and remembers, over all namespaces, what this kernel does not have, so that it
/// is asked once.
class SocketReader {
 public:
  SocketReader(kernel::Source& source, std::vector<Gap>& gaps) : source_(source), gaps_(gaps) {}

  /// Appends the listeners of `found`, which becomes namespace `id`. What cannot be read becomes a
  /// gap. Sets found.netns.entered or seen_through_pid. False: the namespace is gone by now.
  [[nodiscard]] bool read(FoundNetns& found, NetnsId id, std::vector<Listener>& out) {
    return read(found, id, {}, out);
  }
  /// The same where a survey tells which kinds of sockets are there: others are not asked for.
  /// Without a kind all are.
  [[nodiscard]] bool read(FoundNetns& found, NetnsId id, const std::vector<SocketKind>& kinds,
                          std::vector<Listener>& out);

  /// The same from a survey of all namespaces' sockets: nothing is asked of the kernel but names.
  void read_surveyed(FoundNetns& found, NetnsId id, const decode::SocketSurvey& survey,
                     std::vector<Listener>& out);

  /// Why no cgroup could be named, if that was so for want of cgroup v2.
  [[nodiscard]] const std::optional<Error>& cgroup_error() const { return cgroup_error_; }

 private:
  struct Question;
  struct Place;
  static const std::vector<Question>& questions();
  enum class Answer : std::uint8_t;
  [[nodiscard]] bool has_mptcp(const FoundNetns& found);
  void mark_mptcp(Place& place);
  [[nodiscard]] Answer ask(std::size_t number, Place& place);
  [[nodiscard]] Answer ask_diag(const Question& question, Place& place);
  [[nodiscard]] Answer ask_table(const Question& question, Place& place);
  [[nodiscard]] Answer failed(const Question& question, const Error& error, Place& place);
  void add(const decode::SocketRecord& record, Place& place);
  [[nodiscard]] std::string interface_name(std::uint32_t index, Place& place);
  [[nodiscard]] bool is_probable_client(const Listener& listener, Place& place);

  kernel::Source& source_;
  std::vector<Gap>& gaps_;
  std::optional<Error> cgroup_error_;
  std::set<std::size_t> without_diag_;  ///< questions that this kernel's sock_diag does not know
};

}  // namespace hark::host
