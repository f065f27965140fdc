#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "reach/nft_writer.h"

namespace hark::reach::ruletext {
namespace {

namespace nft = decode::nft;

constexpr std::uint32_t kWord = 4;
constexpr std::uint32_t kByte = 8;
constexpr std::uint32_t kTypeBits = 6;

std::uint32_t padded(std::uint32_t length) {
  return (length + kWord - 1) / kWord * kWord;
}

/// One less, as a number with the first byte the highest.
void decrement(Bytes& bytes) {
  for (auto at = bytes.rbegin(); at != bytes.rend(); ++at) {
    const bool borrow = *at == std::byte{0};
    *at = static_cast<std::byte>(std::to_integer<unsigned>(*at) - 1U);
    if (!borrow) return;
  }
}

/// Length of the prefix that goes exactly from one to the other.
std::optional<std::uint32_t> common_prefix(ByteView from, ByteView to) {
  std::uint32_t length = 0;
  bool differs = false;
  for (std::size_t i = 0; i < from.size(); ++i) {
    for (std::uint32_t bit = 0; bit < kByte; ++bit) {
      const bool a = (std::to_integer<unsigned>(from[i]) >> (7 - bit) & 1U) != 0;
      const bool b = (std::to_integer<unsigned>(to[i]) >> (7 - bit) & 1U) != 0;
      differs = differs || a != b;
      if (!differs) ++length;
      if (differs && (a || !b)) return std::nullopt;
    }
  }
  return length;
}

/// Types of data that stand in this machine's byte order.
bool is_host_order(nft::DataType type) {
  using enum nft::DataType;
  constexpr nft::DataType kTypes[] = {Integer, Mark,    Ifindex,  Realm,       Classid,   Uid,
                                      Gid,     CtState, CtStatus, DeviceGroup, IfaceType, Time};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

/// What `data_type` says of values, first field first.
std::vector<Operand> operands_of_type(std::uint32_t type, std::uint32_t length) {
  std::vector<nft::DataType> types;
  for (; type != 0; type >>= kTypeBits) {
    types.insert(types.begin(), static_cast<nft::DataType>(type & ((1U << kTypeBits) - 1)));
  }
  if (types.empty()) types.push_back(nft::DataType::Invalid);
  std::vector<Operand> out;
  std::uint32_t left = length;
  for (const nft::DataType one : types) {
    const Show show = one == nft::DataType::Invalid ? Show::Hex : show_of(one);
    Operand operand{.kind = Operand::Kind::Words, .key = {{}, show, is_host_order(one)}};
    operand.length = types.size() == 1 ? length : kWord;
    if (show == Show::Ipv6 || show == Show::Ifname) operand.length = 16;
    if (show == Show::Ether) operand.length = 6;
    if (one == nft::DataType::InetService) operand.length = 2;
    if (one == nft::DataType::InetProtocol) operand.length = 1;
    operand.length = std::min(operand.length, left);
    left -= std::min(left, padded(operand.length));
    out.push_back(std::move(operand));
  }
  return out;
}

/// What nft sorts elements by (expr_msort_value there): the number that the key is; of a
/// concatenation the bytes as they stand, last ones first.
Bytes sorted_by(std::span<const Operand> keys, const Bytes& key) {
  Bytes out;
  std::size_t at = 0;
  for (const Operand& operand : keys) {
    if (at + operand.length > key.size()) break;
    append(out, ByteView(key).subspan(at, operand.length));
    at += padded(operand.length);
  }
  if (keys.size() > 1) {
    std::reverse(out.begin(), out.end());
    return out;
  }
  const bool host = keys.front().kind == Operand::Kind::Words && keys.front().key.host_order;
  if (host) std::reverse(out.begin(), out.end());
  return out;
}

/// An element with both ends of its key, inclusive.
struct Shown {
  Bytes from;
  Bytes to;
  const nft::Element* element;
};

/// Half-open intervals of a tree, as closed ones: each begin with the next end, or the next begin.
std::vector<Shown> intervals(const std::vector<nft::Element>& elements) {
  std::vector<const nft::Element*> sorted;
  for (const nft::Element& element : elements) {
    if (!element.catch_all) sorted.push_back(&element);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    if (a->key != b->key) return a->key < b->key;
    return a->interval_end && !b->interval_end;
  });
  std::vector<Shown> out;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i]->interval_end) continue;
    Bytes last(sorted[i]->key.size(), std::byte{0xff});
    if (i + 1 < sorted.size()) {
      last = sorted[i + 1]->key;
      decrement(last);
    }
    out.push_back({sorted[i]->key, std::move(last), sorted[i]});
  }
  return out;
}

}  // namespace

