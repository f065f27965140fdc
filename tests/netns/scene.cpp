#include "scene.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace hark::netns {

namespace {

std::string first_line_of(int fd) {
  std::string text;
  std::array<char, 65536> piece{};
  while (!text.ends_with('\n')) {
    const ssize_t got = read(fd, piece.data(), piece.size());
    if (got <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

Scene::Scene(const std::string& name) {
  const std::string path = std::string(HARK_SOURCE_DIR) + "/tests/scene/" + name + ".scene";
  std::array<int, 2> input{};
  std::array<int, 2> output{};
  if (pipe2(input.data(), O_CLOEXEC) != 0 || pipe2(output.data(), O_CLOEXEC) != 0) return;
  pid_ = fork();
  if (pid_ == 0) {
    dup2(input[0], 0);
    dup2(output[1], 1);
    execl(HARK_SCENE, "hark_scene", path.c_str(), nullptr);
    _exit(127);
  }
  close(input[0]);
  close(output[1]);
  input_ = UniqueFd(input[1]);
  const UniqueFd from(output[0]);
  truth_ = nlohmann::json::parse(first_line_of(from.get()), nullptr, false);
  if (truth_.is_object()) return;
  ADD_FAILURE() << "the scene " << path << " could not be set up";
  truth_ = {{"namespaces", nlohmann::json::array()},
            {"listeners", nlohmann::json::array()},
            {"others", nlohmann::json::array()},
            {"processes", nlohmann::json::array()}};
}

unsigned long long Scene::netns(const std::string& label) const {
  for (const nlohmann::json& each : truth_["namespaces"]) {
    if (each["label"] == label) return each["inode"];
  }
  return 0;
}

void Scene::end() {
  input_.reset();
  if (pid_ <= 0) return;
  int status = 0;
  waitpid(pid_, &status, 0);
  EXPECT_EQ(status, 0) << "the scene did not end well";
  pid_ = -1;
}

void Scene::kill() {
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void NetnsTest::SetUp() {
  ASSERT_EQ(geteuid(), 0u) << "missing: root. These tests make network namespaces";
}

}  // namespace hark::netns
