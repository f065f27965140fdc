// hark test --watch: what changes from one round to the next, and how long each took.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "show/table.h"
#include "show/test.h"

namespace hark::cli {

class TestWatch {
 public:
  explicit TestWatch(const show::TableStyle& style) : style_(style) {}

  /// A line for each attempt that went otherwise than in the round before; of the first round the
  /// whole table. `clock` as people read it: "14:03:22".
  [[nodiscard]] std::string round(const show::TestReport& report, const std::string& clock);

  /// The times of each attempt, oldest first, a line each.
  [[nodiscard]] std::string sparks(const show::TestReport& report) const;

  /// The same of the last rounds, on one line, for a terminal that shows it again and again.
  [[nodiscard]] std::string status(const show::TestReport& report) const;

 private:
  struct History {
    std::string last;  ///< what it came to, without its times
    std::vector<std::optional<double>> times;
  };
  const show::TableStyle& style_;
  std::vector<History> histories_;
};

}  // namespace hark::cli
