#include "drill/lab_scenario.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "decode/toml.h"
#include "drill/lab_causes.h"

namespace hark::drill {
namespace {

using decode::TomlArray;
using decode::TomlEntry;
using decode::TomlTable;
using decode::TomlValue;

constexpr std::array<std::string_view, 8> kTopics = {
    "first steps",          "addresses", "firewall", "routing", "nat", "containers",
    "queues and processes", "exposure",
};
constexpr std::array<std::string_view, 3> kPlaces = {"neighbour", "router", "container"};
constexpr std::int64_t kMostTimes = 64;
constexpr std::int64_t kHardest = 5;

Error error_at(const std::string& file, decode::TextPlace place, std::string why,
               std::string hint = {}) {
  return plain_error(file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column),
                     std::move(why), std::move(hint));
}

/// Reads the members of one table and notes the first thing that is wrong.
class Reader {
 public:
  /// `place` is that of the table: what is missing is missing there.
  Reader(const TomlTable& table, decode::TextPlace place, std::string file)
      : table_(table), place_(place), file_(std::move(file)) {}

  std::string text(std::string_view key, bool wanted = true) {
    const TomlValue* value = find(key, wanted);
    if (value == nullptr) return {};
    const auto* text = std::get_if<std::string>(&value->value);
    if (text == nullptr) return wrong(*value, key, "is no text"), std::string();
    if (wanted && text->empty()) wrong(*value, key, "is empty");
    return *text;
  }

  std::vector<std::string> texts(std::string_view key, bool wanted = true) {
    std::vector<std::string> out;
    const TomlValue* value = find(key, wanted);
    if (value == nullptr) return out;
    const auto* array = std::get_if<TomlArray>(&value->value);
    if (array == nullptr) return wrong(*value, key, "is no list of texts"), out;
    for (const TomlValue& one : *array) {
      const auto* text = std::get_if<std::string>(&one.value);
      if (text == nullptr) return wrong(one, key, "is no list of texts"), out;
      out.push_back(*text);
    }
    if (wanted && out.empty()) wrong(*value, key, "is empty");
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
    wrong(*find(key), key, "there is no \"" + word + "\"",
          near ? "did you mean " + *near : "there are: " + join(names, ", "));
  }

  unsigned number(std::string_view key, std::int64_t most, unsigned otherwise) {
    const TomlValue* value = find(key, false);
    if (value == nullptr) return otherwise;
    const auto* number = std::get_if<std::int64_t>(&value->value);
    if (number == nullptr || *number < 1 || *number > most) {
      wrong(*value, key, "is no number from 1 to " + std::to_string(most));
      return otherwise;
    }
    return static_cast<unsigned>(*number);
  }

  bool flag(std::string_view key) {
    const TomlValue* value = find(key, false);
    if (value == nullptr) return false;
    const auto* truth = std::get_if<bool>(&value->value);
    if (truth == nullptr) wrong(*value, key, "is neither true nor false");
    return truth != nullptr && *truth;
  }

  const TomlValue* find(std::string_view key, bool wanted = true) {
    known_.emplace_back(key);
    const auto entry = std::ranges::find(table_, key, &TomlEntry::key);
    if (entry != table_.end()) return &entry->value;
    if (wanted) missing(key);
    return nullptr;
  }

  void missing(std::string_view key) {
    if (!error_) error_ = error_at(file_, place_, std::string(key) + " is missing");
  }

  /// What was not asked for is a mistake.
  void finish() {
    for (const TomlEntry& entry : table_) {
      if (error_ || std::ranges::find(known_, entry.key) != known_.end()) continue;
      const auto near = nearest(entry.key, known_);
      error_ = error_at(file_, entry.place, entry.key + " is not known",
                        near ? "did you mean " + *near : "");
    }
  }

  void wrong(const TomlValue& value, std::string_view key, const std::string& why,
             std::string hint = {}) {
    if (error_) return;
    error_ = error_at(file_, value.place, std::string(key) + " " + why, std::move(hint));
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] const std::string& file() const { return file_; }
  void take_error(const Reader& other) {
    if (!error_) error_ = other.error_;
  }

 private:
  const TomlTable& table_;
  decode::TextPlace place_;
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
  const TomlValue* value = top.find("probe");
  if (value == nullptr) return;
  const auto* array = std::get_if<TomlArray>(&value->value);
  if (array == nullptr) return top.wrong(*value, "probe", "is no list of tables: [[probe]]");
  for (const TomlValue& one : *array) {
    const auto* table = std::get_if<TomlTable>(&one.value);
    if (table == nullptr) return top.wrong(one, "probe", "is no table");
    Reader reader(*table, one.place, top.file());
    into.probes.push_back(read_probe(reader, into.places));
    top.take_error(reader);
  }
}

void read_cause(Reader& top, LabScenario& into) {
  const TomlValue* value = top.find("cause");
  if (value == nullptr) return;
  const auto* table = std::get_if<TomlTable>(&value->value);
  if (table == nullptr) return top.wrong(*value, "cause", "is no table: [cause]");
  Reader reader(*table, value->place, top.file());
  const std::vector<std::string_view> known = lab_cause_codes();
  into.cause.codes = reader.words("codes", known);
  if (into.cause.codes.empty()) reader.missing("codes");
  into.cause.ask = reader.text("ask");
  into.cause.text = reader.text("text");
  into.cause.words = reader.texts("words");
  into.cause.wrong = reader.words("wrong", known);
  if (into.cause.wrong.size() < 2) reader.wrong(*value, "wrong", "names less than two causes");
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
  const auto parsed = decode::decode_toml(text);
  if (!parsed) return fail(error_at(file, parsed.error().place, parsed.error().what));
  Reader reader(*parsed, {}, file);
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
