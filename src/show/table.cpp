#include "show/table.h"

namespace hark::show {

std::string coloured(std::string_view text, Colour colour, bool on) {
  if (!on || colour == Colour::None || text.empty()) return std::string(text);
  const char* start = "";
  switch (colour) {
    case Colour::None:
      break;
    case Colour::Dim:
      start = "\x1b[2m";
      break;
    case Colour::Red:
      start = "\x1b[31m";
      break;
    case Colour::Yellow:
      start = "\x1b[33m";
      break;
    case Colour::Green:
      start = "\x1b[32m";
      break;
    case Colour::Bold:
      start = "\x1b[1m";
      break;
  }
  return start + std::string(text) + "\x1b[0m";
}

}  // namespace hark::show
