#include "decode/oom_kill.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace hark::decode {
namespace {

constexpr std::size_t kLongestName = 15;

/// "[  123.456789] " anywhere before the line's own words.
std::optional<std::int64_t> time_of(std::string_view prefix) {
  const std::size_t open = prefix.find('[');
  const std::size_t close = prefix.find(']', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
  std::string_view text = prefix.substr(open + 1, close - open - 1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || text.size() < dot + 4) return std::nullopt;
  constexpr std::int64_t kMostSeconds = std::int64_t{1} << 40U;
  const auto seconds = parse_number<std::int64_t>(text.substr(0, dot));
  const auto milliseconds = parse_number<std::int64_t>(text.substr(dot + 1, 3));
  if (!seconds || !milliseconds || *seconds < 0 || *seconds > kMostSeconds) return std::nullopt;
  return *seconds * 1000 + *milliseconds;
}

/// "…,oom_memcg=PATH,task_memcg=PATH,task=NAME,pid=N,uid=N". A cgroup and a program are called as
/// people like: from the end on, and no name is longer than the kernel's.
std::optional<OomKillLine> read_line(std::string_view text) {
  const std::size_t uid = text.rfind(",uid=");
  if (uid == std::string_view::npos) return std::nullopt;
  const std::size_t pid = text.substr(0, uid).rfind(",pid=");
  if (pid == std::string_view::npos) return std::nullopt;
  constexpr std::string_view kTask = ",task=";
  constexpr std::string_view kGroup = ",task_memcg=";
  constexpr std::string_view kLimit = ",oom_memcg=";
  const std::size_t least = pid - std::min(pid, kLongestName + kTask.size());
  const std::size_t task = text.substr(0, pid).find(kTask, least);
  if (task == std::string_view::npos) return std::nullopt;
  const auto number = parse_number<std::uint32_t>(text.substr(pid + 5, uid - pid - 5));
  if (!number) return std::nullopt;
  OomKillLine out;
  out.pid = *number;
  const std::size_t name = task + kTask.size();
  out.program = text.substr(name, pid - name);
  const std::size_t group = text.substr(0, task).find(kGroup);
  if (group != std::string_view::npos) {
    out.cgroup = text.substr(group + kGroup.size(), task - group - kGroup.size());
    const std::size_t limit = text.substr(0, group).find(kLimit);
    if (limit != std::string_view::npos) {
      out.limited = text.substr(limit + kLimit.size(), group - limit - kLimit.size());
    }
  }
  return out;
}

}  // namespace

std::vector<OomKillLine> decode_oom_kills(ByteView log) {
  constexpr std::string_view kWords = "oom-kill:";
  std::vector<OomKillLine> out;
  std::string_view rest = as_text(log);
  while (!rest.empty()) {
    const std::string_view line = next_piece(rest, '\n');
    const std::size_t at = line.find(kWords);
    if (at == std::string_view::npos) continue;
    auto one = read_line(line.substr(at + kWords.size()));
    if (!one) continue;
    one->since_boot_ms = time_of(line.substr(0, at));
    out.push_back(std::move(*one));
  }
  return out;
}

}  // namespace hark::decode
