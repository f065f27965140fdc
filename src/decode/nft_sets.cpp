// Sets of nf_tables and what is in them: nf_tables_fill_set and nf_tables_fill_setelem of
// net/netfilter/nf_tables_api.c.
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include <array>

#include "decode/nft_attributes.h"
#include "decode/nft_expressions.h"
#include "decode/nft_keys.h"
#include "decode/nft_messages.h"
#include "decode/nft_ruleset.h"

namespace hark::decode::nft {
namespace {

constexpr std::uint16_t kSetCount = 20;  // NFTA_SET_COUNT, Linux 6.17

struct WireField {
  std::uint32_t length = 0;
};
constexpr std::array<Field<WireField>, 1> kConcatField = {{
    {NFTA_SET_FIELD_LEN, be32<&WireField::length>, kRequired},
}};
bool set_fields(const NetlinkAttribute& attribute, Set& out) {
  out.fields.clear();
  NetlinkAttributes fields(attribute.bytes);
  while (const auto field = fields.next()) {
    WireField wire;
    if (field->type != NFTA_LIST_ELEM ||
        read_fields<WireField>(field->bytes, kConcatField, wire).fault != Fault::None) {
      return false;
    }
    out.fields.push_back(wire.length);
  }
  return !fields.broken();
}
constexpr std::array<Field<Set>, 2> kDescription = {{
    {NFTA_SET_DESC_SIZE, be32<&Set::size>},
    {NFTA_SET_DESC_CONCAT, set_fields},
}};
bool set_description(const NetlinkAttribute& attribute, Set& out) {
  const Found found = read_fields<Set>(attribute.bytes, kDescription, out, Others::Passed);
  return found.fault == Fault::None;
}
constexpr std::array<Field<Set>, 12> kSet = {{
    {NFTA_SET_TABLE, name<&Set::table>, kRequired},
    {NFTA_SET_NAME, name<&Set::name>, kRequired},
    {NFTA_SET_HANDLE, be64<&Set::handle>},
    {NFTA_SET_FLAGS, be32<&Set::flags>},
    {NFTA_SET_KEY_TYPE, be32<&Set::key_type>},
    {NFTA_SET_KEY_LEN, be32<&Set::key_length>, kRequired},
    {NFTA_SET_DATA_TYPE, be32<&Set::data_type>},
    {NFTA_SET_DATA_LEN, be32<&Set::data_length>},
    {NFTA_SET_OBJ_TYPE, be32<&Set::object_type>},
    {NFTA_SET_DESC, set_description},
    {NFTA_SET_TIMEOUT, be64<&Set::timeout_ms>},
    {kSetCount, be32<&Set::count>},
}};

/// nf_tables_newset: lengths are 1 to 64, and the padded fields of a concatenation fill the key.
std::string finish_set(Set&& wire, Set& out) {
  if (wire.key_length == 0 || wire.key_length > NFT_DATA_VALUE_MAXLEN) {
    return "a key of " + std::to_string(wire.key_length) + " bytes";
  }
  if (wire.data_length > NFT_DATA_VALUE_MAXLEN) {
    return "data of " + std::to_string(wire.data_length) + " bytes";
  }
  std::uint32_t all = 0;
  for (const std::uint32_t length : wire.fields) {
    if (length == 0 || length > NFT_DATA_VALUE_MAXLEN) {
      return "a field of " + std::to_string(length) + " bytes";
    }
    all += (length + 3) / 4 * 4;
    if (all > wire.key_length) return "fields that are longer than their key";
  }
  if (!wire.fields.empty() && all != wire.key_length) return "fields that do not fill their key";
  out = std::move(wire);
  return {};
}

struct WireElement {
  Element element = {};
  std::optional<Bytes> key = {};
  std::uint32_t flags = 0;
};
/// Which of the two it is tells the set's data_type; finish_element() compares.
bool element_data(const NetlinkAttribute& attribute, WireElement& out) {
  out.element.data = data_value(attribute);
  out.element.verdict = data_verdict(attribute);
  return out.element.data.has_value() || out.element.verdict.has_value();
}
bool element_expression(const NetlinkAttribute& attribute, WireElement& out) {
  auto expression = decode_expression(attribute.bytes);
  if (!expression) return false;
  out.element.expressions.assign(1, std::move(*expression));
  return true;
}
bool element_expressions(const NetlinkAttribute& attribute, WireElement& out) {
  auto expressions = decode_expressions(attribute.bytes);
  if (!expressions) return false;
  out.element.expressions = std::move(*expressions);
  return true;
}
constexpr std::array<Field<WireElement>, 9> kElement = {{
    {NFTA_SET_ELEM_KEY, data<&WireElement::key>},
    {NFTA_SET_ELEM_KEY_END, within<&WireElement::element, data<&Element::key_end>>},
    {NFTA_SET_ELEM_DATA, element_data},
    {NFTA_SET_ELEM_FLAGS, be32<&WireElement::flags>},
    {NFTA_SET_ELEM_TIMEOUT, within<&WireElement::element, be64<&Element::timeout_ms>>},
    {NFTA_SET_ELEM_EXPIRATION, within<&WireElement::element, be64<&Element::expires_in_ms>>},
    {NFTA_SET_ELEM_EXPR, element_expression},
    {NFTA_SET_ELEM_EXPRESSIONS, element_expressions},
    {NFTA_SET_ELEM_OBJREF, within<&WireElement::element, name<&Element::object>>},
}};

/// Holds an element against its set. The end of an interval has a key and nothing else.
std::string finish_element(WireElement&& wire, const Set& set, Element& out) {
  out = std::move(wire.element);
  out.interval_end = (wire.flags & NFT_SET_ELEM_INTERVAL_END) != 0;
  out.catch_all = (wire.flags & NFT_SET_ELEM_CATCHALL) != 0;
  if (out.catch_all == wire.key.has_value()) return "an element without a key";
  if (wire.key) out.key = std::move(*wire.key);
  if (!out.catch_all && out.key.size() != set.key_length) return "a key of another length";
  if (out.key_end && out.key_end->size() != set.key_length) return "a key's end of another length";
  const bool verdicts = set.map() && set.data_type == NFT_DATA_VERDICT;
  if (out.verdict && !verdicts) return "a verdict in a set without verdicts";
  if (out.data && (verdicts || out.data->size() != set.data_length)) return "data of another kind";
  return {};
}

struct WireElements {
  std::string table = {};
  std::string set = {};
  ByteView elements = {};
};
bool elements_list(const NetlinkAttribute& attribute, WireElements& out) {
  out.elements = attribute.bytes;
  return true;
}
constexpr std::array<Field<WireElements>, 3> kElements = {{
    {NFTA_SET_ELEM_LIST_TABLE, name<&WireElements::table>, kRequired},
    {NFTA_SET_ELEM_LIST_SET, name<&WireElements::set>, kRequired},
    {NFTA_SET_ELEM_LIST_ELEMENTS, elements_list},
}};

std::string read_elements(ByteView list, const Set& set, std::vector<Element>& out) {
  NetlinkAttributes elements(list);
  while (const auto element = elements.next()) {
    if (element->type != NFTA_LIST_ELEM) return "a list of something else";
    WireElement wire;
    const Found found = read_fields<WireElement>(element->bytes, kElement, wire, Others::Passed);
    if (found.fault != Fault::None) return "an element: " + words_of(found);
    std::string fault = finish_element(std::move(wire), set, out.emplace_back());
    if (!fault.empty()) return fault;
  }
  if (elements.broken()) return words_of({Fault::Cut, 0});
  return {};
}

/// The names in a request end with a NUL.
void append_name(Bytes& to, std::uint16_t type, const std::string& name) {
  append_attribute(to, type, as_bytes(std::string_view(name.c_str(), name.size() + 1)));
}

Bytes set_names(const Set& set) {
  Bytes out;
  append_name(out, NFTA_SET_ELEM_LIST_TABLE, set.table);
  append_name(out, NFTA_SET_ELEM_LIST_SET, set.name);
  return out;
}

Bytes nest(std::uint16_t type, ByteView content) {
  Bytes out;
  append_attribute(out, static_cast<std::uint16_t>(type | NLA_F_NESTED), content);
  return out;
}

}  // namespace

Bytes sets_request() {
  return nft_request(NFT_MSG_GETSET, NLM_F_DUMP, NFPROTO_UNSPEC);
}

Bytes elements_request(const Set& set) {
  return nft_request(NFT_MSG_GETSETELEM, NLM_F_DUMP, static_cast<std::uint8_t>(set.family),
                     set_names(set));
}

Bytes element_request(const Set& set, ByteView key) {
  Bytes wanted;
  if (key.empty()) {
    constexpr std::array<std::byte, 4> kCatchAll = {{{}, {}, {}, std::byte{NFT_SET_ELEM_CATCHALL}}};
    append_attribute(wanted, NFTA_SET_ELEM_FLAGS, kCatchAll);
  } else {
    Bytes value;
    append_attribute(value, NFTA_DATA_VALUE, key);
    wanted = nest(NFTA_SET_ELEM_KEY, value);
  }
  Bytes attributes = set_names(set);
  append(attributes, nest(NFTA_SET_ELEM_LIST_ELEMENTS, nest(NFTA_LIST_ELEM, wanted)));
  return nft_request(NFT_MSG_GETSETELEM, 0, static_cast<std::uint8_t>(set.family), attributes);
}

Result<std::vector<Set>> decode_sets(ByteView messages) {
  return read_records<Set, Set>(messages, NFT_MSG_NEWSET, "sets of nf_tables", kSet, finish_set);
}

Result<std::vector<Element>> decode_elements(ByteView messages, const Set& set) {
  std::vector<Element> out;
  // No element takes less than three attributes' heads and its key: what is too much is never
  // touched.
  constexpr std::size_t kHeads = 12;
  out.reserve(messages.size() / (kHeads + set.key_length));
  const auto record = [&](std::uint8_t family, ByteView attributes) -> std::string {
    WireElements wire;
    const Found found = read_fields<WireElements>(attributes, kElements, wire, Others::Passed);
    if (found.fault != Fault::None) return words_of(found);
    if (family != static_cast<std::uint8_t>(set.family) || wire.table != set.table ||
        wire.set != set.name) {
      return "elements of another set";
    }
    return read_elements(wire.elements, set, out);
  };
  const auto done =
      each_message(messages, NFT_MSG_NEWSETELEM, "elements of set " + set.name, record);
  if (!done) return fail(done.error());
  return out;
}

}  // namespace hark::decode::nft
