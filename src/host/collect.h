// Builds a Host from what a source says.
#pragma once

#include <string>

#include "base/result.h"
#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

struct CollectRequest {
  bool identity = true;  ///< the host's name and kernel; false: left empty
  bool owners = true;    ///< false: no process is looked into for its descriptors
  bool details =
      true;  ///< all that JSON shows; false: what the usual table shows, and no more is read
  /// Which namespaces: "all" that can be entered; "self"; "host"; a name of /run/netns or of a
  /// container; a pid; a path; an inode as "net:[N]".
  std::string netns = "all";
};

/// Reads what the request needs, and nothing else. An error only where nothing at all can be said
/// (a namespace asked for by name that does not exist); whatever else fails becomes a gap.
[[nodiscard]] Result<Host> collect(kernel::Source& source, const CollectRequest& request);

}  // namespace hark::host
