// Services that are commonly meant for this host or a private network alone: which they are, and
// what whoever reaches them can do.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/protocol.h"

namespace hark::diagnose {

enum class PrivateKind : std::uint8_t {
  Database,
  Cache,
  Debugger,
  Control,  ///< of containers, clusters, machines
  Files,
  Desktop,
  Rpc,
  Metrics,
};
struct PrivateKindWords {
  PrivateKind kind;
  std::string_view code;
  std::string_view article_noun;  ///< "a database"
  std::string_view danger;        ///< "whoever connects …"
};
[[nodiscard]] const PrivateKindWords& words_of(PrivateKind kind);

/// What tells the service. A port that no other service is known for is enough; of others the
/// program must be known, or a word of its command line.
enum class ToldBy : std::uint8_t { Port, ProgramAtPort, Program, WordOfProgram };

struct PrivateService {
  std::string_view name;
  PrivateKind kind;
  Protocol protocol;
  ToldBy told_by;
  std::array<std::uint16_t, 4> ports;  ///< 0: none
  /// Names of programs, parted by blanks; "*" in a name is any run. Of
  /// WordOfProgram: what its command line has somewhere.
  std::string_view programs;
};
[[nodiscard]] std::span<const PrivateService> private_services();

/// Programs that stand before others and ask who it is; the port behind them says nothing.
[[nodiscard]] bool is_gatekeeper(std::string_view program);
[[nodiscard]] bool is_named(const PrivateService& service, std::string_view program);

}  // namespace hark::diagnose
