#include "drill/lab_scenario.h"

// Nothing here throws: errors are values.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "drill/lab_causes.h"

namespace hark::drill {
namespace {

constexpr std::array<std::string_view, 8> kTopics = {
    "first steps",          "addresses", "firewall", "routing", "nat", "containers",
    "queues and processes", "exposure",
};
constexpr std::array<std::string_view, 3> kPlaces = {"neighbour", "router", "container"};
constexpr std::int64_t kMostTimes = 64;
constexpr std::int64_t kHardest = 5;

/// Reads the members of one table and notes the first thing that is wrong.
class Reader {
 public:
  Reader(const toml::table& table, std::string file) : table_(table), file_(std::move(file)) {}

  std::string text(std::string_view key, bool wanted = true) {
    const toml::node* node = find(key, wanted);
    if (node == nullptr) return {};
    const auto value = node->value<std::string>();
    if (!node->is_string()) return wrong(*node, key, "is no text"), std::string();
    if (wanted && value->empty()) wrong(*node, key, "is empty");
    return *value;
  }

  std::vector<std::string> texts(std::string_view key, bool wanted = true) {
    std::vector<std::string> out;
    const toml::node* node = find(key, wanted);
    if (node == nullptr) return out;
    const toml::array* array = node->as_array();
    if (array == nullptr) return wrong(*node, key, "is no list of texts"), out;
    for (const toml::node& one : *array) {
      if (!one.is_string()) return wrong(one, key, "is no list of texts"), out;
      out.push_back(*one.value<std::string>());
    }
    if (wanted && out.empty()) wrong(*node, key, "is empty");
    return out;
  }

  /// Texts that have to be of `known`.
  std::vector<std::string> words(std::string_view key, std::span<const std::string_view> known) {
    std::vector<std::string> out = texts(key, false);
    for (const std::string& word : out) check_word(key, word, known);
    return out;
  }

  void check_word(std::string_view key, const std::string& word,
                  std::span<const std::string_view> known) {
    if (error_ || std::ranges::find(known, word) != known.end()) return;
    const std::vector<std::string> names(known.begin(), known.end());
    const auto near = nearest(word, names);
    wrong(*table_.get(key), key, "there is no \"" + word + "\"",
          near ? "did you mean " + *near : "there are: " + join(names, ", "));
  }

  unsigned number(std::string_view key, std::int64_t most, unsigned otherwise) {
    const toml::node* node = find(key, false);
    if (node == nullptr) return otherwise;
    const auto value = node->value<std::int64_t>();
    if (!node->is_integer() || *value < 1 || *value > most) {
      wrong(*node, key, "is no number from 1 to " + std::to_string(most));
      return otherwise;
    }
    return static_cast<unsigned>(*value);
  }

  bool flag(std::string_view key) {
    const toml::node* node = find(key, false);
    if (node == nullptr) return false;
    if (!node->is_boolean()) wrong(*node, key, "is neither true nor false");
    return node->value<bool>().value_or(false);
  }

  const toml::node* find(std::string_view key, bool wanted = true) {
    known_.emplace_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr && wanted) wrong(table_, key, "is missing");
    return node;
  }

  /// What was not asked for is a mistake.
  void finish() {
    for (const auto& [key, node] : table_) {
      const std::string word(key.str());
      if (std::ranges::find(known_, word) != known_.end()) continue;
      const auto near = nearest(word, known_);
      wrong(node, word, "is not known", near ? "did you mean " + *near : "");
    }
  }

  void wrong(const toml::node& node, std::string_view key, const std::string& why,
             std::string hint = {}) {
    if (error_) return;
    const toml::source_position at = node.source().begin;
    error_ = plain_error(file_ + ":" + std::to_string(at.line) + ":" + std::to_string(at.column),
                         std::string(key) + (why.empty() ? "" : " ") + why, std::move(hint));
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] const std::string& file() const { return file_; }
  void take_error(const Reader& other) {
    if (!error_) error_ = other.error_;
  }

