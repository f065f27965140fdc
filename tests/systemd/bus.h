// A message bus of one's own, and a systemd made up for it. Both end with the object.
#pragma once

#include <sys/types.h>

#include <string>

namespace hark::systemd_test {

/// How the made-up systemd behaves.
enum class Manners {
  Answers,
  Silent,  ///< takes every question and never answers
  Absent,  ///< there is a bus, and no systemd on it
  Denies,  ///< refuses with AccessDenied
  Odd,     ///< answers with properties of other types than they should have
};

class Bus {
 public:
  /// Starts both and waits until they can be asked. Where that fails the test fails, and address()
  /// is empty.
  /// `socket` is where the bus listens; empty: in a folder of its own.
  explicit Bus(Manners manners, std::string socket = {});
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  ~Bus();
  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  bool start_bus();
  bool start_systemd(Manners manners);

  std::string folder_;
  std::string socket_;
  std::string address_;
  pid_t bus_ = -1;
  pid_t systemd_ = -1;
};

}  // namespace hark::systemd_test
