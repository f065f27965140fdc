// decode_socket_survey: what is accepted is in order, and each socket is there once.
#include <algorithm>
#include <cstdlib>
#include <span>

#include "decode/socket_scan.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hark;
  using namespace hark::decode;
  const auto survey = decode_socket_survey(std::as_bytes(std::span(data, size)));
  if (!survey) return 0;
  if (!survey->full && !survey->sockets.empty()) std::abort();
  const auto by_netns = [](const SurveyRecord& a, const SurveyRecord& b) {
    return a.netns_inode < b.netns_inode;
  };
  if (!std::is_sorted(survey->sockets.begin(), survey->sockets.end(), by_netns)) std::abort();
  for (const SurveyRecord& record : survey->sockets) {
    const bool v6 = record.socket.local.family == Family::Inet6;
    if (record.socket.v6only.has_value() != v6) std::abort();
  }
  return 0;
}
