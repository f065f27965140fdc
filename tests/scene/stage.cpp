#include "stage.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/text.h"
#include "channel.h"
#include "sockets.h"
#include "start_actor.h"

namespace hark::scene {

using nlohmann::json;

namespace {

json number_or_null(const std::string& text) {
  const auto number = parse_number<std::uint64_t>(text);
  return number ? json(*number) : json(nullptr);
}

std::string hexadecimal(const std::string& decimal) {
  std::array<char, 20> text{};
  const auto value = parse_number<std::uint64_t>(decimal).value_or(0);
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, 16).ptr;
  return "0x" + std::string(text.data(), end);
}

std::string own_program() {
  std::array<char, 4096> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  return length < 0 ? std::string() : std::string(path.data(), static_cast<std::size_t>(length));
}

json first_or_null(const std::vector<std::string>& values) {
  return values.empty() || values.front() == "-" ? json(nullptr) : json(values.front());
}

// Whether an IPv6 socket leaves IPv4 alone. A raw one does whatever its flag says, and of an MPTCP
// socket the TCP listener below it decides, which bind(2) to one address sets the flag of.
json v6only_truth(const std::string& protocol, const Line& made) {
  const std::string flag = made.value("v6only");
  if (flag == "-") return nullptr;
  const std::string address = made.value("address");
  const bool one_address = address != "::" && !address.starts_with("::ffff:");
  return flag == "1" || protocol == "raw" || (protocol == "mptcp" && one_address);
}

// What a listener is, as far as the line and its maker's answer say.
json listener_truth(const Line& line, const Line& made, uid_t uid, const json& place) {
  const std::string protocol = line.word(2);
  const bool stream = protocol == "tcp" || protocol == "mptcp";
  const auto backlog = number_or_null(line.value("backlog", "128"));
  const auto waiting = number_or_null(line.value("fill", "0"));
  // The TCP dump tells of an MPTCP listener with the inode of the one and the cookie of the other.
  const json cookie = protocol == "mptcp" ? json(nullptr) : json(hexadecimal(made.value("cookie")));
  return json{{"protocol", protocol},
              {"family", made.value("v6only") == "-" ? "inet" : "inet6"},
              {"address", made.value("address")},
              {"port", number_or_null(made.value("port"))},
              {"v6only", v6only_truth(protocol, made)},
              {"interface", first_or_null(made.values("device"))},
              {"netns", place},
              {"state", stream ? "LISTEN" : "UNCONN"},
              {"socket",
               {{"inode", number_or_null(made.value("inode"))}, {"cookie", cookie}, {"uid", uid}}},
              {"queue", {{"limit", stream ? backlog : json(nullptr)}, {"length", waiting}}}};
}

}  // namespace

Result<void> Stage::open(const std::string& id) {
  id_ = id;
  if (!janitor_.start()) return fail(kernel_error(errno, "janitor"));
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // workers whose actor ended become ours, and are waited for
  Result<UniqueFd> start = new_namespace();
  if (!start) return fail(start.error());
  if (setns(start->get(), CLONE_NEWNET) != 0) return fail(kernel_error(errno, "setns"));
  const json truth{{"inode", inode_of(start->get())}, {"name", nullptr}, {"label", "start"}};
  places_["start"] = Place{std::move(*start), truth};
  return {};
}

Result<void> Stage::play(const Line& line) {
  struct Verb {
    std::string_view word;
    Result<void> (Stage::*act)(const Line&);
  };
  constexpr std::array kVerbs = {
      Verb{"netns", &Stage::add_netns},     Verb{"run", &Stage::run_program},
      Verb{"process", &Stage::add_process}, Verb{"socket", &Stage::add_socket},
      Verb{"workers", &Stage::add_workers}, Verb{"established", &Stage::add_established},
  };
  if (line.empty()) return {};
  for (const Verb& verb : kVerbs) {
    if (verb.word == line.word(0)) return (this->*verb.act)(line);
  }
  return fail(plain_error(line.word(0), "not a verb of a scene"));
}

Result<Line> Stage::tell(const std::string& actor, const std::string& order, int descriptor,
                         UniqueFd* given) {
  const auto found = actors_.find(actor);
  if (found == actors_.end()) return fail(plain_error(actor, "no such process"));
  const int channel = found->second.channel.get();
  if (const auto sent = send_message(channel, order, descriptor); !sent) return fail(sent.error());
  Result<Message> message = receive_message(channel);
  if (!message) return fail(message.error());
  Result<Line> said = parse_line(message->text, "");
  if (said && said->word(0) != "ok") return fail(plain_error(actor, said->word(1)));
  if (given != nullptr) *given = std::move(message->descriptor);
  return said;
}

