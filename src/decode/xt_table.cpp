#include "decode/xt_table.h"

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include <algorithm>
#include <cstring>
#include <map>

namespace hark::decode::xt {
namespace {

constexpr std::size_t kEntriesHeader = sizeof(ipt_get_entries);
static_assert(sizeof(ipt_get_entries) == sizeof(ip6t_get_entries));
static_assert(sizeof(ipt_getinfo) == sizeof(ip6t_getinfo));
constexpr std::uint32_t kHooks = NF_INET_NUMHOOKS;

/// What the walk over the entries is about.
struct Raw {
  Family family;
  ipt_getinfo info;
  ByteView entries;
};
struct Entry {
  std::size_t offset = 0;
  std::size_t next = 0;
  Rule rule;
  std::optional<std::int32_t> verdict = {};  ///< of a standard target
  std::optional<std::string> opens = {};     ///< of an ERROR target: the chain's name
};

Error broken(std::string_view why) {
  return plain_error("table of iptables", std::string(why));
}

/// Not an optional: these structures end with arrays without a length.
template <typename T>
bool copy_at(ByteView bytes, std::size_t offset, T& out) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return false;
  std::memcpy(&out, bytes.data() + offset, sizeof(T));
  return true;
}

template <std::size_t Size>
std::string text_of(const char (&from)[Size]) {
  return std::string(from, static_cast<std::size_t>(std::find(from, from + Size, '\0') - from));
}

template <typename In>
IpAddress address_of(Family family, const In& from) {
  IpAddress out;
  out.family = family;
  std::memcpy(out.bytes.data(), &from, sizeof from);
  return out;
}

/// What ipt_ip and ip6t_ip6 have alike.
template <typename Ip>
void read_header(Family family, const Ip& ip, Rule& rule) {
  rule.source = {address_of(family, ip.src), address_of(family, ip.smsk)};
  rule.destination = {address_of(family, ip.dst), address_of(family, ip.dmsk)};
  std::memcpy(rule.in.name.data(), ip.iniface, sizeof ip.iniface);
  std::memcpy(rule.in.mask.data(), ip.iniface_mask, sizeof ip.iniface_mask);
  std::memcpy(rule.out.name.data(), ip.outiface, sizeof ip.outiface);
  std::memcpy(rule.out.mask.data(), ip.outiface_mask, sizeof ip.outiface_mask);
  rule.not_source = (ip.invflags & IPT_INV_SRCIP) != 0;
  rule.not_destination = (ip.invflags & IPT_INV_DSTIP) != 0;
  rule.not_in = (ip.invflags & IPT_INV_VIA_IN) != 0;
  rule.not_out = (ip.invflags & IPT_INV_VIA_OUT) != 0;
  rule.not_protocol = (ip.invflags & IPT_INV_PROTO) != 0;
  rule.not_fragments = (ip.invflags & IPT_INV_FRAG) != 0;
}

struct Offsets {
  std::size_t elements = 0, target = 0, next = 0;  ///< from the beginning of the entry
};

std::optional<Offsets> read_head(const Raw& raw, std::size_t offset, Rule& rule) {
  if (raw.family == Family::Inet) {
    ipt_entry entry{};
    if (!copy_at(raw.entries, offset, entry)) return std::nullopt;
    read_header(raw.family, entry.ip, rule);
    rule.protocol = entry.ip.proto;
    rule.fragments = (entry.ip.flags & IPT_F_FRAG) != 0;
    rule.go_to = (entry.ip.flags & IPT_F_GOTO) != 0;
    rule.packets = entry.counters.pcnt;
    rule.bytes = entry.counters.bcnt;
    return Offsets{sizeof(ipt_entry), entry.target_offset, entry.next_offset};
  }
  ip6t_entry entry{};
  if (!copy_at(raw.entries, offset, entry)) return std::nullopt;
  read_header(raw.family, entry.ipv6, rule);
  if ((entry.ipv6.flags & IP6T_F_PROTO) != 0) rule.protocol = entry.ipv6.proto;
  rule.go_to = (entry.ipv6.flags & IP6T_F_GOTO) != 0;
  rule.packets = entry.counters.pcnt;
  rule.bytes = entry.counters.bcnt;
  return Offsets{sizeof(ip6t_entry), entry.target_offset, entry.next_offset};
}

/// xt_entry_match and xt_entry_target are laid out alike.
struct Extension {
  std::string name;
  std::uint32_t revision = 0;
  ByteView data;
  std::size_t size = 0;
};
std::optional<Extension> read_extension(ByteView bytes) {
  xt_entry_match head{};
  if (!copy_at(bytes, 0, head)) return std::nullopt;
  const std::size_t size = head.u.match_size;
  if (size < sizeof(xt_entry_match) || size > bytes.size()) return std::nullopt;
  return Extension{text_of(head.u.user.name), head.u.user.revision,
                   bytes.subspan(sizeof(xt_entry_match), size - sizeof(xt_entry_match)), size};
}

bool read_matches(ByteView bytes, Rule& rule) {
  while (!bytes.empty()) {
    const auto match = read_extension(bytes);
    if (!match) return false;
    rule.matches.push_back(
        {match->name, match->revision, {match->data.begin(), match->data.end()}});
    bytes = bytes.subspan(match->size);
  }
  return true;
}

bool read_target(ByteView bytes, Entry& entry) {
  const auto target = read_extension(bytes);
  if (!target) return false;
  if (target->name == XT_ERROR_TARGET) {
    const std::string_view name = as_text(target->data);
    entry.opens = std::string(name.substr(0, std::min(name.find('\0'), name.size())));
  } else if (target->name == XT_STANDARD_TARGET) {
    std::int32_t verdict = 0;
    if (!copy_at(target->data, 0, verdict)) return false;
    entry.verdict = verdict;
  } else {
    entry.rule.jump = Rule::Jump::Target;
    entry.rule.target = {
        target->name, target->revision, {target->data.begin(), target->data.end()}};
  }
  return true;
}

Result<Entry> read_entry(const Raw& raw, std::size_t offset) {
  Entry out;
  out.offset = offset;
  const auto at_entry = read_head(raw, offset, out.rule);
  if (!at_entry) return fail(broken("an entry is cut off"));
  const std::size_t room = raw.entries.size() - offset;
  if (at_entry->target < at_entry->elements || at_entry->next <= at_entry->target ||
      at_entry->next > room)
    return fail(broken("an entry has an impossible length"));
  out.next = offset + at_entry->next;
  const ByteView bytes = raw.entries.subspan(offset, at_entry->next);
  if (!read_matches(bytes.subspan(at_entry->elements, at_entry->target - at_entry->elements),
                    out.rule))
    return fail(broken("a match has an impossible length"));
  if (!read_target(bytes.subspan(at_entry->target), out))
    return fail(broken("a target has an impossible length"));
  return out;
}

Result<std::vector<Entry>> read_entries(const Raw& raw) {
  std::vector<Entry> out;
  for (std::size_t offset = 0; offset < raw.entries.size();) {
    auto entry = read_entry(raw, offset);
    if (!entry) return tl::unexpected(entry.error());
    offset = entry->next;
    out.push_back(std::move(*entry));
  }
  return out;
}

bool valid_hook(const ipt_getinfo& info, std::uint32_t hook) {
  return (info.valid_hooks >> hook & 1U) != 0;
}

/// The verdict of a standard target that is no jump; the kernel writes -NF_* - 1.
std::optional<Rule::Jump> verdict_of(std::int32_t verdict) {
  switch (verdict) {
    case -1:
      return Rule::Jump::Drop;
    case -2:
      return Rule::Jump::Accept;
    case -4:
      return Rule::Jump::Queue;
    case XT_RETURN:
      return Rule::Jump::Return;
    default:
      return std::nullopt;
  }
}

/// Gives every entry its chain: what stands before the first chain of the user belongs to the
/// built-in ones, whose borders are in `info`.
class Builder {
 public:
  Builder(const Raw& raw, std::vector<Entry> entries) : raw_(raw), entries_(std::move(entries)) {}

