#include "show/list_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "base/text.h"

namespace hark::show {
namespace {

using host::Host;
using host::Listener;
using host::Process;
using host::ProcessId;

}  // namespace

std::optional<std::string> local_time(std::int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1000;
  std::tm local{};
  if (localtime_r(&seconds, &local) == nullptr) return std::nullopt;
  std::array<char, 64> buffer{};
  const std::size_t size = std::strftime(buffer.data(), buffer.size(), "%Y-%m-%d %H:%M:%S", &local);
  return std::string(buffer.data(), size);
}

std::optional<std::string> started_by_words(const Process& process) {
  if (!process.started_by) return std::nullopt;
  std::vector<std::string> names;
  for (const host::Ancestor& one : *process.started_by) {
    if (one.role == host::AncestorRole::Outside) {
      names.emplace_back("outside this pid namespace");
    } else if (one.role != host::AncestorRole::Other) {
      names.push_back(one.name);
    }
  }
  if (names.empty() && !process.started_by->empty()) {
    names.push_back(process.started_by->front().name);
  }
  return join(names, ", ");
}

std::string device_of(const Listener& listener) {
  if (!listener.interface.empty() || listener.interface_index == 0) return listener.interface;
  return fmt::format("#{}", listener.interface_index);
}

bool is_bound_to_everything(const Listener& listener) {
  return listener.address.unmapped().is_unspecified() && listener.interface != "lo";
}

bool cannot_serve(const Host& host, const Holders& holders) {
  constexpr std::string_view kStandingStill = "TtZX";
  return holders.known == Holders::Known::Processes &&
         std::all_of(holders.processes.begin(), holders.processes.end(), [&](ProcessId id) {
           return kStandingStill.find(host.at(id).state) != std::string_view::npos;
         });
}

QueueLevel queue_level(const Listener& listener) {
  const auto& [length, limit, drops] = listener.queue;
  if (!length || !limit) return QueueLevel::Quiet;
  // sk_acceptq_is_full of include/net/sock.h: one more than the limit is let in.
  if (listener.state == host::State::Listen && *length > *limit) return QueueLevel::Full;
  return *length > *limit / 2 && *length > 0 && *limit > 0 ? QueueLevel::Half : QueueLevel::Quiet;
}

const Listener& fullest(const Host& host, const ListRow& row) {
  const auto share = [&](std::size_t i) {
    const Listener& l = host.listeners[i];
    const double length = static_cast<double>(l.queue.length.value_or(0));
    const double limit = static_cast<double>(l.queue.limit.value_or(0));
    return std::make_tuple(queue_level(l), length / std::max(limit, 1.0));
  };
  return host.listeners[*std::max_element(
      row.listeners.begin(), row.listeners.end(),
      [&](std::size_t a, std::size_t b) { return share(a) < share(b); })];
}

}  // namespace hark::show
