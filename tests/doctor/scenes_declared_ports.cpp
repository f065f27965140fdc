#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include "scenes.h"

namespace hark::doctor {
namespace {

using Words = std::vector<std::string>;

/// Runs a shell under another name. It waits for commands that never come, and takes the words for
/// its script's; it inherits what the scene has open. The scene's own process gives up `listeners`.
pid_t run_as(Stage& stage, const std::string& name, const Words& words,
             const std::vector<int>& listeners, const std::string& variable = {},
             const std::function<void()>& first = {}) {
  const std::string program = stage.folder() + "/" + name;
  std::filesystem::copy_file("/bin/sh", program);
  std::array<int, 2> ends{};
  check(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const UniqueFd from(ends[0]);
  stage.keep(UniqueFd(ends[1]));
  const pid_t pid = stage.endless([&] {
    if (first) first();
    ::dup2(from.get(), STDIN_FILENO);
    Words all = {name, "-s", "x"};
    all.insert(all.end(), words.begin(), words.end());
    std::vector<char*> arguments;
    for (std::string& word : all) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::string set = variable;
    std::array<char*, 2> environment = {set.empty() ? nullptr : set.data(), nullptr};
    ::execve(program.c_str(), arguments.data(), environment.data());
    ::_exit(1);
  });
  Stage::wait_for_text("/proc/" + std::to_string(pid) + "/comm", name.substr(name.rfind('/') + 1));
  for (const int fd : listeners) stage.give_away(fd);
  return pid;
}

/// A file of the scene's own.
std::string file(Stage& stage, const std::string& name, const std::string& text) {
  const std::string path = stage.folder() + "/" + name;
  const UniqueFd fd(check(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644), "open"));
  check(static_cast<int>(::write(fd.get(), text.data(), text.size())), "write");
  return path;
}

/// A listener, and its owner with these words.
void serve(Stage& stage, const std::string& name, const Words& words, std::uint16_t port,
           const std::string& address = "127.0.0.1") {
  run_as(stage, name, words, {stage.listen(port, 16, address)});
}

void wrong_port(Stage& stage) {
  serve(stage, "web", {"--port", "8080"}, 8081);
}
void right_port(Stage& stage) {
  serve(stage, "web", {"--port", "8080"}, 8080);
}
/// The same words, and the port is somebody else's.
void a_clients_port(Stage& stage) {
  serve(stage, "web", {"--host", "db.example", "--port", "5432"}, 8081);
}
void psql(Stage& stage) {
  serve(stage, "psql", {"-h", "127.0.0.1", "-p", "5432"}, 8081);
}
void upstream(Stage& stage) {
  serve(stage, "web", {"--upstream", "127.0.0.1:9000", "10.0.0.1:9001", "--listen", ":8080"}, 8080);
}

void variable(Stage& stage) {
  run_as(stage, "web", {}, {stage.listen(8081)}, "PORT=8080");
}
void variable_met(Stage& stage) {
  run_as(stage, "web", {}, {stage.listen(8080)}, "PORT=8080");
}
/// Somebody else of the namespace has it: a launcher and its helpers share a variable.
void variable_of_another(Stage& stage) {
  stage.server(8080);
  run_as(stage, "web", {}, {stage.listen(8081)}, "PORT=8080");
}

void only_inside(Stage& stage) {
  serve(stage, "web", {"--listen", "0.0.0.0:8080"}, 8080);
}
void everywhere(Stage& stage) {
  serve(stage, "web", {"--listen", "0.0.0.0:8080"}, 8080, "0.0.0.0");
}
void inside_as_declared(Stage& stage) {
  serve(stage, "web", {"--listen", "127.0.0.1:8080"}, 8080);
}

std::string nginx_files(Stage& stage, const std::string& listen) {
  file(stage, "site.conf", "server {\n  listen " + listen + ";\n}\n");
  return file(stage, "nginx.conf",
              "http {\n  # listen 81;\n  include " + stage.folder() + "/site*.conf;\n}\n");
}

void nginx_elsewhere(Stage& stage) {
  serve(stage, "nginx", {"-c", nginx_files(stage, "80")}, 8080, "0.0.0.0");
}
void nginx_as_told(Stage& stage) {
  serve(stage, "nginx", {"-c", nginx_files(stage, "80")}, 80, "0.0.0.0");
}
void nginx_inside(Stage& stage) {
  serve(stage, "nginx", {"-c", nginx_files(stage, "80")}, 80);
}
/// It runs, and has no listener at all.
void nginx_deaf(Stage& stage) {
  run_as(stage, "nginx", {"-c", nginx_files(stage, "80")}, {});
}
void nginx_for_inet6_too(Stage& stage) {
  const std::string config = nginx_files(stage, "80;\n  listen [::]:80");
  serve(stage, "nginx", {"-c", config}, 80, "0.0.0.0");
}
/// Nobody can miss IPv6 where it is off.
void nginx_without_inet6(Stage& stage) {
  Stage::sysctl("ipv6/conf/all/disable_ipv6", "1");
  nginx_for_inet6_too(stage);
}

void sshd_as_told(Stage& stage) {
  const std::string config = file(stage, "sshd_config", "Port 2222\nMatch User git\n  Port 2223\n");
  serve(stage, "sshd", {"-f", config}, 2222, "0.0.0.0");
}
void sshd_elsewhere(Stage& stage) {
  serve(stage, "sshd", {"-f", file(stage, "sshd_config", "Port 2222\n")}, 22, "0.0.0.0");
}

constexpr std::int64_t kSoonMs = 1500;  ///< later than hark's margin for clocks

/// Sets when the file was last written to so many milliseconds from now; that moment.
std::int64_t touch(const std::string& path, std::int64_t from_now_ms) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t ms = std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000 + from_now_ms;
  const timespec at{.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1'000'000};
  const std::array<timespec, 2> times = {at, at};
  check(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), "utimensat");
  return ms;
}

