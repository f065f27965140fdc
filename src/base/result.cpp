#include "base/result.h"

#include <cstring>

namespace hark {

std::string reason(const Error& error) {
  if (!error.why.empty()) return error.why;
  return error.code != 0 ? std::strerror(error.code) : "unknown error";
}

Error kernel_error(int code, std::string what) {
  return {.code = code, .what = std::move(what), .why = {}, .hint = {}};
}

Error plain_error(std::string what, std::string why, std::string hint) {
  return {.code = 0, .what = std::move(what), .why = std::move(why), .hint = std::move(hint)};
}

}  // namespace hark
