// Real scripts that listen are shown by their own names.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include "base/unique_fd.h"
#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// A program in the namespace of the scene; up once it has written a line. Ends with the object.
class Running {
 public:
  Running(pid_t netns_of, const std::string& folder, const std::vector<std::string>& words) {
    std::array<int, 2> ready{};
    if (pipe2(ready.data(), O_CLOEXEC) != 0) return;
    from_ = UniqueFd(ready[0]);
    UniqueFd to(ready[1]);
    const std::string netns = "/proc/" + std::to_string(netns_of) + "/ns/net";
    pid_ = fork();
    if (pid_ == 0) {
      const int inside = open(netns.c_str(), O_RDONLY | O_CLOEXEC);
      std::vector<char*> arguments;
      for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
      arguments.push_back(nullptr);
      if (setns(inside, CLONE_NEWNET) == 0 && chdir(folder.c_str()) == 0) {
        dup2(ready[1], 1);
        execvp(arguments[0], arguments.data());
      }
      _exit(127);
    }
    to.reset();
    char byte = 0;
    EXPECT_EQ(read(from_.get(), &byte, 1), 1) << words[0] << " did not start to listen";
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_ = -1;
  UniqueFd from_;
};

/// Files of the test, removed with it.
class Folder {
 public:
  Folder() {
    std::string name = "/tmp/hark-programs-XXXXXX";
    if (mkdtemp(name.data()) != nullptr) path_ = name;
    chmod(path_.c_str(), 0755);
    make_folder("dist");
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    for (auto file = files_.rbegin(); file != files_.rend(); ++file) remove(file->c_str());
    remove(path_.c_str());
  }
  std::string file(const std::string& name, const std::string& text) {
    files_.push_back(path_ + "/" + name);
    std::ofstream(files_.back()) << text;
    chmod(files_.back().c_str(), 0755);
    return files_.back();
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void make_folder(const std::string& name) {
    files_.push_back(path_ + "/" + name);
    mkdir(files_.back().c_str(), 0755);
  }
  std::string path_;
  std::vector<std::string> files_;
};

constexpr const char* kPython =
    "import socket, sys, time\n"
    "s = socket.socket()\n"
    "s.bind(('127.0.0.1', int(sys.argv[-1])))\n"
    "s.listen()\n"
    "print('up', flush=True)\n"
    "time.sleep(1000)\n";
constexpr const char* kPerl =
    "use Socket; $| = 1;\n"
    "socket(S, PF_INET, SOCK_STREAM, 0) or die;\n"
    "bind(S, sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or die;\n"
    "listen(S, 5) or die; print \"up\\n\"; sleep 1000;\n";

class Programs : public NetnsTest {
 protected:
  [[nodiscard]] json owner(int port, uid_t uid = 0) const {
    const json listing = list_in({.netns_of = scene_.pid(), .uid = uid},
                                 {"--netns", "self", "tcp/" + std::to_string(port)});
    const json pointer = listing.value("listeners", json::array());
    if (pointer.size() != 1 || !pointer[0]["owners"].is_array() || pointer[0]["owners"].empty()) {
      ADD_FAILURE() << listing;
      return {{"name", nullptr}, {"program", nullptr}};
    }
    return pointer[0]["owners"][0];
  }
  Scene scene_{"empty"};
  Folder folder_;
};

TEST_F(Programs, ScriptsModulesAndPackages) {
  folder_.file("package.json", R"({"private": true, "name": "a-package"})");
  folder_.file("pyproject.toml", "[project]\nname = \"a-project\"\n");
  folder_.file("shop-with-a-long-name.py", kPython);
  folder_.file("shop_module.py", kPython);
  folder_.file("dist/main.py", kPython);
  folder_.file("billing.pl", kPerl);
  const pid_t place = scene_.pid();
  const std::string& here = folder_.path();
  const Running script(place, here,
                       {"/usr/bin/python3", "-u", here + "/shop-with-a-long-name.py", "7101"});
  const Running module(place, here, {"/usr/bin/python3", "-m", "shop_module", "7102"});
  const Running vague(place, here, {"/usr/bin/python3", "-W", "ignore", "dist/main.py", "7103"});
  const Running perl(place, here, {"perl", "-w", "billing.pl", "7104"});
  const std::vector<std::pair<int, std::string>> right = {{7101, "shop-with-a-long-name.py"},
                                                          {7102, "shop_module"},
                                                          {7103, "a-project"},
                                                          {7104, "billing.pl"}};
  for (const auto& [port, program] : right) {
    const json seen = owner(port);
    EXPECT_EQ(seen["program"], program) << seen;
    EXPECT_NE(seen["name"], seen["program"]) << seen;
  }
  const auto table = run_hark({.netns_of = place}, {"list", "--netns", "self", "a-project"});
  EXPECT_THAT(table.out, HasSubstr("tcp 7103"));
  EXPECT_THAT(table.out, HasSubstr("a-project ("));
  EXPECT_THAT(table.out, testing::Not(HasSubstr("7104")));
}

TEST_F(Programs, AManifestThatIsNoFileIsNotOpened) {
  folder_.file("dist/main.py", kPython);
  const std::string pipe = folder_.path() + "/pyproject.toml";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0644), 0);
  const Running running(scene_.pid(), folder_.path(), {"/usr/bin/python3", "dist/main.py", "7105"});
  EXPECT_EQ(owner(7105)["program"], "main.py");
  EXPECT_EQ(unlink(pipe.c_str()), 0);
}

}  // namespace
}  // namespace hark::netns
