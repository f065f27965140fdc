#include "reach/nft_clients.h"

#include <algorithm>
#include <cstring>

namespace hark::reach {

namespace nft = decode::nft;

namespace {

/// Elements of a set of which not all say the same are told apart with care up to here.
constexpr std::size_t kMostPainted = 4000;

/// A run of bytes of an operand that are copies of the client's, in their order.
struct Field {
  std::size_t begin = 0;   ///< in the operand
  std::size_t length = 0;  ///< of copies
  std::size_t at = 0;      ///< the first one's place in the address or port
  bool port = false;
  Family family = Family::Inet;
  ClientKey mask = {};  ///< of the whole address or port

  [[nodiscard]] std::size_t width() const {
    return port ? 2 : IpAddress{.family = family}.bits() / 8;
  }
  /// What of other bytes is compared with it.
  [[nodiscard]] ClientKey key_of(ByteView operand) const {
    ClientKey key{.family = family};
    for (std::size_t i = 0; i < length; ++i) {
      key.bytes[at + i] = std::to_integer<std::uint8_t>(operand[begin + i]);
    }
    return key;
  }
};

struct Operand {
  Bytes bytes;  ///< with the witness's in the place of the client's
  std::vector<Field> fields;
};

std::optional<Operand> operand_of(const Machine& machine, nft::Reg reg, std::size_t length) {
  const Clients* clients = machine.here.world.clients;
  if (clients == nullptr) return std::nullopt;
  const auto copies = machine.registers.clients(reg, length);
  if (!copies || copies->size() != length) return std::nullopt;
  Operand out{.bytes = machine.registers.load(reg, length).bytes, .fields = {}};
  std::uint8_t before = ClientByte::kNone;
  for (std::size_t i = 0; i < length; ++i) {
    const ClientByte& copy = (*copies)[i];
    if (copy.is_client()) {
      const bool port = copy.at >= ClientByte::kPort;
      const auto at =
          static_cast<std::size_t>(copy.at) - (port ? ClientByte::kPort : ClientByte::kAddress);
      // A port that follows an address has the number behind the last byte of one of IPv6.
      const bool goes_on =
          before != ClientByte::kNone && copy.at == before + 1 && out.fields.back().port == port;
      if (!goes_on) {
        out.fields.push_back({.begin = i,
                              .at = at,
                              .port = port,
                              .family = port ? Family::Inet : clients->address().family,
                              .mask = {}});
        out.fields.back().mask.family = out.fields.back().family;
      }
      Field& field = out.fields.back();
      ++field.length;
      if (at >= field.width()) return std::nullopt;
      field.mask.bytes[at] = copy.kept;
      out.bytes[i] |= static_cast<std::byte>(clients->byte(copy));
    }
    before = copy.at;
  }
  return out;
}

std::uint16_t port_of(const ClientKey& key) {
  return static_cast<std::uint16_t>(key.bytes[0] << 8U | key.bytes[1]);
}

PortSet ports_of(const std::vector<AddressRange>& ranges) {
  std::vector<Interval<std::uint16_t>> out;
  out.reserve(ranges.size());
  for (const AddressRange& range : ranges) {
    if (!(range.last < range.first)) out.push_back({port_of(range.first), port_of(range.last)});
  }
  return PortSet(std::move(out));
}

void split(Clients& clients, const Field& field, std::vector<AddressRange> ranges) {
  if (field.port) {
    clients.split(ports_of(ranges));
  } else if (ranges.size() == 1 && !(ranges[0].last < ranges[0].first)) {
    clients.split(ranges.front());
  } else {
    clients.split(AddressSet(std::move(ranges)));
  }
}

bool is_field_byte(const Operand& operand, std::size_t at) {
  return std::ranges::any_of(operand.fields, [at](const Field& field) {
    return at >= field.begin && at < field.begin + field.length;
  });
}

/// Are the bytes that are not the client's as in `data`?
bool rest_is(const Operand& operand, ByteView data) {
  for (std::size_t i = 0; i < operand.bytes.size(); ++i) {
    if (!is_field_byte(operand, i) && operand.bytes[i] != data[i]) return false;
  }
  return true;
}

bool field_is(const Operand& operand, const Field& field, ByteView data) {
  return std::memcmp(&operand.bytes[field.begin], &data[field.begin], field.length) == 0;
}

std::optional<bool> equals(Clients& clients, const Operand& operand, ByteView data) {
  if (!rest_is(operand, data)) return false;
  std::vector<std::vector<AddressRange>> ranges;
  const Field* different = nullptr;
  for (const Field& field : operand.fields) {
    auto of_field = masked_ranges(field.key_of(data), field.mask, field.width());
    if (!of_field) return std::nullopt;
    if (!field_is(operand, field, data)) different = &field;
    ranges.push_back(std::move(*of_field));
  }
  for (std::size_t i = 0; i < operand.fields.size(); ++i) {
    const Field& field = operand.fields[i];
    // One field that differs is enough to know.
    if (different != nullptr && &field != different) continue;
    split(clients, field, std::move(ranges[i]));
  }
  return different == nullptr;
}

/// One less, or one more, as memcmp orders; false: there is none.
bool step_bytes(Bytes& bytes, bool up) {
  for (std::size_t i = bytes.size(); i-- > 0;) {
    const auto byte = std::to_integer<unsigned>(bytes[i]);
    bytes[i] = static_cast<std::byte>((up ? byte + 1U : byte - 1U) & 0xffU);
    if (byte != (up ? 0xffU : 0U)) return true;
  }
  return false;
}

/// From `first` to `last`, where the operand begins with a field and nothing of the client follows.
std::optional<bool> between(Clients& clients, const Operand& operand, Bytes first, Bytes last) {
  const Field& field = operand.fields.front();
  if (operand.fields.size() != 1 || field.begin != 0 || field.at != 0) return std::nullopt;
  const auto order = [&operand](const Bytes& other, std::size_t from) {
    const std::size_t length = operand.bytes.size() - from;
    return length == 0 ? 0 : std::memcmp(&operand.bytes[from], &other[from], length);
  };
  const bool inside = order(first, 0) >= 0 && order(last, 0) <= 0;
  // What follows decides whether the very ends are within.
  const bool low = order(first, field.length) < 0;
  const bool high = order(last, field.length) > 0;
  first.resize(field.length);
  last.resize(field.length);
  if ((low && !step_bytes(first, true)) || (high && !step_bytes(last, false))) return inside;
  const auto range =
      masked_between(field.key_of(first), field.key_of(last), field.mask, field.width());
  if (!range) return std::nullopt;
  split(clients, field, {*range});
  return inside;
}

}  // namespace

std::optional<bool> compare_clients(Machine& machine, nft::Reg reg, nft::CmpOp op, ByteView data) {
  const auto operand = operand_of(machine, reg, data.size());
  if (!operand) return std::nullopt;
  Clients& clients = *machine.here.world.clients;
  if (op == nft::CmpOp::Eq) return equals(clients, *operand, data);
  if (op == nft::CmpOp::Neq) {
    const auto equal = equals(clients, *operand, data);
    return equal ? std::optional(!*equal) : std::nullopt;
  }
  Bytes low(data.size());
  Bytes high(data.size(), std::byte{0xff});
  Bytes edge(data.begin(), data.end());
  switch (op) {
    case nft::CmpOp::Lt:
      return step_bytes(edge, false) ? between(clients, *operand, low, edge) : false;
    case nft::CmpOp::Lte:
      return between(clients, *operand, low, edge);
    case nft::CmpOp::Gt:
      return step_bytes(edge, true) ? between(clients, *operand, edge, high) : false;
    case nft::CmpOp::Gte:
      return between(clients, *operand, edge, high);
    case nft::CmpOp::Eq:
    case nft::CmpOp::Neq:
      break;
  }
  return std::nullopt;
}

std::optional<bool> clients_within(Machine& machine, nft::Reg reg, ByteView from, ByteView to) {
  const auto operand = operand_of(machine, reg, from.size());
  if (!operand || to.size() != from.size()) return std::nullopt;
  return between(*machine.here.world.clients, *operand, Bytes(from.begin(), from.end()),
                 Bytes(to.begin(), to.end()));
}

std::optional<Bytes> witness_bytes(const Machine& machine, nft::Reg reg, std::size_t length) {
  if (const auto known = machine.registers.known(reg, length)) {
    return Bytes(known->begin(), known->end());
  }
  const Clients* clients = machine.here.world.clients;
  const auto copies = machine.registers.clients(reg, length);
  if (clients == nullptr || !copies) return std::nullopt;
  Bytes out = machine.registers.load(reg, length).bytes;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if ((*copies)[i].is_client()) out[i] |= static_cast<std::byte>(clients->byte((*copies)[i]));
  }
  return out;
}

