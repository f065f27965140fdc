#include "cli/drill_talk.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>

#include "drill/drill_grade.h"
#include "show/drill_view.h"

namespace hark::cli {
namespace {

using drill::Question;
using drill::Typed;

std::int64_t now_ms() {
  using std::chrono::duration_cast;
  return duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Lines of a descriptor, waited for until a time.
class Lines {
 public:
  explicit Lines(int fd) : fd_(fd) {}

  enum class Got { Line, End, TimeUp };
  /// A last line without its end is one.
  Got next(std::int64_t deadline_ms, std::string& line) {
    while (true) {
      if (const std::size_t end = text_.find('\n'); end != std::string::npos || full()) {
        line = text_.substr(0, end);
        text_.erase(0, end == std::string::npos ? end : end + 1);
        return Got::Line;
      }
      const Got got = ended_ ? Got::End : fill(deadline_ms);
      if (got == Got::Line) continue;
      if (got == Got::TimeUp || text_.empty()) return got;
      line = std::exchange(text_, {});
      return Got::Line;
    }
  }

  /// Nothing has come, and nothing will. Does not wait.
  bool is_empty() {
    if (!ended_ && text_.empty()) (void)fill(now_ms());
    return ended_ && text_.empty();
  }

 private:
  /// Nobody's answer is that long.
  [[nodiscard]] bool full() const { return text_.size() >= 4096; }

  Got fill(std::int64_t deadline_ms) {
    const std::int64_t left = std::max<std::int64_t>(0, deadline_ms - now_ms());
    pollfd polled{fd_, POLLIN, 0};
    const int ready = ::poll(&polled, 1, static_cast<int>(left));
    if (ready == 0) return Got::TimeUp;
    if (ready < 0) return errno == EINTR ? Got::Line : Got::End;
    std::array<char, 1024> piece{};
    const ssize_t count = ::read(fd_, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) return Got::Line;
    ended_ = count <= 0;
    if (!ended_) text_.append(piece.data(), static_cast<std::size_t>(count));
    return ended_ ? Got::End : Got::Line;
  }

  int fd_;
  std::string text_;
  bool ended_ = false;
};

class Talk {
 public:
  Talk(const DrillTalk& drill, Output& out)
      : drill_(drill), session_(*drill.history.session), out_(out), lines_(drill.answers_fd) {}

  ExitStatus run() {
    if (!drill_.terminal && lines_.is_empty()) return ExitStatus::CannotTell;
    begun_ms_ = now_ms() - session_.elapsed_ms;
    for (std::size_t i = 0; i < session_.items.size(); ++i) {
      if (session_.items[i].credit) continue;
      const Turn turn = ask(i);
      if (turn == Turn::Left) return leave_for_now();
      if (turn == Turn::TimeUp) break;
    }
    return end();
  }

 private:
  enum class Turn { Answered, Left, TimeUp };

  [[nodiscard]] std::int64_t left_ms() const {
    return std::max<std::int64_t>(0, drill::kLongestMs - (now_ms() - begun_ms_));
  }

  void keep() {
    session_.elapsed_ms = std::clamp<std::int64_t>(now_ms() - begun_ms_, 0, drill::kLongestMs);
    drill_.keep();
  }

  /// The next line that can be understood.
  Turn listen(const Question& question, drill::Reply& reply) {
    std::string line;
    while (true) {
      out_.write(show::drill_prompt(question));
      out_.flush();
      const Lines::Got got = lines_.next(begun_ms_ + drill::kLongestMs, line);
      if (!drill_.terminal || got != Lines::Got::Line) out_.write("\n");
      if (got == Lines::Got::TimeUp) {
        out_.write("The five minutes are over.\n");
        return Turn::TimeUp;
      }
      if (got == Lines::Got::End) return Turn::Left;
      reply = drill::reply_of(question, line);
      if (reply.typed == Typed::Quit) return Turn::Left;
      if (reply.typed != Typed::Unclear) return Turn::Answered;
      out_.write("That is none of the answers, or could be several.\n");
    }
  }

  Turn ask(std::size_t position) {
    keep();
    const Question& question = drill_.questions[position];
    out_.write(show::drill_question_text(
        question, {.number = position + 1, .of = session_.items.size(), .left_ms = left_ms()}));
    drill::Reply reply;
    if (const Turn turn = listen(question, reply); turn != Turn::Answered) return turn;
    const std::size_t chosen =
        reply.typed == Typed::Answer ? reply.choice : question.choices.size();
    const unsigned credit = chosen < question.choices.size() ? question.choices[chosen].credit : 0;
    session_.items[position].credit = credit;
    drill::note(drill_.history, question.key, credit, drill_.day);
    keep();
    out_.write(show::drill_verdict_text(question, chosen));
    return Turn::Answered;
  }

  ExitStatus leave_for_now() {
    keep();
    out_.write("This drill goes on where it is now if you call hark drill again today.\n");
    return ExitStatus::Interrupted;
  }

  ExitStatus end() {
    const std::size_t of = session_.items.size();
    const drill::Score score = drill::finish(drill_.history, drill_.day);
    drill_.keep();
    out_.write(show::drill_score_text(score, of, drill::streak_on(drill_.history, drill_.day)));
    return score.passed ? ExitStatus::Yes : ExitStatus::No;
  }

  const DrillTalk& drill_;
  drill::Session& session_;
  Output& out_;
  Lines lines_;
  std::int64_t begun_ms_ = 0;
};

}  // namespace

ExitStatus talk(const DrillTalk& drill, Output& out) {
  return Talk(drill, out).run();
}

}  // namespace hark::cli
