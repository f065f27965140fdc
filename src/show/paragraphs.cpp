#include "show/paragraphs.h"

#include <algorithm>

#include "show/escape.h"

namespace hark::show {
namespace {

constexpr std::size_t kBetween = 2;
constexpr std::size_t kWidestSubject = 22;
constexpr std::size_t kLeastText = 24;  // narrower than that, a line is longer than the screen

}  // namespace

Paragraphs::Paragraphs(const TableStyle& style, std::size_t word_columns,
                       std::span<const std::string> subjects)
    : style_(style), word_columns_(word_columns) {
  std::size_t widest = 0;
  for (const std::string& one : subjects) {
    widest = std::max(widest, std::min(display_width(one), kWidestSubject));
  }
  column_ = word_columns + kBetween + widest + kBetween;
}

void Paragraphs::begin(std::string_view word, Colour colour, std::string_view subject,
                       std::string_view text) {
  std::string before = coloured(word, colour, style_.colour);
  before += std::string(word_columns_ - word.size() + kBetween, ' ') + std::string(subject);
  const std::size_t used = word_columns_ + kBetween + display_width(subject);
  if (used + kBetween <= column_) {
    before += std::string(column_ - used, ' ');
  } else {
    out_ += before + '\n';
    before = std::string(column_, ' ');
  }
  paragraph(std::move(before), text, column_);
}

void Paragraphs::labelled(std::string_view label, std::string_view text) {
  paragraph(std::string(column_, ' ') + std::string(label), text, column_ + label.size());
}

void Paragraphs::command(std::string_view label, std::string_view command) {
  std::string line(label);
  line += for_terminal(command, style_.ascii);
  out_ += std::string(column_, ' ') + coloured(line, Colour::Dim, style_.colour) + '\n';
}

/// `text` behind `before` on the first line, and below itself on the others.
void Paragraphs::paragraph(std::string before, std::string_view text, std::size_t column) {
  std::optional<std::size_t> room;
  if (style_.width) room = std::max(kLeastText, *style_.width - std::min(*style_.width, column));
  for (const std::string& line : wrapped(for_terminal(text, style_.ascii), room)) {
    out_ += before + line + '\n';
    before = std::string(column, ' ');
  }
}

}  // namespace hark::show
