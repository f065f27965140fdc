#include <sys/socket.h>
#include <unistd.h>

#include "scenes.h"

namespace hark::doctor {
namespace {

/// A limit of 1 is passed by the second that waits.
void full(Stage& stage) {
  stage.listen(80, 1);
  stage.connect(80, 2);
}

/// Its holder is busy, and may come any moment.
void half_full(Stage& stage) {
  const int listener = stage.listen(80, 4);
  stage.endless([] { Stage::work(); });
  stage.give_away(listener);
  stage.connect(80, 2);
}

void filling(Stage& stage) {
  stage.listen(80, 4);
  stage.connect(80, 4);
}

/// It fills up, and somebody empties it: at most of the looks nobody waits.
void served(Stage& stage) {
  stage.server(80, 4);
  stage.connect(80, 5);
}

constexpr useconds_t kPause = 20'000;

/// Clients come in bursts that overflow the queue; then all of them are taken, and for a while it
/// is empty. The attempts that were dropped are given up.
void in_bursts(Stage& stage, int clients) {
  const int listener = stage.listen(80, 1);
  stage.endless([listener, clients] {
    while (true) {
      {
        Stage burst;
        burst.connect(80, clients);
        for (int i = 0; i < 2; ++i) ::close(::accept(listener, nullptr, nullptr));
      }
      ::usleep(kPause);
    }
  });
  stage.give_away(listener);
}

void overflowing(Stage& stage) {
  in_bursts(stage, 4);
}

void in_small_bursts(Stage& stage) {
  in_bursts(stage, 2);
}

/// Handshakes that are never completed: what the listener answers is dropped on its way back.
void half_open(Stage& stage, const char* cookies) {
  Stage::sysctl("ipv4/tcp_syncookies", cookies);
  Stage::run({"nft",
              "add table ip t; add chain ip t in { type filter hook input priority 0; }; "
              "add rule ip t in tcp flags & (syn | ack) == syn | ack drop"});
  stage.listen(80, 4);
  stage.connect(80, 6);
}

void syn_queue_full(Stage& stage) {
  half_open(stage, "0");
}

void syn_cookies(Stage& stage) {
  half_open(stage, "1");
}

}  // namespace

std::span<const Scene> full_queue_scenes() {
  static const std::vector<Scene> scenes = {
      {"AcceptQueueFull", full, "accept-queue-full"},
      {"AcceptQueueHalfFull", half_full, nullptr},
      {"AcceptQueueFilling", filling, "accept-queue-filling", 80, "risk"},
      {"AcceptQueueServed", served, nullptr},
      {"AcceptQueueOverflowing", overflowing, "accept-queue-overflowed", 80, "risk"},
      {"AcceptQueueInSmallBursts", in_small_bursts, nullptr},
      {"SynQueueFull", syn_queue_full, "syn-queue-full"},
      {"SynQueueWithCookies", syn_cookies, nullptr},
  };
  return scenes;
}

}  // namespace hark::doctor