  Result<Table> build() {
    table_.family = raw_.family;
    table_.name = text_of(raw_.info.name);
    if (entries_.empty() || entries_.back().opens != "ERROR")
      return fail(broken("its last entry is missing"));
    for (std::size_t i = 0; i + 1 < entries_.size(); ++i)
      if (auto placed = place(i); !placed) return tl::unexpected(placed.error());
    for (std::uint32_t hook = 0; hook < kHooks; ++hook)
      if (valid_hook(raw_.info, hook) &&
          (!ended_.contains(hook) || table_.at_hook(hook) == nullptr))
        return fail(broken("a built-in chain is missing"));
    for (const Unresolved& jump : unresolved_) {
      const auto to = begins_.find(jump.offset);
      if (to == begins_.end()) return fail(broken("a jump leads to no chain"));
      table_.chains[jump.chain].rules[jump.rule].chain = to->second;
    }
    return std::move(table_);
  }

 private:
  struct Unresolved {
    std::size_t chain = 0, rule = 0, offset = 0;
  };

  Result<bool> place(std::size_t i) {
    Entry& entry = entries_[i];
    if (entry.opens) {
      if (entry.opens == "ERROR") return fail(broken("it ends before its end"));
      begins_[entry.next] = table_.chains.size();
      table_.chains.emplace_back();
      table_.chains.back().name = *entry.opens;
      open_ = true;
      return true;
    }
    for (std::uint32_t hook = 0; hook < kHooks; ++hook) {
      if (!valid_hook(raw_.info, hook) || raw_.info.hook_entry[hook] != entry.offset) continue;
      table_.chains.emplace_back();
      table_.chains.back().name = builtin_name(hook);
      table_.chains.back().hook = hook;
      open_ = true;
    }
    if (!open_) return fail(broken("a rule is in no chain"));
    return settle(i);
  }

