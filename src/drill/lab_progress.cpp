#include "drill/lab_progress.h"

#include "base/text.h"

namespace hark::drill {

LabProgress read_lab_progress(std::string_view text) {
  LabProgress out;
  while (!text.empty()) {
    std::string_view line = next_piece(text, '\n');
    const std::string name(next_word(line));
    if (!name.empty() && !name.starts_with('#')) out[name] = read_lab_score(line);
  }
  return out;
}

std::string lab_progress_text(const LabProgress& progress) {
  std::string out = "# hark lab: name, cause, evidence, mended, given up, hints, wrong answers\n";
  for (const auto& [name, score] : progress) out += name + " " + lab_score_line(score) + "\n";
  return out;
}

void add_lab_score(LabProgress& progress, const std::string& name, const LabScore& score) {
  LabScore& kept = progress[name];
  const bool solved = kept.solved();
  const bool mended = kept.mended;
  if (!solved || score.solved()) kept = score;
  kept.mended = mended || score.mended;
}

}  // namespace hark::drill
