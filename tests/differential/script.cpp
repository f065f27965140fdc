#include "script.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace hark::differential {

namespace {

struct Lines {
  std::string_view rest;
  unsigned number = 0;

  [[nodiscard]] bool done() const { return rest.empty(); }
  std::string_view next() {
    number++;
    return next_piece(rest, '\n');
  }
  /// All lines up to one that is a full stop.
  std::string block() {
    std::string text;
    while (!done()) {
      const std::string_view line = next();
      if (line == ".") break;
      text.append(line).push_back('\n');
    }
    return text;
  }
};

std::string trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return std::string(text);
}

std::string unless_dash(std::string_view word) {
  return word == "-" ? "" : std::string(word);
}

std::optional<Ask> parse_ask(std::string_view line) {
  Ask ask;
  const std::string_view protocol = next_word(line);
  if (protocol != "tcp" && protocol != "udp") return std::nullopt;
  ask.udp = protocol == "udp";
  const auto source = IpAddress::parse(next_word(line));
  const std::string_view port = next_word(line);
  ask.interface = next_word(line);
  const auto destination = IpAddress::parse(next_word(line));
  const auto destination_port = parse_number<std::uint16_t>(next_word(line));
  if (!source || !destination || !destination_port) return std::nullopt;
  if (port != "*") {
    ask.source_port = parse_number<std::uint16_t>(port);
    if (!ask.source_port) return std::nullopt;
  }
  ask.source = *source;
  ask.destination = *destination;
  ask.port = *destination_port;
  const std::string_view equals = next_word(line);
  if (equals.empty()) return ask;
  if (equals != "=") return std::nullopt;
  ask.expected.outcome = next_word(line);
  ask.expected.icmp = unless_dash(next_word(line));
  ask.expected.code = unless_dash(next_word(line));
  ask.expected.listener = unless_dash(next_word(line));
  return ask;
}

