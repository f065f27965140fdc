// Gives the processes of a host the names of the programs they run.
#pragma once

#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

/// Fills Process::program. A command line is read only of a language runtime whose command line is
/// not there yet; a manifest only where the script says little by its name (program_name.h), in its
/// folder and at most two above, as the process sees them.
void name_programs(kernel::Source& source, Host& host);

}  // namespace hark::host
