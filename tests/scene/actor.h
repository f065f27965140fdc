// An actor: a process of a scene. It is this program executed again, with a channel to the stage,
// and does what it is told until the stage is gone.
//
//   settle uid=N name=TEXT [zombie-leader]   first; answers when the process is as described
//   socket PROTOCOL ENDPOINT …               sockets.h; a namespace may come along: made in there
//   dup FD · close FD · give FD · keep       keep: holds the descriptor that comes along
//   fill FD N                                N clients connect and are never accepted
//   pair FD                                  one client connects and is accepted
//   lose HOW FD                              kept without a descriptor: in-flight, io-uring
//   fork N                                   workers that hold the same descriptors
// Every answer is "ok …" or "error WHY".
#pragma once

namespace hark::scene {

/// The environment variable that makes the program an actor: the number of its channel.
constexpr const char* kActorVariable = "HARK_SCENE_ACTOR";

[[noreturn]] void run_actor(int channel);

/// Dies with the parent, whatever happens to it. `parent` is its pid, 0: not to be seen from here.
void die_with_parent(int parent);

}  // namespace hark::scene