  /// Resolves the verdict and puts the rule into the open chain, or makes it that chain's policy.
  Result<bool> settle(std::size_t i) {
    Entry& entry = entries_[i];
    Chain& chain = table_.chains.back();
    if (entry.verdict && *entry.verdict >= 0) {
      if (static_cast<std::size_t>(*entry.verdict) != entry.next)
        entry.rule.jump = Rule::Jump::Chain;
    } else if (entry.verdict) {
      const auto verdict = verdict_of(*entry.verdict);
      if (!verdict) return fail(broken("a verdict is not known"));
      entry.rule.jump = *verdict;
    }
    if (is_end(i, chain)) {
      if (!may_end(chain, entry.rule)) return fail(broken("a chain does not end"));
      chain.policy = entry.rule.jump;
      open_ = false;
    } else {
      if (entry.rule.jump == Rule::Jump::Chain)
        unresolved_.push_back({table_.chains.size() - 1, chain.rules.size(),
                               static_cast<std::size_t>(*entry.verdict)});
      chain.rules.push_back(std::move(entry.rule));
    }
    return true;
  }

  /// check_underflow() of ip_tables.c; of a chain of the user what iptables writes.
  static bool may_end(const Chain& chain, const Rule& rule) {
    if (!rule.source.any() || !rule.destination.any() || !rule.in.any() || !rule.out.any() ||
        rule.protocol != 0 || !rule.matches.empty())
      return false;
    if (!chain.hook) return rule.jump == Rule::Jump::Return;
    return rule.jump == Rule::Jump::Accept || rule.jump == Rule::Jump::Drop;
  }

  bool is_end(std::size_t i, const Chain& chain) {
    const Entry& entry = entries_[i];
    if (!chain.hook) return entries_[i + 1].opens.has_value();
    if (raw_.info.underflow[*chain.hook] != entry.offset) return false;
    ended_[*chain.hook] = true;
    return true;
  }

  const Raw& raw_;
  std::vector<Entry> entries_;
  Table table_;
  bool open_ = false;
  std::map<std::size_t, std::size_t> begins_;  ///< offset of a chain's first rule: its position
  std::map<std::uint32_t, bool> ended_;
  std::vector<Unresolved> unresolved_;
};

}  // namespace

Result<Table> decode_table(Family family, ByteView info, ByteView entries) {
  ipt_getinfo head{};
  if (!copy_at(info, 0, head)) return fail(broken("its description is cut off"));
  if (entries.size() < kEntriesHeader) return fail(broken("its entries are cut off"));
  const ByteView rest = entries.subspan(kEntriesHeader);
  if (head.size > rest.size()) return fail(broken("its entries are cut off"));
  const Raw raw{family, head, rest.first(head.size)};
  auto read = read_entries(raw);
  if (!read) return tl::unexpected(read.error());
  return Builder(raw, std::move(*read)).build();
}

const Chain* Table::at_hook(std::uint32_t hook) const {
  const auto found =
      std::ranges::find_if(chains, [&](const Chain& chain) { return chain.hook == hook; });
  return found == chains.end() ? nullptr : &*found;
}

const char* builtin_name(std::uint32_t hook) {
  constexpr std::array kNames = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"};
  return hook < kNames.size() ? kNames[hook] : "?";
}

bool DeviceMatch::matches(std::string_view device) const {
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char have = i < device.size() ? device[i] : '\0';
    if (((have ^ name[i]) & mask[i]) != 0) return false;
  }
  return true;
}

std::string DeviceMatch::text() const {
  std::string out;
  std::size_t i = 0;
  for (; i < name.size() && mask[i] != 0 && name[i] != '\0'; ++i) out += name[i];
  if (i == name.size() || mask[i] == 0) out += '+';
  return out;
}

bool AddressMatch::matches(const IpAddress& candidate) const {
  for (std::size_t i = 0; i < mask.bytes.size(); ++i)
    if ((candidate.bytes[i] & mask.bytes[i]) != address.bytes[i]) return false;
  return true;
}

std::string AddressMatch::text() const {
  const std::size_t bits = mask.bits();
  const auto bit = [&](std::size_t i) { return mask.bytes[i / 8] >> (7 - i % 8) & 1; };
  std::size_t length = 0;
  while (length < bits && bit(length) != 0) ++length;
  for (std::size_t i = length; i < bits; ++i)
    if (bit(i) != 0) return address.text() + "/" + mask.text();
  return address.text() + "/" + std::to_string(length);
}

}  // namespace hark::decode::xt