// process LABEL [in=NETNS] [uid=N] [name=TEXT] [arg=TEXT…] [cgroup=PATH] [program=FILE-NAME]
//               [pidns] [deleted] [zombie-leader] [stopped]
Result<void> Stage::add_process(const Line& line) {
  const std::string label = line.word(1);
  Actor actor;
  actor.home = line.value("in", "start");
  actor.uid = parse_number<uid_t>(line.value("uid", "0")).value_or(0);
  actor.cgroup = line.value("cgroup");
  actor.stopped = line.has("stopped");
  const auto place = places_.find(actor.home);
  if (place == places_.end()) return fail(plain_error(actor.home, "no such namespace"));
  const Result<std::string> program = program_for(line);
  if (!program) return fail(program.error());
  std::vector<std::string> arguments = line.values("arg");
  if (arguments.empty()) arguments.push_back(label);
  Result<StartedActor> started =
      start_actor({*program, arguments, place->second.descriptor.get(), line.has("pidns")});
  if (!started) return fail(started.error());
  actor.pid = started->pid;
  actor.channel = std::move(started->channel);
  if (const auto entered = enter_cgroup(actor.pid, actor.cgroup); !entered) return entered;
  const bool zombie = line.has("zombie-leader");
  const std::string name = line.value("name", label);
  actor.truth = json{{"label", label},
                     {"pid", actor.pid},
                     {"uid", actor.uid},
                     {"name", name.substr(0, 15)},
                     {"cmdline", arguments},
                     {"exe", *program},
                     {"exe_deleted", line.has("deleted")},
                     {"state", zombie          ? "Z"
                               : actor.stopped ? "T"
                                               : "S"}};
  actors_[label] = std::move(actor);
  const Result<Line> settled =
      tell(label, "settle uid=" + line.value("uid", "0") + " name=" + quote_word(name) +
                      (zombie ? " zombie-leader" : ""));
  if (!settled) return fail(settled.error());
  if (line.has("deleted") && unlink(program->c_str()) != 0) {
    return fail(kernel_error(errno, *program));
  }
  return {};
}

// socket PROCESS PROTOCOL ENDPOINT [in=NETNS] [fill=N] [dup] [pass=PROCESS] [lose=HOW]
//        [not-a-listener=WHY] and the options of sockets.h
Result<void> Stage::add_socket(const Line& line) {
  Entry entry;
  entry.actor = line.word(1);
  const auto actor = actors_.find(entry.actor);
  if (actor == actors_.end()) return fail(plain_error(entry.actor, "no such process"));
  const auto place = places_.find(line.value("in", actor->second.home));
  if (place == places_.end()) return fail(plain_error(line.value("in"), "no such namespace"));
  std::string order = "socket";
  for (std::size_t i = 2; i < line.words.size(); i++) order += ' ' + quote_word(line.words[i]);
  for (const auto& [key, value] : line.options) order += ' ' + key + '=' + quote_word(value);
  const bool elsewhere = place->first != actor->second.home;
  const Result<Line> made =
      tell(entry.actor, order, elsewhere ? place->second.descriptor.get() : -1);
  if (!made) return fail(made.error());
  entry.fd = parse_number<int>(made->value("fd")).value_or(-1);
  entry.truth = listener_truth(line, *made, actor->second.uid, place->second.truth);
  entry.truth["cgroup"] = actor->second.cgroup.empty() ? json(nullptr) : json(actor->second.cgroup);
  entry.truth["probable_client"] = line.has("auto");
  if (line.has("not-a-listener")) {
    entry.truth["why"] = line.value("not-a-listener");
    others_.push_back(entry.truth);
    return {};
  }
  entry.owners[actor->second.pid] = {entry.fd};
  if (const auto given = give_to_others(line, entry); !given) return given;
  listeners_.push_back(std::move(entry));
  return {};
}

// Further descriptors of a socket: a second one of its maker, or one that went to a stranger.
Result<void> Stage::give_to_others(const Line& line, Entry& entry) {
  const std::string fd = std::to_string(entry.fd);
  if (line.has("fill")) {
    const Result<Line> full = tell(entry.actor, "fill " + fd + ' ' + line.value("fill"));
    if (!full) return fail(full.error());
  }
  if (line.has("dup")) {
    const Result<Line> copy = tell(entry.actor, "dup " + fd);
    if (!copy) return fail(copy.error());
    entry.owners.begin()->second.push_back(parse_number<int>(copy->value("fd")).value_or(-1));
  }
  if (line.has("lose")) {
    const Result<Line> lost = tell(entry.actor, "lose " + line.value("lose") + ' ' + fd);
    if (!lost) return fail(lost.error());
    entry.truth["lost"] = {{"how", line.value("lose")}, {"pid", entry.owners.begin()->first}};
    entry.owners.clear();
    return {};
  }
  const std::string stranger = line.value("pass");
  if (stranger.empty()) return {};
  UniqueFd copy;
  Result<Line> said = tell(entry.actor, "give " + fd, -1, &copy);
  if (said) said = tell(entry.actor, "close " + fd);
  if (said) said = tell(stranger, "keep", copy.get());
  if (!said) return fail(said.error());
  entry.owners.clear();
  entry.owners[actors_[stranger].pid] = {parse_number<int>(said->value("fd")).value_or(-1)};
  return {};
}

