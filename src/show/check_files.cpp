// What other programs read of `hark check`: JUnit's XML, and the policy that --learn writes.
//
// JUnit has no standard; this is what Jenkins, GitLab, GitHub's and Azure's readers have in common:
// testsuites, testsuite, testcase, failure, error, with the attributes that they show.
#include <fmt/format.h>

#include "show/check.h"
#include "show/escape.h"

namespace hark::show {
namespace {

using diagnose::LearntExpectation;
using diagnose::PolicyStatus;

constexpr std::size_t kWidest = 100;

/// XML 1.0 has no way to write most control characters: for_terminal() leaves none.
std::string xml(std::string_view text) {
  std::string out;
  for (const char c : for_terminal(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string test_case(const CheckReport& report, const CheckItem& item) {
  const PolicyStatus status = item.results.front()->status;
  const auto& at = item.results.front()->expectation;
  const std::string subject = check_subject(report, item, true);
  std::string name = subject;
  if (at) {
    const host::Expectation& asked = report.policy.expectations[*at];
    if (!item.row.listeners.empty() || !item.row.published.empty()) {
      name += " as " + words_of(asked);
    }
    if (!asked.owners.empty()) name += " of " + owner_words(asked);
  } else {
    name += " unexpected";
  }
  std::string out = fmt::format(
      "    <testcase classname=\"{}\" name=\"{}\"",
      xml("hark." + (report.host.name.empty() ? std::string("host") : report.host.name)),
      xml(name));
  if (at) {
    out += fmt::format(" file=\"{}\" line=\"{}\"", xml(report.file),
                       report.policy.expectations[*at].place.line);
  }
  if (status == PolicyStatus::Met) return out + "/>\n";
  const char* element = status == PolicyStatus::Unknown ? "error" : "failure";
  const std::string sentence = subject + ": " + check_sentence(report, item);
  std::string body = sentence;
  for (const std::string& more : {check_cause(report, item), check_place(report, item)}) {
    if (!more.empty()) body += "; " + more;
  }
  return out + fmt::format(">\n      <{} type=\"{}\" message=\"{}\">{}</{}>\n    </testcase>\n",
                           element, name_of(status), xml(sentence), xml(body), element);
}

/// A basic string of TOML, of printable ASCII.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string list_of(const std::string& key, const std::vector<std::string>& words) {
  if (words.size() == 1) return key + " = " + quoted(words.front()) + "\n";
  std::string line = key + " = [";
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string word = quoted(words[i]) + (i + 1 < words.size() ? "," : "]");
    if (line.size() + word.size() + 1 > kWidest) {
      out += line + "\n";
      line = "   ";
    }
    line += (i == 0 ? "" : " ") + word;
  }
  return out + line + "\n";
}

std::string reach_line(const host::ReachWish& wish) {
  if (wish.kind == host::ReachWish::Kind::NotSaid) return {};
  const std::vector<std::string> words = entries_of(wish);
  if (words.empty()) return "reach = " + quoted(words_of(wish)) + "\n";
  if (words.size() == 1) return "reach = [" + quoted(words.front()) + "]\n";
  return list_of("reach", words);
}

}  // namespace

std::string check_junit(const CheckReport& report) {
  const std::size_t met = count_of(report, PolicyStatus::Met);
  const std::size_t open = count_of(report, PolicyStatus::Unknown);
  const std::size_t hidden = report.hidden ? 1 : 0;
  const std::string counts =
      fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\"", report.results.size() + hidden,
                  report.results.size() - met - open, open + hidden);
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  out += fmt::format("<testsuites name=\"hark check\" {}>\n", counts);
  out +=
      fmt::format("  <testsuite name=\"{}\" {} skipped=\"0\" time=\"0\"", xml(report.file), counts);
  if (!report.host.name.empty()) out += fmt::format(" hostname=\"{}\"", xml(report.host.name));
  if (report.host.taken_at_ms > 0) {
    // Without a zone, as readers of JUnit's files want it.
    const std::string at = host::rfc3339(report.host.taken_at_ms);
    out += fmt::format(" timestamp=\"{}\"", at.substr(0, at.size() - 1));
  }
  out += ">\n";
  for (const CheckItem& item : check_items(report, false)) out += test_case(report, item);
  if (report.hidden) {
    out +=
        "    <testcase classname=\"hark\" name=\"everything was seen\">\n      <error "
        "type=\"gap\" message=\"there may be more that the policy does not name\">";
    for (const host::Gap& gap : report.gaps) out += xml(gap.what) + "; ";
    out += "</error>\n    </testcase>\n";
  }
  return out + "  </testsuite>\n</testsuites>\n";
}

std::string policy_toml(const std::vector<LearntExpectation>& learnt,
                        const std::vector<std::string>& head) {
  std::string out;
  for (const std::string& line : head) out += "# " + for_terminal(line) + "\n";
  out += "\ndefault = \"deny\"\n";
  std::string heading;
  for (const LearntExpectation& one : learnt) {
    out += "\n";
    if (one.heading != heading && !one.heading.empty()) {
      out += "# " + for_terminal(one.heading) + "\n";
    }
    heading = one.heading;
    out += "[[expect]]\n" + list_of("port", one.ports);
    if (!one.address.empty()) out += "address = " + quoted(one.address) + "\n";
    if (one.published) out += fmt::format("published = {}\n", *one.published);
    if (!one.netns.empty()) out += "netns = " + quoted(one.netns) + "\n";
    if (!one.owner.empty()) out += "owner = " + quoted(one.owner) + "\n";
    out += reach_line(one.reach);
    if (!one.note.empty()) out += "# " + for_terminal(one.note) + "\n";
  }
  return out;
}

}  // namespace hark::show
