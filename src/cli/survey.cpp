#include "cli/survey.h"

#include <algorithm>
#include <iterator>

#include "cli/commands.h"

namespace hark::cli {
namespace {

using host::Host;
using host::Target;

/// In every namespace that was read.
std::vector<std::size_t> listeners_meant(const Host& host, const Target* target) {
  std::vector<std::size_t> out;
  if (target == nullptr) {
    for (std::size_t i = 0; i < host.listeners.size(); ++i) {
      if (!host.listeners[i].probable_client) out.push_back(i);
    }
    return out;
  }
  for (std::size_t i = 0; i < host.namespaces.size(); ++i) {
    const auto some = host::listeners_of(host, static_cast<host::NetnsId>(i), *target);
    out.insert(out.end(), some.begin(), some.end());
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace

tl::expected<std::unique_ptr<Survey>, Failure> survey(kernel::Source& source,
                                                      const Invocation& asked, const Target* target,
                                                      const Watching& watching) {
  auto collected = collect_with_ways(source, asked, {.owners = true, .details = true});
  if (!collected) return tl::unexpected<Failure>(collected.error());
  auto out = std::make_unique<Survey>(Survey{.collected = std::move(*collected)});
  const Host& host = out->host();
  out->listeners = listeners_meant(host, target);
  out->facts = std::make_unique<DoctorFacts>(read_doctor_facts(
      source, out->collected, out->listeners, diagnose::needs_of_all(), watching));
  DoctorFacts& read = *out->facts;
  out->findings = diagnose::diagnose({.host = host,
                                      .reach = read.reach,
                                      .listeners = out->listeners,
                                      .health = std::move(read.health),
                                      .health_again = std::move(read.health_again),
                                      .waits = std::move(read.waits),
                                      .waits_again = std::move(read.waits_again),
                                      .looks = std::move(read.looks),
                                      .declared = std::move(read.declared),
                                      .localhost = std::move(read.localhost),
                                      .configs = std::move(read.configs),
                                      .oom_kills = std::move(read.oom_kills),
                                      .container_ends = std::move(read.container_ends),
                                      .target = target});
  out->gaps = host.gaps;
  std::ranges::move(read.gaps, std::back_inserter(out->gaps));
  std::ranges::sort(out->gaps);
  out->gaps.erase(std::unique(out->gaps.begin(), out->gaps.end()), out->gaps.end());
  return out;
}

}  // namespace hark::cli
