#include "kernel/resolve_name.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "base/bytes.h"
#include "base/text.h"
#include "kernel/live_units.h"

namespace hark::kernel {
namespace {

constexpr unsigned kTimeoutMs = 5000;
constexpr std::size_t kMostAddresses = 64;

}  // namespace

std::vector<IpAddress> addresses_of_getent(std::string_view text) {
  std::vector<IpAddress> out;
  while (!text.empty() && out.size() < kMostAddresses) {
    std::string_view line = next_piece(text, '\n');
    const std::string_view word = next_word(line);
    // A link-local address has its zone behind it.
    const auto address = IpAddress::parse(word.substr(0, word.find('%')));
    if (!address) continue;
    const IpAddress plain = address->unmapped();
    if (std::ranges::find(out, plain) == out.end()) out.push_back(plain);
  }
  return out;
}

Result<std::vector<IpAddress>> resolve_name(const std::string& name, int stop) {
  for (const char* place : {"/usr/bin/getent", "/bin/getent"}) {
    if (!is_trusted_program(place)) continue;
    // Its exit status for a name that does not exist is 2, which is ENOENT as well.
    const auto text = run_units_program({place, "ahosts", name}, {}, kTimeoutMs, stop);
    if (!text) {
      const int code = text.error().code;
      if (code == ENOENT) return fail(plain_error(name, "no such name", "an address always works"));
      if (code == ETIMEDOUT) return fail(plain_error(name, "the resolver did not answer in time"));
      return fail(kernel_error(code, name));
    }
    std::vector<IpAddress> out = addresses_of_getent(as_text(*text));
    if (!out.empty()) return out;
    return fail(plain_error(name, "the name has no address"));
  }
  return fail(plain_error(name, "names cannot be resolved: getent(1) is not here",
                          "give its address instead"));
}

}  // namespace hark::kernel