const nft::Set* Writer::find_set(const std::string& name) const {
  for (const nft::Set& set : ruleset_.sets) {
    if (set.family == rule_.family && set.table == rule_.table && set.name == name) return &set;
  }
  return nullptr;
}

std::string Writer::range_text(const Operand& operand, ByteView from, ByteView to,
                               bool prefixes) const {
  const std::vector<Part> parts = headers_.parts(operand);
  const Bytes mask = big_endian_of(operand, operand.mask);
  const Part* part = &parts.front();
  for (const Part& candidate : parts) {
    const bool wanted = !candidate.words.empty() && candidate.bits != 0;
    const Bytes bits = mask.empty() ? Bytes{} : bits_of(mask, candidate.first, candidate.bits);
    const bool meant = bits.empty() || std::any_of(bits.begin(), bits.end(),
                                                   [](std::byte b) { return b != std::byte{0}; });
    if (wanted && meant) part = &candidate;
    if (wanted && meant) break;
  }
  const auto shown = [&](ByteView bytes) {
    return bits_of(big_endian_of(operand, bytes), part->first, part->bits);
  };
  const Bytes first = shown(from), last = shown(to);
  if (first == last) {
    std::string one = value(part->show, first);
    if (prefixes && is_flags(part->show)) {
      for (auto comma = one.find(','); comma != std::string::npos; comma = one.find(',')) {
        one.replace(comma, 1, " | ");
      }
    }
    return one;
  }
  const auto length = common_prefix(first, last);
  if (prefixes && length && has_prefixes(part->show)) {
    return fmt::format("{}/{}", value(part->show, first), *length);
  }
  if (prefixes && length && part->show == Show::Ifname && *length % kByte == 0) {
    return quoted(std::string(as_text(ByteView(first).first(*length / kByte))) + '*');
  }
  return value(part->show, first, true) + '-' + value(part->show, last, true);
}

std::string Writer::key_text(std::span<const Operand> keys, ByteView from, ByteView to) const {
  std::string out;
  std::size_t at = 0;
  for (const Operand& key : keys) {
    if (at + key.length > from.size() || at + key.length > to.size()) break;
    out += (out.empty() ? "" : " . ") +
           range_text(key, from.subspan(at, key.length), to.subspan(at, key.length), true);
    at += padded(key.length);
    if (at > from.size()) break;
  }
  return out;
}

std::string Writer::verdict_text(const nft::VerdictTo& verdict) {
  switch (verdict.verdict) {
    case nft::Verdict::Drop:
      return "drop";
    case nft::Verdict::Accept:
      return "accept";
    case nft::Verdict::Stolen:
      return "stolen";
    case nft::Verdict::Queue:
      return "queue";
    case nft::Verdict::Continue:
      return "continue";
    case nft::Verdict::Break:
      return "break";
    case nft::Verdict::Jump:
      return "jump " + inline_chain(verdict.chain);
    case nft::Verdict::Goto:
      return "goto " + inline_chain(verdict.chain);
    case nft::Verdict::Return:
      return "return";
  }
  return "[verdict]";
}

std::string Writer::data_text(const nft::Set& set, const nft::Element& element) {
  if (!element.object.empty()) return " : " + quoted(element.object);
  if (element.verdict) return " : " + verdict_text(*element.verdict);
  if (!element.data) return {};
  const Bytes& data = *element.data;
  auto fields = operands_of_type(set.data_type, static_cast<std::uint32_t>(data.size()));
  // Both ends of a range of addresses lie one behind the other.
  const std::uint32_t address = fields.front().key.show == Show::Ipv6 ? 16 : kWord;
  if (fields.size() == 1 && has_prefixes(fields[0].key.show) && data.size() == 2 * address) {
    fields[0].length = address;
    return " : " +
           range_text(fields[0], ByteView(data).first(address), ByteView(data).last(address), true);
  }
  return " : " + key_text(fields, data, data);
}

std::string Writer::elements_text(const nft::Set& set, std::span<const Operand> keys) {
  if (!set.elements) return "{ … }";
  std::vector<Shown> shown;
  const bool tree = set.interval() && set.fields.empty();
  if (tree) {
    shown = intervals(*set.elements);
  } else {
    for (const nft::Element& element : *set.elements) {
      if (!element.catch_all)
        shown.push_back({element.key, element.key_end ? *element.key_end : element.key, &element});
    }
    const auto sort_key = [&keys](const Bytes& key) { return sorted_by(keys, key); };
    std::stable_sort(shown.begin(), shown.end(), [&](const Shown& a, const Shown& b) {
      return sort_key(a.from) < sort_key(b.from);
    });
  }
  std::vector<std::string> texts;
  for (const Shown& one : shown) {
    if (texts.size() == kShownElements) break;
    texts.push_back(key_text(keys, one.from, one.to) + data_text(set, *one.element));
  }
  for (const nft::Element& element : *set.elements) {
    if (element.catch_all && texts.size() < kShownElements) {
      texts.push_back("*" + data_text(set, element));
      break;
    }
  }
  if (shown.size() > kShownElements) texts.emplace_back("…");
  return "{ " + join(texts, ", ") + " }";
}

