// What of two sides could not be compared, and why. For changes.cpp alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "diagnose/changes.h"

namespace hark::diagnose {

enum class Uncompared : std::uint8_t { Owners, Reach, Published, Namespaces, Findings };

class CompareGaps {
 public:
  CompareGaps(const Snapshot& before, const Snapshot& after) : before_(before), after_(after) {}

  /// `thing`: "tcp 22". The reason is a gap of either side: one of these codes, or `reason`.
  void add(Uncompared kind, const std::string& thing, const std::string& reason = {});
  /// A gap of one side that the other has not got, and that hides more than details; nullptr: none.
  /// What is on the other side alone may have been there all the time.
  [[nodiscard]] const host::Gap* blind_spot(bool of_before) const;
  /// A gap by which rows may be missing on a side; nullptr: none.
  [[nodiscard]] const host::Gap* missing_rows(bool of_before) const;

  [[nodiscard]] std::vector<host::Gap> take() const;

 private:
  [[nodiscard]] std::string reason_for(Uncompared kind) const;

  const Snapshot& before_;
  const Snapshot& after_;
  struct Entry {
    std::vector<std::string> things;
    std::string reason;
  };
  std::map<Uncompared, Entry> entries_;
};

}  // namespace hark::diagnose
