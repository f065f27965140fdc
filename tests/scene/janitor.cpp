#include "janitor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace hark::scene {

namespace {

// A cgroup can be removed once the kernel has seen the last process in it end, which is a moment
// after its descriptors were closed; cgroup.events can be polled for that.
void remove_folder(const std::string& path) {
  constexpr int kTries = 50;
  constexpr int kWaitMs = 100;
  for (int i = 0; i < kTries && rmdir(path.c_str()) != 0 && errno == EBUSY; i++) {
    const UniqueFd events(open((path + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
    char text[256];
    if (!events.valid() || read(events.get(), text, sizeof text) < 0) return;
    pollfd changed{.fd = events.get(), .events = POLLPRI, .revents = 0};
    poll(&changed, 1, kWaitMs);
  }
}

void undo(std::string_view note) {
  const std::string path(note.substr(1));
  if (note[0] == 'm') umount2(path.c_str(), MNT_DETACH);
  if (note[0] == 'f') unlink(path.c_str());
  if (note[0] == 'd') remove_folder(path);
}

[[noreturn]] void work(int pipe) {
  setsid();
  for (const int signal_number : {SIGTERM, SIGINT, SIGHUP}) signal(signal_number, SIG_IGN);
  const UniqueFd nothing(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : {0, 1, 2}) dup2(nothing.get(), fd);
  std::string notes;
  char piece[4096];
  for (;;) {
    const ssize_t got = read(pipe, piece, sizeof piece);
    if (got > 0) notes.append(piece, static_cast<std::size_t>(got));
    if (got == 0) break;
  }
  std::vector<std::string_view> each = split(notes, '\0');
  while (!each.empty()) {
    if (!each.back().empty()) undo(each.back());
    each.pop_back();
  }
  _exit(0);
}

}  // namespace

bool Janitor::start() {
  int ends[2];
  if (pipe(ends) != 0) return false;
  const pid_t pid = fork();
  if (pid < 0) return false;
  if (pid == 0) {
    close(ends[1]);
    work(ends[0]);
  }
  close(ends[0]);
  pid_ = pid;
  pipe_ = UniqueFd(ends[1]);  // not close-on-exec: the actors keep it, too
  return true;
}

void Janitor::note(char kind, const std::string& path) {
  const std::string text = kind + path + '\0';
  if (write(pipe_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) _exit(1);
}

}  // namespace hark::scene
