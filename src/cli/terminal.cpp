#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "base/text.h"

namespace hark::cli {
namespace {

constexpr std::size_t kUsualWidth = 80;

std::optional<std::size_t> choose_width(const Invocation& asked, const Surroundings& around) {
  if (asked.width) return asked.width;
  if (asked.wide || !around.terminal) return std::nullopt;
  if (around.width) return around.width;
  const auto columns = parse_number<std::size_t>(around.variable("COLUMNS"));
  return columns && *columns > 0 ? *columns : kUsualWidth;
}

bool choose_colour(const Invocation& asked, const Surroundings& around) {
  if (asked.color != ColorWhen::Auto) return asked.color == ColorWhen::Always;
  if (!around.variable("NO_COLOR").empty()) return false;
  const std::string force = around.variable("CLICOLOR_FORCE");
  if (!force.empty() && force != "0") return true;
  return around.terminal && around.variable("TERM") != "dumb";
}

/// The codeset as the locale's name has it. setlocale() would load the locale's files only to say
/// the same.
bool locale_has_utf8(const Surroundings& around) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = lower(around.variable(name));
    if (value.empty()) continue;
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace

Surroundings look_around() {
  Surroundings out;
  winsize size{};
  out.terminal = ::isatty(STDOUT_FILENO) == 1;
  if (out.terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    out.width = size.ws_col;
  }
  out.variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  return out;
}

show::TableStyle choose_style(const Invocation& asked, const Surroundings& around) {
  return {.width = choose_width(asked, around),
          .colour = choose_colour(asked, around),
          .ascii = asked.ascii || !locale_has_utf8(around),
          .heading = asked.heading};
}

}  // namespace hark::cli
