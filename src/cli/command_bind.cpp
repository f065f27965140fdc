// hark bind: target, user, namespace, facts, answer, screen or JSON.
#include <algorithm>
#include <numeric>

#include "base/text.h"
#include "cli/bind_target.h"
#include "cli/commands.h"
#include "cli/source.h"
#include "cli/tally.h"
#include "cli/terminal.h"
#include "diagnose/bind.h"
#include "host/bind_facts.h"
#include "kernel/resolve_name.h"
#include "show/bind_json.h"
#include "show/bind_view.h"
#include "show/escape.h"

namespace hark::cli {
namespace {

using diagnose::BindAnswer;
using diagnose::BindQuestion;

/// One that fails tells more than one that is open, and that more than one that succeeds.
int weight(const BindAnswer& answer) {
  if (!answer.error) return 1;
  return *answer.error != 0 ? 2 : 0;
}

ExitStatus status_of(const BindAnswer& answer) {
  if (!answer.error) return ExitStatus::CannotTell;
  return *answer.error == 0 ? ExitStatus::Yes : ExitStatus::No;
}

Result<std::vector<IpAddress>> addresses_of(const BindTarget& target, bool has_ipv6,
                                            std::vector<std::string>& notes) {
  if (target.address) return std::vector{*target.address};
  if (target.name.empty()) {
    // As most servers do that are to be had by every address.
    return std::vector{IpAddress{.family = has_ipv6 ? Family::Inet6 : Family::Inet}};
  }
  auto found = kernel::resolve_name(target.name);
  if (!found) {
    Error error = found.error();
    error.what = target.written;
    return fail(std::move(error));
  }
  std::vector<std::string> words;
  for (const IpAddress& one : *found) words.push_back(one.text());
  notes.push_back(target.name + " is " + join(words, ", ") + " to this machine's resolver");
  return *found;
}

Result<void> check_options(const Invocation& asked, const BindTarget& target) {
  if (asked.v6only && target.address && target.address->family == Family::Inet) {
    return fail(plain_error("--v6only", target.address->text() + " is an address of IPv4",
                            "for every address of IPv6 ask [::]:" + std::to_string(target.port)));
  }
  const bool scoped = target.address && target.address->family == Family::Inet6 &&
                      (target.address->is_link_local() || target.address->is_multicast());
  if (!asked.device.empty() && !target.zone.empty() && !scoped && asked.device != target.zone) {
    return fail(plain_error("--device " + asked.device,
                            target.written + " names another interface, " + target.zone));
  }
  return {};
}

BindQuestion question_of(const Invocation& asked, const BindTarget& target,
                         const IpAddress& address, const host::BindSettings& settings) {
  BindQuestion out;
  out.protocol = target.protocol;
  out.address = address;
  out.port = target.port;
  out.zone = target.zone;
  out.device = asked.device;
  out.reuseaddr = asked.reuseaddr.value_or(target.protocol == Protocol::Tcp);
  out.reuseport = asked.reuseport;
  out.v6only = address.family == Family::Inet6 && (asked.v6only || settings.v6only.value_or(false));
  return out;
}

struct Facts {
  host::Collected collected;
  host::Network network;
  host::BindFacts bind;
};

tl::expected<Facts, Failure> read_facts(kernel::Source& source, const Invocation& asked,
                                        const BindTarget& target, host::BindUser user) {
  Facts out;
  host::PortSockets found;
  host::CollectRequest request{
      .identity = asked.json, .owners = true, .details = asked.json, .netns = asked.netns};
  request.more = [&](const kernel::NetnsRef& way, host::NetnsId id,
                     std::vector<host::Listener>& listeners) {
    found = host::read_port_sockets(source, way, target.protocol, target.port);
    auto more = host::more_to_own(found, target.port, id, listeners);
    std::ranges::move(more, std::back_inserter(listeners));
  };
  auto collected = collect_or_fail(source, request);
  if (!collected) return tl::unexpected<Failure>(collected.error());
  out.collected = std::move(*collected);
  if (out.collected.ways.empty()) {
    return fail_with(ExitStatus::CannotTell,
                     plain_error("--netns " + asked.netns, "the namespace could not be read"));
  }
  const host::NetnsId id = out.collected.focus;
  const kernel::NetnsRef& way = out.collected.ways[static_cast<std::size_t>(id)];
  out.network = host::read_network(source, way, id, {.firewalls = false, .programs = false});
  out.bind = host::join_bind_facts(source, way, out.collected.host, id, target.port,
                                   std::move(found), std::move(user));
  return out;
}

/// All of this answer, and of what was read that it needs.
std::vector<host::Gap> all_gaps(const Facts& facts, const BindAnswer& answer) {
  std::vector<host::Gap> out = facts.collected.host.gaps;
  // A listing's; what could not be read of sockets that have the port is another gap.
  std::erase_if(out, [](const host::Gap& gap) { return gap.code == "sockets-not-read"; });
  for (const auto& [fact, gap] : facts.network.unread) {
    const bool matters = fact == host::NetworkFact::Links || fact == host::NetworkFact::Addresses ||
                         fact == host::NetworkFact::Routes;
    if (matters) out.push_back(gap);
  }
  out.insert(out.end(), facts.bind.gaps.begin(), facts.bind.gaps.end());
  out.insert(out.end(), answer.gaps.begin(), answer.gaps.end());
  std::ranges::stable_sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Outcome answer_bind(const Invocation& asked, kernel::Source& source, Output& out) {
  const Result<BindTarget> target = parse_bind_target(asked.words.front());
  if (!target) return fail_with(ExitStatus::Usage, target.error());
  if (const Result<void> fine = check_options(asked, *target); !fine)
    return fail_with(ExitStatus::Usage, fine.error());
  Result<host::BindUser> user = host::read_bind_user(source, asked.user);
  if (!user) return fail_with(ExitStatus::Usage, user.error());
  auto facts = read_facts(source, asked, *target, std::move(*user));
  if (!facts) return tl::unexpected<Failure>(facts.error());
  std::vector<std::string> notes;
  const auto addresses = addresses_of(*target, facts->bind.settings.has_ipv6, notes);
  if (!addresses) return fail_with(ExitStatus::Usage, addresses.error());
  const diagnose::BindWorld world{facts->collected.host, facts->network, facts->bind};
  std::optional<BindAnswer> answer;
  for (const IpAddress& address : *addresses) {
    BindAnswer one =
        diagnose::bind_outcome(world, question_of(asked, *target, address, facts->bind.settings));
    if (!answer || weight(one) > weight(*answer)) answer = std::move(one);
  }
  if (!answer)
    return fail_with(ExitStatus::Usage, plain_error(target->written, "the name has no address"));
  notes.insert(notes.end(), answer->notes.begin(), answer->notes.end());
  std::vector<host::Gap> gaps = all_gaps(*facts, *answer);
  const ExitStatus status = status_of(*answer);
  const show::BindReport report{facts->collected.host, facts->network,  facts->bind,
                                std::move(*answer),    target->written, std::move(notes),
                                std::move(gaps)};
  if (asked.verbose) print_message(gaps_text(report.gaps));
  if (asked.json) {
    show::write_bind_json(report, [&out](std::string_view text) { out.write(text); });
  } else {
    out.write(show::bind_text(report, choose_style(asked, look_around())));
  }
  return status;
}

}  // namespace

Outcome command_bind(const Invocation& asked, Output& out) {
  const tl::expected<OpenedSource, Failure> opened = open_source(asked);
  if (!opened) return tl::unexpected<Failure>(opened.error());
  Tally tally(*opened->source);
  kernel::Source& source = asked.verbose ? static_cast<kernel::Source&>(tally) : *opened->source;
  const Outcome outcome = answer_bind(asked, source, out);
  if (asked.verbose) {
    print_message("hark: source: " + show::for_terminal(opened->name) + "\n" + tally.text());
  }
  if (outcome) leave(*outcome, out);
  return outcome;
}

}  // namespace hark::cli
