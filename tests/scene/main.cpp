// hark_scene FILE: makes the listeners that FILE describes, prints what it made as one line of
// JSON, and keeps all that alive until its standard input ends or SIGTERM or SIGINT comes. Nothing
// is left behind however it ends. Needs root. The language is described in README.md.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "actor.h"
#include "base/text.h"
#include "stage.h"

namespace hark::scene {
namespace {

Result<std::string> text_of(const char* path) {
  const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return fail(kernel_error(errno, path));
  std::string text;
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t got = read(file.get(), piece.data(), piece.size());
    if (got < 0) return fail(kernel_error(errno, path));
    if (got == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
}

int complain(const std::string& where, const Error& error) {
  std::fprintf(stderr, "hark_scene: %s: %s: %s\n", where.c_str(), error.what.c_str(),
               reason(error).c_str());
  return 1;
}

int play_all(Stage& stage, const char* path, const std::string& id) {
  const Result<std::string> text = text_of(path);
  if (!text) return complain("scene", text.error());
  int number = 0;
  for (const std::string_view each : split(*text, '\n')) {
    const std::string where = std::string(path) + ':' + std::to_string(++number);
    const Result<Line> line = parse_line(each, id);
    if (!line) return complain(where, line.error());
    const Result<void> played = stage.play(*line);
    if (!played) return complain(where, played.error());
  }
  return 0;
}

void wait_for_the_end(int signals) {
  std::array<pollfd, 2> wakers{pollfd{.fd = 0, .events = POLLIN, .revents = 0},
                               pollfd{.fd = signals, .events = POLLIN, .revents = 0}};
  for (;;) {
    if (poll(wakers.data(), wakers.size(), -1) < 0) return;
    if (wakers[1].revents != 0) return;
    char piece[256];
    if (wakers[0].revents != 0 && read(0, piece, sizeof piece) <= 0) return;
  }
}

int run(const char* path) {
  if (geteuid() != 0) {
    std::fprintf(stderr, "hark_scene: needs root, to make network namespaces\n");
    return 1;
  }
  signal(SIGPIPE, SIG_IGN);
  const std::string id = std::to_string(getpid());
  Stage stage;
  if (const auto opened = stage.open(id); !opened) return complain("open", opened.error());
  if (const int failed = play_all(stage, path, id); failed != 0) {
    stage.close();
    return failed;
  }
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  const UniqueFd signals(signalfd(-1, &set, SFD_CLOEXEC));
  const Result<nlohmann::json> truth = stage.truth();
  int status = 0;
  if (truth) {
    const std::string told =
        truth->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    std::fwrite(told.data(), 1, told.size(), stdout);
    std::fflush(stdout);
    wait_for_the_end(signals.get());
  } else {
    status = complain("truth", truth.error());
  }
  stage.close();
  return status;
}

}  // namespace
}  // namespace hark::scene

int main(int argc, char** argv) {
  if (const char* channel = std::getenv(hark::scene::kActorVariable)) {
    hark::scene::run_actor(std::atoi(channel));
  }
  if (argc != 2) {
    std::fprintf(stderr, "usage: hark_scene FILE\n");
    return 2;
  }
  return hark::scene::run(argv[1]);
}
