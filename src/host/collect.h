// Builds a Host from what a source says.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

struct CollectRequest {
  bool identity = true;  ///< the host's name and kernel; false: left empty
  bool owners = true;    ///< false: no process is looked into for its descriptors
  /// All that JSON shows; false: what the usual table shows, and no more is read.
  bool details = true;
  /// With details: enabled units in trouble, see UnitsRequest.
  bool enabled_units = false;
  /// Which namespaces: "all" that can be entered; "self"; "host"; a name of /run/netns or of a
  /// container; a pid; a path; an inode as "net:[N]".
  std::string netns = "all";
  /// The one namespace that a question is about, in the same words but "all"; it is read even if
  /// `netns` does not mean it. Empty: none in particular.
  std::string focus = {};
  /// Called once for each namespace whose listeners were read: adds sockets whose owners are wanted
  /// as well.
  std::function<void(const kernel::NetnsRef&, NetnsId, std::vector<Listener>&)> more = {};
};

/// A host, and how its namespaces are asked.
struct Collected {
  Host host;
  std::vector<kernel::NetnsRef> ways;  ///< to Host::namespaces
  NetnsId focus{};                     ///< the namespace that was meant by CollectRequest::focus
};

/// Reads what the request needs, and nothing else. An error only where nothing at all can be said
/// (a namespace asked for by name that does not exist); whatever else fails becomes a gap.
[[nodiscard]] Result<Host> collect(kernel::Source& source, const CollectRequest& request);

/// The same, for a question that has more to ask of a namespace than its sockets. An error where
/// the namespace of the question does not exist or could not be read.
[[nodiscard]] Result<Collected> collect_with_ways(kernel::Source& source,
                                                  const CollectRequest& request);

}  // namespace hark::host