 private:
  const toml::table& table_;
  std::string file_;
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

/// "tcp/10.0.0.5:80", "udp/[fd00::5]:53".
bool read_target(const std::string& text, LabProbe& into) {
  std::string_view rest = text;
  const std::string_view protocol = next_piece(rest, '/');
  if (protocol != "tcp" && protocol != "udp") return false;
  into.udp = protocol == "udp";
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view address = rest.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) {
    address.remove_prefix(1);
    address.remove_suffix(1);
  }
  const auto parsed = IpAddress::parse(address);
  const auto port = parse_number<std::uint16_t>(rest.substr(colon + 1));
  if (!parsed || !port || *port == 0) return false;
  into.address = *parsed;
  into.port = *port;
  into.text = text;
  return true;
}

LabProbe read_probe(Reader& reader, std::span<const std::string> places) {
  LabProbe out;
  out.from = reader.text("from");
  std::vector<std::string_view> known(places.begin(), places.end());
  known.emplace_back("host");
  if (std::ranges::find(places, "router") != places.end()) known.emplace_back("remote");
  reader.check_word("from", out.from, known);
  const std::string to = reader.text("to");
  if (!reader.error() && !read_target(to, out)) {
    reader.wrong(*reader.find("to"), "to", "is not of the form tcp/10.0.0.5:80");
  }
  out.blocked = reader.flag("blocked");
  out.reply = reader.text("reply", !out.blocked);
  out.times = reader.number("times", kMostTimes, 1);
  reader.finish();
  return out;
}

void read_probes(Reader& top, LabScenario& into) {
  const toml::node* node = top.find("probe");
  if (node == nullptr) return;
  const toml::array* array = node->as_array();
  if (array == nullptr || !array->is_homogeneous(toml::node_type::table)) {
    return top.wrong(*node, "probe", "is no list of tables: [[probe]]");
  }
  for (const toml::node& one : *array) {
    Reader reader(*one.as_table(), top.file());
    into.probes.push_back(read_probe(reader, into.places));
    top.take_error(reader);
  }
}

void read_cause(Reader& top, LabScenario& into) {
  const toml::node* node = top.find("cause");
  if (node == nullptr) return;
  const toml::table* table = node->as_table();
  if (table == nullptr) return top.wrong(*node, "cause", "is no table: [cause]");
  Reader reader(*table, top.file());
  const std::vector<std::string_view> known = lab_cause_codes();
  into.cause.codes = reader.words("codes", known);
  if (into.cause.codes.empty()) reader.wrong(*table, "codes", "is missing");
  into.cause.ask = reader.text("ask");
  into.cause.text = reader.text("text");
  into.cause.words = reader.texts("words");
  into.cause.wrong = reader.words("wrong", known);
  if (into.cause.wrong.size() < 2) reader.wrong(*table, "wrong", "names less than two causes");
  into.show = reader.text("show");
  into.evidence = reader.texts("evidence");
  reader.finish();
  top.take_error(reader);
}

}  // namespace

std::span<const std::string_view> lab_topics() {
  return kTopics;
}

std::span<const std::string_view> lab_places() {
  return kPlaces;
}

Result<LabScenario> parse_lab_scenario(std::string_view text, std::string_view name,
                                       const std::string& file) {
  const toml::parse_result parsed = toml::parse(text, file);
  if (!parsed) {
    const toml::source_position at = parsed.error().source().begin;
    return fail(plain_error(file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column),
                            std::string(parsed.error().description())));
  }
  Reader reader(parsed.table(), file);
  LabScenario out;
  out.name = name;
  out.title = reader.text("title");
  out.topic = reader.text("topic");
  reader.check_word("topic", out.topic, kTopics);
  out.difficulty = reader.number("difficulty", kHardest, 1);
  out.story = reader.text("story");
  out.hints = reader.texts("hints");
  out.needs = reader.texts("needs", false);
  out.places = reader.words("places", kPlaces);
  out.programs = reader.texts("programs");
  out.setup = reader.text("setup");
  out.seen = reader.text("seen");
  read_cause(reader, out);
  out.mend = reader.text("mend");
  read_probes(reader, out);
  reader.finish();
  if (reader.error()) return fail(*reader.error());
  return out;
}

}  // namespace hark::drill
