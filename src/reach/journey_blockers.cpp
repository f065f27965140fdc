#include "reach/journey_blockers.h"

#include "reach/shell_word.h"

namespace hark::reach {
namespace {

constexpr std::uint32_t kUp = 0x1;  // IFF_UP

}  // namespace

Blocker plain_blocker(const char* code, const std::string& text, const std::string& where,
                      const std::string& verify) {
  return {.cause = {.code = code,
                    .text = text,
                    .evidence = {{.fact = text, .where = where, .verify = verify}}},
          .key = code};
}

std::optional<Blocker> link_down(const World& world, const host::Link& link) {
  const std::string verify = "ip link show dev " + shell_word(link.name);
  const char* code = nullptr;
  std::string text;
  if ((link.flags & kUp) == 0) {
    code = "link-down";
    text = link.name + " is down";
  } else if (!link.carrier) {
    code = "no-carrier";
    text = link.name + " has no carrier";
  } else if (link.port_state && *link.port_state != 3) {  // BR_STATE_FORWARDING
    code = "port-blocked";
    text = link.name + " is a bridge port that does not forward";
  }
  if (code == nullptr || world.is_waived(code)) return std::nullopt;
  return plain_blocker(code, text, link.name, verify);
}

void name_route(const RouteOut& route, Blocker& blocker) {
  constexpr std::uint8_t kBlackhole = 6, kUnreachable = 7, kProhibit = 8;  // RTN_*
  std::string code = route.fib.from_rule ? "rule-" : "route-";
  if (route.fib.type == kBlackhole) {
    code += "blackhole";
  } else if (route.fib.type == kUnreachable) {
    code += "unreachable";
  } else if (route.fib.type == kProhibit) {
    code += "prohibit";
  } else {
    code = "no-route";
  }
  blocker.cause.code = code;
  blocker.key = code;
}

}  // namespace hark::reach
