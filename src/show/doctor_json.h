// `hark.doctor/1` of docs/contract.md.
#pragma once

#include "show/doctor.h"
#include "show/list_json.h"

namespace hark::show {

void write_doctor_json(const DoctorReport& report, const Sink& sink);

}  // namespace hark::show
