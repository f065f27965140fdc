// hark's answer, asked of its library: facts are read once a host, as the command reads them, and
// trace() is called for each question.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "place.h"
#include "prober.h"
#include "reach/trace.h"
#include "script.h"

namespace hark::differential {

/// What of an answer can be compared, in words of contract.md.
struct Verdict {
  std::string outcome;
  std::string icmp = {};
  std::string code = {};
  std::string text = {};
  int error = 0;
  std::vector<std::string> possible = {};
  std::vector<std::string> conditions = {};  ///< codes
  /// All of them are chance, the time, or what the question leaves open about the packet.
  bool open_by_nature = false;
  std::vector<std::uint32_t> inodes = {};  ///< of the socket it is delivered to, or of any of them
  std::string evidence = {};               ///< where it stands, line by line
  std::vector<std::string> instead = {};   ///< other causes of the same, in words
  std::string path = {};                   ///< for a person
};
[[nodiscard]] std::string words_of(const Verdict& verdict);

class Judge {
 public:
  /// Reads the host through the live source, inside its namespace.
  [[nodiscard]] static Result<Judge> read(const Place& place);
  Judge(Judge&&) noexcept;
  Judge& operator=(Judge&&) noexcept;
  ~Judge();

  /// The same facts, but with the neighbours that the host knows by now: those it has met since.
  [[nodiscard]] Result<Judge> with_neighbours_of(const Place& place) const;

  /// Of the client with this port: which ports an answer holds for is for the command to find out.
  [[nodiscard]] Verdict verdict(const Ask& ask, std::uint16_t source_port) const;
  [[nodiscard]] const reach::Tracer& tracer() const;
  [[nodiscard]] const host::Network& network() const;
  /// What could not be read, line by line.
  [[nodiscard]] std::string gaps() const;

 private:
  struct Facts;
  explicit Judge(std::unique_ptr<Facts> facts);
  std::unique_ptr<Facts> facts_;
};

}  // namespace hark::differential