namespace {

/// What the element says, but for counters: these differ and decide nothing.
bool says_the_same(const nft::Element& a, const nft::Element& b) {
  const auto counts = [](const nft::Expression& one) {
    return std::holds_alternative<nft::Counter>(one.operation) ||
           std::holds_alternative<nft::Last>(one.operation);
  };
  const auto only_counts = [&](const nft::Element& one) {
    return std::ranges::all_of(one.expressions, counts);
  };
  const bool same = (only_counts(a) && only_counts(b)) || a.expressions == b.expressions;
  return same && a.data == b.data && a.verdict == b.verdict && a.object == b.object;
}

/// What of the keys between `first` and `last` of an element is within the field; nothing: it takes
/// too many ranges to say.
std::optional<std::vector<AddressRange>> ranges_of(const Field& field, const KeyRange& key) {
  const ClientKey first = field.key_of(key.first);
  if (std::ranges::equal(key.first, key.last)) {
    return masked_ranges(first, field.mask, field.width());
  }
  const auto range = masked_between(first, field.key_of(key.last), field.mask, field.width());
  if (!range) return std::nullopt;
  return std::vector{*range};
}

/// Do the fields of the operand and those of the set fit together?
bool fits(const Operand& operand, const PreparedSet& set) {
  if (set.compares_whole_keys()) {
    return !set.has_ranges() || (operand.fields.size() == 1 && operand.fields.front().at == 0 &&
                                 operand.fields.front().length == operand.bytes.size());
  }
  return std::ranges::all_of(operand.fields, [&set](const Field& field) {
    return field.at == 0 && std::ranges::find(set.fields(), std::pair(field.begin, field.length)) !=
                                set.fields().end();
  });
}

/// Do the bytes that are not the client's lie within the element's?
bool rest_within(const Operand& operand, const PreparedSet& set, const KeyRange& key) {
  if (set.compares_whole_keys()) {
    // Of an interval that is compared as a whole only what stands before the padding counts.
    return set.has_ranges() || rest_is(operand, key.first);
  }
  return std::ranges::all_of(set.fields(), [&](const auto& field) {
    const auto& [at, length] = field;
    if (is_field_byte(operand, at)) return true;
    return std::memcmp(&operand.bytes[at], &key.first[at], length) >= 0 &&
           std::memcmp(&operand.bytes[at], &key.last[at], length) <= 0;
  });
}

/// Of an operand with one field. Of elements that overlap the first counts.
std::optional<ClientGroups> groups_of(const Operand& operand, const PreparedSet& set) {
  const Field& field = operand.fields.front();
  struct Part {
    const nft::Element* element;
    std::vector<AddressRange> ranges;
  };
  std::vector<Part> parts;
  std::size_t pieces = 0;
  bool overlaps = false;
  const auto& keys = set.key_ranges();
  for (const KeyRange& key : keys) {
    if (!rest_within(operand, set, key)) continue;
    auto ranges = ranges_of(field, key);
    if (!ranges) return std::nullopt;
    ++pieces;
    const auto same = std::ranges::find_if(
        parts, [&key](const Part& part) { return says_the_same(*part.element, *key.element); });
    if (same == parts.end()) {
      parts.push_back({key.element, std::move(*ranges)});
      if (parts.size() > kMostPainted) return std::nullopt;
    } else {
      same->ranges.insert(same->ranges.end(), ranges->begin(), ranges->end());
    }
  }
  overlaps = !set.compares_whole_keys() && parts.size() > 1;
  // Painting in the order of the elements is needed where a later one of another meaning may hide
  // behind an earlier one.
  if (overlaps) {
    if (pieces > kMostPainted) return std::nullopt;
    for (Part& part : parts) part.ranges.clear();
    AddressSet painted;
    for (const KeyRange& key : keys) {
      if (!rest_within(operand, set, key)) continue;
      const AddressSet here(ranges_of(field, key).value_or(std::vector<AddressRange>{}));
      const AddressSet fresh = here.minus(painted);
      const auto part = std::ranges::find_if(
          parts, [&key](const Part& one) { return says_the_same(*one.element, *key.element); });
      part->ranges.insert(part->ranges.end(), fresh.ranges().begin(), fresh.ranges().end());
      painted = painted.unite(here);
    }
  }
  ClientGroups out;
  std::vector<AddressRange> all;
  for (Part& part : parts) {
    all.insert(all.end(), part.ranges.begin(), part.ranges.end());
    if (field.port) {
      out.groups.push_back({part.element, {}, ports_of(part.ranges)});
    } else {
      out.groups.push_back({part.element, AddressSet(std::move(part.ranges)), {}});
    }
  }
  if (field.port) {
    out.all_ports = ports_of(all);
  } else {
    out.all_addresses = AddressSet(std::move(all));
  }
  return out;
}

/// The same set is asked with the same other bytes again and again.
std::string cache_key(const Operand& operand, const PreparedSet& set) {
  const auto* address = &set;
  std::string key(reinterpret_cast<const char*>(&address), sizeof address);
  for (std::size_t i = 0; i < operand.bytes.size(); ++i) {
    const bool client = is_field_byte(operand, i);
    key += client ? '*' : static_cast<char>(std::to_integer<unsigned char>(operand.bytes[i]));
  }
  for (const Field& field : operand.fields) {
    key += std::to_string(field.begin) + ' ' + std::to_string(field.at) + (field.port ? 'p' : 'a');
    key.append(field.mask.bytes.begin(), field.mask.bytes.end());
  }
  return key;
}

bool split_by_groups(Clients& clients, const Operand& operand, const PreparedSet& set) {
  const std::string key = cache_key(operand, set);
  auto found = clients.groups.find(key);
  if (found == clients.groups.end()) {
    auto made = groups_of(operand, set);
    if (!made) return false;
    found = clients.groups.emplace(key, std::move(*made)).first;
  }
  const ClientGroups& groups = found->second;
  const bool port = operand.fields.front().port;
  for (const ClientGroups::Group& group : groups.groups) {
    if (port && group.ports.contains(clients.port())) return clients.split(group.ports), true;
    if (!port && group.addresses.contains(clients.address())) {
      return clients.split(group.addresses), true;
    }
  }
  if (port) {
    clients.split(groups.all_ports);
  } else {
    clients.split(groups.all_addresses);
  }
  return true;
}

/// One element after the other, until the one that is found.
bool split_by_elements(Clients& clients, const Operand& operand, const PreparedSet& set) {
  for (const KeyRange& key : set.key_ranges()) {
    if (!rest_within(operand, set, key)) continue;
    std::vector<std::vector<AddressRange>> ranges;
    std::size_t away = operand.fields.size();
    for (std::size_t i = 0; i < operand.fields.size(); ++i) {
      auto of_field = ranges_of(operand.fields[i], key);
      if (!of_field) return false;
      const Field& field = operand.fields[i];
      const bool inside = field.port ? ports_of(*of_field).contains(clients.port())
                                     : AddressSet(*of_field).contains(clients.address());
      if (!inside) away = i;
      ranges.push_back(std::move(*of_field));
    }
    for (std::size_t i = 0; i < operand.fields.size(); ++i) {
      if (away == operand.fields.size() || away == i) {
        split(clients, operand.fields[i], std::move(ranges[i]));
      }
    }
    if (away == operand.fields.size()) return true;
  }
  return true;
}

}  // namespace

