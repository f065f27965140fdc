#include "show/diff_words.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "diagnose/opening.h"
#include "diagnose/sameness.h"
#include "show/list_facts.h"
#include "show/list_rows.h"
#include "show/published_words.h"
#include "show/reach_words.h"

namespace hark::show {
namespace {

using diagnose::ChangedField;
using diagnose::Opening;
using host::Listener;
using reach::PublishedPort;

/// Clients that are named before they are counted.
constexpr std::size_t kMostClients = 3;

const Listener& first_of(const Shown& shown) {
  return shown.side.host.listeners[shown.positions.front()];
}

const PublishedPort& port_of(const Shown& shown) {
  return shown.side.reach.published()[shown.positions.front()];
}

/// Of one namespace: where several are taken for one, the first of them speaks for all.
std::vector<std::size_t> of_one_netns(const Shown& shown) {
  std::vector<std::size_t> out;
  for (const std::size_t i : shown.positions) {
    if (shown.side.host.listeners[i].netns == first_of(shown).netns) out.push_back(i);
  }
  std::ranges::sort(out);
  return out;
}

ListRow row_of(const Shown& shown) {
  std::set<std::uint16_t> ports;
  for (const std::size_t i : shown.positions) ports.insert(shown.side.host.listeners[i].port);
  return {of_one_netns(shown), {ports.begin(), ports.end()}, first_of(shown).probable_client};
}

Opening opening(const Shown& shown) {
  return shown.published ? diagnose::opening_of(shown.side.reach, port_of(shown))
                         : diagnose::opening_of(shown.side.reach, of_one_netns(shown));
}

std::string raw_reach(const Shown& shown) {
  if (!shown.published) return reach_words(shown.side.reach, of_one_netns(shown));
  return published_reach(*shown.side.reach.network(port_of(shown).netns), port_of(shown));
}

/// Columns are apart by two blanks; names in which they stand are quoted.
std::string in_a_sentence(const std::string& cell) {
  std::string out;
  bool quoted = false;
  for (std::size_t i = 0; i < cell.size(); ++i) {
    if (cell[i] == '"') quoted = !quoted;
    if (!quoted && cell.compare(i, 2, "  ") == 0) {
      out += ", ";
      ++i;
    } else {
      out += cell[i];
    }
  }
  return out;
}

std::string with_words(std::string before, std::string_view between, const std::string& more) {
  if (before.empty() || more.empty()) return before + more;
  return before.append(between) + more;
}

/// "10.9.0.0/16 by eth1": clients of one side that the other has not got.
std::vector<std::string> more_clients(const Opening& one, const Opening& than) {
  std::vector<std::string> out;
  for (const auto& [name, clients] : one.ways) {
    const auto found = than.ways.find(name);
    const AddressSet more = found == than.ways.end() ? clients : clients.minus(found->second);
    for (const Prefix& prefix : prefixes_of(more)) {
      out.push_back((prefix.length == 0 ? std::string("everybody") : prefix.text()) + " by " +
                    name.substr(0, name.find(' ')));
    }
  }
  if (out.size() > kMostClients) {
    const std::size_t rest = out.size() - kMostClients;
    out.resize(kMostClients);
    out.push_back(std::to_string(rest) + " more");
  }
  return out;
}

/// Where the words for who reaches it are the same on both sides, and the clients are not.
std::string clients_change(const Shown& before, const Shown& after) {
  const Opening then = opening(before);
  const Opening now = opening(after);
  std::string out;
  if (const auto more = more_clients(now, then); !more.empty()) {
    out = "now reached from " + join(more, ", ") + " as well";
  }
  if (const auto less = more_clients(then, now); !less.empty()) {
    out = with_words(out, "; ", "no longer reached from " + join(less, ", "));
  }
  if (then.here != now.here) {
    out = with_words(
        out, "; ",
        now.here ? "this host itself now gets through" : "this host itself no longer gets through");
  }
  return out;
}

std::string addresses_of(const Shown& shown) {
  std::set<std::string> out;
  for (const std::size_t i : shown.positions) {
    const Listener& one = shown.side.host.listeners[i];
    const std::string device = device_of(one);
    out.insert(one.address.text() + (device.empty() ? "" : "%" + device));
  }
  return join(std::vector<std::string>(out.begin(), out.end()), ", ");
}

bool has(const std::vector<ChangedField>& fields, ChangedField field) {
  return std::ranges::find(fields, field) != fields.end();
}

std::string users_of(const Shown& shown) {
  const diagnose::Who who = diagnose::who_of(shown.side.host, shown.positions);
  std::set<std::string> all = who.users;
  all.insert(who.workers.begin(), who.workers.end());
  return join(std::vector<std::string>(all.begin(), all.end()), " and ");
}

/// Without numbers of processes, to see whether names alone tell the two apart.
std::set<std::string> names_of(const Shown& shown) {
  diagnose::Who who = diagnose::who_of(shown.side.host, shown.positions);
  who.programs.insert("unit " + who.unit);
  if (who.container) who.programs.insert("container " + diagnose::lasting_name(*who.container));
  return who.programs;
}

std::string owners_change(const Shown& before, const Shown& after, bool ascii) {
  std::string then = owner_words(before, ascii);
  std::string now = owner_words(after, ascii);
  if (names_of(before) == names_of(after)) {
    then += " of " + users_of(before);
    now += " of " + users_of(after);
  }
  return "was " + then + ", is now " + now;
}

std::string exact_words(const std::vector<ChangedField>& fields) {
  std::vector<std::string> out;
  for (const ChangedField field : fields) {
    if (field > ChangedField::Findings) out.emplace_back(name_of(field));
  }
  return out.empty() ? std::string() : "other values of " + join(out, ", ");
}

/// Fields that have a sentence of their own, but for who reaches it and who has it.
std::string other_fields(const Shown& before, const Shown& after,
                         const std::vector<ChangedField>& fields, bool ascii) {
  std::string out;
  const auto add = [&out](const std::string& text) { out = with_words(out, "; ", text); };
  const bool scope_alone = has(fields, ChangedField::Scope) &&
                           !has(fields, ChangedField::Address) &&
                           !has(fields, ChangedField::Interface);
  if (scope_alone) {
    add("its address is for " + std::string(name_of(first_of(after).scope)) + " now, was for " +
        std::string(name_of(first_of(before).scope)));
  }
  // Of a bind that has changed the addresses tell.
  if (has(fields, ChangedField::V6Only) && !has(fields, ChangedField::Address)) {
    add(first_of(after).v6only == true ? "takes IPv6 alone now" : "takes IPv4 as well now");
  }
  if (has(fields, ChangedField::LeadsTo)) {
    const auto leads = [&](const Shown& one) {
      return one.published ? published_target(port_of(one), ascii) + ", " + owner_words(one, ascii)
                           : owner_words(one, ascii);
    };
    add("leads to " + leads(after) + " now, led to " + leads(before));
  }
  if (has(fields, ChangedField::Bypass)) {
    add(port_of(after).denied ? "now goes past the input chain, which would deny it"
                              : "no longer goes past what the input chain denies");
  }
  add(exact_words(fields));
  return out;
}

}  // namespace

std::string subject_words(const Shown& shown) {
  const host::Host& host = shown.side.host;
  const auto netns = shown.published ? port_of(shown).netns : first_of(shown).netns;
  std::string out =
      shown.published
          ? std::string(name_of(port_of(shown).protocol)) + " " + published_ports(port_of(shown))
          : std::string(name_of(first_of(shown).protocol)) + " " + port_words(host, row_of(shown));
  if (!host.at(netns).own) out += " in " + netns_words(host.at(netns));
  return out;
}

std::string owner_words(const Shown& shown, bool ascii) {
  if (shown.published) return in_a_sentence(published_who(shown.side.host, port_of(shown), ascii));
  return in_a_sentence(who_words(shown.side.host, row_of(shown), ascii));
}

std::string binding_words(const Shown& shown) {
  return bound_words(shown.side.host, row_of(shown));
}

std::string openness_words(const Shown& shown) {
  const std::string words = raw_reach(shown);
  const auto behind = [&](std::string_view start) { return words.substr(start.size()); };
  if (words.empty() || words.starts_with("this host only")) return words;
  if (words.starts_with("nobody")) return "reachable by " + words;
  if (words.starts_with("perhaps ")) return "perhaps reachable from " + behind("perhaps ");
  if (words.starts_with("unknown: ")) return "not known who reaches it: " + behind("unknown: ");
  return "reachable from " + words;
}

std::string openness_change(const Shown& before, const Shown& after) {
  const std::string then = openness_words(before);
  const std::string now = openness_words(after);
  if (then == now) return now.empty() ? now : now + ", as before";
  return "was " + then + ", is now " + now;
}

std::string change_words(const Shown& before, const Shown& after,
                         const std::vector<ChangedField>& fields, bool ascii) {
  const bool owners = has(fields, ChangedField::Owners);
  const bool bound = has(fields, ChangedField::Address) || has(fields, ChangedField::Interface);
  std::string out = owners ? owners_change(before, after, ascii) : owner_words(after, ascii);
  if (after.published && !has(fields, ChangedField::LeadsTo)) {
    out = with_words(published_target(port_of(after), ascii), ", ", out);
  }
  std::string more;
  if (has(fields, ChangedField::Reach)) {
    const bool same = openness_words(before) == openness_words(after);
    more = same ? clients_change(before, after) : openness_change(before, after);
    if (!bound && !same) more += "; bound as before: rules, routes or interfaces have changed";
  }
  if (bound) {
    const std::string moved =
        "bind changed " + addresses_of(before) + (ascii ? " -> " : " → ") + addresses_of(after);
    more = with_words(more, ": ", moved);
    if (!has(fields, ChangedField::Reach)) more = with_words(more, "; ", openness_words(after));
  }
  more = with_words(more, "; ", other_fields(before, after, fields, ascii));
  return with_words(out, owners ? "; " : " ", more);
}

}  // namespace hark::show
