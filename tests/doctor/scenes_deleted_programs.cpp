#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "scenes.h"

namespace hark::doctor {
namespace {

/// A copy of sleep(1) inherits the listener.
void runs_copy(Stage& stage, bool removed) {
  const int listener = stage.listen(80);
  const std::string program = stage.folder() + "/server";
  std::filesystem::copy_file("/bin/sleep", program);
  const pid_t pid =
      stage.endless([&program] { ::execl(program.c_str(), "server", "1000", nullptr); });
  Stage::wait_for_text("/proc/" + std::to_string(pid) + "/comm", "server");
  stage.give_away(listener);
  if (removed) std::filesystem::remove(program);
}

void deleted_program(Stage& stage) {
  runs_copy(stage, true);
}
void present_program(Stage& stage) {
  runs_copy(stage, false);
}

std::string some_library() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&::dlopen), &info) == 0 || info.dli_fname == nullptr) {
    throw Missing{"a shared C library"};
  }
  return info.dli_fname;
}

/// Maps a library as the loader does, and then it is removed, or not.
void maps_library(Stage& stage, bool removed) {
  const std::string library = stage.folder() + "/libhark.so.1";
  std::filesystem::copy_file(some_library(), library);
  const int listener = stage.listen(80);
  stage.process([&library] {
    const UniqueFd fd(check(::open(library.c_str(), O_RDONLY), "open"));
    if (::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd.get(), 0) == MAP_FAILED) {
      throw std::runtime_error("mmap");
    }
  });
  stage.give_away(listener);
  if (removed) std::filesystem::remove(library);
}

void deleted_library(Stage& stage) {
  maps_library(stage, true);
}
void present_library(Stage& stage) {
  maps_library(stage, false);
}

/// Code that was made at run time never was a file.
void code_in_memory(Stage& stage) {
  const int listener = stage.listen(80);
  stage.process([] {
    const UniqueFd fd(check(::memfd_create("jit.so", 0), "memfd_create"));
    check(::ftruncate(fd.get(), 4096), "ftruncate");
    if (::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd.get(), 0) == MAP_FAILED) {
      throw std::runtime_error("mmap");
    }
  });
  stage.give_away(listener);
}

}  // namespace

std::span<const Scene> deleted_program_scenes() {
  static const std::vector<Scene> scenes = {
      {"DeletedProgram", deleted_program, "deleted-binary", 80, "notice"},
      {"PresentProgram", present_program, nullptr},
      {"DeletedLibrary", deleted_library, "deleted-binary", 80, "notice"},
      {"PresentLibrary", present_library, nullptr},
      {"CodeInMemory", code_in_memory, nullptr},
  };
  return scenes;
}

}  // namespace hark::doctor
