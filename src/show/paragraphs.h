// A screen of paragraphs, each under a word for how bad it is and what it is about:
//
//   BROKEN  tcp 8080  billing.jar (4121): its accept queue is full: 129 of 128 connections wait
//                     see:  ss -Htln sport = :8080
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "show/table.h"

namespace hark::show {

class Paragraphs {
 public:
  /// `subjects` are escaped; what is wider than most screens bear has a line of its own.
  Paragraphs(const TableStyle& style, std::size_t word_columns,
             std::span<const std::string> subjects);

  /// `word` has at most `word_columns` columns; `text` is escaped here.
  void begin(std::string_view word, Colour colour, std::string_view subject, std::string_view text);
  /// Another line under the text: escaped, and broken where it must be.
  void labelled(std::string_view label, std::string_view text);
  /// Never cut or broken: it is there to be copied.
  void command(std::string_view label, std::string_view command);

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void paragraph(std::string before, std::string_view text, std::size_t column);

  TableStyle style_;
  std::size_t word_columns_;
  std::size_t column_;  ///< where texts begin
  std::string out_;
};

}  // namespace hark::show
