// Holds a listing against the truth. Sockets are told apart by their inodes, which are unique on
// the whole machine.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace hark::netns {

/// How the sockets of a namespace could be read, and so what must be known of them.
enum class Read : unsigned char {
  Asked,     ///< sock_diag inside it: everything
  Table,     ///< /proc/PID/net: what is not told there must be null
  Nothing,   ///< not at all: no row
  NoTables,  ///< sock_diag, but no /proc: everything, of the protocols that sock_diag has
};

enum class Owners : unsigned char {
  All,   ///< every process with every descriptor
  Null,  ///< none known
  Own,   ///< those of `uid` where they are the only ones, else null or those that can be seen
};

struct Expectation {
  std::map<std::string, Read> namespaces = {};  ///< by label; those not named: `otherwise`
  Read otherwise = Read::Asked;
  Owners owners = Owners::All;
  unsigned uid = 0;      ///< for Owners::Own
  bool raw_diag = true;  ///< this kernel tells of raw sockets through sock_diag
};

/// Each difference as a sentence. Empty: the listing is right.
[[nodiscard]] std::vector<std::string> differences(const nlohmann::json& truth,
                                                   const nlohmann::json& listing,
                                                   const Expectation& expected);

/// Whether there is a gap with this code.
[[nodiscard]] bool has_gap(const nlohmann::json& listing, const std::string& code);

/// Whether the running kernel has sock_diag for raw sockets: asked with a request for none.
[[nodiscard]] bool kernel_has_raw_diag();

}  // namespace hark::netns