// Reads one line into `one`; false: not understood.
bool take_line(Case& one, std::string_view line, Lines& lines) {
  std::string_view rest = line;
  std::string_view word = next_word(rest);
  const bool late = word.ends_with('!');
  if (late) word.remove_suffix(1);
  if (word == "tag") {
    while (!rest.empty()) {
      const std::string_view tag = next_word(rest);
      if (!tag.empty()) one.tags.emplace_back(tag);
    }
  } else if (word == "ip") {
    one.steps.push_back({Step::Kind::Ip, late, "", trimmed(rest)});
  } else if (word == "sysctl") {
    one.steps.push_back({Step::Kind::Sysctl, late, "", trimmed(rest)});
  } else if (word == "run") {
    one.steps.push_back({Step::Kind::Run, late, "", trimmed(rest)});
  } else if (word == "wire") {
    one.steps.push_back({Step::Kind::Wire, late, "", trimmed(rest)});
  } else if (word == "box") {
    one.boxes.push_back(trimmed(rest));
  } else if (word == "bridged") {
    std::vector<std::string> boxes;
    for (std::string_view box = next_word(rest); !box.empty(); box = next_word(rest)) {
      boxes.emplace_back(box);
    }
    for (Step& step : bridged_steps(boxes)) one.steps.push_back(std::move(step));
    one.boxes.insert(one.boxes.end(), boxes.begin(), boxes.end());
  } else if (word == "in") {
    const std::string box(next_word(rest));
    std::string text = trimmed(rest);
    const bool file = text == "nft";
    if (file) text += "\n" + lines.block();
    one.steps.push_back({Step::Kind::In, late || file, box, text});
  } else if (word == "listen") {
    one.listeners.push_back(trimmed(rest));
  } else if (word == "nft") {
    one.steps.push_back({Step::Kind::Nft, true, "", lines.block()});
  } else if (word == "restore") {
    const std::string program = trimmed(rest);
    one.steps.push_back({Step::Kind::Restore, true, program, lines.block()});
  } else if (word == "base") {
    for (Step& step : base_steps()) one.steps.push_back(std::move(step));
  } else if (word == "dead") {
    const auto address = IpAddress::parse(trimmed(rest));
    if (!address) return false;
    one.dead.push_back(*address);
  } else if (word == "ask") {
    const auto ask = parse_ask(rest);
    if (!ask) return false;
    one.asks.push_back(*ask);
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool Case::has_tag(std::string_view tag) const {
  return std::ranges::find(tags, tag) != tags.end();
}

std::string line_of(const Ask& ask) {
  std::string line = ask.udp ? "ask udp " : "ask tcp ";
  line += ask.source.text() + " ";
  line += (ask.source_port ? std::to_string(*ask.source_port) : "*") + " ";
  line += ask.interface + " " + ask.destination.text() + " " + std::to_string(ask.port);
  if (ask.expected.outcome.empty()) return line;
  line += " = " + ask.expected.outcome;
  for (const std::string& word : {ask.expected.icmp, ask.expected.code, ask.expected.listener}) {
    line += " " + (word.empty() ? "-" : word);
  }
  return line;
}

Result<std::vector<Case>> parse_script(std::string_view text) {
  std::vector<Case> cases;
  Lines lines{text};
  while (!lines.done()) {
    const std::string_view line = lines.next();
    std::string_view rest = line;
    const std::string_view word = next_word(rest);
    if (word.empty() || word.starts_with('#')) continue;
    if (word == "case") {
      cases.push_back({.name = trimmed(rest)});
      continue;
    }
    if (cases.empty() || !take_line(cases.back(), line, lines)) {
      return fail(plain_error("line " + std::to_string(lines.number), std::string(line)));
    }
  }
  return cases;
}

std::string print_case(const Case& one) {
  std::string text = "case " + one.name + "\n";
  if (!one.tags.empty()) text += "tag " + join(one.tags, " ") + "\n";
  for (const std::string& box : one.boxes) text += "box " + box + "\n";
  bool late = false;
  const auto put_listeners = [&] {
    for (const std::string& listener : one.listeners) text += "listen " + listener + "\n";
  };
  for (const Step& step : one.steps) {
    if (step.late && !std::exchange(late, true)) put_listeners();
    const std::string mark = step.late ? "! " : " ";
    switch (step.kind) {
      case Step::Kind::Nft:
        text += "nft\n" + step.text + ".\n";
        break;
      case Step::Kind::Restore:
        text += "restore " + step.program + "\n" + step.text + ".\n";
        break;
      case Step::Kind::Ip:
        text += "ip" + mark + step.text + "\n";
        break;
      case Step::Kind::Sysctl:
        text += "sysctl" + mark + step.text + "\n";
        break;
      case Step::Kind::Run:
        text += "run" + mark + step.text + "\n";
        break;
      case Step::Kind::In:
        text += (step.late && !step.text.starts_with("nft\n") ? "in! " : "in ") + step.program +
                " " + step.text + (step.text.starts_with("nft\n") ? ".\n" : "\n");
        break;
      case Step::Kind::Wire:
        text += "wire" + mark + step.text + "\n";
        break;
    }
  }
  if (!late) put_listeners();
  for (const IpAddress& address : one.dead) text += "dead " + address.text() + "\n";
  for (const Ask& ask : one.asks) text += line_of(ask) + "\n";
  return text;
}

std::vector<Step> bridged_steps(const std::vector<std::string>& boxes) {
  std::vector<Step> steps;
  const auto host = [&](const std::string& text) {
    steps.push_back({Step::Kind::Ip, false, "", text});
  };
  host("link add br0 type bridge");
  host("address add 172.18.0.1/24 dev br0");
  host("address add fd18::1/64 nodad dev br0");
  host("link set br0 up");
  steps.push_back({Step::Kind::Sysctl, false, "", "ipv4/ip_forward 1"});
  steps.push_back({Step::Kind::Sysctl, false, "", "ipv6/conf/all/forwarding 1"});
  unsigned last = 2;
  for (const std::string& box : boxes) {
    const std::string number = std::to_string(last++);
    const auto in = [&](const std::string& text) {
      steps.push_back({Step::Kind::In, false, box, text});
    };
    host("link add v" + box + " type veth peer name eth0 netns @" + box);
    host("link set v" + box + " master br0");
    host("link set v" + box + " up");
    in("ip link set eth0 up");
    in("ip address add 172.18.0." + number + "/24 dev eth0");
    in("ip address add fd18::" + number + "/64 nodad dev eth0");
    in("ip route add default via 172.18.0.1");
    in("ip -6 route add default via fd18::1");
  }
  return steps;
}

std::vector<Step> base_steps() {
  std::vector<Step> steps;
  for (const char* link : {"1", "2", "3"}) {
    const std::string number(link);
    const std::string device = " dev eth" + std::to_string(number[0] - '1');
    steps.push_back({Step::Kind::Ip, false, "", "address add 10." + number + ".0.1/24" + device});
    steps.push_back(
        {Step::Kind::Ip, false, "", "address add fd0" + number + "::1/64 nodad" + device});
  }
  steps.push_back({Step::Kind::Ip, false, "", "route add default via 10.1.0.254"});
  steps.push_back({Step::Kind::Ip, false, "", "route add default via fd01::fe"});
  return steps;
}

}  // namespace hark::differential