bool split_by_set(Machine& machine, const PreparedSet& set, nft::Reg reg) {
  const auto operand = operand_of(machine, reg, set.set().key_length);
  if (!operand || !fits(*operand, set)) return false;
  Clients& clients = *machine.here.world.clients;
  if (operand->fields.size() == 1 && split_by_groups(clients, *operand, set)) return true;
  return split_by_elements(clients, *operand, set);
}

std::optional<Next> for_everybody(Machine& machine, const nft::Expression& expression) {
  const nft::Operation& what = expression.operation;
  if (const auto* op = std::get_if<nft::Cmp>(&what)) {
    const auto holds = compare(machine.registers.load(op->sreg, op->data.size()), op->op, op->data);
    return holds == false ? Next::Break : Next::Go;
  }
  if (const auto* op = std::get_if<nft::Range>(&what)) {
    const auto inside = within(machine.registers.load(op->sreg, op->from.size()), op->from, op->to);
    return inside && *inside == op->negated ? Next::Break : Next::Go;
  }
  if (const auto* op = std::get_if<nft::Payload>(&what)) return run(machine, *op);
  if (const auto* op = std::get_if<nft::Bitwise>(&what)) return run(machine, *op);
  if (const auto* op = std::get_if<nft::Byteorder>(&what)) return run(machine, *op);
  const auto* meta = std::get_if<nft::Meta>(&what);
  if (meta != nullptr && meta->dreg) return run(machine, *meta);
  const auto* ct = std::get_if<nft::Ct>(&what);
  if (ct != nullptr && ct->dreg) return run(machine, *ct);
  if (std::holds_alternative<nft::Counter>(what)) return Next::Go;
  return std::nullopt;
}

std::optional<AddressRange> asked_range(const Machine& machine, const nft::Cmp& op) {
  const auto operand = operand_of(machine, op.sreg, op.data.size());
  if (!operand || op.op != nft::CmpOp::Eq || operand->fields.size() != 1) return std::nullopt;
  const Field& field = operand->fields.front();
  if (field.port || !rest_is(*operand, op.data)) return std::nullopt;
  const auto ranges = masked_ranges(field.key_of(op.data), field.mask, field.width());
  if (!ranges || ranges->size() != 1) return std::nullopt;
  return ranges->front();
}

bool Machine::fails_anyway() {
  if (here.world.clients == nullptr || rule == nullptr) return false;
  if (fails_anyway_) return *fails_anyway_;
  fails_anyway_ = false;
  const Registers before = registers;
  const std::size_t now = position;
  while (++position < rule->expressions.size()) {
    const auto next = for_everybody(*this, rule->expressions[position]);
    if (!next) break;
    if (*next == Next::Go) continue;
    fails_anyway_ = *next == Next::Break;
    break;
  }
  registers = before;
  position = now;
  return *fails_anyway_;
}

}  // namespace hark::reach
