#include "compare.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "base/unique_fd.h"

namespace hark::netns {

using nlohmann::json;

namespace {

using Complaints = std::vector<std::string>;

std::string name_of(const json& listener) {
  const json netns = listener.value("netns", json::object());
  return listener.value("protocol", "?") + " " + listener.value("address", "?") + ":" +
         std::to_string(listener.value("port", -1)) + " in " +
         (netns.contains("label") ? netns["label"] : netns.value("inode", json())).dump() +
         " (inode " + listener["socket"]["inode"].dump() + ")";
}

// The rules by which one field of a row is compared.
enum class Rule : unsigned char { Same, SameOrNull, SameOrKernelTcp, SameIfKnown };

struct Field {
  const char* pointer;
  Rule asked;
  Rule table;
  Rule no_tables;
};
constexpr Rule kSame = Rule::Same;
constexpr Rule kOrNull = Rule::SameOrNull;
constexpr std::array kFields = {
    // The TCP tables of /proc/net show an MPTCP listener as the TCP listener below it. Without
    // /proc a namespace may have no inode that could be told.
    Field{"/protocol", kSame, Rule::SameOrKernelTcp, kSame},
    Field{"/family", kSame, kSame, kSame},
    Field{"/address", kSame, kSame, kSame},
    Field{"/port", kSame, kSame, kSame},
    Field{"/state", kSame, kSame, kSame},
    Field{"/socket/uid", kSame, kSame, kSame},
    Field{"/netns/inode", kSame, kOrNull, kOrNull},
    Field{"/netns/name", kSame, kOrNull, kOrNull},
    Field{"/v6only", kSame, kOrNull, kSame},
    Field{"/interface", kSame, kOrNull, kSame},
    Field{"/socket/cookie", Rule::SameIfKnown, kOrNull, Rule::SameIfKnown},
};

Rule rule_of(const Field& field, Read read) {
  if (read == Read::NoTables) return field.no_tables;
  return read == Read::Table ? field.table : field.asked;
}

bool fits(Rule rule, const json& right, const json& seen) {
  if (right == seen) return true;
  if (rule == Rule::SameOrNull) return seen.is_null();
  if (rule == Rule::SameIfKnown) return right.is_null() && seen.is_string();
  return rule == Rule::SameOrKernelTcp && right == "mptcp" && seen == "tcp";
}

json at(const json& object, const std::string& pointer) {
  const json::json_pointer path(pointer);
  return object.contains(path) ? object.at(path) : json("(missing)");
}

void compare_field(const json& right, const json& row, const std::string& pointer, Rule rule,
                   Complaints& out) {
  const json truth = at(right, pointer);
  const json seen = at(row, pointer);
  if (fits(rule, truth, seen)) return;
  out.push_back(name_of(right) + ": " + pointer.substr(1) + " is " + truth.dump() + ", not " +
                seen.dump());
}

void compare_fields(const json& right, const json& row, Read read, Complaints& out) {
  for (const Field& field : kFields) {
    compare_field(right, row, field.pointer, rule_of(field, read), out);
  }
  if (right["state"] != "LISTEN") return;
  const Rule rule = read == Read::Table ? Rule::SameOrNull : Rule::Same;
  compare_field(right, row, "/queue/limit", rule, out);
  compare_field(right, row, "/queue/length", rule, out);
}

using Fds = std::map<long, std::set<long>>;

Fds fds_of(const json& owners) {
  Fds out;
  for (const json& owner : owners) {
    for (const json& fd : owner["fds"]) out[owner["pid"]].insert(fd.get<long>());
  }
  return out;
}

const json* process_of(const json& truth, const json& pid) {
  const json& all = truth["processes"];
  const auto found =
      std::ranges::find_if(all, [&](const json& each) { return each["pid"] == pid; });
  return found == all.end() ? nullptr : &*found;
}

// Empty arguments at the end cannot be told from the padding behind a title that a process wrote
// over its arguments.
json without_last_empty(json cmdline) {
  while (cmdline.is_array() && !cmdline.empty() && cmdline.back() == "") {
    cmdline.erase(cmdline.size() - 1);
  }
  return cmdline;
}

// What hark tells of the process itself. A name that is no UTF-8 cannot be compared; a zombie's
// program and command line are gone.
void compare_process(const json& right, const json& owner, Complaints& out) {
  const auto complain = [&](const char* field) {
    out.push_back("process " + right["label"].dump() + ": " + field + " is " +
                  (right.contains(field) ? right[field] : json()).dump() + ", not " +
                  (owner.contains(field) ? owner[field] : json("(missing)")).dump());
  };
  const std::string name = right["name"];
  const bool replaced = name.find("\xef\xbf\xbd") != std::string::npos;
  if (!replaced && owner.value("name", json()) != right["name"]) complain("name");
  if (owner.value("state", json()) != right["state"]) complain("state");
  if (right["uid"] == 0 && owner.value("user", json()) != "root") complain("user");
  if (!owner.contains("kernel") || !owner["kernel"].is_null()) complain("kernel");
  if (right["state"] == "Z") return;
  const json cmdline = owner.value("cmdline", json());
  if (!replaced && without_last_empty(cmdline) != without_last_empty(right["cmdline"])) {
    complain("cmdline");
  }
  if (owner.value("exe", json()) != right["exe"]) complain("exe");
  if (!owner.value("started_at", json()).is_string()) complain("started_at");
}

void compare_all_owners(const json& truth, const json& right, const json& row, Complaints& out) {
  const json owners = row.value("owners", json());
  if (!owners.is_array() || fds_of(owners) != fds_of(right["owners"]) ||
      owners.size() != right["owners"].size()) {
    out.push_back(name_of(right) + ": owners are " + right["owners"].dump() + ", not " +
                  owners.dump());
    return;
  }
  for (const json& owner : owners) {
    const json* process = process_of(truth, owner["pid"]);
    if (process != nullptr) compare_process(*process, owner, out);
  }
}

// Of a listener that a process of our own holds, that process must be named.
void compare_own_owners(const json& truth, const json& right, const json& row, unsigned uid,
                        Complaints& out) {
  json ours = json::array();
  for (const json& owner : right["owners"]) {
    const json* process = process_of(truth, owner["pid"]);
    if (process != nullptr && (*process)["uid"] == uid) ours.push_back(owner);
  }
  const json owners = row.value("owners", json("(missing)"));
  const bool fine =
      ours.empty() ? owners.is_null() : owners.is_array() && fds_of(owners) == fds_of(ours);
  if (!fine) {
    out.push_back(name_of(right) + ": of uid " + std::to_string(uid) + " are " + ours.dump() +
                  ", not " + owners.dump());
  }
}

void compare_owners(const json& truth, const json& right, const json& row,
                    const Expectation& expected, Complaints& out) {
  switch (expected.owners) {
    case Owners::All:
      return compare_all_owners(truth, right, row, out);
    case Owners::Own:
      return compare_own_owners(truth, right, row, expected.uid, out);
    case Owners::Null:
      if (!row.contains("owners") || !row["owners"].is_null()) {
        out.push_back(name_of(right) + ": owners are null, not " + row["owners"].dump());
      }
  }
}

using ByInode = std::map<unsigned long long, std::vector<const json*>>;

ByInode by_inode(const json& listing) {
  ByInode rows;
  for (const json& row : listing["listeners"]) {
    rows[row["socket"]["inode"].get<unsigned long long>()].push_back(&row);
  }
  return rows;
}

Read how_read(const json& right, const Expectation& expected) {
  const auto found = expected.namespaces.find(right["netns"]["label"].get<std::string>());
  return found == expected.namespaces.end() ? expected.otherwise : found->second;
}

void compare_one(const json& truth, const json& right, const ByInode& rows,
                 const Expectation& expected, Complaints& out) {
  const Read read = how_read(right, expected);
  const bool only_table = right["protocol"] == "raw" && !expected.raw_diag;
  const bool wanted = read != Read::Nothing && !(only_table && read == Read::NoTables);
  const auto found = rows.find(right["socket"]["inode"].get<unsigned long long>());
  const std::size_t count = found == rows.end() ? 0 : found->second.size();
  if (count != (wanted ? 1u : 0u)) {
    out.push_back(name_of(right) + ": is in " + std::to_string(count) + " rows");
    return;
  }
  if (!wanted) return;
  const json& row = *found->second.front();
  compare_fields(right, row, only_table ? Read::Table : read, out);
  compare_owners(truth, right, row, expected, out);
}

void find_extra(const json& truth, const ByInode& rows, Complaints& out) {
  std::set<json> places;
  std::set<json> listeners;
  for (const json& place : truth["namespaces"]) places.insert(place["inode"]);
  for (const json& right : truth["listeners"]) listeners.insert(right["socket"]["inode"]);
  for (const json& other : truth["others"]) {
    if (rows.contains(other["socket"]["inode"].get<unsigned long long>())) {
      out.push_back("no listener, but in a row: " + other["why"].dump());
    }
  }
  for (const auto& [inode, same] : rows) {
    const json netns = same.front()->value("netns", json::object()).value("inode", json());
    if (places.contains(netns) && !listeners.contains(json(inode))) {
      out.push_back("a row too many: " + name_of(*same.front()));
    }
  }
}

}  // namespace

std::vector<std::string> differences(const json& truth, const json& listing,
                                     const Expectation& expected) {
  Complaints out;
  const ByInode rows = by_inode(listing);
  for (const json& right : truth["listeners"]) compare_one(truth, right, rows, expected, out);
  find_extra(truth, rows, out);
  return out;
}

bool has_gap(const json& listing, const std::string& code) {
  return std::ranges::any_of(listing["gaps"],
                             [&](const json& gap) { return gap.value("code", "") == code; });
}

bool kernel_has_raw_diag() {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } ask{};
  ask.header.nlmsg_len = sizeof ask;
  ask.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  ask.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  ask.request.sdiag_family = AF_INET;
  ask.request.sdiag_protocol = IPPROTO_RAW;
  const UniqueFd netlink(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (send(netlink.get(), &ask, sizeof ask, 0) < 0) return false;
  alignas(nlmsghdr) std::array<char, 4096> answer{};
  if (recv(netlink.get(), answer.data(), answer.size(), 0) < 0) return false;
  struct {
    nlmsghdr header;
    int error;
  } first{};
  std::memcpy(&first, answer.data(), sizeof first);
  const bool ended = first.header.nlmsg_type == NLMSG_DONE;
  return first.header.nlmsg_type != NLMSG_ERROR && !(ended && first.error < 0);
}

}  // namespace hark::netns
