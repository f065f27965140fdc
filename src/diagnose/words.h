// Words that findings share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diagnose/finding.h"
#include "host/holders.h"
#include "host/host.h"
#include "host/localhost.h"

namespace hark::diagnose {

/// Of addresses; Family is one of findings here.
using IpFamily = hark::Family;

/// TCP and MPTCP, which share their ports.
[[nodiscard]] bool is_stream(Protocol protocol);
[[nodiscard]] bool is_stream(const host::Listener& listener);

using host::is_localhost;

/// "40 seconds", "3 hours", "12 days": a time as a person says it.
[[nodiscard]] std::string duration_words(std::int64_t ms);

/// "1 connection", "4,211 connections"
[[nodiscard]] std::string counted(std::uint64_t count, const char* thing);

/// "512 bytes", "61.5 MiB"
[[nodiscard]] std::string bytes_words(std::uint64_t bytes);

/// "signal 9 (SIGKILL)": of those that tell why a program ended; signal(7), whose numbers are those
/// of x86 and arm.
[[nodiscard]] std::string signal_words(std::int32_t number);

/// "ss -Htln sport = :8080"; `more` are options of ss behind these.
[[nodiscard]] std::string socket_command(const host::Listener& listener, const char* more = "");

/// "in 300 ms": from the first look to the last. There are two.
[[nodiscard]] std::string since_words(const Facts& facts);

/// The owners that could serve, ascending: without process 1 where there is another, which keeps
/// the sockets of services that it started. Empty: nobody, or it was not read.
[[nodiscard]] std::vector<host::ProcessId> servers_of(const host::Host& host,
                                                      const host::Listener& listener);

}  // namespace hark::diagnose
