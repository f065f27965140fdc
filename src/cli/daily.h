// Dated recordings: one a day in the state directory, made by `hark save --daily` and found by
// `hark diff yesterday`.
//
// The directory is $STATE_DIRECTORY (as systemd gives it to a service), else that of hark drill.
// The recording of a day is DAY.hark in it, as 2026-11-22.hark, by the day of the local time zone;
// a second one of the same day takes its place. Nothing else in there is touched, and no symbolic
// link is followed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hark::cli {

/// Where they are. Fails as drill_folder().
[[nodiscard]] Result<std::string> state_folder();

/// "2026-11-22": the day of a time in seconds since 1970, in the local time zone.
[[nodiscard]] std::string day_of(std::int64_t unix_seconds);
/// The day so many days from another one. `day` is a day.
[[nodiscard]] std::string day_from(std::string_view day, int days);
[[nodiscard]] bool is_day(std::string_view word);

/// A word that means a dated recording, not a file: "last", "today", "yesterday", a day. A file of
/// such a name is ./last.
[[nodiscard]] bool is_dated(std::string_view word);

/// Days of which there is a recording in `folder`, ascending; nothing where there is no folder.
[[nodiscard]] std::vector<std::string> recorded_days(const std::string& folder);

/// The path of the one that `word` means on the day `today`. If there is none the error names the
/// nearest that there are.
[[nodiscard]] Result<std::string> dated_path(const std::string& folder, std::string_view word,
                                             std::string_view today);

/// Makes the folder for its owner alone, and writes the recording of `day`: as a whole or not at
/// all, for its owner alone. Refused are a folder that is a symbolic link, is another user's or may
/// be written by others, and anything at the recording's place that is no regular file. The path.
[[nodiscard]] Result<std::string> write_daily(const std::string& folder, std::string_view day,
                                              std::string_view recording);

/// Removes recordings of more than `keep` days before `today`, but never the newest. The days.
[[nodiscard]] std::vector<std::string> prune_daily(const std::string& folder,
                                                   std::string_view today, std::uint32_t keep);

}  // namespace hark::cli
