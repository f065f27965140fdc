// nft_lookup.c, nft_dynset.c, nft_objref.c: sets, maps, and what rules add to them.

#include <fmt/format.h>

#include <algorithm>

#include "reach/nft_clients.h"
#include "reach/nft_machine.h"

namespace hark::reach {

namespace nft = decode::nft;

namespace {

/// More different elements than these are not tried one by one for a key that is not known.
constexpr std::size_t kMostCandidates = 8;

struct Hit {
  bool found = false;
  const nft::Element* element = nullptr;  ///< nullptr: a rule of this question added it
  Bytes data = {};                        ///< of an added one
  bool opaque = false;                    ///< it is there, but its value is not known
};

std::string key_words(ByteView key) {
  std::string out = "0x";
  for (const std::byte byte : key) out += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return out;
}

std::string set_key(const Machine& machine, const std::string& name) {
  return machine.chain->table->key + " " + name;
}

/// What an earlier rule of this question added.
std::optional<Hit> find_added(const Machine& machine, const std::string& set, ByteView key) {
  const ConntrackView& view = machine.here.view;
  for (std::size_t i = 0; i < view.added_elements.size(); ++i) {
    const auto& [name, added] = view.added_elements[i];
    if (name != set || !std::ranges::equal(added, key)) continue;
    return Hit{.found = true, .data = i < view.added_data.size() ? view.added_data[i] : Bytes()};
  }
  return std::nullopt;
}

Hit find_unread(Machine& machine, const std::string& name, const std::string& key) {
  machine.may_differ();
  const std::string text = fmt::format("whether {} is in set {} (its elements were not read)", key,
                                       set_key(machine, name));
  const bool in = machine.here.world.choices.pick(
      Condition{.code = "set", .text = text, .key = text, .doubt = Doubt::Unread});
  return {.found = in, .opaque = in};
}

/// Of a set that was not read, but perhaps asked about this very key.
Hit find_asked(Machine& machine, const nft::Set& set, ByteView key) {
  const auto asked = std::ranges::find_if(
      set.asked, [key](const nft::AskedKey& one) { return std::ranges::equal(one.key, key); });
  if (asked != set.asked.end()) {
    return {.found = asked->found.has_value(), .element = asked->found ? &*asked->found : nullptr};
  }
  if (machine.here.world.wanted != nullptr) {
    machine.here.world.wanted->push_back(
        {set.family, set.table, set.name, Bytes(key.begin(), key.end())});
  }
  return find_unread(machine, set.name, key_words(key));
}

bool same_value(const nft::Element& a, const nft::Element& b) {
  return a.data == b.data && a.verdict == b.verdict && a.object == b.object &&
         a.expressions == b.expressions;
}

/// A key of which bits are not known: every different outcome is a way.
Hit find_open(Machine& machine, const PreparedSet& set, nft::Reg reg, const PartBytes& key) {
  std::vector<const nft::Element*> ways;
  for (const nft::Element* element : set.may_find(key, kMostCandidates * kMostCandidates)) {
    const auto same = [element](const nft::Element* other) { return same_value(*element, *other); };
    if (std::ranges::none_of(ways, same)) ways.push_back(element);
    if (ways.size() == kMostCandidates) break;
  }
  const Hit miss = {.found = set.catch_all() != nullptr, .element = set.catch_all()};
  if (ways.empty()) return miss;
  const unsigned way = machine.decide(machine.registers.origin(reg, key.bytes.size()),
                                      fmt::format("in {}", set_key(machine, set.set().name)),
                                      static_cast<unsigned>(ways.size()) + 1);
  if (way >= ways.size()) return miss;
  return {.found = true, .element = ways[way]};
}

Hit find(Machine& machine, const PreparedSet& set, nft::Reg reg) {
  const PartBytes value = machine.registers.load(reg, set.set().key_length);
  const std::optional<ByteView> known = machine.registers.known(reg, set.set().key_length);
  if (!known) {
    const auto key = witness_bytes(machine, reg, set.set().key_length);
    if (key) {
      if (auto added = find_added(machine, set_key(machine, set.set().name), *key)) return *added;
    }
    if (!set.read()) return find_unread(machine, set.set().name, "the packet");
    if (!key || !split_by_set(machine, set, reg)) return find_open(machine, set, reg, value);
    const nft::Element* element = set.find(*key);
    if (element == nullptr) element = set.catch_all();
    return {.found = element != nullptr, .element = element};
  }
  if (auto added = find_added(machine, set_key(machine, set.set().name), *known)) return *added;
  if (!set.read()) return find_asked(machine, set.set(), *known);
  const nft::Element* element = set.find(*known);
  if (element == nullptr) element = set.catch_all();
  return {.found = element != nullptr, .element = element};
}

const PreparedSet* set_of(const Machine& machine, const std::string& name) {
  return machine.here.rules.set(*machine.chain->table, name);
}

/// The element's own limits and counters come before what it says.
Next use_verdict(Machine& machine, const Hit& hit) {
  if (hit.element != nullptr) {
    const Next own = evaluate_all(machine, hit.element->expressions);
    if (own != Next::Go) return own;
    return hit.element->verdict ? machine.follow(*hit.element->verdict) : Next::Go;
  }
  return machine.ask("set", "the verdict of an element", Doubt::Unread) ? machine.accept()
                                                                        : machine.drop();
}

}  // namespace

Next run(Machine& machine, const nft::Lookup& op) {
  const PreparedSet* set = set_of(machine, op.set);
  if (set != nullptr && machine.registers.clients(op.sreg, set->set().key_length)) {
    if (!op.verdict && machine.fails_anyway()) return Next::Break;
    machine.may_differ();
  }
  const Hit hit =
      set == nullptr ? find_unread(machine, op.set, "the packet") : find(machine, *set, op.sreg);
  if (hit.found == op.inverted) return Next::Break;
  if (!hit.found) return Next::Go;
  if (op.verdict) return use_verdict(machine, hit);
  if (op.dreg && hit.opaque) {
    const std::size_t length = set == nullptr ? 16 : set->set().data_length;
    machine.registers.store(*op.dreg, PartBytes::unknown(length),
                            machine.origin({.code = "set",
                                            .what = "a value of map " + set_key(machine, op.set),
                                            .doubt = Doubt::Unread}));
  } else if (op.dreg) {
    const Bytes none;
    const bool own = hit.element != nullptr && hit.element->data;
    const Bytes& data = hit.element == nullptr ? hit.data : own ? *hit.element->data : none;
    machine.registers.store(*op.dreg, data);
  }
  return hit.element == nullptr ? Next::Go : evaluate_all(machine, hit.element->expressions);
}

namespace {

// NFT_DYNSET_OP_*
constexpr std::uint32_t kDynsetDelete = 2;

/// An expression of an element that is just being made: its bucket is full, its count one.
bool passes_when_new(const nft::Expression& expression, std::size_t packet_length) {
  if (const auto* limit = std::get_if<nft::Limit>(&expression.operation)) return !limit->inverted;
  if (const auto* count = std::get_if<nft::Connlimit>(&expression.operation)) {
    return (count->count >= 1) != count->inverted;
  }
  if (const auto* quota = std::get_if<nft::Quota>(&expression.operation)) {
    return (quota->consumed + packet_length <= quota->bytes) != quota->inverted;
  }
  return true;
}

bool is_full(const PreparedSet& set, const ConntrackView& view, const std::string& name) {
  if (set.set().size == 0 || !set.read()) return false;
  const auto added = std::ranges::count_if(
      view.added_elements, [&name](const auto& element) { return element.first == name; });
  return set.set().elements->size() + static_cast<std::size_t>(added) >= set.set().size;
}

void remove_added(ConntrackView& view, const std::string& name, ByteView key) {
  for (std::size_t i = 0; i < view.added_elements.size(); ++i) {
    if (view.added_elements[i].first != name) continue;
    if (!std::ranges::equal(view.added_elements[i].second, key)) continue;
    const auto at = static_cast<std::ptrdiff_t>(i);
    view.added_elements.erase(view.added_elements.begin() + at);
    if (i < view.added_data.size()) view.added_data.erase(view.added_data.begin() + at);
    return;
  }
}

Next add_element(Machine& machine, const nft::Dynset& op, const PreparedSet& set, ByteView key) {
  const std::string name = set_key(machine, op.set);
  ConntrackView& view = machine.here.view;
  if (is_full(set, view, name)) return op.inverted ? Next::Go : Next::Break;
  Bytes data;
  if (op.sreg_data) data = machine.registers.load(*op.sreg_data, set.set().data_length).bytes;
  view.added_data.resize(view.added_elements.size());
  view.added_elements.emplace_back(name, Bytes(key.begin(), key.end()));
  view.added_data.push_back(std::move(data));
  const std::size_t length = machine.bytes().bytes.size() - machine.bytes().network.value_or(0);
  for (const nft::Expression& expression : op.expressions) {
    if (!passes_when_new(expression, length)) return Next::Break;
  }
  return op.inverted ? Next::Break : Next::Go;
}

}  // namespace

Next run(Machine& machine, const nft::Dynset& op) {
  const PreparedSet* set = set_of(machine, op.set);
  if (set == nullptr) return Next::Go;
  const std::optional<Bytes> known = witness_bytes(machine, op.sreg_key, set->set().key_length);
  if (op.op == kDynsetDelete) {
    if (known) remove_added(machine.here.view, set_key(machine, op.set), *known);
    return Next::Go;
  }
  const Hit hit = known ? find(machine, *set, op.sreg_key) : Hit{};
  if (!hit.found) {
    if (known) return add_element(machine, op, *set, Bytes(known->begin(), known->end()));
    const Next own = evaluate_all(machine, op.expressions);
    return own == Next::Go && op.inverted ? Next::Break : own;
  }
  const Next own = evaluate_all(machine, hit.element == nullptr || hit.element->expressions.empty()
                                             ? op.expressions
                                             : hit.element->expressions);
  if (own != Next::Go) return own;
  return op.inverted ? Next::Break : Next::Go;
}

namespace {

Next use_object(Machine& machine, std::uint32_t type, const std::string& name) {
  const nft::Object* found = nullptr;
  for (const auto& [key, object] : machine.chain->table->objects) {
    if (key.second == name && (type == 0 || key.first == type)) found = object;
  }
  if (found == nullptr) return Next::Go;
  // Helpers, timeouts and expectations of conntrack, tunnels and security marks end nothing.
  if (std::holds_alternative<nft::Unknown>(found->operation)) return Next::Go;
  return evaluate(machine, {.name = name, .operation = found->operation});
}

}  // namespace

Next run(Machine& machine, const nft::ObjectRef& op) {
  if (op.map.empty()) return use_object(machine, op.type, op.name);
  const PreparedSet* set = set_of(machine, op.map);
  const Hit hit =
      set == nullptr ? find_unread(machine, op.map, "the packet") : find(machine, *set, op.sreg);
  if (!hit.found) return Next::Break;
  if (hit.element == nullptr) {
    return machine.ask("set", "the object of an element", Doubt::Unread) ? Next::Go : Next::Break;
  }
  return use_object(machine, set->set().object_type, hit.element->object);
}

}  // namespace hark::reach
