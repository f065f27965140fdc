#include "scenes.h"

#include <array>

namespace hark::doctor {

all_scenes(), full_queue_scenes(), idle_owner_scenes(), starved_owner_scenes(),
    not_accepting_scenes(), full_buffer_scenes(), choosy_socket_scenes(), deleted_program_scenes(),
    exposed_scenes(), shared_port_scenes(), odd_binding_scenes(), firewall_scenes(),
    lost_answer_scenes()
};
}

}  // namespace hark::doctor
