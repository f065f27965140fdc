// From the facts to the list of findings: ask each family, leave out what was not asked about, say
// once what is true of several listeners, and put the worst first.
#include <algorithm>
#include <cassert>
#include <limits>
#include <tuple>

#include "diagnose/finding.h"
#include "host/select.h"

namespace hark::diagnose {
namespace {

/// Without a listener: behind all of them.
std::size_t place_of(const Finding& finding) {
  return finding.listener.value_or(std::numeric_limits<std::size_t>::max());
}

bool names(std::string_view text, std::string_view word) {
  return !word.empty() && text.find(word) != std::string_view::npos;
}

bool is_meant(const Facts& facts, const Finding& finding) {
  const bool by_port = facts.target != nullptr && facts.target->endpoint;
  if (by_port && finding.published && finding.published == facts.target->port) return true;
  if (finding.listener) {
    return std::ranges::binary_search(facts.listeners, *finding.listener);
  }
  if (facts.target == nullptr) return true;
  if (by_port) return finding.port == facts.target->port;
  const host::Term& term = facts.target->filter.terms.front();
  return names(finding.subject, term.text) || names(finding.text, term.text);
}

bool say_the_same(const Finding& a, const Finding& b) {
  return std::tie(a.code, a.severity, a.subject, a.text, a.remedy) ==
             std::tie(b.code, b.severity, b.subject, b.text, b.remedy) &&
         a.listener.has_value() == b.listener.has_value();
}

void join(Finding& into, Finding& other) {
  if (other.listener && other.listener != into.listener) into.also.push_back(*other.listener);
  for (reach::Evidence& one : other.evidence) {
    if (std::ranges::find(into.evidence, one) == into.evidence.end()) {
      into.evidence.push_back(std::move(one));
    }
  }
}

const host::ProcessHealth* with_pid(const std::vector<host::ProcessHealth>& all,
                                    std::uint32_t pid) {
  const auto found = std::ranges::lower_bound(all, pid, {}, &host::ProcessHealth::pid);
  return found == all.end() || found->pid != pid ? nullptr : &*found;
}

[[maybe_unused]] bool knows(const Family& family, const Finding& finding) {
  return std::ranges::find(family.codes, finding.code) != family.codes.end();
}

}  // namespace

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::Broken:
      return "broken";
    case Severity::Risk:
      return "risk";
    case Severity::Notice:
      break;
  }
  return "notice";
}

const host::Network* Facts::network(const host::Listener& listener) const {
  return reach.network(listener.netns);
}

const host::ProcessHealth* Facts::health_of(std::uint32_t pid) const {
  return with_pid(health, pid);
}

const host::ProcessHealth* Facts::health_again_of(std::uint32_t pid) const {
  return with_pid(health_again, pid);
}

std::uint64_t Facts::rise(const host::Listener& listener, std::string_view counter) const {
  if (!looked_twice()) return 0;
  const auto before = looks.front().counter(listener.netns, counter);
  const auto now = looks.back().counter(listener.netns, counter);
  return before && now && *now > *before ? *now - *before : 0;
}

std::uint64_t Facts::rise_of_drops(const host::Listener& listener) const {
  if (!looked_twice()) return 0;
  const host::SocketLook* before = looks.front().socket(listener.socket.inode);
  const host::SocketLook* now = looks.back().socket(listener.socket.inode);
  if (before == nullptr || now == nullptr || !before->drops || !now->drops) return 0;
  return *now->drops > *before->drops ? *now->drops - *before->drops : 0;
}

std::vector<Finding> diagnose(const Facts& facts) {
  std::vector<Finding> all;
  for (const Family& family : families()) {
    for (Finding& finding : family.find(facts)) {
      assert(knows(family, finding));
      if (is_meant(facts, finding)) all.push_back(std::move(finding));
    }
  }
  std::ranges::stable_sort(
      all, {}, [](const Finding& one) { return std::tuple(one.severity, place_of(one)); });
  std::vector<Finding> out;
  for (Finding& finding : all) {
    const auto same = std::ranges::find_if(
        out, [&](const Finding& other) { return say_the_same(other, finding); });
    if (same == out.end()) {
      out.push_back(std::move(finding));
    } else {
      join(*same, finding);
    }
  }
  return out;
}

}  // namespace hark::diagnose
