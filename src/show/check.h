// What `hark check` found out: handed to the screen, to the JSON and to what CI reads.
#pragma once

#include <string>
#include <vector>

#include "diagnose/policy.h"
#include "diagnose/policy_learn.h"
#include "host/host.h"
#include "host/policy_file.h"
#include "reach/reach_table.h"
#include "show/list_json.h"
#include "show/list_rows.h"
#include "show/table.h"

namespace hark::show {

struct CheckReport {
  const host::Host& host;
  const reach::ReachTable& reach;
  const host::Policy& policy;
  std::string file;  ///< of the policy, as it was named; "-" is standard input
  std::vector<diagnose::PolicyResult> results = {};
  std::vector<host::Gap> gaps = {};
  bool several = false;  ///< namespaces are looked at
  bool hidden = false;   ///< some gap hides listeners that the policy may not name
};

// Words of results. Not escaped.

/// Results of which one thing is to be said: of one status and expectation, sockets of one row.
struct CheckItem {
  std::vector<const diagnose::PolicyResult*> results;  ///< at least one
  ListRow row = {};                                    ///< of Missing empty
};
/// In the order of the results. With `folded` twins and workers are told together.
[[nodiscard]] std::vector<CheckItem> check_items(const CheckReport& report, bool folded);

/// "tcp 80,443", "what sshd is configured for"; of one listener `whole`: "tcp 10.0.0.5:80"
[[nodiscard]] std::string check_subject(const CheckReport& report, const CheckItem& item,
                                        bool whole = false);
/// "postgres (733) is reachable from anywhere via eth0 but 10.0.0.0/8 as well; expected: lo"
[[nodiscard]] std::string check_sentence(const CheckReport& report, const CheckItem& item);
/// What decides, in few words: "accepted by inet filter input handle 9"; or empty.
[[nodiscard]] std::string check_cause(const CheckReport& report, const CheckItem& item);
/// "policy.toml:12:1"; empty: no place in it.
[[nodiscard]] std::string check_place(const CheckReport& report, const CheckItem& item);
/// How many results have this status.
[[nodiscard]] std::size_t count_of(const CheckReport& report, diagnose::PolicyStatus status);

/// Worst first, a paragraph each; what is met only with `verbose`. Then how many, and what could
/// not be seen.
[[nodiscard]] std::string check_text(const CheckReport& report, const TableStyle& style,
                                     bool verbose);

/// `hark.check/1` of docs/contract.md.
void write_check_json(const CheckReport& report, const Sink& sink);
/// SARIF 2.1.0 (OASIS), for code scanning: a result for whatever is not met, at its place in the
/// policy.
void write_check_sarif(const CheckReport& report, const Sink& sink);
/// JUnit's XML, as CI servers read it: a test case for each result.
[[nodiscard]] std::string check_junit(const CheckReport& report);

/// A policy file of what was learnt, with comments. `head`: lines of its first comment.
[[nodiscard]] std::string policy_toml(const std::vector<diagnose::LearntExpectation>& learnt,
                                      const std::vector<std::string>& head);

}  // namespace hark::show
