#include "reach/icmp_words.h"

#include <array>
#include <cerrno>

namespace hark::reach {
namespace {

struct IcmpError {
  Family family;
  std::uint8_t type;
  std::uint8_t code;
  std::string_view name;
  int error;
};
constexpr std::array<IcmpError, 22> kErrors = {{
    {Family::Inet, 3, 0, "net-unreachable", ENETUNREACH},
    {Family::Inet, 3, 1, "host-unreachable", EHOSTUNREACH},
    {Family::Inet, 3, 2, "protocol-unreachable", ENOPROTOOPT},
    {Family::Inet, 3, 3, "port-unreachable", ECONNREFUSED},
    {Family::Inet, 3, 6, "net-unreachable", ENETUNREACH},
    {Family::Inet, 3, 7, "host-unreachable", EHOSTDOWN},
    {Family::Inet, 3, 8, "host-unreachable", ENONET},
    {Family::Inet, 3, 9, "net-prohibited", ENETUNREACH},
    {Family::Inet, 3, 10, "host-prohibited", EHOSTUNREACH},
    {Family::Inet, 3, 11, "net-unreachable", ENETUNREACH},
    {Family::Inet, 3, 12, "host-unreachable", EHOSTUNREACH},
    {Family::Inet, 3, 13, "admin-prohibited", EHOSTUNREACH},
    {Family::Inet, 11, 0, "time-exceeded", EHOSTUNREACH},
    {Family::Inet, 11, 1, "time-exceeded", EHOSTUNREACH},
    {Family::Inet6, 1, 0, "no-route", ENETUNREACH},
    {Family::Inet6, 1, 1, "admin-prohibited", EACCES},
    {Family::Inet6, 1, 2, "address-unreachable", EHOSTUNREACH},
    {Family::Inet6, 1, 3, "address-unreachable", EHOSTUNREACH},
    {Family::Inet6, 1, 4, "port-unreachable", ECONNREFUSED},
    {Family::Inet6, 1, 5, "policy-fail", EACCES},
    {Family::Inet6, 1, 6, "reject-route", EACCES},
    {Family::Inet6, 3, 0, "time-exceeded", EHOSTUNREACH},
}};

const IcmpError* find(Family family, std::uint8_t type, std::uint8_t code) {
  for (const IcmpError& error : kErrors) {
    if (error.family == family && error.type == type && error.code == code) return &error;
  }
  return nullptr;
}

}  // namespace

std::string_view icmp_name(Family family, std::uint8_t type, std::uint8_t code) {
  const IcmpError* error = find(family, type, code);
  return error == nullptr ? std::string_view() : error->name;
}

int icmp_errno(Family family, std::uint8_t type, std::uint8_t code) {
  const IcmpError* error = find(family, type, code);
  return error == nullptr ? EPROTO : error->error;
}

IcmpKind port_unreachable(Family family) {
  return family == Family::Inet ? IcmpKind{3, 3} : IcmpKind{1, 4};
}

IcmpKind host_unreachable(Family family) {
  return family == Family::Inet ? IcmpKind{3, 1} : IcmpKind{1, 3};
}

bool is_port_unreachable(Family family, std::uint8_t type, std::uint8_t code) {
  return icmp_name(family, type, code) == "port-unreachable";
}

}  // namespace hark::reach
