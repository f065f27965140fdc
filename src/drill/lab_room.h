// What goes on inside a sandbox of `hark lab`: its first process sets the scenario up, gives the
// person a shell, and answers what `hark lab hint` … ask.
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "drill/lab_channel.h"
#include "drill/lab_scenario.h"

namespace hark::drill {

/// How far the person got.
struct LabScore {
  bool cause = false;     ///< named
  bool evidence = false;  ///< and what shows it
  bool mended = false;    ///< proven by packets
  bool gave_up = false;
  unsigned hints = 0;
  unsigned wrong = 0;

  [[nodiscard]] bool solved() const { return cause && evidence && !gave_up; }
  bool operator==(const LabScore&) const = default;
};

/// One line, as it goes from the sandbox to who started it.
[[nodiscard]] std::string lab_score_line(const LabScore& score);
[[nodiscard]] LabScore read_lab_score(std::string_view line);

/// A session's answers. Keeps the score.
class LabRoom {
 public:
  explicit LabRoom(const LabScenario& scenario) : scenario_(scenario) {}

  [[nodiscard]] LabReply answer(const std::vector<std::string>& words);
  [[nodiscard]] const LabScore& score() const { return score_; }
  [[nodiscard]] bool left() const { return left_; }

 private:
  [[nodiscard]] LabReply story() const;
  [[nodiscard]] LabReply hint();
  [[nodiscard]] LabReply judge(const std::string& words);
  [[nodiscard]] LabReply choices() const;
  [[nodiscard]] LabReply check();
  [[nodiscard]] LabReply give_up();

  const LabScenario& scenario_;
  LabScore score_;
  bool left_ = false;
};

/// Is the first process of the sandbox; its result is the process's status. Tells `to` "ready" or
/// "failed WHY", waits for a byte from `go`, and then tells the score whenever it changes, a line
/// each.
[[nodiscard]] int run_lab_room(const LabScenario& scenario, bool terminal, const UniqueFd& to,
                               const UniqueFd& go);

}  // namespace hark::drill