std::string Writer::set_words(const nft::Set& set, std::span<const Operand> keys) {
  return set.anonymous() ? elements_text(set, keys) : '@' + set.name;
}

void Writer::load_mapped(const nft::Lookup& it, const nft::Set& set, const std::string& words) {
  const auto fields = operands_of_type(set.data_type, set.data_length);
  Operand mapped{.kind = Operand::Kind::Words,
                 .key = {words, fields.front().key.show, fields.front().key.host_order},
                 .length = set.data_length};
  // Numbers that come out of a map are what the statement that uses them takes them for.
  load(*it.dreg, std::move(mapped));
}

void Writer::write(const nft::Lookup& it) {
  const nft::Set* set = find_set(it.set);
  if (set == nullptr) {
    say(fmt::format("[register {}] {}@{}", it.sreg, it.inverted ? "!= " : "", it.set));
    if (it.dreg) load_words(*it.dreg, {"[map @" + it.set + ']', Show::Hex, false}, kWord);
    return;
  }
  const std::vector<Operand> keys = values_at(it.sreg, set->key_length);
  const std::string words = joined_words(it.sreg, set->key_length);
  const std::string name = set_words(*set, keys);
  if (it.dreg) return load_mapped(it, *set, words + " map " + name);
  if (it.verdict) return say(words + " vmap " + name);
  say(words + (it.inverted ? " != " : " ") + name);
}

void Writer::write(const nft::Dynset& it) {
  constexpr const char* kOps[] = {"add", "update", "delete"};
  const nft::Set* set = find_set(it.set);
  const std::uint32_t length = set == nullptr ? kWord : set->key_length;
  std::string body = joined_words(it.sreg_key, length);
  if (it.timeout_ms != 0) body += " timeout " + duration_text(it.timeout_ms);
  for (const nft::Expression& expression : it.expressions) {
    body += ' ' + statement_text(expression);
  }
  if (it.sreg_data) {
    const auto fields = set == nullptr ? operands_of_type(0, kWord)
                                       : operands_of_type(set->data_type, set->data_length);
    body += " : " + value_at(*it.sreg_data, fields.front().key.show, fields.front().key.host_order,
                             fields.front().length);
  }
  const char* op = it.op < std::size(kOps) ? kOps[it.op] : "[dynset]";
  const bool meter = set != nullptr && set->anonymous();
  if (meter) return say(fmt::format("meter {} size {} {{ {} }}", it.set, set->size, body));
  say(fmt::format("{} {}@{} {{ {} }}", op, it.inverted ? "!= " : "", it.set, body));
}

void Writer::write(const nft::ObjectRef& it) {
  struct Words {
    nft::ObjectType type;
    const char* before;
  };
  constexpr Words kWords[] = {{nft::ObjectType::Counter, "counter name "},
                              {nft::ObjectType::Quota, "quota name "},
                              {nft::ObjectType::Limit, "limit name "},
                              {nft::ObjectType::CtHelper, "ct helper set "},
                              {nft::ObjectType::CtTimeout, "ct timeout set "},
                              {nft::ObjectType::CtExpect, "ct expectation set "},
                              {nft::ObjectType::Secmark, "meta secmark set "},
                              {nft::ObjectType::Synproxy, "synproxy name "}};
  const nft::Set* map = it.map.empty() ? nullptr : find_set(it.map);
  const std::uint32_t type = map == nullptr ? it.type : map->object_type;
  std::string before = "[object of type " + std::to_string(type) + "] ";
  for (const Words& words : kWords) {
    if (static_cast<std::uint32_t>(words.type) == type) before = words.before;
  }
  if (it.map.empty()) return say(before + quoted(it.name));
  const std::uint32_t length = map == nullptr ? kWord : map->key_length;
  const std::vector<Operand> keys = values_at(it.sreg, length);
  const std::string words = joined_words(it.sreg, length);
  say(before + words + " map " + (map == nullptr ? '@' + it.map : set_words(*map, keys)));
}

}  // namespace hark::reach::ruletext
