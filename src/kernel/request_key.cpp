#include "kernel/request_key.h"

#include <algorithm>

namespace hark::kernel {
namespace {

/// struct nlmsghdr of linux/netlink.h: length u32, type u16, flags u16, sequence u32, port u32.
constexpr std::size_t kSequenceBegin = 8;
constexpr std::size_t kPortEnd = 16;

/// Through a process only if there is no other way, as Live does it.
bool is_through_process(const NetTablePlace& place) {
  return place.netns.paths.empty() && place.pid != 0;
}

}  // namespace

void append_hex(std::string& to, ByteView bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  to.reserve(to.size() + 2 * bytes.size());
  for (const std::byte byte : bytes) {
    to += kDigits[std::to_integer<unsigned>(byte) >> 4];
    to += kDigits[std::to_integer<unsigned>(byte) & 15U];
  }
}

std::string netlink_key(const NetnsRef& netns, int protocol, ByteView request) {
  Bytes bytes(request.begin(), request.end());
  for (std::size_t i = kSequenceBegin; i < std::min(kPortEnd, bytes.size()); ++i) bytes[i] = {};
  std::string key = "netlink " + std::to_string(netns.inode) + " " + std::to_string(protocol) + " ";
  append_hex(key, bytes);
  return key;
}

std::string file_key(const std::string& path) {
  return "file " + path;
}

std::string file_time_key(const std::string& path) {
  return "file-time " + path;
}

std::string link_key(const std::string& path) {
  return "link " + path;
}

std::string folder_key(const std::string& path) {
  return "folder " + path;
}

std::string net_table_key(const NetTablePlace& place, NetTable table) {
  const std::string where = is_through_process(place)
                                ? "pid " + std::to_string(place.pid)
                                : "netns " + std::to_string(place.netns.inode);
  return "net-table " + where + " " + file_name(table);
}

std::string net_file_key(const NetnsRef& netns, const std::string& path) {
  return "net-file netns " + std::to_string(netns.inode) + " " + path;
}

std::string legacy_table_key(const NetnsRef& netns, Family family, const std::string& name) {
  return "legacy-table netns " + std::to_string(netns.inode) +
         (family == Family::Inet ? " ip " : " ip6 ") + name;
}

std::string programs_key(const ProgramPlace& place) {
  switch (place.kind) {
    case ProgramPlace::Kind::Netns:
      return "programs netns " + std::to_string(place.netns.inode);
    case ProgramPlace::Kind::Link:
      return "programs link " + std::to_string(place.netns.inode) + " " +
             std::to_string(place.number);
    case ProgramPlace::Kind::Cgroup:
      return "programs cgroup " + place.cgroup;
    case ProgramPlace::Kind::Program:
      break;
  }
  return "program " + std::to_string(place.number);
}

std::string options_key(const SocketHolder& holder) {
  return "socket-options " + std::to_string(holder.pid) + " " + std::to_string(holder.fd) + " " +
         std::to_string(holder.inode);
}

std::string sockets_key(SurveyDepth depth) {
  return depth == SurveyDepth::Full ? "scan sockets full" : "scan sockets files";
}

std::string bound_key(const BoundPlace& place) {
  return "bound-sockets " + std::to_string(place.netns.inode) + " " +
         std::string(name_of(place.protocol)) + " " + std::to_string(place.port);
}

std::string netns_ids_key(const NetnsRef& in) {
  return "netns-ids netns " + std::to_string(in.inode);
}

std::string namespaces_key() {
  return "scan namespaces";
}

std::string descriptors_key() {
  return "scan descriptors";
}

std::string processes_key() {
  return "processes";
}

std::string cgroup_key(std::uint64_t id) {
  return "cgroup " + std::to_string(id);
}

std::string clock_key() {
  return "clock";
}

std::string units_key() {
  return "units";
}

std::string netlink_what() {
  return "netlink request";
}

std::string path_what(const std::string& path) {
  return path;
}

std::string net_table_what(NetTable table) {
  return std::string("/proc/net/") + file_name(table);
}

std::string legacy_table_what(Family family, const std::string& name) {
  return (family == Family::Inet ? "iptables table " : "ip6tables table ") + name;
}

std::string programs_what(const ProgramPlace& place) {
  switch (place.kind) {
    case ProgramPlace::Kind::Netns:
      return "BPF programs of the namespace";
    case ProgramPlace::Kind::Link:
      return "BPF programs of link " + std::to_string(place.number);
    case ProgramPlace::Kind::Cgroup:
      return "BPF programs of cgroup " + place.cgroup;
    case ProgramPlace::Kind::Program:
      break;
  }
  return "BPF program " + std::to_string(place.number);
}

std::string options_what(const SocketHolder& holder) {
  return "options of socket " + std::to_string(holder.inode) + " of process " +
         std::to_string(holder.pid);
}

std::string sockets_what() {
  return "sockets of all namespaces";
}

std::string bound_what() {
  return "sockets that have the port";
}

std::string netns_ids_what() {
  return "numbers of network namespaces";
}

std::string processes_what() {
  return "/proc";
}

std::string cgroup_what(std::uint64_t id) {
  return "cgroup " + std::to_string(id);
}

std::string clock_what() {
  return "clock";
}

std::string units_what() {
  return "systemd";
}

}  // namespace hark::kernel
