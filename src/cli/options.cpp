#include "cli/options.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "base/text.h"

namespace hark::cli {
namespace {

constexpr unsigned kList = bit(Command::List);
constexpr unsigned kSave = bit(Command::Save);
constexpr unsigned kWhy = bit(Command::Why);
constexpr unsigned kDoctor = bit(Command::Doctor);
constexpr unsigned kBind = bit(Command::Bind);
constexpr unsigned kTest = bit(Command::Test);
constexpr unsigned kExplain = bit(Command::Explain);
constexpr unsigned kDiff = bit(Command::Diff);
constexpr unsigned kCheck = bit(Command::Check);
constexpr unsigned kDrill = bit(Command::Drill);
constexpr unsigned kLab = bit(Command::Lab);
constexpr unsigned kAsks = kWhy | kDoctor | kBind | kDiff | kCheck;
constexpr unsigned kEvery =
    kList | kAsks | kTest | kExplain | kSave | kDrill | kLab | bit(Command::Help);

constexpr std::array kListExamples = {
    Example{"hark", "every service, what matters first"},
    Example{"hark 8080", "who has port 8080"},
    Example{"hark nginx not loopback", "nginx, loopback left out"},
    Example{"hark list udp 5000-6000 user:root", "all three must hold"},
    Example{"hark list reachable-from:203.0.113.9", "what that client gets through to"},
    Example{"hark --columns port,pid,exe --sort -queue", "longest queue first"},
    Example{"hark -r web1.hark tcp --json", "asked of a recording"},
};
constexpr std::array kWhyExamples = {
    Example{"hark why 5432 --from 10.0.0.9", "can that client reach this port"},
    Example{"hark why udp/53 --from 10.0.0.9 --in eth1", "coming in by eth1"},
    Example{"hark why nginx --from db.lan", "every port of nginx"},
    Example{"hark why 10.0.0.5:443", "from where it can be reached, and from where not"},
    Example{"hark why 443 --graph -o way.svg", "a picture of the chains on the way"},
    Example{"hark -r web1.hark why 8080 --from ::1", "asked of a recording"},
};
constexpr std::array kTestExamples = {
    Example{"hark test 8080", "every address that 8080 is listened on"},
    Example{"hark test https://web.lan db.lan:5432 udp/ns.lan:53", "other hosts"},
    Example{"hark test nginx --netns blue", "from inside of that namespace"},
    Example{"hark test --file targets --timeout 2 --json", "a target a line"},
    Example{"hark test --watch 8080", "once a second, after a restart"},
};
constexpr std::array kDoctorExamples = {
    Example{"hark doctor", "what is wrong with any listener here"},
    Example{"hark doctor 8080", "with this one"},
    Example{"hark doctor nginx --for 30", "watch it for half a minute"},
    Example{"hark -r web1.hark doctor --json", "asked of a recording"},
};
constexpr std::array kBindExamples = {
    Example{"hark bind 8080", "is the port to be had, and if not, who has it"},
    Example{"hark bind udp/10.0.0.5:53", "by this address alone"},
    Example{"hark bind 80 --user www-data", "by somebody else"},
    Example{"hark bind [::]:443 --v6only --reuseport", "with these options set"},
    Example{"hark -r web1.hark bind 8080", "asked of a recording"},
};
constexpr std::array kExplainExamples = {
    Example{"hark explain ECONNREFUSED", "by name, number (111) or text"},
    Example{"hark explain 'ssh: connect to host db port 22: Connection refused'",
            "as a program said it"},
    Example{"curl -sS http://web 2>&1 | hark explain", "as it comes"},
};
constexpr std::array kSaveExamples = {
    Example{"hark save web1.hark", "record this host"},
    Example{"hark -r web1.hark", "look at it elsewhere, without root"},
    Example{"hark save web1.hark --json > web1.json", "record, and print the same"},
    Example{"ssh web1 hark save - | hark -r - 443", "record there, ask here"},
    Example{"hark save --daily", "today's recording, for hark diff yesterday"},
};
constexpr std::array kDiffExamples = {
    Example{"hark diff yesterday", "what changed since yesterday's recording"},
    Example{"hark diff before.hark after.hark", "between two recordings"},
    Example{"hark diff 2026-11-20 last --json", "between two days"},
};
constexpr std::array kCheckExamples = {
    Example{"hark check --learn > policy.toml", "write what is there now as a policy"},
    Example{"hark check policy.toml", "is it as the policy says"},
    Example{"hark check policy.toml --format sarif > hark.sarif", "for code scanning"},
    Example{"hark -r web1.hark check policy.toml --json", "asked of a recording"},
};
constexpr std::array kDrillExamples = {
    Example{"hark drill", "five questions about this host, five minutes at most"},
    Example{"hark drill --list", "questions and answers, without asking"},
    Example{"hark drill --seed 7 --count 9", "nine questions, the same each time"},
    Example{"hark -r web1.hark drill", "about a host that was recorded"},
};
constexpr std::array kLabExamples = {
    Example{"hark lab", "the scenarios, what is done, and what comes next"},
    Example{"hark lab loopback-only", "a shell inside of that one"},
    Example{"hark lab hint", "inside: a hint, and then another"},
    Example{"hark lab answer input-drop because nft shows the rule",
            "what is wrong, what shows it"},
    Example{"hark lab check", "inside, when it is mended: real packets prove it"},
};
constexpr std::array kHelpExamples = {
    Example{"hark help list", "filters, columns and options of hark list"},
    Example{"man hark", "everything in one place"},
};

constexpr std::array kCommands = {
    CommandInfo{Command::List, "list", "[FILTER...]",
                "who listens, who owns it, who can reach it (the default)",
                "Shows every socket that waits for traffic nobody has asked for: TCP and MPTCP\n"
                "in LISTEN, UDP, UDP-Lite and raw sockets that are bound and not connected, in\n"
                "every network namespace that can be entered. Exit status 1: nothing matches.",
                kListExamples},
    CommandInfo{Command::Why, "why", "TARGET", "can a client reach it, and which fact decides",
                "Follows one packet from the wire to accept(), and the answer back, as this\n"
                "kernel would, and names the fact that decides. Sends nothing. TARGET: 8080,\n"
                "tcp/8080, udp/53, 10.0.0.5:443, [::1]:80, a process name, pid:812, ssh.service,\n"
                "container:NAME. Exit status 0: answered; 1: not; 3: that could not be told.",
                kWhyExamples},
    CommandInfo{Command::Test, "test", "TARGET...",
                "connect for real, and compare with what is predicted",
                "Predicts as hark why does, then connects: to TARGETs as of hark why (every\n"
                "address that they listen on), to HOST:PORT, udp/HOST:PORT, http://, https:// and\n"
                "tls://. A name means all of its addresses. Sends nothing to anybody but the\n"
                "target. Exit status 0: every target answered; 1: one did not, or not as\n"
                "predicted; 3: that could not be told.",
                kTestExamples},
    CommandInfo{Command::Doctor, "doctor", "[TARGET]",
                "what makes a listener not work, or work for too many",
                "Inspects every listener, or those of TARGET (as of hark why), and changes\n"
                "nothing. Tells what is wrong, worst first, a command that shows it, and what\n"
                "would mend it. Looks twice, a moment apart, where only change tells. Exit\n"
                "status 0: nothing was found; 1: something was; 3: that could not be told.",
                kDoctorExamples},
    CommandInfo{Command::Bind, "bind", "ADDRESS:PORT",
                "would this bind succeed, and if not, who is in the way",
                "Says what bind(2), and for TCP listen(2), would answer a program, from what\n"
                "the kernel tells: nothing is bound. Names everybody who is in the way, and the\n"
                "nearest free port. 8080 means every address, as *:8080; other forms: [::]:80,\n"
                "10.0.0.5:443, localhost:80, [fe80::1%eth0]:80, and udp/ before any of them.\n"
                "Exit status 0: it would succeed; 1: it would not; 3: that could not be told.",
                kBindExamples},
    CommandInfo{Command::Explain, "explain", "[ERROR...]",
                "what an error message means, and what to ask next",
                "Looks up an errno (ECONNREFUSED, 111, Connection refused) or what curl, ssh,\n"
                "nc, wget, ping, psql, mysql, redis-cli, git or a browser printed: what it means,\n"
                "what it excludes, and which commands go on from there. Without ERROR, or with -,\n"
                "standard input is read. Asks nobody. Exit status 1: the message is not known.",
                kExplainExamples},
    CommandInfo{Command::Save, "save", "[FILE]",
                "record what this host's kernel says, to ask it later",
                "Writes a recording: raw answers of the kernel, from which hark -r FILE answers\n"
                "as it would have here. FILE - is standard output. Only its owner can read the\n"
                "file. An existing FILE is replaced only if it is a recording, or empty. With\n"
                "--daily there is no FILE: it is the day's own in the state directory.",
                kSaveExamples},
    CommandInfo{Command::Diff, "diff", "OLD [NEW]", "what came, went or changed since a recording",
                "Compares a recording with this host as it is now, or with another recording:\n"
                "listeners, published ports, owners, who reaches them, findings; worst first.\n"
                "What changes by itself (pids, workers, queues, ports that the kernel chose) is\n"
                "no change. OLD, NEW: a FILE, or one that is kept daily (hark help save): last,\n"
                "yesterday, 2026-11-20. Exit status 0: no change; 1: changes; 3: not told.",
                kDiffExamples},
    CommandInfo{Command::Check, "check", "POLICY",
                "what was expected of this host against what is there",
                "Compares every listener and published port with the file POLICY (- is standard\n"
                "input): which ports there should be, whose, and for whom. TOML; hark check\n"
                "--learn writes one. An error in it: FILE:LINE:COLUMN, exit status 2. Exit\n"
                "status 0: all as expected; 1: not all; 3: that could not be told.",
                kCheckExamples},
    CommandInfo{Command::Drill, "drill", "", "five minutes of questions about this very host",
                "Asks who holds a port, from where it is reached and why, what a client sees, and\n"
                "says with which command the answer could have been found. Looks only. Picks new\n"
                "listeners, exposed ones and what was not asked lately; remembers how it went;\n"
                "goes on later today if it is left. Answers are typed, or come from a pipe. Exit\n"
                "status 0: passed; 1: not; 3: nothing could be asked; 130: left before the end.",
                kDrillExamples},
    CommandInfo{Command::Lab, "lab", "[NAME]", "practice on a broken host in a sandbox",
                "Makes a little host with services and neighbours in namespaces of its own, with\n"
                "one thing broken, and gives a shell inside; needs no root. There: hark lab\n"
                "story, hint, answer CAUSE because EVIDENCE, check (by real packets), give-up and\n"
                "quit. Nothing is left when the shell ends. Without NAME: the scenarios, in the\n"
                "order in which they are best met. Exit status 0: solved; 1: not; 3: no sandbox\n"
                "was to be had.",
                kLabExamples},
    CommandInfo{Command::Help, "help", "[COMMAND]", "explain a command",
                "Explains hark, or one command.", kHelpExamples},
};

constexpr std::array kOptions = {
    OptionInfo{OptionId::Recording, "recording", 'r', "", "FILE",
               "answer from a recording (- is standard input)", kList | kAsks | kDrill,
               Completes::File},
    OptionInfo{OptionId::Netns, "netns", 0, "", "NETNS",
               "which namespaces: all, self, host, NAME, PID, PATH, container:NAME",
               kList | kAsks | kTest | kSave | kDrill, Completes::Netns},
    OptionInfo{OptionId::Json, "json", 0, "", "", "print one JSON object",
               kList | kAsks | kTest | kExplain | kSave | kDrill | kLab},
    OptionInfo{OptionId::Color, "color", 0, "colour", "WHEN", "auto, always or never", kEvery,
               Completes::ColorWords},
    OptionInfo{OptionId::Verbose, "verbose", 'v', "", "",
               "say what was asked, and what could not be seen", kEvery},
    OptionInfo{OptionId::Help, "help", 'h', "", "", "explain the command", kEvery},
    OptionInfo{OptionId::Version, "version", 0, "", "", "print hark's version", kEvery},
    OptionInfo{OptionId::All, "all", 'a', "", "", "a row for each socket: fold nothing", kList},
    OptionInfo{OptionId::Sort, "sort", 0, "", "KEY",
               "order of the rows; -KEY or KEY:desc is descending", kList, Completes::SortKeys},
    OptionInfo{OptionId::Columns, "columns", 0, "", "A,B,...", "show these columns, in this order",
               kList, Completes::ColumnWords},
    OptionInfo{OptionId::NoHeader, "no-header", 0, "", "", "leave the heading out", kList},
    OptionInfo{OptionId::Wide, "wide", 'w', "", "", "as wide as it takes: drop and cut nothing",
               kList | kAsks | kTest},
    OptionInfo{OptionId::Width, "width", 0, "", "N", "fit N columns, whatever the terminal has",
               kList | kAsks | kTest},
    OptionInfo{OptionId::NoOwners, "no-owners", 0, "", "",
               "look into no process: faster, and owners are not known", kList},
    OptionInfo{OptionId::NoReach, "no-reach", 0, "", "",
               "read no rules and routes: faster, and who gets through is not known", kList},
    OptionInfo{OptionId::Search, "search", 0, "", "HOW",
               "search owners by survey, tasks, files or proc; else what works, best first",
               kList | kAsks | kTest},
    OptionInfo{OptionId::Ascii, "ascii", 0, "", "", "plain ASCII, as in a locale without UTF-8",
               kList | kAsks | kTest},
    OptionInfo{OptionId::Redact, "redact", 0, "", "",
               "take out arguments that look like secrets (the default)", kSave},
    OptionInfo{OptionId::NoRedact, "no-redact", 0, "", "", "keep command lines as they are", kSave},
    OptionInfo{OptionId::Force, "force", 'f', "", "", "replace FILE whatever it is", kSave},
    OptionInfo{OptionId::From, "from", 0, "", "ADDRESS",
               "the client: an address or name, perhaps with :PORT", kWhy},
    OptionInfo{OptionId::In, "in", 0, "", "INTERFACE",
               "by which interface it comes in; else by the route to it", kWhy,
               Completes::Interface},
    OptionInfo{OptionId::To, "to", 0, "", "ADDRESS",
               "which address of this host it asks; else the interface's first", kWhy},
    OptionInfo{OptionId::Graph, "graph", 0, "", "",
               "draw the stages and chains that the packet comes to", kWhy},
    OptionInfo{OptionId::OutputFile, "output", 'o', "", "FILE",
               "draw into FILE.svg or FILE.dot instead (with --graph)", kWhy, Completes::File},
    OptionInfo{OptionId::For, "for", 0, "", "SECONDS",
               "watch for so long what only change tells; else for a moment", kDoctor},
    OptionInfo{OptionId::ReuseAddr, "reuseaddr", 0, "", "",
               "the program sets SO_REUSEADDR (the default of TCP)", kBind},
    OptionInfo{OptionId::NoReuseAddr, "no-reuseaddr", 0, "", "", "it does not (the default of UDP)",
               kBind},
    OptionInfo{OptionId::ReusePort, "reuseport", 0, "", "", "it sets SO_REUSEPORT", kBind},
    OptionInfo{OptionId::V6Only, "v6only", 0, "", "",
               "it sets IPV6_V6ONLY; else as net.ipv6.bindv6only says", kBind},
    OptionInfo{OptionId::Device, "device", 0, "", "INTERFACE",
               "it binds to this interface (SO_BINDTODEVICE)", kBind, Completes::Interface},
    OptionInfo{OptionId::User, "user", 0, "", "USER",
               "who runs it, a name or number; else who runs hark", kBind},
    OptionInfo{OptionId::Timeout, "timeout", 0, "", "SECONDS", "how long each attempt may take: 5",
               kTest},
    OptionInfo{OptionId::Count, "count", 0, "", "N", "how many tries, or questions",
               kTest | kDrill},
    OptionInfo{OptionId::Every, "every", 0, "", "SECONDS", "so far apart: 1", kTest},
    OptionInfo{OptionId::SourceAddress, "source", 0, "", "ADDRESS",
               "send from this address of this host", kTest},
    OptionInfo{OptionId::BoundInterface, "interface", 0, "", "INTERFACE",
               "send by this interface alone; hark predicts nothing then", kTest,
               Completes::Interface},
    OptionInfo{OptionId::Verify, "verify", 0, "", "",
               "a certificate that does not hold counts as no answer", kTest},
    OptionInfo{OptionId::TargetFile, "file", 0, "", "FILE",
               "more TARGETs, one a line (- is standard input)", kTest, Completes::File},
    OptionInfo{OptionId::Watch, "watch", 0, "", "", "go on until interrupted, and tell each change",
               kTest},
    OptionInfo{OptionId::Via, "via", 0, "", "PLACE",
               "from there as well: ssh:HOST, netns:NAME, container:NAME; may be repeated", kTest,
               Completes::Nothing, true},
    OptionInfo{OptionId::Exact, "exact", 0, "", "",
               "compare every fact: pids, queues, start times, clients' ports, too", kDiff},
    OptionInfo{OptionId::Daily, "daily", 0, "", "",
               "into the state directory, by the day's date, without FILE", kSave},
    OptionInfo{OptionId::Keep, "keep", 0, "", "DAYS",
               "with --daily: remove those that are older, but for the newest: 30", kSave},
    OptionInfo{OptionId::Learn, "learn", 0, "", "",
               "write a policy of what is there now, as tight as it is", kCheck},
    OptionInfo{OptionId::Format, "format", 0, "", "FORMAT", "print junit (XML) or sarif (2.1.0)",
               kCheck, Completes::FormatWords},
    OptionInfo{OptionId::Seed, "seed", 0, "", "N", "the same number asks the same questions",
               kDrill},
    OptionInfo{OptionId::ListAnswers, "list", 0, "", "", "show what there is, and ask nothing",
               kDrill | kLab},
};

using show::SortKey;
constexpr std::array kSortWords = {
    SortWord{"port", SortKey::Port},       SortWord{"protocol", SortKey::Protocol},
    SortWord{"address", SortKey::Address}, SortWord{"name", SortKey::Name},
    SortWord{"pid", SortKey::Pid},         SortWord{"user", SortKey::User},
    SortWord{"unit", SortKey::Unit},       SortWord{"container", SortKey::Container},
    SortWord{"netns", SortKey::Netns},     SortWord{"scope", SortKey::Scope},
    SortWord{"queue", SortKey::Queue},     SortWord{"drops", SortKey::Drops},
    SortWord{"started", SortKey::Started}, SortWord{"reach", SortKey::Reach},
};

constexpr std::array<std::string_view, 3> kColorWords = {"auto", "always", "never"};
constexpr std::array<std::string_view, 2> kFormatWords = {"junit", "sarif"};

constexpr std::array kFilterForms = {
    Example{"tcp udp mptcp udplite raw", "protocol"},
    Example{"ipv4 ipv6", "family"},
    Example{"loopback one-address one-interface", "what the socket is bound to"},
    Example{"reachable:anywhere  reachable-from:10.0.0.9", "who gets through"},
    Example{"published", "ports without a listener: DNAT ..."},
    Example{"8080  8000-9000  tcp/8080", "port"},
    Example{"10.0.0.5  10.0.0.0/8  [::1]:80", "bound address, with or without port"},
    Example{"pid:812  ssh.service  container:web", "owner"},
    Example{"any other word", "part of a name: process, unit, user ..."},
    Example{"not TERM", "must not hold"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kOptions.size(); ++i) {
    if (static_cast<std::size_t>(kOptions[i].id) != i) return false;
  }
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    if (static_cast<std::size_t>(kCommands[i].id) != i) return false;
  }
  return true;
}
static_assert(in_order(), "info_of() finds a row by its position");

}  // namespace

