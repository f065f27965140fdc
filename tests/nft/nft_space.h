// A network namespace that ends with the object, and programs run in it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "host/network.h"
#include "kernel/source.h"

namespace hark::nft_test {

struct Said {
  int status = -1;   ///< exit status; -1: it did not run
  std::string text;  ///< standard output and error
};

class NftSpace {
 public:
  /// A process of its own holds the namespace open. Without root the test fails.
  NftSpace();
  NftSpace(const NftSpace&) = delete;
  NftSpace& operator=(const NftSpace&) = delete;
  ~NftSpace();

  [[nodiscard]] kernel::NetnsRef ref() const;
  /// Runs a program inside. `input` is its standard input.
  [[nodiscard]] Said run(const std::vector<std::string>& command, const std::string& input = {});
  /// `nft -f -` of this text; the test fails where nft refuses.
  void load(const std::string& ruleset);
  /// What hark reads; the test fails where it cannot.
  [[nodiscard]] host::NftRuleset read();

 private:
  pid_t pid_ = -1;
  UniqueFd end_;
};

/// A file of this folder.
[[nodiscard]] std::string file_text(const std::string& name);

}  // namespace hark::nft_test
