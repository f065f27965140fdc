// One exercise of `hark lab`: what is set up, what is wrong with it, and how it is judged. The file
// format is described in docs/lab.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace hark::drill {

/// A conversation that shows whether the host works as the story wants it.
struct LabProbe {
  std::string from;  ///< a place of the scenario: "host", "neighbour" …
  bool udp = false;
  IpAddress address;
  std::uint16_t port = 0;
  std::string reply;     ///< what the answer has to hold: the name of the service
  bool blocked = false;  ///< nobody may answer
  unsigned times = 1;    ///< each of so many has to pass
  std::string text;      ///< where to, as written: "tcp/10.0.0.5:5432"
};

struct LabCause {
  std::vector<std::string> codes;  ///< the first is the one that is told
  std::string ask;                 ///< arguments of hark that name it
  std::string text;                ///< the answer, in a sentence
  /// An answer that has all the words of one of these is right.
  std::vector<std::string> words;
  std::vector<std::string> wrong;  ///< codes that are offered beside it
};

struct LabScenario {
  std::string name;
  std::string title;
  std::string topic;
  unsigned difficulty = 1;  ///< 1 to 5
  std::string story;
  std::vector<std::string> hints;
  std::vector<std::string> needs;     ///< programs besides sh and ip
  std::vector<std::string> places;    ///< besides the host
  std::vector<std::string> programs;  ///< names under which the little server can be started
  std::string setup;                  ///< shell commands
  std::string seen;                   ///< what there is to see, told beside a wrong answer
  LabCause cause;
  std::string show;                   ///< a command that shows the cause
  std::vector<std::string> evidence;  ///< as LabCause::words
  std::string mend;                   ///< shell commands
  std::vector<LabProbe> probes;
};

/// Reads one. Errors are named `file:line:column`; unknown names are errors, with the nearest that
/// is known.
[[nodiscard]] Result<LabScenario> parse_lab_scenario(std::string_view text, std::string_view name,
                                                     const std::string& file);

/// The topics, in the order of the lesson.
[[nodiscard]] std::span<const std::string_view> lab_topics();

/// Places that a scenario may have besides the host.
[[nodiscard]] std::span<const std::string_view> lab_places();

}  // namespace hark::drill
