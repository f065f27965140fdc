#include "host/rulesets.h"

#include <algorithm>
#include <cerrno>

namespace hark::host {
namespace {

namespace nft = decode::nft;

constexpr int kNetlinkNetfilter = 12;  // NETLINK_NETFILTER of linux/netlink.h
constexpr int kTries = 4;

/// The kernel has none of what was asked for: nfnetlink_rcv_msg without the subsystem or the
/// message, socket() without nfnetlink.
bool is_absent(const Error& error) {
  return error.code == EINVAL || error.code == EPROTONOSUPPORT || error.code == EOPNOTSUPP;
}

class Reader {
 public:
  Reader(kernel::Source& source, const kernel::NetnsRef& netns) : source_(source), netns_(netns) {}

  [[nodiscard]] Result<std::uint32_t> generation() {
    const auto answer = ask(nft::generation_request());
    if (!answer) return fail(answer.error());
    return nft::decode_generation(*answer);
  }

  [[nodiscard]] Result<NftRuleset> everything() {
    NftRuleset out;
    const auto read = [this](const Bytes& request, const auto& decode, auto& to) -> Result<void> {
      const auto answer = ask(request);
      if (!answer) return fail(answer.error());
      auto records = decode(ByteView(*answer));
      if (!records) return fail(records.error());
      to = std::move(*records);
      return {};
    };
    const auto read_newer = [&read](const Bytes& request, const auto& decode,
                                    auto& to) -> Result<void> {
      auto done = read(request, decode, to);
      if (!done && is_absent(done.error())) return {};  // objects: Linux 4.10, flowtables: 4.16
      return done;
    };
    auto done = read(nft::tables_request(), nft::decode_tables, out.tables);
    if (done) done = read(nft::chains_request(), nft::decode_chains, out.chains);
    if (done) done = read(nft::rules_request(), nft::decode_rules, out.rules);
    if (done) done = read(nft::sets_request(), nft::decode_sets, out.sets);
    if (done) done = read_newer(nft::objects_request(), nft::decode_objects, out.objects);
    if (done) done = read_newer(nft::flowtables_request(), nft::decode_flowtables, out.flowtables);
    for (nft::Set& set : out.sets) {
      if (done) done = read_elements(set);
    }
    if (!done) return fail(done.error());
    return out;
  }

 private:
  [[nodiscard]] Result<Bytes> ask(const Bytes& request) {
    return source_.netlink(netns_, kNetlinkNetfilter, request);
  }

  /// How many there are, or else how many there may be; 0: nobody knows.
  static std::size_t most_elements(const nft::Set& set) { return set.count.value_or(set.size); }

  [[nodiscard]] Result<void> read_elements(nft::Set& set) {
    if (most_elements(set) > nft::kMostElements) return {};
    const auto answer = ask(nft::elements_request(set));
    if (!answer) return fail(answer.error());
    auto elements = nft::decode_elements(*answer, set);
    if (!elements) return fail(elements.error());
    // An interval is two elements of the dump, its end and its begin.
    if (elements->size() / 2 <= nft::kMostElements) set.elements = std::move(*elements);
    return {};
  }

  kernel::Source& source_;
  const kernel::NetnsRef& netns_;
};

/// The element that has the key; nullopt: none has. An error: it was not to be learnt.
Result<std::optional<nft::Element>> get_element(kernel::Source& source,
                                                const kernel::NetnsRef& netns, const nft::Set& set,
                                                ByteView key) {
  const auto answer = source.netlink(netns, kNetlinkNetfilter, nft::element_request(set, key));
  if (!answer && answer.error().code == ENOENT) return std::nullopt;
  if (!answer) return fail(answer.error());
  auto elements = nft::decode_elements(*answer, set);
  if (!elements) return fail(elements.error());
  if (elements->empty()) return std::nullopt;
  return std::move(elements->front());
}

}  // namespace

Result<NftRuleset> read_nft(kernel::Source& source, const kernel::NetnsRef& netns) {
  Reader reader(source, netns);
  auto before = reader.generation();
  if (!before && is_absent(before.error())) return NftRuleset{};
  for (int attempt = 1; before; ++attempt) {
    auto all = reader.everything();
    const auto after = reader.generation();
    if (!after) return fail(after.error());
    const bool settled = *before == *after;
    // What fails because a set is gone by now is not an error but a change.
    if (settled || attempt == kTries) {
      if (!all) return fail(all.error());
      all->generation = *after;
      all->settled = settled;
      return all;
    }
    before = after;
  }
  return fail(before.error());
}

bool ask_element(kernel::Source& source, const kernel::NetnsRef& netns, NftRuleset& ruleset,
                 const ElementQuestion& question) {
  const auto set = std::ranges::find_if(ruleset.sets, [&](const nft::Set& one) {
    return one.family == question.family && one.table == question.table &&
           one.name == question.set && one.key_length == question.key.size();
  });
  if (set == ruleset.sets.end() || set->elements) return false;
  if (std::ranges::find(set->asked, question.key, &nft::AskedKey::key) != set->asked.end()) {
    return false;
  }
  auto found = get_element(source, netns, *set, question.key);
  // A catch-all stands for the keys that no other element has; it has none itself.
  if (found && !*found) found = get_element(source, netns, *set, {});
  // Kernels before 5.13 have no catch-alls, and want a key.
  if (!found && found.error().code == EINVAL) found = std::optional<nft::Element>();
  if (!found) return false;
  set->asked.push_back({.key = question.key, .found = std::move(*found)});
  return true;
}

}  // namespace hark::host
