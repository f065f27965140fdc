#include "show/vantage.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>

#include "show/escape.h"
#include "show/json_parts.h"

namespace hark::show {
namespace {

constexpr std::size_t kMostAttempts = 100'000;

std::string text_of(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

VantageAttempt attempt_of(const Json& object) {
  VantageAttempt out;
  out.target = text_of(object, "target");
  out.to = text_of(object, "to");
  out.protocol = text_of(object, "protocol");
  out.address = text_of(object, "address");
  out.from = text_of(object, "from");
  out.outcome = text_of(object, "outcome");
  out.error = text_of(object, "errno");
  out.explanation = text_of(object, "explanation");
  if (const auto port = object.find("port"); port != object.end() && port->is_number_unsigned()) {
    out.port = port->get<std::uint16_t>();
  }
  if (const auto times = object.find("times_ms"); times != object.end() && times->is_object()) {
    const auto connect = times->find("connect");
    if (connect != times->end() && connect->is_number()) out.connect_ms = connect->get<double>();
  }
  if (const auto service = object.find("service");
      service != object.end() && service->is_object()) {
    out.service = text_of(*service, "protocol") + " " + text_of(*service, "detail");
  }
  out.json = object.dump(-1, ' ', false, Json::error_handler_t::replace);
  return out;
}

/// "answered 0.4 ms", "refused", "rejected (EHOSTUNREACH)"
std::string cell_words(const VantageAttempt& attempt) {
  std::string out = attempt.outcome;
  if (attempt.outcome == "answered" && attempt.connect_ms) {
    std::array<char, 32> buffer{};
    std::snprintf(buffer.data(), buffer.size(), " %.1f ms", *attempt.connect_ms);
    out += buffer.data();
  } else if (!attempt.error.empty() && attempt.outcome != "refused") {
    out += " (" + attempt.error + ")";
  }
  return out;
}

const VantageAttempt* find(const Vantage& vantage, const VantageAttempt& like) {
  const auto found = std::ranges::find_if(vantage.attempts, [&](const VantageAttempt& each) {
    return each.target == like.target && each.to == like.to && each.protocol == like.protocol;
  });
  return found == vantage.attempts.end() ? nullptr : &*found;
}

/// Every address that somebody tried, in the order of the places.
std::vector<const VantageAttempt*> rows_of(const std::vector<Vantage>& vantages) {
  std::vector<const VantageAttempt*> out;
  std::set<std::string> seen;
  for (const Vantage& vantage : vantages) {
    for (const VantageAttempt& attempt : vantage.attempts) {
      if (seen.insert(attempt.protocol + ' ' + attempt.to + ' ' + attempt.target).second) {
        out.push_back(&attempt);
      }
    }
  }
  return out;
}

Cell cell_of(const Vantage& vantage, const VantageAttempt& row, const TableStyle& style) {
  const VantageAttempt* const attempt = find(vantage, row);
  if (attempt == nullptr) return {.text = "-", .colour = Colour::Dim};
  const bool good = attempt->outcome == "answered";
  return {.text = for_terminal(cell_words(*attempt), style.ascii),
          .colour = good ? Colour::Green : Colour::Red};
}

std::string cause_words(const VantageCause& cause) {
  const std::string who = cause.vantage + " (" + cause.from + ")";
  if (cause.outcome == "answered") {
    return who +
           ": not on this side: this host would answer. It gets lost before it comes here, or the "
           "source is changed on the way.";
  }
  if (cause.outcome == "unknown") return who + ": whether it is on this side could not be told.";
  return who + ": on this side: " + cause.outcome + ": " + cause.text;
}

}  // namespace

Result<std::vector<VantageAttempt>> read_test_json(std::string_view text, const std::string& what) {
  const Json all = Json::parse(text, nullptr, false);
  const bool test = all.is_object() && text_of(all, "schema") == "hark.test/1";
  if (!test || !all.contains("attempts") || !all["attempts"].is_array()) {
    return fail(plain_error(what, "its answer is no hark.test/1"));
  }
  std::vector<VantageAttempt> out;
  for (const Json& each : all["attempts"]) {
    if (out.size() == kMostAttempts) break;
    if (each.is_object()) out.push_back(attempt_of(each));
  }
  return out;
}

VantageAttempt bare_attempt(VantageAttempt fields) {
  const bool v6 = fields.address.find(':') != std::string::npos;
  if (fields.to.empty() && !fields.address.empty()) {
    fields.to =
        (v6 ? '[' + fields.address + ']' : fields.address) + ':' + std::to_string(fields.port);
  }
  fields.protocol = "tcp";
  const Json made = {{"target", for_json(fields.target)},
                     {"from", text_or_null(fields.from)},
                     {"to", text_or_null(fields.to)},
                     {"protocol", "tcp"},
                     {"address", text_or_null(fields.address)},
                     {"port", fields.port},
                     {"outcome", for_json(fields.outcome)},
                     {"errno", text_or_null(fields.error)},
                     {"icmp", nullptr},
                     {"service", nullptr},
                     {"predicted", nullptr},
                     {"agrees", nullptr}};
  fields.json = made.dump(-1, ' ', false, Json::error_handler_t::replace);
  return fields;
}

std::optional<VantageCause> read_why_json(std::string_view text) {
  const Json all = Json::parse(text, nullptr, false);
  if (!all.is_object() || !all.contains("answers") || !all["answers"].is_array() ||
      all["answers"].empty() || !all["answers"][0].is_object()) {
    return std::nullopt;
  }
  const Json& first = all["answers"][0];
  VantageCause out;
  out.outcome = text_of(first, "outcome");
  if (const auto cause = first.find("cause"); cause != first.end() && cause->is_object()) {
    out.text = text_of(*cause, "text");
    out.json = cause->dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return out;
}

std::string vantage_text(const std::vector<Vantage>& vantages,
                         const std::vector<VantageCause>& causes, const TableStyle& style) {
  std::vector<Column> columns = {{.heading = "TARGET", .importance = kMustStay}};
  for (const Vantage& vantage : vantages) {
    columns.push_back(
        {.heading = for_terminal(vantage.name, style.ascii), .importance = kMustStay});
  }
  std::vector<std::vector<Cell>> rows;
  for (const VantageAttempt* const row : rows_of(vantages)) {
    const std::string label = row->to.empty() ? row->target : row->protocol + ' ' + row->to;
    std::vector<Cell> cells = {{.text = for_terminal(label, style.ascii)}};
    for (const Vantage& vantage : vantages) cells.push_back(cell_of(vantage, *row, style));
    rows.push_back(std::move(cells));
  }
  std::string out = format_table(columns, rows, style);
  std::vector<std::string> notes;
  for (const Vantage& vantage : vantages) {
    if (!vantage.trouble.empty()) notes.push_back(vantage.name + ": " + vantage.trouble);
    if (!vantage.note.empty()) notes.push_back(vantage.name + ": " + vantage.note);
    if (vantage.bare) {
      notes.push_back(vantage.name + ": hark is not installed there; its shell tried TCP alone");
    }
  }
  for (const VantageCause& cause : causes) notes.push_back(cause_words(cause));
  if (!notes.empty()) out += "\n";
  for (const std::string& note : notes) {
    for (const std::string& line : wrapped(for_terminal(note, style.ascii), style.width))
      out += line + "\n";
  }
  return out;
}

void write_vantage_json(const std::vector<Vantage>& vantages,
                        const std::vector<VantageCause>& causes, const Sink& sink) {
  std::vector<Json> attempts;
  for (const Vantage& vantage : vantages) {
    for (const VantageAttempt& attempt : vantage.attempts) {
      Json each = Json::parse(attempt.json, nullptr, false);
      each["target"] = for_json(attempt.target);
      each["via"] = for_json(vantage.name);
      attempts.push_back(std::move(each));
    }
  }
  JsonWriter writer(sink);
  writer.member("schema", "hark.test/1");
  writer.list("attempts", attempts.size(), [&](std::size_t i) { return attempts[i]; });
  writer.list("vantages", vantages.size(), [&](std::size_t i) {
    const Vantage& each = vantages[i];
    return Json{{"via", for_json(each.name)},
                {"bare", each.bare},
                {"trouble", text_or_null(each.trouble)},
                {"note", text_or_null(each.note)}};
  });
  writer.list("causes", causes.size(), [&](std::size_t i) {
    const VantageCause& each = causes[i];
    const Json cause = Json::parse(each.json, nullptr, false);
    return Json{{"via", for_json(each.vantage)},
                {"from", text_or_null(each.from)},
                {"to", text_or_null(each.to)},
                {"outcome", text_or_null(each.outcome)},
                {"cause", cause.is_discarded() ? Json(nullptr) : cause}};
  });
  writer.list("gaps", 0, [](std::size_t) { return Json(nullptr); });
  writer.end();
}

}  // namespace hark::show
