#include "nft_space.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iterator>

#include "host/rulesets.h"
#include "kernel/live.h"

namespace hark::nft_test {
namespace {

/// A pipe: what is written to the second can be read from the first.
std::array<UniqueFd, 2> make_pipe() {
  std::array<int, 2> ends = {-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string read_all(int fd) {
  std::string out;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    if (size <= 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

[[noreturn]] void become(const std::string& netns, const std::vector<std::string>& command) {
  const int fd = open(netns.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) _exit(126);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

NftSpace::NftSpace() {
  auto ready = make_pipe();
  auto end = make_pipe();
  pid_ = fork();
  if (pid_ == 0) {
    end[1].reset();
    ready[0].reset();
    const char made = unshare(CLONE_NEWNET) == 0 ? 'y' : 'n';
    write_all(ready[1].get(), std::string_view(&made, 1));
    ready[1].reset();
    char byte = 0;
    // Ends when the other end of this pipe is closed, also if the test is killed.
    while (::read(end[0].get(), &byte, 1) > 0) {
    }
    _exit(0);
  }
  ready[1].reset();
  EXPECT_EQ(read_all(ready[0].get()).substr(0, 1), "y") << "no new network namespace: root?";
  end_ = std::move(end[1]);
}

NftSpace::~NftSpace() {
  end_.reset();
  if (pid_ > 0) waitpid(pid_, nullptr, 0);
}

kernel::NetnsRef NftSpace::ref() const {
  const std::string path = "/proc/" + std::to_string(pid_) + "/ns/net";
  struct stat found {};
  EXPECT_EQ(stat(path.c_str(), &found), 0);
  return {.inode = found.st_ino, .paths = {path}};
}

Said NftSpace::run(const std::vector<std::string>& command, const std::string& input) {
  auto in = make_pipe();
  auto out = make_pipe();
  const pid_t child = fork();
  if (child == 0) {
    dup2(in[0].get(), 0);
    dup2(out[1].get(), 1);
    dup2(out[1].get(), 2);
    become("/proc/" + std::to_string(pid_) + "/ns/net", command);
  }
  in[0].reset();
  out[1].reset();
  write_all(in[1].get(), input);
  in[1].reset();
  Said said;
  said.text = read_all(out[0].get());
  int status = 0;
  if (waitpid(child, &status, 0) == child && WIFEXITED(status)) said.status = WEXITSTATUS(status);
  return said;
}

void NftSpace::load(const std::string& ruleset) {
  const Said said = run({"nft", "-f", "-"}, ruleset);
  EXPECT_EQ(said.status, 0) << said.text << "\nof\n" << ruleset.substr(0, 2000);
}

host::NftRuleset NftSpace::read() {
  const auto live = kernel::make_live();
  auto ruleset = host::read_nft(*live, ref());
  EXPECT_TRUE(ruleset) << reason(ruleset.error());
  return ruleset ? std::move(*ruleset) : host::NftRuleset{};
}

std::string file_text(const std::string& name) {
  std::ifstream in(std::string(HARK_NFT_FOLDER) + '/' + name, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_FALSE(text.empty()) << name;
  return text;
}

}  // namespace hark::nft_test
