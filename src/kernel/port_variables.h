// Environments of processes hold secrets, so that hark never has one: of /proc/PID/environ a live
// source hands out nothing but the variables that say on which port a program should listen.
#pragma once

#include <string>
#include <string_view>

namespace hark::kernel {

/// Is it /proc/PID/environ?
[[nodiscard]] bool is_environment(std::string_view path);

/// PORT, LISTEN_PORT and HTTP_PORT where they are set to a port above 0, each ended by NUL.
[[nodiscard]] std::string port_variables(std::string_view environment);

}  // namespace hark::kernel
