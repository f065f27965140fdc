// Two network namespaces: the host under test, and the wire, where the other ends of its links are
// and where the prober plays every client and every router. The process that makes a Place moves
// into the wire for good; both namespaces end with it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "script.h"

namespace hark::differential {

constexpr unsigned kLinks = 3;

/// An interface of the host, as it is when the questions are asked.
struct InterfaceNow {
  std::string name;
  bool up = false;
  std::vector<Prefix> subnets = {};  ///< more than one address long
  std::vector<IpAddress> addresses = {};
};

class Place {
 public:
  /// Needs root. The process must have one thread only.
  [[nodiscard]] static Result<Place> make();

  /// Makes the containers of a case.
  [[nodiscard]] Result<void> make_boxes(const std::vector<std::string>& names);
  struct Box {
    std::string name;
    UniqueFd netns;
    std::string path;  ///< of its file, while the Place lives
  };
  [[nodiscard]] const std::vector<Box>& boxes() const { return boxes_; }
  /// The namespace of a container; of another name the host's.
  [[nodiscard]] int netns_of(const std::string& name) const;
  /// The path of the host's file.
  [[nodiscard]] std::string host_path() const;

  /// Does the steps of one time, in their order; `ip` commands side by side as one batch. `loose`:
  /// what cannot be done is passed over, and told in `missed`.
  [[nodiscard]] Result<void> apply(const std::vector<Step>& steps, bool late, bool loose,
                                   std::vector<std::string>& missed) const;
  /// Runs `work` in the namespace of the host.
  void in_host(const std::function<void()>& work) const { in_netns(host_.get(), work); }
  void in_netns(int netns, const std::function<void()>& work) const;
  [[nodiscard]] std::vector<InterfaceNow> interfaces() const;
  /// Waits for what the kernel does on its own time after steps: until links that have a carrier
  /// run, and IPv6 has made the local routes of its addresses.
  void wait_for_steps() const;
  /// Host and containers know no neighbour and no connection any more: what earlier questions have
  /// left.
  void forget() const;

  [[nodiscard]] int host() const { return host_.get(); }

 private:
  void wait_for_addresses() const;
  [[nodiscard]] Result<void> run_batch(const std::string& batch, bool six, bool loose) const;
  void forget_in(int netns) const;
  [[nodiscard]] Result<void> run_step(const Step& step) const;
  /// Words @NAME become paths.
  [[nodiscard]] std::string with_paths(std::string text) const;
  UniqueFd host_, wire_;
  std::vector<Box> boxes_;
};

/// Runs a program found in PATH with `input` on its standard input, in the namespace. The error
/// carries what it said on standard error.
[[nodiscard]] Result<void> run_program(int netns, const std::vector<std::string>& words,
                                       std::string_view input);

}  // namespace hark::differential
