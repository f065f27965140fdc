#include "cli/daily.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>

#include "base/text.h"
#include "base/unique_fd.h"
#include "cli/drill_store.h"
#include "cli/new_file.h"

namespace hark::cli {
namespace {

constexpr std::string_view kEnding = ".hark";
constexpr std::size_t kDayBytes = 10;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

/// Noon, so that no change of the clocks moves it to another day.
std::tm noon_of(std::string_view day) {
  std::tm out{};
  out.tm_year = parse_number<int>(day.substr(0, 4)).value_or(1970) - 1900;
  out.tm_mon = parse_number<int>(day.substr(5, 2)).value_or(1) - 1;
  out.tm_mday = parse_number<int>(day.substr(8, 2)).value_or(1);
  out.tm_hour = 12;
  out.tm_isdst = -1;
  return out;
}

std::string text_of(const std::tm& day) {
  std::array<char, 32> buffer{};
  return {buffer.data(), std::strftime(buffer.data(), buffer.size(), "%Y-%m-%d", &day)};
}

std::string path_of(const std::string& folder, std::string_view day) {
  return folder + "/" + std::string(day) + std::string(kEnding);
}

Result<UniqueFd> open_folder(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) {
    struct stat status {};
    const bool link = ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
    if (link) return fail(plain_error(path, "is a symbolic link, which is not followed"));
    return fail(kernel_error(errno, path));
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail(kernel_error(errno, path));
  if (status.st_uid != ::geteuid()) return fail(plain_error(path, "belongs to another user"));
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(plain_error(path, "others may write there", "chmod go-w " + path));
  }
  return fd;
}

}  // namespace

Result<std::string> state_folder() {
  // Of several that systemd made the first is meant.
  const std::string given = variable("STATE_DIRECTORY");
  if (!given.empty()) return given.substr(0, given.find(':'));
  return drill_folder();
}

std::string day_of(std::int64_t unix_seconds) {
  const std::time_t seconds = unix_seconds;
  std::tm local{};
  if (::localtime_r(&seconds, &local) == nullptr) return "1970-01-01";
  return text_of(local);
}

std::string day_from(std::string_view day, int days) {
  std::tm other = noon_of(day);
  other.tm_mday += days;
  (void)std::mktime(&other);
  return text_of(other);
}

bool is_day(std::string_view word) {
  if (word.size() != kDayBytes || word[4] != '-' || word[7] != '-') return false;
  for (const std::size_t at : {0U, 1U, 2U, 3U, 5U, 6U, 8U, 9U}) {
    if (word[at] < '0' || word[at] > '9') return false;
  }
  // What is no day of the calendar comes out as another one.
  return day_from(word, 0) == word;
}

bool is_dated(std::string_view word) {
  return word == "last" || word == "today" || word == "yesterday" || is_day(word);
}

std::vector<std::string> recorded_days(const std::string& folder) {
  std::vector<std::string> out;
  DIR* const open = ::opendir(folder.c_str());
  if (open == nullptr) return out;
  while (const dirent* entry = ::readdir(open)) {
    const std::string_view name = entry->d_name;
    struct stat status {};
    if (name.size() != kDayBytes + kEnding.size() || !name.ends_with(kEnding)) continue;
    const std::string_view day = name.substr(0, kDayBytes);
    const bool there = ::fstatat(::dirfd(open), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && S_ISREG(status.st_mode) && is_day(day)) out.emplace_back(day);
  }
  ::closedir(open);
  std::ranges::sort(out);
  return out;
}

Result<std::string> dated_path(const std::string& folder, std::string_view word,
                               std::string_view today) {
  const std::vector<std::string> days = recorded_days(folder);
  if (days.empty()) {
    return fail(plain_error(
        std::string(word), "there are no recordings in " + folder,
        "hark save --daily makes one a day; a file of that name is ./" + std::string(word)));
  }
  if (word == "last") return path_of(folder, days.back());
  std::string day(word);
  if (word == "today") day = today;
  if (word == "yesterday") day = day_from(today, -1);
  const auto after = std::ranges::lower_bound(days, day);
  if (after != days.end() && *after == day) return path_of(folder, day);
  std::vector<std::string> near;
  if (after != days.begin()) near.push_back(*(after - 1));
  if (after != days.end()) near.push_back(*after);
  return fail(plain_error(std::string(word),
                          "no recording of " + (day == word ? "that day" : day) + " in " + folder,
                          "the nearest: " + join(near, ", ")));
}

Result<std::string> write_daily(const std::string& folder, std::string_view day,
                                std::string_view recording) {
  if (const Result<void> made = make_folders(folder); !made) return fail(made.error());
  const Result<UniqueFd> opened = open_folder(folder);
  if (!opened) return fail(opened.error());
  const std::string path = path_of(folder, day);
  const std::string name = path.substr(folder.size() + 1);
  struct stat status {};
  const bool there = ::fstatat(opened->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (there && !S_ISREG(status.st_mode)) {
    return fail(plain_error(path, "is no regular file, and is not replaced"));
  }
  if (const Result<void> done = write_new_file_in(opened->get(), name, recording); !done) {
    Error error = done.error();
    error.what = path;
    return fail(std::move(error));
  }
  return path;
}

std::vector<std::string> prune_daily(const std::string& folder, std::string_view today,
                                     std::uint32_t keep) {
  std::vector<std::string> out;
  const Result<UniqueFd> opened = open_folder(folder);
  if (!opened) return out;
  const std::string first = day_from(today, -static_cast<int>(keep));
  const std::vector<std::string> days = recorded_days(folder);
  for (const std::string& day : days) {
    if (day >= first || day == days.back()) continue;
    const std::string name = day + std::string(kEnding);
    if (::unlinkat(opened->get(), name.c_str(), 0) == 0) out.push_back(day);
  }
  return out;
}

}  // namespace hark::cli