std::span<const CommandInfo> commands() {
  return kCommands;
}

const CommandInfo& info_of(Command command) {
  return kCommands[static_cast<std::size_t>(command)];
}

std::optional<Command> command_named(std::string_view name) {
  const auto found = std::ranges::find(kCommands, name, &CommandInfo::name);
  if (found == kCommands.end()) return std::nullopt;
  return found->id;
}

std::vector<std::string> command_names() {
  std::vector<std::string> out;
  out.reserve(kCommands.size());
  for (const CommandInfo& command : kCommands) out.emplace_back(command.name);
  return out;
}

std::span<const OptionInfo> options() {
  return kOptions;
}

const OptionInfo& info_of(OptionId option) {
  return kOptions[static_cast<std::size_t>(option)];
}

bool takes(Command command, const OptionInfo& option) {
  return (option.takers & bit(command)) != 0;
}

bool is_global(const OptionInfo& option) {
  return option.id < OptionId::All;
}

std::span<const SortWord> sort_words() {
  return kSortWords;
}

std::span<const std::string_view> color_words() {
  return kColorWords;
}

std::span<const std::string_view> format_words() {
  return kFormatWords;
}

std::span<const Example> filter_forms() {
  return kFilterForms;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates,
                         std::string_view before) {
  const std::optional<std::string> near = nearest(word, candidates);
  if (!near) return {};
  return "did you mean " + std::string(before) + *near;
}

}  // namespace hark::cli
