// Layout:
//
//   ECONNREFUSED (111): Connection refused
//
//   means     Something answered, and said no: a TCP reset, or ICMP port unreachable. …
//   excludes  A dead host, a missing route, and rules that drop in silence: an answer came back.
//   ask next  hark why 22
//               on the server: who listens there, and who gets through
//
// Commands are never cut or broken: they are there to be copied.
#include "show/explain_view.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "show/escape.h"

namespace hark::show {
namespace {

constexpr std::size_t kIndent = 10;
constexpr std::size_t kLeastText = 30;
constexpr std::size_t kMostQuestion = 200;

std::optional<std::size_t> left_of(const TableStyle& style, std::size_t indent) {
  if (!style.width) return std::nullopt;
  return std::max(kLeastText, *style.width - std::min(*style.width, indent));
}

std::string paragraph(std::string_view word, std::string_view text, const TableStyle& style) {
  std::string out;
  std::string line(word);
  for (const std::string& piece :
       wrapped(for_terminal(text, style.ascii), left_of(style, kIndent))) {
    line.resize(kIndent, ' ');
    out += line + piece + "\n";
    line.clear();
  }
  return out;
}

std::string questions(const diagnose::Explained& known, const TableStyle& style) {
  std::string out;
  for (const diagnose::Explained::Next& next : known.next) {
    std::string line = out.empty() ? "ask next" : "";
    line.resize(kIndent, ' ');
    out +=
        line + coloured(for_terminal(next.command, style.ascii), Colour::Bold, style.colour) + "\n";
    for (const std::string& piece : wrapped(next.why, left_of(style, kIndent + 2))) {
      out += std::string(kIndent + 2, ' ') + piece + "\n";
    }
  }
  return out;
}

}  // namespace

std::string explain_text(const diagnose::Explained& known, const TableStyle& style) {
  if (known.code.empty()) {
    std::string out =
        "Not known: " + for_terminal(known.question.substr(0, kMostQuestion), style.ascii) +
        "\n\nThe nearest:\n";
    for (const std::string& near : known.near) out += "  " + for_terminal(near, style.ascii) + "\n";
    return out;
  }
  // Where no number and no name is a person's, the text says it all.
  const std::string name =
      known.number != 0 ? known.code + " (" + std::to_string(known.number) + "): " : std::string();
  std::string out = coloured(name + known.text, Colour::Bold, style.colour) + "\n\n";
  out += paragraph("means", known.means, style);
  if (!known.excludes.empty()) out += paragraph("excludes", known.excludes, style);
  return out + questions(known, style);
}

}  // namespace hark::show
