// Real sockets in a real namespace, for the tests of `hark bind`.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/unique_fd.h"
#include "decode/bound_sockets.h"
#include "diagnose/bind.h"

namespace hark::netns {

/// A socket as somebody wants it.
struct Wanted {
  bool udp = false;
  IpAddress address;
  std::uint16_t port = 0;
  std::string zone;
  std::string device;
  bool reuseaddr = false;
  bool reuseport = false;
  bool v6only = false;
  uid_t uid = 0;
};
[[nodiscard]] std::string describe(const Wanted& wanted);
[[nodiscard]] diagnose::BindQuestion question_of(const Wanted& wanted);

struct Happened {
  int error = 0;
  diagnose::BindCall call = diagnose::BindCall::Bind;  ///< of an error
};

/// Makes it: socket, options, bind, and of TCP listen if it `listens`.
[[nodiscard]] Happened make_socket(const Wanted& wanted, bool listens, UniqueFd& out);
/// The same, closed at once.
[[nodiscard]] Happened try_bind(const Wanted& wanted);
void set_option(int fd, int level, int name, int value);

/// What becomes of a socket of TCP after it is bound; of UDP the first two.
enum class Story : std::uint8_t {
  Binds,
  Connects,  ///< from its port to a server elsewhere
  Listens,
  Serves,     ///< has a connection
  Leaves,     ///< has a connection, and listens no more
  Closes,     ///< closed its connection first: TIME_WAIT
  Half,       ///< the same, and its client keeps the connection open
  Waits,      ///< has a connection that it did not accept
  ShutsDown,  ///< listened, and only has the port now
};
constexpr std::uint32_t kStories = 9;

struct Held {
  UniqueFd fd;
  std::uint32_t inode = 0;
  std::string told;
};

class SocketSet {
 public:
  /// Makes a socket and its story, as far as it gets.
  void tell(const Wanted& wanted, Story story, uid_t accepts);
  static void close(Held& held);
  /// Closes the holders that were named. False: one has no descriptor here.
  bool close_named();
  [[nodiscard]] std::string text() const;

  std::deque<Held> all;
  std::vector<decode::BoundRecord> named;

 private:
  Held& keep(UniqueFd fd, std::string told);
  bool connect_from(int fd, const Wanted& wanted);
  bool add_connection(int listener, const Wanted& wanted, Story story, uid_t accepts);
};

struct PlaceSettings {
  bool l3mdev_accept = false;
  bool nonlocal = false;
  int first_free = 1024;
  bool autobind_reuse = false;
};
/// A fresh network namespace for this process: lo, `one`, and `two`, which is in the VRF vrf9 where
/// the kernel has VRFs.
[[nodiscard]] bool make_place(const PlaceSettings& settings);

/// Leaves three ports to be given to those who ask for none, as long as it lives. 0: nothing.
class NarrowRange {
 public:
  explicit NarrowRange(std::uint16_t first);
  NarrowRange(const NarrowRange&) = delete;
  NarrowRange& operator=(const NarrowRange&) = delete;
  ~NarrowRange();

 private:
  bool narrowed_;
};

}  // namespace hark::netns
