// The families of findings: one function a file, told of in the table of families.cpp.
#pragma once

#include <vector>

#include "diagnose/finding.h"

namespace hark::diagnose {

/// Queues that are full, fill up or overflow: full_queues.cpp.
[[nodiscard]] std::vector<Finding> full_queues(const Facts& facts);
/// Owners that do not run: idle_owners.cpp.
[[nodiscard]] std::vector<Finding> idle_owners(const Facts& facts);
/// Datagrams that nobody takes: full_buffers.cpp.
[[nodiscard]] std::vector<Finding> full_buffers(const Facts& facts);
/// Owners that lack descriptors, memory or time: starved_owners.cpp.
[[nodiscard]] std::vector<Finding> starved_owners(const Facts& facts);
/// Connections that wait while all who hold the socket wait for something else: not_accepting.cpp.
[[nodiscard]] std::vector<Finding> not_accepting(const Facts& facts);
/// Sockets that take packets from some only: choosy_sockets.cpp.
[[nodiscard]] std::vector<Finding> choosy_sockets(const Facts& facts);
/// Units of systemd that are enabled and do not run: failing_units.cpp.
[[nodiscard]] std::vector<Finding> failing_units(const Facts& facts);
/// Containers that ended, and those that end again and again: failing_containers.cpp.
[[nodiscard]] std::vector<Finding> failing_containers(const Facts& facts);
/// Behind what they were made from, a configuration or a container: stale_owners.cpp.
[[nodiscard]] std::vector<Finding> stale_owners(const Facts& facts);
/// Programs and libraries that were removed or replaced: deleted_programs.cpp.
[[nodiscard]] std::vector<Finding> deleted_programs(const Facts& facts);
/// What is commonly private and open to the world: exposed.cpp.
[[nodiscard]] std::vector<Finding> exposed_services(const Facts& facts);
/// Several sockets on one port: shared_ports.cpp.
[[nodiscard]] std::vector<Finding> shared_ports(const Facts& facts);
/// Bound to one family, to an address or device that is not there: odd_bindings.cpp.
[[nodiscard]] std::vector<Finding> odd_bindings(const Facts& facts);
/// Rules of a firewall that do nothing: vain_rules.cpp.
[[nodiscard]] std::vector<Finding> vain_rules(const Facts& facts);
/// Ways past a firewall: firewall_ways.cpp.
[[nodiscard]] std::vector<Finding> firewall_ways(const Facts& facts);
/// Answers that do not get back to anybody on an interface: lost_answers.cpp.
[[nodiscard]] std::vector<Finding> lost_answers(const Facts& facts);
/// Ports below 1024 that people have taken: low_ports.cpp.
[[nodiscard]] std::vector<Finding> low_ports(const Facts& facts);
/// Loopback services that "localhost" does not lead to: local_names.cpp.
[[nodiscard]] std::vector<Finding> local_names(const Facts& facts);
/// Ports that are declared, and nobody listens there: declared_ports.cpp.
[[nodiscard]] std::vector<Finding> declared_ports(const Facts& facts);

}  // namespace hark::diagnose
