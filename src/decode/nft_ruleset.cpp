#include "decode/nft_ruleset.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include <array>

#include "decode/nft_attributes.h"
#include "decode/nft_expressions.h"
#include "decode/nft_keys.h"
#include "decode/nft_messages.h"

namespace hark::decode::nft {
namespace {

constexpr std::uint16_t kDevicePrefix = 2;  // NFTA_DEVICE_PREFIX, Linux 6.16
/// The type of a comment in user data of rules and of chains: NFTNL_UDATA_RULE_COMMENT.
constexpr std::uint8_t kComment = 0;

template <auto member>
bool comment(const NetlinkAttribute& attribute, ObjectOf<member>& out) {
  out.*member = user_text(attribute.bytes, kComment);
  return true;
}

struct WireGeneration {
  std::uint32_t id = 0;
};
constexpr std::array<Field<WireGeneration>, 1> kGeneration = {{
    {NFTA_GEN_ID, be32<&WireGeneration::id>, kRequired},
}};

struct WireTable {
  Table table = {};
  std::uint32_t flags = 0;
};
constexpr std::array<Field<WireTable>, 3> kTable = {{
    {NFTA_TABLE_NAME, within<&WireTable::table, name<&Table::name>>, kRequired},
    {NFTA_TABLE_HANDLE, within<&WireTable::table, be64<&Table::handle>>},
    {NFTA_TABLE_FLAGS, be32<&WireTable::flags>},
}};

struct WireHook {
  std::uint32_t number = 0;
  std::uint32_t priority = 0;
  std::vector<std::string> devices = {};
  std::string device = {};
};
/// nft_dump_basechain_hook: all names, and where there is one only, that again by itself.
bool hook_devices(const NetlinkAttribute& attribute, WireHook& out) {
  out.devices.clear();
  NetlinkAttributes devices(attribute.bytes);
  while (const auto device = devices.next()) {
    if (device->type != NFTA_DEVICE_NAME && device->type != kDevicePrefix) return false;
    std::string name(device->text());
    if (device->type == kDevicePrefix) name += '*';
    out.devices.push_back(std::move(name));
  }
  return !devices.broken();
}
constexpr std::array<Field<WireHook>, 4> kHook = {{
    {NFTA_HOOK_HOOKNUM, be32<&WireHook::number>, kRequired},
    {NFTA_HOOK_PRIORITY, be32<&WireHook::priority>, kRequired},
    {NFTA_HOOK_DEVS, hook_devices},
    {NFTA_HOOK_DEV, name<&WireHook::device>},
}};

bool chain_hook(const NetlinkAttribute& attribute, Chain& out) {
  WireHook wire;
  const Found found = read_fields<WireHook>(attribute.bytes, kHook, wire, Others::Passed);
  if (found.fault != Fault::None) return false;
  if (wire.devices.empty() && !wire.device.empty()) wire.devices.push_back(std::move(wire.device));
  out.hook = Hook{.number = wire.number,
                  .priority = static_cast<std::int32_t>(wire.priority),
                  .devices = std::move(wire.devices)};
  return true;
}
bool chain_policy(const NetlinkAttribute& attribute, Chain& out) {
  const auto policy = big_endian<std::uint32_t>(attribute);
  if (!policy || *policy > static_cast<std::uint32_t>(Verdict::Accept)) return false;
  out.accepts = *policy == static_cast<std::uint32_t>(Verdict::Accept);
  return true;
}
constexpr std::array<Field<Chain>, 7> kChain = {{
    {NFTA_CHAIN_TABLE, name<&Chain::table>, kRequired},
    {NFTA_CHAIN_NAME, name<&Chain::name>, kRequired},
    {NFTA_CHAIN_HANDLE, be64<&Chain::handle>},
    {NFTA_CHAIN_HOOK, chain_hook},
    {NFTA_CHAIN_POLICY, chain_policy},
    {NFTA_CHAIN_TYPE, name<&Chain::type>},
    {NFTA_CHAIN_USERDATA, comment<&Chain::comment>},
}};

bool rule_expressions(const NetlinkAttribute& attribute, Rule& out) {
  auto expressions = decode_expressions(attribute.bytes);
  if (!expressions) return false;
  out.expressions = std::move(*expressions);
  return true;
}
constexpr std::array<Field<Rule>, 5> kRule = {{
    {NFTA_RULE_TABLE, name<&Rule::table>, kRequired},
    {NFTA_RULE_CHAIN, name<&Rule::chain>, kRequired},
    {NFTA_RULE_HANDLE, be64<&Rule::handle>},
    {NFTA_RULE_EXPRESSIONS, rule_expressions},
    {NFTA_RULE_USERDATA, comment<&Rule::comment>},
}};

struct WireObject {
  Object object = {};
  ByteView data = {};
};
bool object_data(const NetlinkAttribute& attribute, WireObject& out) {
  out.data = attribute.bytes;
  return true;
}
constexpr std::array<Field<WireObject>, 5> kObject = {{
    {NFTA_OBJ_TABLE, within<&WireObject::object, name<&Object::table>>, kRequired},
    {NFTA_OBJ_NAME, within<&WireObject::object, name<&Object::name>>, kRequired},
    {NFTA_OBJ_TYPE, within<&WireObject::object, be32<&Object::type>>, kRequired},
    {NFTA_OBJ_HANDLE, within<&WireObject::object, be64<&Object::handle>>},
    {NFTA_OBJ_DATA, object_data},
}};

/// Objects whose data are those of the expression of this name.
struct ObjectGrammar {
  ObjectType type;
  std::string_view expression;
};
constexpr std::array<ObjectGrammar, 5> kObjectGrammars = {{
    {ObjectType::Counter, "counter"},
    {ObjectType::Quota, "quota"},
    {ObjectType::Limit, "limit"},
    {ObjectType::Connlimit, "connlimit"},
    {ObjectType::Synproxy, "synproxy"},
}};
Operation object_operation(std::uint32_t type, ByteView data) {
  for (const ObjectGrammar& grammar : kObjectGrammars) {
    if (static_cast<std::uint32_t>(grammar.type) != type) continue;
    return decode_operation(grammar.expression, data);
  }
  const char* name = object_type_name(type);
  return Unknown{"object of type " + (name == nullptr ? std::to_string(type) : std::string(name))};
}

bool flowtable_hook(const NetlinkAttribute& attribute, Flowtable& out) {
  // enum nft_flowtable_hook_attributes has the numbers of enum nft_hook_attributes, but for
  // NFTA_HOOK_DEV in the place of the devices.
  NetlinkAttributes attributes(attribute.bytes);
  while (const auto part = attributes.next()) {
    if (part->type != NFTA_FLOWTABLE_HOOK_DEVS) continue;
    WireHook wire;
    if (!hook_devices(*part, wire)) return false;
    out.devices = std::move(wire.devices);
  }
  return !attributes.broken();
}
constexpr std::array<Field<Flowtable>, 4> kFlowtable = {{
    {NFTA_FLOWTABLE_TABLE, name<&Flowtable::table>, kRequired},
    {NFTA_FLOWTABLE_NAME, name<&Flowtable::name>, kRequired},
    {NFTA_FLOWTABLE_HANDLE, be64<&Flowtable::handle>},
    {NFTA_FLOWTABLE_HOOK, flowtable_hook},
}};

/// Where what stands on the wire is the record already.
template <typename Record>
std::string as_it_is(Record&& wire, Record& out) {
  out = std::move(wire);
  return {};
}

/// A base chain has a type, and no other chain has.
std::string finish_chain(Chain&& wire, Chain& out) {
  if (wire.hook.has_value() == wire.type.empty()) return "a chain with half a hook";
  out = std::move(wire);
  return {};
}

}  // namespace

Bytes generation_request() {
  return nft_request(NFT_MSG_GETGEN, 0, NFPROTO_UNSPEC);
}
Bytes tables_request() {
  return nft_request(NFT_MSG_GETTABLE, NLM_F_DUMP, NFPROTO_UNSPEC);
}
Bytes chains_request() {
  return nft_request(NFT_MSG_GETCHAIN, NLM_F_DUMP, NFPROTO_UNSPEC);
}
Bytes rules_request() {
  return nft_request(NFT_MSG_GETRULE, NLM_F_DUMP, NFPROTO_UNSPEC);
}
Bytes objects_request() {
  return nft_request(NFT_MSG_GETOBJ, NLM_F_DUMP, NFPROTO_UNSPEC);
}
Bytes flowtables_request() {
  return nft_request(NFT_MSG_GETFLOWTABLE, NLM_F_DUMP, NFPROTO_UNSPEC);
}

Result<std::uint32_t> decode_generation(ByteView messages) {
  std::optional<std::uint32_t> id;
  const auto record = [&id](std::uint8_t, ByteView attributes) -> std::string {
    WireGeneration wire;
    const Found found = read_fields<WireGeneration>(attributes, kGeneration, wire, Others::Passed);
    if (found.fault != Fault::None) return words_of(found);
    id = wire.id;
    return {};
  };
  const std::string what = "generation of nf_tables";
  const auto done = each_message(messages, NFT_MSG_NEWGEN, what, record);
  if (!done) return fail(done.error());
  if (!id) return fail(plain_error(what, "no answer"));
  return *id;
}

Result<std::vector<Table>> decode_tables(ByteView messages) {
  const auto finish = [](WireTable&& wire, Table& out) -> std::string {
    out = std::move(wire.table);
    out.dormant = (wire.flags & NFT_TABLE_F_DORMANT) != 0;
    return {};
  };
  return read_records<Table, WireTable>(messages, NFT_MSG_NEWTABLE, "tables of nf_tables", kTable,
                                        finish);
}

Result<std::vector<Chain>> decode_chains(ByteView messages) {
  return read_records<Chain, Chain>(messages, NFT_MSG_NEWCHAIN, "chains of nf_tables", kChain,
                                    finish_chain);
}

Result<std::vector<Rule>> decode_rules(ByteView messages) {
  return read_records<Rule, Rule>(messages, NFT_MSG_NEWRULE, "rules of nf_tables", kRule,
                                  as_it_is<Rule>);
}

Result<std::vector<Object>> decode_objects(ByteView messages) {
  const auto finish = [](WireObject&& wire, Object& out) -> std::string {
    out = std::move(wire.object);
    out.operation = object_operation(out.type, wire.data);
    return {};
  };
  return read_records<Object, WireObject>(messages, NFT_MSG_NEWOBJ, "objects of nf_tables", kObject,
                                          finish);
}

Result<std::vector<Flowtable>> decode_flowtables(ByteView messages) {
  return read_records<Flowtable, Flowtable>(
      messages, NFT_MSG_NEWFLOWTABLE, "flowtables of nf_tables", kFlowtable, as_it_is<Flowtable>);
}

}  // namespace hark::decode::nft
