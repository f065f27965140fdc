// hark save: the same survey as hark list, through a recorder.
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <numeric>
#include <set>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/daily.h"
#include "cli/doctor_facts.h"
#include "cli/list_reach.h"
#include "cli/new_file.h"
#include "cli/source.h"
#include "cli/tally.h"
#include "host/bind_facts.h"
#include "host/collect_network.h"
#include "host/redact.h"
#include "host/redact_files.h"
#include "kernel/recorder.h"
#include "kernel/recording.h"
#include "reach/published.h"
#include "show/escape.h"

namespace hark::cli {
namespace {

constexpr auto kStandardOutput = "-";

/// Nothing is recorded before it is clear that it may be written.
Result<void> check_target(const Invocation& asked) {
  if (asked.daily) return {};
  const std::string& path = asked.words.front();
  if (path == kStandardOutput) {
    if (::isatty(STDOUT_FILENO) == 0) return {};
    return fail(plain_error("standard output", "a recording is no text for a terminal",
                            "send it into a file or a pipe"));
  }
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  if (S_ISDIR(status.st_mode)) return fail(plain_error(path, "is a folder"));
  if (asked.force || !S_ISREG(status.st_mode) || status.st_size == 0) return {};
  if (begins_like_recording(path)) return {};
  return fail(plain_error(path, "exists and is no recording", "--force replaces it"));
}

std::string size_words(std::size_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " bytes";
  const std::size_t tenths = bytes / 100;
  if (tenths < 10'000)
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " kB";
  return std::to_string(bytes / 1'000'000) + "." + std::to_string(bytes / 100'000 % 10) + " MB";
}

std::string report(const Invocation& asked, const std::string& path, const host::Host& host,
                   std::size_t size) {
  const std::size_t count = host.listeners.size();
  std::string out =
      "hark: " + show::for_terminal(path) + ": " + std::to_string(count) +
      (count == 1 ? " listener of " : " listeners of ") + show::for_terminal(host.name) + ", " +
      size_words(size) +
      (asked.redact ? ", secrets in command lines taken out\n" : ", command lines as they are\n");
  for (const host::Gap& gap : host.gaps) {
    out += "  not seen: " + show::for_terminal(gap.what) + "\n";
  }
  return out;
}

/// Asks what `hark -r FILE` may need of each namespace.
std::map<host::NetnsId, host::Network> record_networks(kernel::Recorder& recorder,
                                                       const host::Collected& collected) {
  std::map<host::NetnsId, host::Network> out;
  for (std::size_t i = 0; i < collected.ways.size(); ++i) {
    const host::NetnsId id{static_cast<std::uint32_t>(i)};
    if (!collected.host.at(id).entered) continue;
    (void)recorder.netns_ids(collected.ways[i], collected.ways);
    out.emplace(id, host::collect_network(recorder, collected.ways[i], collected.host, id,
                                          host::network_request(collected.host, id)));
  }
  return out;
}

/// What `hark list --json` would have printed, made of what was recorded.
void print_json(kernel::Recorder& recorder, host::Collected& collected,
                std::map<host::NetnsId, host::Network>& networks, Output& out) {
  std::vector<std::size_t> every(collected.host.listeners.size());
  std::iota(every.begin(), every.end(), std::size_t{0});
  for (auto& [id, network] : networks) host::forget_socket_options(network);
  WhyEngine engine = list_engine(reach::Sources::Every);
  engine.read = [&networks](kernel::Source&, const kernel::NetnsRef&, const host::Host&,
                            host::NetnsId id) { return std::move(networks[id]); };
  const reach::ReachTable reach =
      read_reach({recorder, collected.host, collected.ways, engine}, every, true,
                 reach::Sources::Every, collected.host.gaps);
  std::vector<std::size_t> published(reach.published().size());
  std::iota(published.begin(), published.end(), std::size_t{0});
  print_list_json(collected.host, every, {}, out, &reach, published);
}

/// Where it went.
Result<std::string> write_recording(const Invocation& asked, std::int64_t taken_at_ms,
                                    std::string_view recording, Output& out) {
  if (asked.daily) {
    constexpr std::int64_t kSecond = 1000;
    const Result<std::string> folder = state_folder();
    if (!folder) return fail(folder.error());
    const std::string today = day_of(taken_at_ms / kSecond);
    Result<std::string> written = write_daily(*folder, today, recording);
    if (!written) return written;
    for (const std::string& day : prune_daily(*folder, today, asked.keep_days)) {
      print_message("hark: removed the recording of " + day + ", older than " +
                    std::to_string(asked.keep_days) + " days\n");
    }
    return written;
  }
  const std::string& path = asked.words.front();
  if (path == kStandardOutput) {
    out.write(recording);
  } else if (const Result<void> written = write_new_file(path, recording); !written) {
    return fail(written.error());
  }
  return path;
}

}  // namespace

Outcome command_save(const Invocation& asked, Output& out) {
  if (const Result<void> fine = check_target(asked); !fine) {
    return fail_with(ExitStatus::Usage, fine.error());
  }
  give_threads_heaps();
  const tl::expected<OpenedSource, Failure> opened = open_source(asked);
  if (!opened) return tl::unexpected<Failure>(opened.error());
  Tally tally(*opened->source);
  kernel::Recorder recorder(
      tally, asked.redact ? kernel::Redactor(host::redact_command_line) : kernel::Redactor{},
      asked.redact ? kernel::FileRedactor(host::redact_file) : kernel::FileRedactor{});
  // With owners everything is asked that `hark -r FILE list` can ever ask.
  std::set<std::uint32_t> more;
  auto collected = collect_with_ways(
      recorder, asked,
      {.more = [&](const kernel::NetnsRef& way, host::NetnsId id,
                   std::vector<host::Listener>& listeners) {
        for (host::Listener& one : host::record_port_sockets(recorder, way, id, listeners)) {
          more.insert(one.socket.inode);
          listeners.push_back(std::move(one));
        }
      }});
  if (!collected) return tl::unexpected<Failure>(collected.error());
  host::record_options(recorder, collected->host, more);
  const host::Host* host = &collected->host;
  auto networks = record_networks(recorder, *collected);
  record_doctor_facts(recorder, *collected);
  for (const auto& [id, network] : networks) {
    host::record_bind_facts(recorder, collected->ways[static_cast<std::size_t>(id)]);
  }

  const Bytes file =
      kernel::encode_recording({.header = {.hark_version = HARK_VERSION,
                                           .host = host->name,
                                           .taken_at = host::rfc3339(host->taken_at_ms),
                                           .redacted = asked.redact},
                                .answers = recorder.take_answers()});
  const Result<std::string> path = write_recording(asked, host->taken_at_ms, as_text(file), out);
  if (!path) return fail_with(ExitStatus::CannotTell, path.error());
  if (asked.verbose) print_message(tally.text() + gaps_text(host->gaps));
  print_message(report(asked, *path, *host, file.size()));
  if (asked.json) print_json(recorder, *collected, networks, out);
  return ExitStatus::Yes;
}

}  // namespace hark::cli
