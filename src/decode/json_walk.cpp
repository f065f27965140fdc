#include "decode/json_walk.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

namespace hark::decode {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLargest = std::size_t{16} << 20U;
constexpr std::size_t kDeepest = 64;

/// Keeps the path and hands on texts. A false answer ends the parse.
class Walk final : public nlohmann::json_sax<Json> {
 public:
  explicit Walk(const JsonEvents& events) : events_(events) {}

  [[nodiscard]] bool too_deep() const { return too_deep_; }

  bool null() override { return true; }
  bool boolean(bool value) override {
    if (events_.truth) events_.truth(path_, value);
    return true;
  }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t value) override {
    if (events_.number) events_.number(path_, value);
    return true;
  }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool string(string_t& value) override {
    events_.text(path_, value);
    return true;
  }
  bool start_object(std::size_t /*count*/) override {
    if (events_.object) events_.object(path_);
    return deeper();
  }
  bool key(string_t& name) override {
    path_.back() = name;
    return true;
  }
  bool end_object() override { return shallower(); }
  bool start_array(std::size_t /*count*/) override { return deeper(); }
  bool end_array() override { return shallower(); }
  bool parse_error(std::size_t /*at*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    return false;
  }

 private:
  bool deeper() {
    too_deep_ = path_.size() == kDeepest;
    if (!too_deep_) path_.emplace_back();
    return !too_deep_;
  }
  bool shallower() {
    path_.pop_back();
    return true;
  }

  const JsonEvents& events_;
  std::vector<std::string> path_;
  bool too_deep_ = false;
};

}  // namespace

Result<void> walk_json(ByteView document, const JsonEvents& events) {
  if (document.size() > kLargest) return fail(plain_error("JSON", "larger than 16 MiB"));
  const std::string_view text = as_text(document);
  Walk walk(events);
  if (Json::sax_parse(text.begin(), text.end(), &walk)) return {};
  return fail(plain_error("JSON", walk.too_deep() ? "nested too deeply" : "malformed"));
}

bool is_path(JsonPath path, std::span<const std::string_view> names) {
  return std::equal(
      path.begin(), path.end(), names.begin(), names.end(),
      [](const std::string& have, std::string_view want) { return want == "*" || have == want; });
}

}  // namespace hark::decode
