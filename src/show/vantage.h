// The same targets tried from several places: each place's `hark.test/1`, beside the others.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "show/list_json.h"
#include "show/table.h"

namespace hark::show {

/// One attempt of one place, as its JSON has it. Empty texts: null.
struct VantageAttempt {
  std::string target;  ///< as the person wrote it
  std::string to;
  std::string protocol;
  std::string address;
  std::uint16_t port = 0;
  std::string from;
  std::string outcome;
  std::string error;    ///< errno's name
  std::string service;  ///< "http 200 OK"
  std::string explanation;
  std::optional<double> connect_ms;
  std::string json;  ///< the attempt as it came
};

struct Vantage {
  std::string name;     ///< "here", "ssh:web2"
  std::string trouble;  ///< why nothing is known from there; empty: it is
  std::string note;     ///< what else there is to say; or empty
  bool bare = false;    ///< hark is not installed there: a shell tried TCP alone
  std::vector<VantageAttempt> attempts;
};

/// What `hark why` on this host says of a source that got no answer.
struct VantageCause {
  std::string vantage;
  std::string to;
  std::string from;
  std::string outcome;
  std::string text;
  std::string json;  ///< CAUSE as it came
};

/// The attempts of a `hark.test/1` object. The text may come from another host: bounded, and every
/// part of another kind is taken as null.
[[nodiscard]] Result<std::vector<VantageAttempt>> read_test_json(std::string_view text,
                                                                 const std::string& what);

/// An attempt of a place that gave no JSON: its fields as they are, and the JSON made of them.
[[nodiscard]] VantageAttempt bare_attempt(VantageAttempt fields);

/// Outcome and cause of the first CLASS of a `hark.why/1` object; nothing: it is none.
[[nodiscard]] std::optional<VantageCause> read_why_json(std::string_view text);

/// A row for each address, a column for each place; then what is known of each that failed.
[[nodiscard]] std::string vantage_text(const std::vector<Vantage>& vantages,
                                       const std::vector<VantageCause>& causes,
                                       const TableStyle& style);
void write_vantage_json(const std::vector<Vantage>& vantages,
                        const std::vector<VantageCause>& causes, const Sink& sink);

}  // namespace hark::show
