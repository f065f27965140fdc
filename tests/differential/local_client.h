// A client on the host itself: real sockets, since its packets begin in the OUTPUT hook.
#pragma once

#include "base/unique_fd.h"
#include "script.h"

namespace hark::differential {

struct Observation;

class LocalClient {
 public:
  /// Begins, in the caller's namespace; `seen` names the source port.
  LocalClient(const Ask& ask, Observation& seen);
  /// Takes what has come so far; true if something did.
  [[nodiscard]] bool go_on(Observation& seen);
  void conclude(Observation& seen);

 private:
  void take_error(Observation& seen, int error);
  [[nodiscard]] bool is_connected() const;
  [[nodiscard]] bool take_queued_error(Observation& seen);
  Ask ask_;
  UniqueFd socket_;
  bool connected_ = false, ended_ = false;
};

}  // namespace hark::differential