Result<Stage::Entry*> Stage::entry_of(const Line& line) {
  const auto port = parse_number<std::uint16_t>(line.word(2));
  for (Entry& entry : listeners_) {
    if (entry.actor == line.word(1) && port && entry.truth["port"] == *port) return &entry;
  }
  return fail(plain_error(line.word(1) + ' ' + line.word(2), "no such listener"));
}

// established PROCESS PORT: a connection to its own listener, both ends of it
Result<void> Stage::add_established(const Line& line) {
  const Result<Entry*> entry = entry_of(line);
  if (!entry) return fail(entry.error());
  const Result<Line> made = tell(line.word(1), "pair " + std::to_string((*entry)->fd));
  if (!made) return fail(made.error());
  for (const char* end : {"client", "served"}) {
    others_.push_back({{"why", std::string("established, ") + end},
                       {"netns", (*entry)->truth["netns"]},
                       {"socket", {{"inode", number_or_null(made->value(end))}}}});
  }
  return {};
}

// workers PROCESS N: children that hold every listener that the process has by now
Result<void> Stage::add_workers(const Line& line) {
  const Result<Line> made = tell(line.word(1), "fork " + line.word(2));
  if (!made) return fail(made.error());
  const pid_t parent = actors_[line.word(1)].pid;
  for (const std::string& pid : made->values("pid")) {
    for (Entry& entry : listeners_) {
      const auto of_parent = entry.owners.find(parent);
      if (of_parent == entry.owners.end()) continue;
      entry.owners[parse_number<pid_t>(pid).value_or(0)] = of_parent->second;
    }
    json worker = actors_[line.word(1)].truth;
    worker["pid"] = parse_number<pid_t>(pid).value_or(0);
    actors_[line.word(1) + '/' + pid].truth = worker;
  }
  return {};
}

Result<json> Stage::truth() {
  json told{{"schema", "hark.scene/1"},
            {"id", id_},
            {"pid", getpid()},
            {"janitor", janitor_.pid()},
            {"others", others_}};
  told["namespaces"] = told["processes"] = told["listeners"] = json::array();
  for (auto& [label, actor] : actors_) {
    told["processes"].push_back(actor.truth);
    if (!actor.stopped || actor.pid == 0) continue;
    kill(actor.pid, SIGSTOP);
    siginfo_t stopped{};
    if (waitid(P_PID, static_cast<id_t>(actor.pid), &stopped, WSTOPPED) != 0) {
      return fail(kernel_error(errno, "waitid " + label));
    }
  }
  for (auto& [label, place] : places_) {
    told["namespaces"].push_back(place.truth);
    place.descriptor.reset();
  }
  for (const Entry& entry : listeners_) {
    json listener = entry.truth;
    listener["owners"] = json::array();
    for (const auto& [pid, fds] : entry.owners) {
      listener["owners"].push_back({{"pid", pid}, {"fds", fds}});
    }
    told["listeners"].push_back(listener);
  }
  return told;
}

void Stage::close() {
  for (auto& [label, actor] : actors_) {
    if (actor.pid != 0) kill(actor.pid, SIGKILL);
  }
  actors_.clear();
  janitor_ = Janitor();
  while (wait(nullptr) > 0 || errno == EINTR) {
  }
}

Result<std::string> Stage::program_for(const Line& line) {
  std::string program = own_program();
  const std::string name = line.value("program");
  if (!line.has("deleted") && name.empty()) return program;
  const Result<std::string> place = folder();
  if (!place) return place;
  const std::string copy = *place + "/" + (name.empty() ? "program-" + line.word(1) : name);
  janitor_.will_make_file(copy);
  const UniqueFd from(::open(program.c_str(), O_RDONLY | O_CLOEXEC));
  const UniqueFd to(::open(copy.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755));
  std::array<char, 65536> piece{};
  for (;;) {
    const ssize_t got = read(from.get(), piece.data(), piece.size());
    if (got == 0) return copy;
    if (got < 0 || write(to.get(), piece.data(), static_cast<std::size_t>(got)) != got) {
      return fail(kernel_error(errno, copy));
    }
  }
}

}  // namespace hark::scene