/// Of nginx, of which the site was written after it started.
std::string written_later(Stage& stage) {
  serve(stage, "nginx", {"-c", nginx_files(stage, "80")}, 80, "0.0.0.0");
  return stage.folder() + "/site.conf";
}
void config_changed(Stage& stage) {
  touch(written_later(stage), kSoonMs);
}
/// Written before, and touched by somebody who only read it.
void config_older(Stage& stage) {
  touch(written_later(stage), -kSoonMs);
}
/// Its worker is younger than the file: it has read it again.
void config_read_again(Stage& stage) {
  const int listener = stage.listen(80, 16, "0.0.0.0");
  const std::string config = nginx_files(stage, "80");
  run_as(stage, "nginx", {"-c", config}, {});
  const std::int64_t written = touch(stage.folder() + "/site.conf", kSoonMs);
  timespec now{};
  do {
    ::usleep(10'000);
    ::clock_gettime(CLOCK_REALTIME, &now);
  } while (std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000 <= written + 20);
  std::filesystem::create_directory(stage.folder() + "/worker");
  run_as(stage, "worker/nginx", {"-c", config, "worker"}, {listener});
}

/// sshd after SIGHUP: the same process, and a pid file that is younger than the configuration. It
/// has a /run of its own.
void config_read_again_by_sshd(Stage& stage, std::int64_t after_ms) {
  const std::string config = file(stage, "sshd_config", "Port 2222\n");
  const auto leave_mark = [&] {
    check(::unshare(CLONE_NEWNS), "unshare");
    check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "mount");
    check(::mount("tmpfs", "/run", "tmpfs", 0, nullptr), "mount");
    Stage::write_file("/run/sshd.pid", "");
    touch("/run/sshd.pid", after_ms);
  };
  run_as(stage, "sshd", {"-f", config}, {stage.listen(2222, 16, "0.0.0.0")}, {}, leave_mark);
  touch(config, kSoonMs);
}
void sshd_read_again(Stage& stage) {
  config_read_again_by_sshd(stage, 2 * kSoonMs);
}
void sshd_did_not(Stage& stage) {
  config_read_again_by_sshd(stage, 0);
}

/// The port is there, over the other protocol.
void over_udp(Stage& stage) {
  const int fd = stage.bound(SOCK_DGRAM, "0.0.0.0", 11211);
  const int other = stage.listen(11212);
  run_as(stage, "memcached", {"-p", "11211"}, {fd, other});
}

}  // namespace

std::span<const Scene> declared_port_scenes() {
  constexpr const char* kMissing = "declared-port-missing";
  // Programs of a scene have just started, so that a missing port is a notice.
  static const std::vector<Scene> scenes = {
      {"DeclaredOnTheCommandLine", wrong_port, kMissing, 0, "notice"},
      {"DeclaredAndServed", right_port, nullptr},
      {"AClientsPort", a_clients_port, nullptr},
      {"PsqlsPort", psql, nullptr},
      {"AnUpstreamsPort", upstream, nullptr},
      {"DeclaredByAVariable", variable, kMissing, 0, "notice"},
      {"VariableMet", variable_met, nullptr},
      {"VariableOfAnother", variable_of_another, nullptr},
      {"DeclaredWider", only_inside, "declared-wider", 8080},
      {"DeclaredEverywhere", everywhere, nullptr},
      {"DeclaredInside", inside_as_declared, nullptr},
      {"NginxElsewhere", nginx_elsewhere, kMissing, 0, "notice"},
      {"NginxAsTold", nginx_as_told, nullptr},
      {"NginxInside", nginx_inside, "declared-wider", 80},
      {"NginxDeaf", nginx_deaf, kMissing, 0, "notice"},
      {"NginxForInet6Too", nginx_for_inet6_too, "declared-address-missing", 80, "risk"},
      {"NginxWithoutInet6", nginx_without_inet6, nullptr},
      {"SshdAsTold", sshd_as_told, nullptr},
      {"SshdElsewhere", sshd_elsewhere, kMissing, 0, "notice"},
      {"ConfigChanged", config_changed, "config-newer", 80, "notice"},
      {"ConfigOlder", config_older, nullptr},
      {"ConfigReadAgain", config_read_again, nullptr},
      {"SshdReadAgain", sshd_read_again, nullptr},
      {"SshdDidNot", sshd_did_not, "config-newer", 2222, "notice"},
      {"DeclaredOverTcp", over_udp, kMissing, 0, "notice"},
  };
  return scenes;
}

}  // namespace hark::doctor
