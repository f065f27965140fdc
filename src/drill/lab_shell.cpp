#include "drill/lab_shell.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/text.h"
#include "base/unique_fd.h"
#include "drill/lab_service.h"

namespace hark::drill {
namespace {

constexpr const char* kUsualPath = "/usr/local/bin:/usr/bin:/bin";
constexpr int kNoProgram = 127;

void write_file(const std::string& path, const std::string& text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (fd.valid()) (void)!::write(fd.get(), text.data(), text.size());
}

/// A child with nothing of the session's signals.
void reset_signals() {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int one : {SIGPIPE, SIGTTOU, SIGINT, SIGQUIT}) ::signal(one, SIG_DFL);
}

[[noreturn]] void become(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments.front(), arguments.data());
  ::_exit(kNoProgram);
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

/// The shell's name, of those whose prompt can be set.
std::string choose_shell() {
  constexpr std::array<std::string_view, 6> kKnown = {"bash", "zsh", "fish", "sh", "dash", "ksh"};
  const char* const said = std::getenv("SHELL");
  std::string own = said != nullptr ? said : "";
  const bool known = std::ranges::find(kKnown, base_name(own)) != kKnown.end();
  if (known && ::access(own.c_str(), X_OK) == 0) return own;
  return lab_has_program("bash") ? "bash" : "sh";
}

/// Files by which each shell gets its prompt, and the words that start it. What the person has set
/// up for it outside is left out: it may change directories, prompts and names of commands.
std::vector<std::string> interactive(const std::string& shell, const std::string& name) {
  const std::string folder = std::string(kLabFolder) + "/";
  const std::string prompt = "lab " + name + "$ ";
  const std::string kind = base_name(shell);
  if (kind == "bash") {
    write_file(folder + "bashrc", "PS1='" + prompt + "'\nunset HISTFILE PROMPT_COMMAND\n");
    return {shell, "--noprofile", "--rcfile", folder + "bashrc", "-i"};
  }
  if (kind == "zsh") {
    write_file(folder + ".zshrc", "PROMPT='" + prompt + "'\nunset HISTFILE\n");
    ::setenv("ZDOTDIR", kLabFolder, 1);
    return {shell, "-i"};
  }
  if (kind == "fish") {
    return {shell, "--no-config", "-i", "-C",
            "function fish_prompt; echo -n 'lab " + name + "> '; end"};
  }
  ::setenv("PS1", prompt.c_str(), 1);
  ::unsetenv("ENV");
  return {shell, "-i"};
}

/// Becomes the group that the terminal listens to.
void take_terminal() {
  ::setpgid(0, 0);
  ::signal(SIGTTOU, SIG_IGN);
  ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
}

std::string read_messages(int fd) {
  constexpr std::size_t kMost = 4096;
  std::string out;
  std::array<char, 512> piece{};
  while (true) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return out;
    if (out.size() < kMost) out.append(piece.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

std::string lab_path_variable(const char* outer) {
  std::string own = kLabPrograms;
  own.pop_back();
  return own + ":" + (outer != nullptr && *outer != '\0' ? outer : kUsualPath) +
         ":/usr/local/sbin:/usr/sbin:/sbin";
}

bool lab_has_program(const std::string& name) {
  const std::string path = lab_path_variable(std::getenv("PATH"));
  return std::ranges::any_of(split(path, ':'), [&](std::string_view folder) {
    return ::access((std::string(folder) + "/" + name).c_str(), X_OK) == 0;
  });
}

LabScriptEnd run_lab_script(const std::string& text) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {1, "pipe"};
  const UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    const UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    ::dup2(nothing.get(), STDIN_FILENO);
    ::dup2(nothing.get(), STDOUT_FILENO);
    ::dup2(to.get(), STDERR_FILENO);
    reset_signals();
    become({"sh", "-c", text});
  }
  to.reset();
  LabScriptEnd out;
  out.messages = read_messages(from.get());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  out.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  return out;
}

pid_t start_lab_shell(const std::string& name, bool terminal) {
  const std::string shell = choose_shell();
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::unsetenv("BASH_ENV");
  std::vector<std::string> words = {shell};
  if (terminal) {
    words = interactive(shell, name);
    take_terminal();
  }
  reset_signals();
  become(words);
}

}  // namespace hark::drill
