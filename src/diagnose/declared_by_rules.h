// Rules of NAT that send a port of this host on to another of its network namespaces, as engines of
// containers make them: whoever made one meant somebody to listen there.
#pragma once

#include <vector>

#include "diagnose/finding.h"
#include "host/declared_ports.h"

namespace hark::diagnose {

/// Those at which nobody does, who has that address. What is not certain, or is one of several
/// backends, is left out.
[[nodiscard]] std::vector<host::DeclaredPort> declared_by_rules(const Facts& facts);

}  // namespace hark::diagnose
