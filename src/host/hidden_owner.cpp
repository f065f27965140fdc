#include "host/hidden_owner.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "host/select_text.h"

namespace hark::host {
namespace {

/// Terms that are about a process that owns a listener.
bool is_about_owners(const Term& term) {
  constexpr std::array kFields = {Field::Word, Field::Name, Field::Pid, Field::Exe,
                                  Field::CommandLine};
  return std::ranges::find(kFields, term.field) != kFields.end();
}

bool has_unread_owners(const Host& host, NetnsId netns) {
  return std::ranges::any_of(host.listeners, [netns](const Listener& one) {
    return one.netns == netns && !one.owners && one.kernel_owners.empty();
  });
}

/// Processes that /proc does not show at all could be anybody.
const Gap* unseen_processes(const Host& host) {
  constexpr std::array<std::string_view, 3> kCodes = {"hidepid", "pid-namespace", "no-proc"};
  for (const Gap& gap : host.gaps) {
    if (std::ranges::find(kCodes, gap.code) != kCodes.end()) return &gap;
  }
  return nullptr;
}

/// All that anybody may read of a process and that a name could be found in.
std::string words_of_process(kernel::Source& source, const std::string& pid) {
  std::string out;
  for (const char* file : {"/comm", "/cmdline", "/cgroup"}) {
    if (const auto text = source.read_file("/proc/" + pid + file)) {
      out += std::string(as_text(*text)) + "\n";
    }
  }
  return lower(out);
}

bool is_refused(const Error& error) {
  return error.code != ENOENT && error.code != ESRCH;
}

/// May its descriptors not be read, so that it could hold anything? Some sandboxes let them be
/// counted and no more.
bool is_closed(kernel::Source& source, const std::string& pid) {
  const std::string folder = "/proc/" + pid + "/fd";
  const auto held = source.list_folder(folder);
  if (!held) return is_refused(held.error());
  return std::ranges::any_of(*held, [&](const std::string& fd) {
    const auto link = source.read_link(folder + "/" + fd);
    return !link && is_refused(link.error());
  });
}

std::string name_of_process(kernel::Source& source, const std::string& pid) {
  const auto text = source.read_file("/proc/" + pid + "/comm");
  std::string_view name = text ? as_text(*text) : std::string_view();
  return std::string(next_piece(name, '\n')) + " (" + pid + ")";
}

}  // namespace

std::optional<std::string> hidden_owner(kernel::Source& source, const Host& host, NetnsId netns,
                                        const Target& target) {
  const Term& term = target.filter.terms.front();
  if (target.endpoint || !is_about_owners(term) || !has_unread_owners(host, netns)) {
    return std::nullopt;
  }
  if (const Gap* gap = unseen_processes(host)) return gap->what + " could not be seen";
  const auto names = source.list_folder("/proc");
  if (!names) return "the names of processes are not known";
  const std::string wanted =
      lower(term.field == Field::Exe ? last_part(term.text) : std::string_view(term.text));
  // A pattern would have to be tried on each name that a process may have: any could fit.
  const bool any = is_glob(term.text);
  for (const std::string& pid : *names) {
    const auto number = parse_number<std::uint32_t>(pid);
    if (!number) continue;
    const bool named = term.field == Field::Pid
                           ? *number == term.number
                           : any || words_of_process(source, pid).find(wanted) != std::string::npos;
    if (named && is_closed(source, pid)) {
      return "process " + name_of_process(source, pid) + " could not be looked into";
    }
  }
  return std::nullopt;
}

}  // namespace hark::host
