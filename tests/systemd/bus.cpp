#include "bus.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

namespace hark::systemd_test {
namespace {

constexpr const char* kUnits = "/org/freedesktop/systemd1/unit";
constexpr const char* kNoUnit = "org.freedesktop.systemd1.NoSuchUnit";
constexpr const char* kDenied = "org.freedesktop.DBus.Error.AccessDenied";

/// The reply to GetAll, built entry by entry.
class Properties {
 public:
  explicit Properties(sd_bus_message* request) {
    sd_bus_message_new_method_return(request, &reply_);
    sd_bus_message_open_container(reply_, 'a', "{sv}");
  }
  void text(const char* name, const char* value) {
    sd_bus_message_append(reply_, "{sv}", name, "s", value);
  }
  sd_bus_message* raw() { return reply_; }
  int send() {
    sd_bus_message_close_container(reply_);
    const int sent = sd_bus_send(nullptr, reply_, nullptr);
    sd_bus_message_unref(reply_);
    return sent < 0 ? sent : 1;
  }

 private:
  sd_bus_message* reply_ = nullptr;
};

int answer_odd(sd_bus_message* request) {
  Properties all(request);
  sd_bus_message_append(all.raw(), "{sv}", "ActiveState", "u", 7U);
  sd_bus_message_append(all.raw(), "{sv}", "Triggers", "a(ss)", 1U, "a", "b");
  sd_bus_message_append(all.raw(), "{sv}", "NRestarts", "s", "many");
  all.text("SubState", "strange");
  return all.send();
}

/// Services that do not run, by the start of their names.
struct Troubled {
  const char* name;
  const char* active;
  const char* sub;
  const char* result;
  std::uint32_t restarts;
  std::int32_t code;  ///< CLD_*
  std::int32_t status;
};
constexpr std::array<Troubled, 6> kTroubled = {
    {{"crashed", "failed", "failed", "core-dump", 0, 3, 11},
     {"limited", "failed", "failed", "start-limit-hit", 5, 1, 1},
     {"again", "activating", "auto-restart", "exit-code", 12, 1, 2},
     {"ended", "failed", "failed", "exit-code", 0, 1, 1},
     {"slain", "failed", "failed", "signal", 0, 2, 9},
     {"healthy", "active", "running", "success", 0, 0, 0}}};

const Troubled* troubled(std::string_view name) {
  for (const Troubled& one : kTroubled) {
    if (name.starts_with(one.name)) return &one;
  }
  return nullptr;
}

int answer_troubled(sd_bus_message* request, const Troubled& unit, std::string_view interface) {
  Properties all(request);
  if (interface.ends_with(".Unit")) {
    all.text("LoadState", "loaded");
    all.text("ActiveState", unit.active);
    all.text("SubState", unit.sub);
  } else {
    all.text("Result", unit.result);
    sd_bus_message_append(all.raw(), "{sv}", "NRestarts", "u", unit.restarts);
    sd_bus_message_append(all.raw(), "{sv}", "ExecMainCode", "i", unit.code);
    sd_bus_message_append(all.raw(), "{sv}", "ExecMainStatus", "i", unit.status);
  }
  return all.send();
}

int answer_properties(sd_bus_message* request, std::string_view path, std::string_view interface) {
  Properties all(request);
  const bool socket = path.ends_with("_2esocket");
  if (interface.ends_with(".Unit")) {
    all.text("Description", socket ? "" : "OpenBSD Secure Shell server");
    all.text("LoadState", "loaded");
    all.text("ActiveState", socket ? "active" : "failed");
    all.text("SubState", socket ? "listening" : "failed");
    all.text("FragmentPath", "/lib/systemd/system/ssh.service");
    sd_bus_message_append(all.raw(), "{sv}", "Before", "as", 1U, "shutdown.target");
    sd_bus_message_append(all.raw(), "{sv}", "Triggers", "as", socket ? 2U : 0U, "ssh.service",
                          "other.service");
    sd_bus_message_append(all.raw(), "{sv}", "LoadError", "(ss)", "some.Error", "a reason");
    sd_bus_message_append(all.raw(), "{sv}", "StateChangeTimestamp", "t",
                          std::uint64_t{1'790'000'000'000'000});
  } else {
    all.text("Result", socket ? "success" : "start-limit-hit");
    sd_bus_message_append(all.raw(), "{sv}", "NRestarts", "u", 5U);
    sd_bus_message_append(all.raw(), "{sv}", "ExecMainCode", "i", 1);
    sd_bus_message_append(all.raw(), "{sv}", "ExecMainStatus", "i", 203);
    sd_bus_message_append(all.raw(), "{sv}", "ExecMainExitTimestamp", "t",
                          std::uint64_t{1'790'000'001'000'000});
  }
  return all.send();
}

int on_message(sd_bus_message* message, void* data, sd_bus_error* /*error*/) {
  const Manners manners = *static_cast<const Manners*>(data);
  std::uint8_t type = 0;
  if (sd_bus_message_get_type(message, &type) < 0 || type != SD_BUS_MESSAGE_METHOD_CALL) return 0;
  if (manners == Manners::Silent) return 1;
  if (manners == Manners::Denies) return sd_bus_reply_method_errorf(message, kDenied, "no");
  // Whatever else is asked for must not happen: the asker is answered with an error it shows.
  const char* word = nullptr;
  if (sd_bus_message_read_basic(message, 's', &word) < 0) return 0;
  if (std::strcmp(sd_bus_message_get_member(message), "GetUnit") == 0) {
    if (!std::string_view(word).starts_with("ssh.") && troubled(word) == nullptr) {
      return sd_bus_reply_method_errorf(message, kNoUnit, "Unit %s not loaded.", word);
    }
    char* path = nullptr;
    sd_bus_path_encode(kUnits, word, &path);
    const int sent = sd_bus_reply_method_return(message, "o", path);
    ::free(path);
    return sent;
  }
  if (std::strcmp(sd_bus_message_get_member(message), "GetAll") != 0) return 0;
  if (manners == Manners::Odd) return answer_odd(message);
  const std::string_view path = sd_bus_message_get_path(message);
  if (const Troubled* unit = troubled(path.substr(path.rfind('/') + 1))) {
    return answer_troubled(message, *unit, word);
  }
  return answer_properties(message, path, word);
}

/// Runs until it is killed; says on `ready` that it can be asked.
[[noreturn]] void be_systemd(const std::string& address, Manners manners, int ready) {
  sd_bus* bus = nullptr;
  const bool up = sd_bus_new(&bus) >= 0 && sd_bus_set_address(bus, address.c_str()) >= 0 &&
                  sd_bus_set_bus_client(bus, 1) >= 0 && sd_bus_start(bus) >= 0 &&
                  sd_bus_add_filter(bus, nullptr, on_message, &manners) >= 0 &&
                  sd_bus_request_name(bus, "org.freedesktop.systemd1", 0) >= 0;
  if (!up || ::write(ready, "!", 1) != 1) ::_exit(1);
  for (;;) {
    const int done = sd_bus_process(bus, nullptr);
    if (done < 0) ::_exit(1);
    if (done == 0 && sd_bus_wait(bus, UINT64_MAX) < 0) ::_exit(1);
  }
}

/// The child dies with this program, however that ends.
pid_t fork_bound() {
  const pid_t pid = ::fork();
  if (pid == 0) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  return pid;
}

/// What comes through the pipe until it ends or a line does.
std::string line_from(int fd) {
  std::string out;
  char c = 0;
  while (::read(fd, &c, 1) == 1 && c != '\n') out += c;
  return out;
}

void end(pid_t pid) {
  if (pid <= 0) return;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

}  // namespace

Bus::Bus(Manners manners, std::string socket) : socket_(std::move(socket)) {
  std::string folder = "/tmp/hark-bus-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) {
    ADD_FAILURE() << "no folder for a bus";
    return;
  }
  folder_ = folder;
  if (socket_.empty()) socket_ = folder_ + "/bus";
  if (!start_bus()) {
    ADD_FAILURE() << "dbus-daemon did not start: is it installed?";
    address_.clear();
  } else if (manners != Manners::Absent && !start_systemd(manners)) {
    ADD_FAILURE() << "the made-up systemd did not start";
    address_.clear();
  }
}

Bus::~Bus() {
  end(systemd_);
  end(bus_);
  ::unlink(socket_.c_str());
  ::unlink((folder_ + "/bus.conf").c_str());
  ::rmdir(folder_.c_str());
}

bool Bus::start_bus() {
  const std::string config = folder_ + "/bus.conf";
  std::ofstream(config) << "<busconfig><type>session</type><listen>unix:path=" << socket_
                        << "</listen><policy context=\"default\">"
                        << "<allow send_destination=\"*\"/><allow receive_sender=\"*\"/>"
                        << "<allow own=\"*\"/></policy></busconfig>\n";
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return false;
  bus_ = fork_bound();
  if (bus_ == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    const std::string option = "--config-file=" + config;
    ::execlp("dbus-daemon", "dbus-daemon", "--nofork", "--print-address=1", option.c_str(),
             nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  address_ = line_from(ends[0]);
  ::close(ends[0]);
  return !address_.empty();
}

bool Bus::start_systemd(Manners manners) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return false;
  systemd_ = fork_bound();
  if (systemd_ == 0) {
    ::close(ends[0]);
    be_systemd(address_, manners, ends[1]);
  }
  ::close(ends[1]);
  char sign = 0;
  const bool ready = ::read(ends[0], &sign, 1) == 1;
  ::close(ends[0]);
  return ready;
}

}  // namespace hark::systemd_test
